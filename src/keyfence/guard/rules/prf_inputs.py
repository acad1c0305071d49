"""prf-inputs: what a master secret's PRF is asked for, judged as one string."""

from dataclasses import replace
from typing import ClassVar, Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.params import MacGeneral, TlsKdf, TlsMac, TlsPrf
from keyfence.schedule import Judgement, PrfHash, judge_derivation, judge_finished, judge_string
from keyfence.schedule import Rule as Which
from keyfence.schedule.tls import CLIENT_FINISHED, SERVER_FINISHED, VERIFY_DATA_LENGTH

from ..call import Call, Objection
from ..mechanisms import EXPORTS, SIGNING_PRFS, TLS_MACS
from ..policy import Policy
from ..roles import Kind
from ..ways import Left, Reading, Terms, Way
from .base import Rule, World

_LABELS: Final = {1: SERVER_FINISHED, 2: CLIENT_FINISHED}
_PRFS: Final = frozenset({*EXPORTS, CKM.TLS_PRF, *SIGNING_PRFS})
_TLS10_HASH: Final = 36  # MD5 and SHA-1, as TLS 1.0's Finished has them


class PrfInputs(Rule):
    """CKM_TLS_KDF with the label "key expansion" is the key block, and so is the label "k" with a random that begins "ey
    expansion": the PRF sees label and seed as one string, so one string is judged. Allowed are Finished values, exporters
    under the policy's labels, EXPERIMENTAL ones, and separated keys. CKM_TLS_PRF and NSS's PRFs by C_Sign are the same
    function under other names, and are judged as it is."""

    id: ClassVar[str] = "prf-inputs"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey", "C_SignInit", "C_VerifyInit", "C_Sign", "C_Verify"})

    def judge(self, call: Call, world: World) -> Call:
        if call.role.kind is not Kind.MASTER or call.mechanism is None:
            return call
        if call.function == "C_DeriveKey":
            return _derivation(call, world.policy)
        if call.function in ("C_SignInit", "C_VerifyInit"):
            return _begun(call)
        if call.mechanism.type in TLS_MACS:
            _check_mac(call)
        elif call.mechanism.type in SIGNING_PRFS:
            _check(call.data, call.role.function, _length(call.mechanism), world.policy)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        if not isinstance(way, Reading) or way.role.kind is not Kind.MASTER or way.mechanism not in _PRFS:
            return (way,)
        try:
            if way.mechanism in EXPORTS:
                _allow(judge_string(way.stream.input, terms.policy.exporter_labels), terms.policy)
            else:
                _check(way.stream.input, way.role.function, None, terms.policy)
        except Objection:
            return ()
        return (way,)


def _derivation(call: Call, policy: Policy) -> Call:
    parameters = call.mechanism.parameters if call.mechanism else None
    if call.mechanism_type in EXPORTS:
        if not isinstance(parameters, TlsKdf):
            raise Objection("not the parameter of an exporter", CKR.MECHANISM_PARAM_INVALID)
        pieces = (parameters.label, parameters.client_random, parameters.server_random, parameters.context)
        _allow(judge_derivation(*pieces, policy.exporter_labels), policy)
    elif call.mechanism_type == CKM.TLS_PRF:
        if not isinstance(parameters, TlsPrf):
            raise Objection("not the parameter of a PRF", CKR.MECHANISM_PARAM_INVALID)
        _check(parameters.label + parameters.seed, call.role.function, parameters.output_length, policy)
    return call


def _begun(call: Call) -> Call:
    """NSS gives a PRF's output at any length; the length asked for is settled before data come."""
    if call.mechanism is not None and call.mechanism.type in TLS_MACS:
        parameters = call.mechanism.parameters
        if not isinstance(parameters, TlsMac) or parameters.server_or_client not in _LABELS:
            raise Objection("not the parameter of a Finished", CKR.MECHANISM_PARAM_INVALID)
        if parameters.mac_length != VERIFY_DATA_LENGTH:
            raise Objection("verify_data has 12 bytes", CKR.MECHANISM_PARAM_INVALID)
        return replace(call, mechanism=Mechanism(call.mechanism.type, parameters))
    return call


def _check_mac(call: Call) -> None:
    parameters = call.mechanism.parameters if call.mechanism else None
    if not isinstance(parameters, TlsMac) or parameters.server_or_client not in _LABELS:
        raise Objection("not the parameter of a Finished", CKR.MECHANISM_PARAM_INVALID)  # only said, when the operation began
    if len(call.data) != _hash_length(call.role.function):
        raise Objection("what is MACed under a master secret is one transcript hash", CKR.DATA_LEN_RANGE)
    if call.role.function != "TLS10":
        label = _LABELS[parameters.server_or_client]
        judgement = judge_finished(label, call.data, parameters.mac_length, PrfHash[call.role.function])
        if not judgement.allowed:
            raise Objection(judgement.why, CKR.DATA_LEN_RANGE)
    if call.signature is not None and len(call.signature) != parameters.mac_length:
        raise Objection("verify_data has 12 bytes", CKR.SIGNATURE_LEN_RANGE)


def _hash_length(function: str) -> int:
    return _TLS10_HASH if function == "TLS10" else PrfHash[function].digest_size


def _check(data: bytes, function: str, length: int | None, policy: Policy) -> None:
    """A whole input whose output the caller sees: a Finished of 12 bytes, or an exporter that is none of ours."""
    for label in (CLIENT_FINISHED, SERVER_FINISHED):
        if data.startswith(label):
            if len(data) != len(label) + _hash_length(function) or length not in (None, VERIFY_DATA_LENGTH):
                raise Objection("a Finished is 12 bytes over one transcript hash", CKR.DATA_LEN_RANGE)
            return
    judgement = judge_string(data, policy.exporter_labels)
    if judgement.separated is not None:
        raise Objection("a separated key is made as a key", CKR.DATA_INVALID)
    _allow(judgement, policy)


def _allow(judgement: Judgement, policy: Policy) -> None:
    if not judgement.allowed:
        raise Objection(judgement.why, CKR.MECHANISM_PARAM_INVALID)
    if judgement.rule is Which.EXPERIMENTAL and not policy.experimental:
        raise Objection("the policy has no EXPERIMENTAL labels", CKR.MECHANISM_PARAM_INVALID)


def _length(mechanism: Mechanism) -> int | None:
    return mechanism.parameters.length if isinstance(mechanism.parameters, MacGeneral) else None
