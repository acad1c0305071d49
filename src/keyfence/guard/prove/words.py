"""Answers in words: the question, sat or unsat, and where it is sat the two calls."""

from collections.abc import Iterator

from keyfence.cryptoki.constants import CKK, describe
from keyfence.model import Call, Cut, Exposure, Key, Slice, Span

from .questions import Answer


def rows(answer: Answer) -> Iterator[tuple[str, str]]:
    """(name, text) of a witness: the secret, the victim's call, the attacker's, and the byte that both have."""
    if answer.witness is None:
        return
    yield "secret", answer.subject
    yield "the victim's", described(answer.witness.victim)
    yield "the attacker's", described(answer.witness.attacker)
    yield "so that", meeting(answer.witness)


def described(call: Call) -> str:
    """A call, with the lengths that were chosen in PKCS#11's terms."""
    name, choice = call.capability.name, call.choice
    match choice:
        case Cut(mac=mac, key=key, iv=iv, option=option):
            bits = f"ulMacSizeInBits {8 * mac}, ulKeySizeInBits {8 * key}, ulIVSizeInBits {8 * iv}"
            sink = option.sink
            return f"{name}: {bits}" + (f", CKA_KEY_TYPE {describe(CKK, sink.key_type)}" if isinstance(sink, Key) else "")
        case Span(length=length):
            return f"{name}: {_bytes(length)}"
        case _:
            return f"{name}: as often as it takes"


def meeting(witness: Exposure) -> str:
    """Which byte is whose, and at what price."""
    mine, theirs = (_at(call, witness.offset) for call in (witness.victim, witness.attacker))
    where = f"byte {witness.offset} of {witness.stream.function} under the {witness.stream.secret}"
    if witness.stream.function == "value":
        where = f"byte {witness.offset} of the {witness.stream.secret}"
    return f"{where}: {_part(mine)} of the victim's, {_part(theirs)} of the attacker's, {_price(theirs)}"


def _at(call: Call, offset: int) -> Slice:
    return next(piece for piece in call.slices if piece.start <= offset < piece.stop)


def _part(piece: Slice) -> str:
    return piece.part if piece.part not in ("window", "output") else _bytes(piece.length)


def _price(piece: Slice) -> str:
    return f"2^{piece.strength} trials alone" if piece.strength else "in the clear"


def _bytes(length: int) -> str:
    return "1 byte" if length == 1 else f"{length} bytes"
