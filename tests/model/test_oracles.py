"""Oracles: the chains they make are carried out with real HMACs and digests and compared with the real schedules."""

import hashlib
import hmac
from collections.abc import Callable

import pytest

from keyfence.model import Chain, Evaluation, Key, Limits, Oracle, Readable, Slice, Stream, Unsat, Window, solve
from keyfence.model.lengths import Lengths
from keyfence.schedule import PrfHash, hkdf, prf_tls12, ssl3

from .samples import AES, PUBLIC

SECRET = bytes(range(48))
RANDOMS = bytes(range(100, 164))


def chain(function: str, length: int, *oracles: Oracle, input_: bytes = RANDOMS) -> Chain:
    target = [Slice(Stream("master", function, input_), 0, length, AES)]
    found = solve(target, oracles)
    assert isinstance(found, Chain)
    assert found.optimal
    return found


def evaluations(found: Chain) -> list[tuple[bool, int]]:
    """(helper?, block) of each call, in order."""
    choices = [step.call.choice for step in found.steps if step.call]
    assert all(isinstance(choice, Evaluation) for choice in choices)
    return [(choice.helper, choice.index) for choice in choices if isinstance(choice, Evaluation)]


def rebuilt(found: Chain, length: int, helper: Callable[..., bytes], output: Callable[..., bytes]) -> bytes:
    """Each evaluation in the chain's order, with no value that an earlier one did not give."""
    helpers: dict[int, bytes] = {}
    blocks: dict[int, bytes] = {}
    for is_helper, index in evaluations(found):
        if is_helper:
            helpers[index] = helper(helpers, index)
        else:
            blocks[index] = output(helpers, blocks, index)
    return b"".join(blocks[index] for index in sorted(blocks))[:length]


@pytest.mark.parametrize(
    ("digest", "length", "calls"), [("SHA256", 104, 8), ("SHA256", 40, 4), ("SHA384", 104, 6), ("SHA384", 48, 2)]
)
def test_the_tls_1_2_prf_from_an_hmac_two_calls_a_block(digest: str, length: int, calls: int) -> None:
    seed = b"key expansion" + RANDOMS
    found = chain(f"TLS12-PRF-{digest}", length, Oracle("sign", "master", f"HMAC-{digest}"), input_=seed)
    assert found.price.calls == calls
    assert found.price.work_bits == 0

    def mac(data: bytes) -> bytes:
        return hmac.digest(SECRET, data, digest.lower())

    value = rebuilt(
        found,
        length,
        lambda helpers, index: mac(helpers[index - 1] if index else seed),
        lambda helpers, _, index: mac(helpers[index] + seed),
    )
    assert value == prf_tls12(PrfHash[digest], SECRET, b"key expansion", RANDOMS, length)


def test_hkdf_expand_from_an_hmac_one_call_a_block() -> None:
    found = chain("HKDF-EXPAND-SHA256", 70, Oracle("sign", "master", "HMAC-SHA256"))
    assert evaluations(found) == [(False, 0), (False, 1), (False, 2)]
    value = rebuilt(
        found,
        70,
        lambda *_: b"",
        lambda _, blocks, index: hmac.digest(SECRET, blocks.get(index - 1, b"") + RANDOMS + bytes([index + 1]), "sha256"),
    )
    assert value == hkdf.expand(PrfHash.SHA256, SECRET, RANDOMS, 70)


def test_ssl_3_from_two_digests_two_calls_a_block() -> None:
    oracles = Oracle("MD5 of the key", "master", "DIGEST-MD5"), Oracle("SHA-1 of the key", "master", "DIGEST-SHA1")
    found = chain("SSL3", 104, *oracles)
    assert found.price.calls == 14
    value = rebuilt(
        found,
        104,
        lambda _, index: hashlib.sha1(bytes([65 + index]) * (index + 1) + SECRET + RANDOMS).digest(),
        lambda helpers, _, index: hashlib.md5(SECRET + helpers[index]).digest(),
    )
    assert value == ssl3.expand(SECRET, RANDOMS, 104)


