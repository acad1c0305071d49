"""What a module's use of a key becomes as a problem of the search engines, and that these find the key."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.audit import Audit, Opened, Options, Target, Verdict
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.techniques import keysearch, searching
from keyfence.techniques.base import Bench, Inconclusive
from keyfence.techniques.keysearch import MESSAGE, Use, identify
from keyfence.token import Quirks, SoftToken


def opened(**how: Any) -> Opened:
    return Opened(Target("test", SoftToken), **how)


def use_of(key_type: int, key: bytes) -> Use:
    """One use of this key by the token."""
    module = opened()
    try:
        handle = module.bench.import_key(key_type, key, encrypt=True, sign=True)
        use = identify(module.bench, handle, key_type)
    finally:
        module.close()
    assert isinstance(use, Use)
    return use


def test_blocks_of_a_chain_are_encryptions_of_single_blocks() -> None:
    random = Random(1)
    des, aes = random.randbytes(8), random.randbytes(16)
    for use, size, ecb in (
        (use_of(CKK.DES, des), 8, Cipher(TripleDES(des * 3), modes.ECB())),
        (use_of(CKK.AES, aes), 16, Cipher(algorithms.AES(aes), modes.ECB())),
    ):
        pairs = searching.blocks(use, size)
        assert len(pairs) == len(MESSAGE) // size
        for plaintext, ciphertext in pairs:
            assert ecb.encryptor().update(plaintext) == ciphertext


@pytest.mark.parametrize(
    ("key_type", "length"),
    [(CKK.DES, 8), (CKK.AES, 16), (CKK.AES, 24), (CKK.RC4, 5), (CKK.RC4, 7), (CKK.GENERIC_SECRET, 3)],
)
def test_the_key_that_was_used_is_found(key_type: int, length: int) -> None:
    random = Random(length)
    key = random.randbytes(length)
    mask = random.randbytes(2) + b"\xff" * (length - 2)
    value = bytes(a & b for a, b in zip(key, mask, strict=True))
    found = searching.find(searching.problem(use_of(key_type, key), mask, value))
    assert use_of(key_type, key)(found)
    assert found == key or key_type == CKK.DES


def test_where_no_candidate_is_the_key_nothing_is_said() -> None:
    key = bytes(range(5))
    problem = searching.problem(use_of(CKK.RC4, key), bytes(1) + b"\xff" * 4, bytes(1) + bytes([9, 9, 9, 9]))
    with pytest.raises(Inconclusive):
        searching.find(problem)


class TestShort:
    def bench(self, **how: Any) -> Bench:
        """Remembers what the engines were asked."""
        asked: list[object] = []
        answers = {"search": lambda wanted: (asked.append(wanted), searching.find(wanted))[1], "asked": asked}
        return SimpleNamespace(**{"max_search_bits": 24, "searchable": {"rc4"}} | answers | how)  # type: ignore[return-value]

    def test_three_bytes_go_to_an_engine(self) -> None:
        bench = self.bench()
        assert searching.short(bench, use_of(CKK.RC4, b"\x01\x02\x03\x04"), 4, {1: 2}) == b"\x01\x02\x03\x04"
        assert len(bench.asked) == 1  # type: ignore[attr-defined]

    def test_two_bytes_do_not(self) -> None:
        bench = self.bench()
        assert searching.short(bench, use_of(CKK.RC4, b"\x00\x02\x03\x04"), 4, {1: 2, 2: 3}) == b"\x00\x02\x03\x04"
        assert not bench.asked  # type: ignore[attr-defined]

    def test_more_than_is_allowed_is_not_searched_at_all(self) -> None:
        bench = self.bench(max_search_bits=23)
        with pytest.raises(Inconclusive, match=r"2\^24 trials is more than the 2\^23 allowed"):
            searching.short(bench, use_of(CKK.RC4, b"\x01\x02\x03\x04"), 4, {1: 2})

    def test_a_use_that_no_engine_knows_is_tried_one_by_one(self) -> None:
        bench = self.bench()
        assert searching.short(bench, lambda key: key == b"\x00\x01\x02", 3, {}) == b"\x00\x01\x02"
        assert not bench.asked  # type: ignore[attr-defined]

    def test_a_length_that_no_engine_takes_is_tried_one_by_one(self) -> None:
        bench = self.bench()
        use = Use(CKM.SHA_1_HMAC, b"mac", lambda key: b"mac" if key.startswith(b"\x00\x01\x00") else b"")
        assert searching.short(bench, use, 70, dict.fromkeys(range(3, 70), 0))[:3] == b"\x00\x01\x00"
        assert not bench.asked  # type: ignore[attr-defined]


def test_without_the_extra_nothing_is_searchable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "find_spec", lambda _: None)
    searching.searchable.cache_clear()
    try:
        assert searching.searchable() == frozenset()
    finally:
        searching.searchable.cache_clear()


def test_mac_keys_of_three_bytes() -> None:
    """2^24 HMACs, which the default audit prices."""
    token = SoftToken(quirks=Quirks(mac_lengths=frozenset({0, *range(3, 65)})))
    module = Opened(Target("test", lambda: token), max_search_bits=24)
    wanted = Options(techniques=("short-mac",), suites=("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",))
    try:
        report = Audit(module, wanted).run()
    finally:
        module.close()
    finding = next(f for f in report.findings if f.mechanism == str(CKM.TLS12_KEY_AND_MAC_DERIVE))
    assert finding.verdict is Verdict.EXPOSED, finding.why
    assert finding.work_bits == 24
    assert finding.recovered_bytes == 32


def test_rc4_of_the_search_is_rc4_of_the_uses() -> None:
    """Lengths that pyca/cryptography does not know are computed by two implementations of our own: they agree."""
    use = Use(CKM.RC4, keysearch.rc4(b"\x07\x08\x09", MESSAGE), lambda key: keysearch.rc4(key, MESSAGE))
    assert searching.find(searching.problem(use, b"\xff\x00\x00", b"\x07\x00\x00")) == b"\x07\x08\x09"


@pytest.mark.parametrize("technique", ["short-mac", "slice", "hkdf-truncation"])
def test_a_search_that_no_engine_does_is_priced_however_large_a_one_is_allowed(technique: str) -> None:
    """2^32 HMACs one by one are hours: what is exposed without a limit of 2^56 is exposed with it."""
    at_least_four = Quirks(mac_lengths=frozenset({0, *range(4, 65)}), min_derived=4)
    module = Opened(Target("test", lambda: SoftToken(quirks=at_least_four)), max_search_bits=56, searchable=())
    try:
        report = Audit(module, Options(techniques=(technique,))).run()
    finally:
        module.close()
    found = [f for f in report.findings if f.verdict is Verdict.EXPOSED]
    assert found
    assert max(f.work_bits for f in found) == 32
    assert all("2^32 trials, not run" in f.why for f in found if f.work_bits > 24)
