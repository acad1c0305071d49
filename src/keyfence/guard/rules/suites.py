"""suite-shapes: key blocks are cut as an allowed cipher suite cuts them, in parameter and template."""

from dataclasses import replace
from typing import ClassVar, Final

from keyfence.cryptoki.constants import CKA, CKK, CKR
from keyfence.cryptoki.params import KeyMat, Tls12KeyMat

from ..blocks import Cut
from ..call import Call, Objection
from ..mechanisms import KEY_BLOCKS
from ..ways import Cutting, Left, Terms, Way
from .base import Rule, World

FIXED_TYPES: Final = frozenset({CKK.DES, CKK.DES2, CKK.DES3, CKK.CHACHA20, CKK.SEED, CKK.IDEA})
"""Key types whose length is their type's: some modules take no CKA_VALUE_LEN, some need it, and the caller knows which."""


class SuiteShapes(Rule):
    """The caller says how long MAC keys, write keys and IVs are, and nothing in the stream depends on it: an IV of 64 bytes is
    a key block in the clear, a MAC key of one byte is a search of 2^8. Which of the two lengths cuts, the parameter's or the
    template's, differs between modules, so both have to be the suite's."""

    id: ClassVar[str] = "suite-shapes"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey"})

    def judge(self, call: Call, world: World) -> Call:
        if call.mechanism_type not in KEY_BLOCKS or call.mechanism is None:
            return call
        cut, parameters = call.birth.cut, call.mechanism.parameters
        if cut is None or not isinstance(parameters, KeyMat | Tls12KeyMat) or parameters.is_export:
            raise Objection("no allowed cipher suite cuts a key block so", CKR.MECHANISM_PARAM_INVALID)
        if call.template.get(CKA.KEY_TYPE) in FIXED_TYPES:
            return call
        return replace(call, template={**call.template, CKA.VALUE_LEN: cut.shape.key})

    def leaves(self, way: Way, terms: Terms) -> Left:
        if not isinstance(way, Cutting):
            return (way,)
        return tuple(_narrowed(way, cut) for cut in terms.cuts if cut.function == way.role.function)


def _narrowed(way: Cutting, cut: Cut) -> Cutting:
    mac, key = frozenset({cut.shape.mac}), frozenset({cut.shape.key})
    return replace(way, mac=mac, key=key, iv=cut.ivs(returned=True), key_type=cut.key_type, cut=cut)
