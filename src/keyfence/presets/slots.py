"""Which slot of a module to use: the one whose token a URI describes."""

from collections.abc import Iterator

from ..cryptoki import Cryptoki, KeyfenceError, TokenInfo, TokenRefused
from ..cryptoki.constants import TokenFlag
from ..cryptoki.uri import Uri


class SlotNotChosen(KeyfenceError):
    """No token fits, or more than one does."""


def find_slot(module: Cryptoki, uri: Uri) -> tuple[int, TokenInfo]:
    """The one slot of an initialised module whose library, slot and token fit `uri`. Raises SlotNotChosen.

    Where an initialised token fits, those that are not yet initialised (SoftHSM2 always has one) are no rivals to it.
    """
    tokens = list(_tokens(module))
    fitting = [(slot, token) for slot, token in tokens if _fits(module, slot, token, uri)]
    ready = [(slot, token) for slot, token in fitting if token.flags & TokenFlag.TOKEN_INITIALIZED]
    match ready or fitting:
        case [only]:
            return only
        case []:
            raise SlotNotChosen(f"no token fits {uri}; {_listed(tokens)}")
        case several:
            raise SlotNotChosen(f"more than one token fits {uri}: {_listed(several)}")


def _fits(module: Cryptoki, slot: int, token: TokenInfo, uri: Uri) -> bool:
    return (
        uri.matches_token(token)
        and uri.matches_slot(slot, module.get_slot_info(slot))
        and uri.matches_library(module.get_info())
    )


def _tokens(module: Cryptoki) -> Iterator[tuple[int, TokenInfo]]:
    for slot in module.get_slot_list(True):
        try:
            yield slot, module.get_token_info(slot)
        except TokenRefused:  # pulled out meanwhile, or of a kind the module does not know
            continue


def _listed(tokens: list[tuple[int, TokenInfo]]) -> str:
    if not tokens:
        return "no slot holds a token"
    return "there is " + ", ".join(f"token {token.label!r} in slot {slot}" for slot, token in tokens)
