"""What a token may be asked of a master secret: PRF inputs judged as whole strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.schedule import (
    EXPORTER_LABELS,
    RESERVED_LABELS,
    ForbiddenInput,
    PrfHash,
    Rule,
    SeparatedLabel,
    Side,
    check_prf_input,
    exporter_seed,
    judge_derivation,
    judge_finished,
    judge_string,
)
from keyfence.schedule.separated import ALGORITHMS

CLIENT_RANDOM, SERVER_RANDOM = bytes(range(32)), bytes(range(32, 64))
SEPARATED = SeparatedLabel.of("AES_128_GCM", Side.CLIENT)

randoms = st.binary(min_size=32, max_size=32)
labels = st.builds(SeparatedLabel.of, st.sampled_from(sorted(ALGORITHMS)), st.sampled_from(Side))


@given(labels, randoms, randoms)
def test_separated_keys_are_allowed(label: SeparatedLabel, client_random: bytes, server_random: bytes) -> None:
    judgement = judge_derivation(label.build(), client_random, server_random)
    assert judgement.allowed
    assert judgement.rule is Rule.SEPARATED
    assert judgement.separated == label
    assert check_prf_input(label.build(), client_random, server_random) == judgement


@pytest.mark.parametrize("label", sorted(EXPORTER_LABELS))
@pytest.mark.parametrize("context", [None, b"", b"context"])
def test_registered_exporters_are_allowed(label: bytes, context: bytes | None) -> None:
    judgement = judge_derivation(label, CLIENT_RANDOM, SERVER_RANDOM, context)
    assert (judgement.allowed, judgement.rule, judgement.separated) == (True, Rule.EXPORTER, None)


@pytest.mark.parametrize("context", [None, b"", b"context"])
def test_experiments_are_allowed(context: bytes | None) -> None:
    judgement = judge_derivation(b"EXPERIMENTAL my own", CLIENT_RANDOM, SERVER_RANDOM, context)
    assert (judgement.allowed, judgement.rule) == (True, Rule.EXPERIMENTAL)
    assert not judge_string(b"EXPERIMENTAL" + bytes(63)).allowed


@pytest.mark.parametrize("label", RESERVED_LABELS)
@pytest.mark.parametrize("context", [None, b"context"])
def test_tlss_own_labels_are_refused(label: bytes, context: bytes | None) -> None:
    judgement = judge_derivation(label, CLIENT_RANDOM, SERVER_RANDOM, context)
    assert (judgement.allowed, judgement.rule) == (False, Rule.RESERVED)
    with pytest.raises(ForbiddenInput, match=label.decode()) as caught:
        check_prf_input(label, CLIENT_RANDOM, SERVER_RANDOM, context)
    assert caught.value.judgement == judgement


@given(st.sampled_from(RESERVED_LABELS), st.integers(0, 22), randoms, randoms)
def test_moving_the_cut_does_not_hide_the_key_block(label: bytes, cut: int, one: bytes, two: bytes) -> None:
    """Label "k" and a random that begins "ey expansion": the stream is the same, and so is the judgement."""
    both = (label[cut:] + one + two)[:64]
    judgement = judge_derivation(label[:cut], both[:32], both[32:])
    assert (judgement.allowed, judgement.rule) == (False, Rule.RESERVED)


@given(labels, st.integers(1, 30), randoms)
def test_moving_the_cut_does_not_hide_a_separated_key(label: SeparatedLabel, cut: int, one: bytes) -> None:
    """A shifted cut leaves a label that does not parse: the string is one byte or more short of two randoms."""
    built = label.build()
    first = (built[len(built) - cut :] + one)[:32]
    judgement = judge_derivation(built[: len(built) - cut], first, SERVER_RANDOM)
    assert (judgement.allowed, judgement.rule) == (False, Rule.SEPARATED)


@given(labels, st.binary(max_size=64))
def test_a_separated_key_has_no_context(label: SeparatedLabel, context: bytes) -> None:
    judgement = judge_derivation(label.build(), CLIENT_RANDOM, SERVER_RANDOM, context)
    assert (judgement.allowed, judgement.rule) == (False, Rule.SEPARATED)


@given(labels, st.binary(min_size=1, max_size=8))
def test_nothing_may_follow_a_separated_label(label: SeparatedLabel, more: bytes) -> None:
    assert not judge_derivation(label.build() + more, CLIENT_RANDOM, SERVER_RANDOM).allowed


@pytest.mark.parametrize(("client", "server"), [(31, 33), (33, 31), (0, 64), (32, 0), (31, 32), (64, 32)])
def test_randoms_are_32_bytes(client: int, server: int) -> None:
    judgement = judge_derivation(SEPARATED.build(), bytes(client), bytes(server))
    assert (judgement.allowed, judgement.rule) == (False, Rule.RANDOM_LENGTH)


@pytest.mark.parametrize(
    "label", [b"", b"k", b"EXPORTER-not registered", b"EXPORTER-Channel-Bindin", b"experimental x", b"IV block"]
)
def test_everything_else_is_refused(label: bytes) -> None:
    judgement = judge_derivation(label, CLIENT_RANDOM, SERVER_RANDOM)
    assert (judgement.allowed, judgement.rule) == (False, Rule.UNKNOWN)


def test_a_context_says_its_length() -> None:
    data = b"EXPORTER-Channel-Binding" + exporter_seed(CLIENT_RANDOM, SERVER_RANDOM)
    assert judge_string(data).allowed
    assert judge_string(data + b"\0\3abc").allowed
    assert not judge_string(data + b"\0\4abc").allowed
    assert not judge_string(data + b"\0").allowed
    assert not judge_string(data[:-1]).allowed
    assert not judge_derivation(b"EXPORTER-Channel-Binding", CLIENT_RANDOM, SERVER_RANDOM, bytes(0x10000)).allowed


@given(st.binary(max_size=100))
def test_no_string_is_allowed_without_a_known_beginning(data: bytes) -> None:
    known = data.startswith((b"EXPERIMENTAL", *EXPORTER_LABELS))
    assert known or not judge_string(data).allowed


@given(st.sampled_from([b"client finished", b"server finished"]), st.integers(0, 20), st.sampled_from(PrfHash))
def test_finished_is_a_mac_wherever_the_label_ends(label: bytes, cut: int, prf_hash: PrfHash) -> None:
    data = label + bytes(prf_hash.digest_size)
    assert judge_finished(data[:cut], data[cut:], 12, prf_hash).allowed


@pytest.mark.parametrize(
    ("label", "size", "length", "why"),
    [
        (b"client finished", 32, 13, "12 bytes, not 13"),
        (b"client finished", 32, 32, "12 bytes, not 32"),
        (b"server finished", 32, 11, "12 bytes, not 11"),
        (b"client finished", 48, 12, "32 bytes, not 48"),
        (b"client finished", 64, 12, "32 bytes, not 64"),
        (b"client finished", 0, 12, "32 bytes, not 0"),
        (b"key expansion", 32, 12, "only Finished"),
        (b"", 32, 12, "only Finished"),
    ],
)
def test_no_other_mac_under_a_master_secret(label: bytes, size: int, length: int, why: str) -> None:
    judgement = judge_finished(label, bytes(size), length, PrfHash.SHA256)
    assert (judgement.allowed, judgement.rule) == (False, Rule.FINISHED)
    assert why in judgement.why
