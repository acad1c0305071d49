"""separated: a key under a separated key's label is the key that the label names."""

from dataclasses import replace
from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKR
from keyfence.cryptoki.params import TlsKdf
from keyfence.schedule import judge_derivation, judge_string, template_objection

from ..call import Call, Objection, number
from ..mechanisms import EXPORTS
from ..roles import Kind
from ..ways import Left, Reading, Terms, Way
from .base import Rule, World


class Separated(Rule):
    """The label names algorithm, direction and length, so that no two keys share a stream. That holds only if the key is what
    the label says: a key for AES_128_GCM made as a MAC key, or one byte shorter, would be a second key from the same stream.
    It is born for its one mechanism, by C_DeriveKey alone: no PRF shows its bytes."""

    id: ClassVar[str] = "separated"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey"})

    def judge(self, call: Call, world: World) -> Call:
        parameters = call.mechanism.parameters if call.mechanism else None
        if call.mechanism_type not in EXPORTS or not isinstance(parameters, TlsKdf):
            return call
        label = judge_derivation(
            parameters.label, parameters.client_random, parameters.server_random, parameters.context
        ).separated
        if label is None:
            return call
        if not world.policy.separated:
            raise Objection("the policy has no separated key expansion", CKR.MECHANISM_PARAM_INVALID)
        key_type, length = number(call.template, CKA.KEY_TYPE), number(call.template, CKA.VALUE_LEN)
        objection = template_objection(label, key_type, length)
        if objection or label.facts.mechanism is None:
            raise Objection(objection or f"no mechanism is for {label.algorithm}", CKR.TEMPLATE_INCONSISTENT)
        if call.birth.role.kind not in (Kind.RECORD, Kind.MAC):
            raise Objection("the label is cut elsewhere than it says", CKR.MECHANISM_PARAM_INVALID)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        label = judge_string(way.stream.input).separated if isinstance(way, Reading) and way.mechanism in EXPORTS else None
        if label is None or not isinstance(way, Reading):
            return (way,)
        fits = template_objection(label, way.key_type, label.length) is None and label.facts.mechanism is not None
        return (replace(way, length=frozenset({label.length})),) if fits and terms.policy.separated else ()
