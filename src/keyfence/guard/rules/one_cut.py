"""one-cut: a key block is cut once, the first time, for good."""

from dataclasses import replace
from typing import ClassVar

from keyfence.cryptoki.constants import CKR
from keyfence.cryptoki.params import KeyMat, Tls12KeyMat

from ..call import Call, Objection
from ..ledger import Answer, LedgerUnavailable
from ..mechanisms import KEY_BLOCKS, function_of
from ..registry import Block
from ..ways import Cutting, Left, Terms, Way
from .base import Rule, World


class OneCut(Rule):
    """Two cuts of one key block show each other's keys, even if both are real suites': one's IVs lie on the other's key, or the
    same bytes are keys of two algorithms. The first cut of (master secret by value, client random, server random) is committed
    durably BEFORE the module is called, so that no crash leaves keys without a commitment; the same again is harmless."""

    id: ClassVar[str] = "one-cut"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey"})

    def judge(self, call: Call, world: World) -> Call:
        parameters = call.mechanism.parameters if call.mechanism else None
        if call.mechanism_type not in KEY_BLOCKS or not isinstance(parameters, KeyMat | Tls12KeyMat):
            return call
        assert call.key is not None
        function = function_of(call.mechanism_type, parameters) or ""
        try:
            fingerprint = world.fingerprints.of_master(call.session, call.key, function)
            block = (fingerprint, parameters.client_random, parameters.server_random)
            commit(world, block, _text(call, parameters))
        except LedgerUnavailable as error:
            raise Objection(f"the ledger does not answer: {error}") from error
        return replace(call, birth=replace(call.birth, block=block))

    def leaves(self, way: Way, terms: Terms) -> Left:
        """Where nothing is committed, one cut of all is left, whichever comes first. Another name is another key block."""
        if not isinstance(way, Cutting) or way.renamed:
            return (way,)
        if terms.committed is None:
            return (replace(way, once=True),)
        return (way,) if way.cut is not None and way.cut.text == terms.committed.text else ()


def _text(call: Call, parameters: KeyMat | Tls12KeyMat) -> bytes:
    """An allowed cut has a text of its own; any other is told by all that was asked."""
    if call.birth.cut is not None:
        return call.birth.cut.text
    template = sorted((attribute, value) for attribute, value in call.template.items() if isinstance(value, int))
    return f"{parameters.mac_bits} {parameters.key_bits} {parameters.iv_bits} {template}".encode("ascii")


def commit(world: World, block: Block, cut: bytes) -> None:
    """Objection where something else stands in the ledger; LedgerUnavailable."""
    if world.ledger.commit(*block, cut) is Answer.CONFLICT:
        raise Objection("this key block was cut in another way before", CKR.FUNCTION_REJECTED)
