"""Choosing a slot: by what a URI says, among the tokens there are."""

from typing import Any

import pytest

from keyfence.cryptoki import Info, SlotInfo, TokenInfo, refusal
from keyfence.cryptoki.constants import CKR, SlotFlag, TokenFlag
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.uri import Uri
from keyfence.presets import SlotNotChosen, find_slot

READY = TokenFlag.TOKEN_INITIALIZED


class Slots(Dispatched):
    """A module with these tokens, by slot; None stands for a slot whose token is not recognised."""

    def __init__(self, tokens: dict[int, tuple[str, TokenFlag] | None]) -> None:
        self.tokens = tokens

    def _call(self, name: str, *arguments: Any) -> Any:
        return getattr(self, f"_{name}")(*arguments)

    def _get_info(self) -> Info:
        return Info((2, 40), "maker", "library", (1, 0))

    def _get_slot_list(self, token_present: bool) -> tuple[int, ...]:
        return tuple(self.tokens)

    def _get_slot_info(self, slot: int) -> SlotInfo:
        return SlotInfo(f"slot {slot}", "maker", SlotFlag.TOKEN_PRESENT)

    def _get_token_info(self, slot: int) -> TokenInfo:
        token = self.tokens[slot]
        if token is None:
            raise refusal(CKR.TOKEN_NOT_RECOGNIZED, "C_GetTokenInfo")
        return TokenInfo(token[0], "maker", "model", str(slot), token[1])


TWO = Slots({1: ("one", READY), 2: ("two", READY)})


@pytest.mark.parametrize(
    ("uri", "slot"),
    [
        ("pkcs11:token=two", 2),
        ("pkcs11:slot-id=1", 1),
        ("pkcs11:slot-description=slot%202;library-description=library", 2),
        ("pkcs11:serial=1", 1),
    ],
)
def test_the_slot_that_fits(uri: str, slot: int) -> None:
    chosen, token = find_slot(TWO, Uri.parse(uri))
    assert chosen == slot
    assert token.serial == str(slot)


def test_an_initialised_token_goes_before_a_blank_one() -> None:
    slots = Slots({1: ("", TokenFlag(0)), 7: ("mine", READY)})
    assert find_slot(slots, Uri())[0] == 7
    assert find_slot(slots, Uri(slot_id=1))[0] == 1
    assert find_slot(Slots({3: ("", TokenFlag(0))}), Uri())[0] == 3


def test_a_token_nobody_recognises_is_passed_over() -> None:
    assert find_slot(Slots({1: None, 2: ("two", READY)}), Uri())[0] == 2


@pytest.mark.parametrize(
    ("slots", "uri", "complaint"),
    [
        (TWO, "pkcs11:token=three", "no token fits pkcs11:token=three; there is token 'one' in slot 1, token 'two' in slot 2"),
        (TWO, "pkcs11:", "more than one token fits pkcs11:: there is token 'one' in slot 1, token 'two' in slot 2"),
        (TWO, "pkcs11:library-description=other", "no token fits"),
        (Slots({}), "pkcs11:", "no token fits pkcs11:; no slot holds a token"),
        (Slots({1: None}), "pkcs11:", "no slot holds a token"),
    ],
)
def test_none_or_several_is_an_error_that_lists_them(slots: Slots, uri: str, complaint: str) -> None:
    with pytest.raises(SlotNotChosen, match=complaint):
        find_slot(slots, Uri.parse(uri))
