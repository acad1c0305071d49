"""Random calls of a hostile caller's, through two guards before one token with one bug or another; an oracle watches below.

The same caller against the bare token makes the oracle cry out: so it is heard.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyfence.token import Quirks

from .hostile import World, attack, shared
from .test_audit_guarded import QUIRKS

STEPS = 150


def _fit(quirks: Quirks) -> bool:
    """Whether the victim's sessions can be set up on such a token, by a stack that says no more than is needed."""
    return quirks.import_keys and not quirks.mac_lengths


TOKENS = [quirks for quirks in QUIRKS.values() if _fit(quirks)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(quirks=st.sampled_from(TOKENS), seed=st.integers(0, 2**32))
def test_the_guard_gives_nothing_away(quirks: Quirks, seed: int) -> None:
    world = World(quirks, guarded=True)
    attack(world, Random(seed), STEPS)
    assert world.watch.violations == []


@pytest.mark.parametrize("kind", ["shows", "under", "makes a key of"])
def test_the_oracle_hears_the_bare_token(kind: str) -> None:
    heard: list[str] = []
    for seed in range(60):
        world = World(QUIRKS["all bugs at once"], guarded=False)
        attack(world, Random(seed), STEPS)
        heard += [violation for violation in world.watch.violations if kind in violation]
        if heard:
            return
    pytest.fail(f"60 sequences of {STEPS} calls, and nothing {kind} a secret")


def test_the_longest_common_string() -> None:
    assert shared(b"..abcdef..", b"xxabcdefyy") == 6
    assert shared(b"abc", b"abc") == 0
    assert shared(bytes(16), bytes(16)) == 16