@pytest.mark.parametrize("function", ["DIGEST-MD5", "DIGEST-SHA1"])
def test_one_digest_alone_does_not_give_ssl_3(function: str) -> None:
    target = [Slice(Stream("master", "SSL3", RANDOMS), 0, 16, AES)]
    assert isinstance(solve(target, [Oracle("digest", "master", function)]), Unsat)


def test_no_hmac_gives_the_tls_1_0_prf() -> None:
    target = [Slice(Stream("master", "TLS10-PRF", RANDOMS), 0, 16, AES)]
    oracles = [Oracle("sign", "master", function) for function in ("HMAC-MD5", "HMAC-SHA1", "HMAC-SHA256", "DIGEST-MD5")]
    assert isinstance(solve(target, oracles), Unsat)


@pytest.mark.parametrize(("secret", "function"), [("other", "HMAC-SHA256"), ("master", "HMAC-SHA384"), ("master", "TLS10-PRF")])
def test_another_secret_or_function_rebuilds_nothing(secret: str, function: str) -> None:
    stream = Stream("master", "TLS12-PRF-SHA256", RANDOMS)
    oracle = Oracle("sign", secret, function)
    assert not oracle.rebuilds(stream)
    assert not list(oracle.calls({stream: 40}))


def test_the_function_itself_gives_all_at_once() -> None:
    found = chain("TLS10-PRF", 136, Oracle("CKM_TLS_PRF", "master", "TLS10-PRF"))
    assert found.price.calls == 1


def test_a_readable_key_is_as_good_as_a_value() -> None:
    found = chain("TLS12-PRF-SHA256", 32, Oracle("extract", "master", "HMAC-SHA256", Readable()))
    assert found.price.calls == 2


def test_a_mac_ends_after_its_own_length() -> None:
    stream = Stream("master", "HMAC-SHA256", b"finished")
    assert [piece.stop for call in Oracle("sign", "master", "HMAC-SHA256").calls({stream: 48}) for piece in call.slices] == [32]


def test_a_mac_cut_off_breaks_the_chain_but_not_the_first_block_of_hkdf() -> None:
    short = Oracle("general", "master", "HMAC-SHA256", output=31)
    tls12 = [Slice(Stream("master", "TLS12-PRF-SHA256", RANDOMS), 0, 16, AES)]
    assert isinstance(solve(tls12, [short]), Unsat)
    hkdf_key = [Slice(Stream("master", "HKDF-EXPAND-SHA256", RANDOMS), 0, 31, AES)]
    assert isinstance(solve(hkdf_key, [short]), Chain)
    longer = [Slice(Stream("master", "HKDF-EXPAND-SHA256", RANDOMS), 0, 33, AES)]
    assert isinstance(solve(longer, [short], Limits(max_search_bits=7)), Unsat)


def test_a_block_known_otherwise_carries_the_chain_on() -> None:
    """A cut-off HMAC cannot rebuild T(1); a window that shows T(1) lets it go on to T(2)."""
    stream = Stream("master", "HKDF-EXPAND-SHA256", RANDOMS)
    short = Oracle("general", "master", "HMAC-SHA256", output=16)
    window = Window("data", stream, PUBLIC, start=Lengths.exactly(0), length=Lengths.up_to(32))
    found = solve([Slice(stream, 32, 48, AES)], [short, window])
    assert isinstance(found, Chain)
    assert found.price.calls == 2
    assert [step.call.capability.name for step in found.steps if step.call] == ["data", "general"]


def test_kbkdf_counter_mode_goes_straight_to_the_block() -> None:
    stream = Stream("master", "KBKDF-COUNTER-CMAC", b"label")
    found = solve([Slice(stream, 64, 80, Key.of(0x1F))], [Oracle("sign", "master", "CMAC")])
    assert isinstance(found, Chain)
    assert evaluations(found) == [(False, 4)]
