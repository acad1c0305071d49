"""Which keys of which real cipher suites share bytes of one key block."""

import pytest

from keyfence.cryptoki.constants import CKK
from keyfence.model import Key, Limits, Overlap, Unsat, all_overlaps, overlaps, solve
from keyfence.model.capabilities import Window
from keyfence.model.lengths import Lengths
from keyfence.model.overlap import block_parts
from keyfence.schedule import SUITES, Version, suite

AES_128 = suite("TLS_RSA_WITH_AES_128_CBC_SHA")
AES_256 = suite("TLS_RSA_WITH_AES_256_CBC_SHA")
DES_CBC = suite("TLS_RSA_WITH_DES_CBC_SHA")


def rows(found: list[Overlap]) -> list[tuple[str, str, int, int, int]]:
    return [(o.part_a.part, o.part_b.part, o.start, o.stop, o.price.work_bits) for o in found]


def test_the_ivs_of_aes_128_are_the_server_write_key_of_aes_256() -> None:
    found = overlaps(AES_128, AES_256, Version.TLS10)
    assert rows(found) == [
        ("client write key", "client write key", 40, 56, 128),
        ("server write key", "client write key", 56, 72, 128),
        ("client IV", "server write key", 72, 88, 0),
        ("server IV", "server write key", 88, 104, 0),
    ]
    assert sum(o.shared for o in found if o.price.work_bits == 0) == 32
    assert all(o.victim is o.part_b and o.through is o.part_a and o.leaks for o in found)


def test_without_ivs_in_the_key_block_only_keys_meet_keys() -> None:
    assert [row[4] for row in rows(overlaps(AES_128, AES_256, Version.TLS12))] == [128, 128]


def test_the_other_way_round_is_the_same() -> None:
    there, back = overlaps(AES_128, AES_256, Version.TLS10), overlaps(AES_256, AES_128, Version.TLS10)
    assert [(o.start, o.stop, o.price) for o in there] == [(o.start, o.stop, o.price) for o in back]


def test_a_des_suite_prices_an_aes_key_at_56_bits() -> None:
    found = overlaps(DES_CBC, AES_128, Version.TLS10)
    assert rows(found)[:2] == [
        ("client write key", "client write key", 40, 48, 56),
        ("server write key", "client write key", 48, 56, 56),
    ]


def test_a_suite_shares_nothing_with_itself_but_the_same_keys() -> None:
    assert overlaps(AES_128, AES_128, Version.TLS10) == []


def test_the_same_bytes_for_another_cipher_are_shared_at_equal_strength() -> None:
    found = overlaps(AES_128, suite("TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"), Version.TLS10)
    assert [(o.start, o.stop, o.leaks) for o in found] == [(40, 56, False), (56, 72, False)]
    assert all(o.victim is o.part_a and o.through is o.part_b for o in found)


def test_another_prf_hash_is_another_stream() -> None:
    gcm_128 = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    gcm_256 = suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    assert overlaps(gcm_128, gcm_256, Version.TLS12) == []
    assert overlaps(gcm_128, suite("TLS_RSA_WITH_AES_256_CBC_SHA256"), Version.TLS12) != []


def test_an_export_key_is_cut_short_and_has_no_parity() -> None:
    parts = block_parts(suite("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"), Version.TLS10)
    (client,) = (part for part in parts if part.part == "client write key")
    assert (client.length, client.sink, client.strength) == (5, Key(CKK.DES), 40)


def test_a_suite_without_a_key_type_counts_as_a_generic_secret() -> None:
    gost = next(s for s in SUITES if s.ckk is None and s.cipher.key and s.supports(Version.TLS12))
    assert Key(CKK.GENERIC_SECRET) in {part.sink for part in block_parts(gost, Version.TLS12)}


@pytest.mark.parametrize("version", [Version.SSL3, Version.TLS10, Version.TLS11, Version.TLS12])
def test_all_suites_of_a_version(version: Version) -> None:
    found = all_overlaps(SUITES, version)
    assert found
    for collision in found:
        assert all(s.supports(version) for s in (*collision.suites_a, *collision.suites_b))
        assert list(collision.overlaps) == overlaps(collision.suites_a[0], collision.suites_b[0], version)
        assert list(collision.overlaps) == overlaps(collision.suites_a[-1], collision.suites_b[-1], version)


def test_all_overlaps_miss_no_pair() -> None:
    some = [AES_128, AES_256, DES_CBC, suite("TLS_RSA_WITH_RC4_128_SHA"), suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")]
    pairs = {
        frozenset((a.name, b.name))
        for collision in all_overlaps(some, Version.TLS10)
        for a in collision.suites_a
        for b in collision.suites_b
    }
    expected = {frozenset((a.name, b.name)) for a in some for b in some if a is not b and overlaps(a, b, Version.TLS10)}
    assert pairs == expected


def test_the_solver_agrees() -> None:
    """Allowed to make both suites' calls, it reads the server write key from the IVs."""
    ours, theirs = block_parts(AES_128, Version.TLS10), block_parts(AES_256, Version.TLS10)
    (key,) = (part for part in theirs if part.part == "server write key")
    calls = [
        Window(part.part, part.stream, part.sink, start=Lengths.exactly(part.start), length=Lengths.exactly(part.length))
        for part in (*ours, *theirs)
    ]
    found = solve([key], calls, Limits(max_search_bits=255))
    assert not isinstance(found, Unsat)
    assert (found.price.work_bits, found.price.calls) == (0, 2)
    assert isinstance(solve([key], calls[6:], Limits(max_search_bits=255)), Unsat)


def test_tls_1_3_has_no_key_block() -> None:
    with pytest.raises(ValueError, match=r"TLS 1\.3"):
        overlaps(AES_128, AES_256, Version.TLS13)
