"""The separated schedule's TLS 1.2: from pre-master to master secret, from there to keys under labels of their own.

Every derivation from a master secret is judged by `keyfence.schedule.judge_derivation`, on the PRF's input as one string.
"""

from typing import Final

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKM, CKR
from keyfence.cryptoki.params import ExtendedMasterKeyDerive, Tls12MasterKeyDerive, TlsKdf, TlsMac
from keyfence.schedule import PrfHash, SeparatedLabel, judge_derivation, judge_finished, template_objection
from keyfence.schedule.tls import CLIENT_FINISHED, SERVER_FINISHED

from ..keytypes import GENERIC
from ..mechanisms.derivation import RANDOM_LENGTH, Request, hash_of
from ..refused import Refused
from ..templates import number
from .roles import Ledger, Role, Stage, protected, record_key

RSA_FORMS: Final = (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE)
DH_FORMS: Final = (CKM.TLS12_MASTER_KEY_DERIVE_DH, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH)
MASTER_FORMS: Final = (*RSA_FORMS, *DH_FORMS)
KDFS: Final = (CKM.TLS_KDF, CKM.TLS12_KDF)
MACS: Final = (CKM.TLS_MAC, CKM.TLS12_MAC)

_OF_A_MASTER: Final = (CKM.TLS_KDF, CKM.TLS_MAC, CKM.TLS12_KDF, CKM.TLS12_MAC)
_HASHES: Final = (PrfHash.SHA256, PrfHash.SHA384)  # those of TLS 1.2's suites
_TAGS: Final = {"CCM_8": (8,), "CCM": (16,), "GCM": (16,), "POLY1305": (16,)}
_LABELS: Final = {1: SERVER_FINISHED, 2: CLIENT_FINISHED}


def judge_master(request: Request, ledger: Ledger) -> tuple[Template, Role]:
    """A master secret from a pre-master secret (RSA forms) or an agreed one (DH forms), and from nothing else."""
    parameters = request.mechanism.parameters
    if isinstance(parameters, Tls12MasterKeyDerive):
        lengths = {len(parameters.client_random), len(parameters.server_random)}
        right = lengths == {RANDOM_LENGTH}
    elif isinstance(parameters, ExtendedMasterKeyDerive):
        right = len(parameters.session_hash) == hash_of(parameters.prf_hash).digest_size
    else:
        raise Refused(CKR.MECHANISM_PARAM_INVALID)
    prf_hash = hash_of(parameters.prf_hash)
    if not right or prf_hash not in _HASHES:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "32 bytes of each random, the suite's hash")
    _check_pre_master(request, ledger)
    template = protected(request.template)
    allowed = template.get(CKA.ALLOWED_MECHANISMS, _OF_A_MASTER)
    if not isinstance(allowed, tuple) or not set(allowed) <= set(_OF_A_MASTER):
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_ALLOWED_MECHANISMS")
    return {**template, CKA.ALLOWED_MECHANISMS: allowed}, Role(Stage.MASTER, prf_hash)


def _check_pre_master(request: Request, ledger: Ledger) -> None:
    """pVersion shows two bytes of its base, so the forms that have it take what was born with a version, no other secret."""
    role = ledger.of(request.base)
    if request.mechanism.type in RSA_FORMS:
        if role != Role(Stage.PRE_MASTER):
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "no pre-master secret")
        ledger.send(request.base)
    elif role is None:
        ledger.adopt(request.base, Role(Stage.SHARED))
    elif role != Role(Stage.SHARED):
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "no agreed secret")


def judge_kdf(request: Request, ledger: Ledger) -> tuple[Template, Role | None]:
    """A separated key, or keying material for an application, under an input that the specification allows."""
    parameters = request.parameters(TlsKdf)
    if ledger.of(request.base) != Role(Stage.MASTER, hash_of(parameters.prf)):
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "no master secret of this PRF")
    judgement = judge_derivation(parameters.label, parameters.client_random, parameters.server_random, parameters.context)
    if not judgement.allowed:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, judgement.why)
    if judgement.separated is None:
        return protected(request.template), None
    return _separated(judgement.separated, request.template)


def _separated(label: SeparatedLabel, template: Template) -> tuple[Template, Role]:
    mechanism = label.facts.mechanism
    objection = template_objection(label, number(template, CKA.KEY_TYPE), number(template, CKA.VALUE_LEN))
    if objection or mechanism is None:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, objection or f"no mechanism for {label.algorithm}")
    macs = label.facts.key_types[0] in GENERIC
    tags = next((lengths for ending, lengths in _TAGS.items() if label.algorithm.endswith(ending)), ())
    return record_key(template, mechanism, macs), Role(Stage.RECORD, mechanism=mechanism, tags=tags)


def judge_mac(parameters: TlsMac, role: Role) -> None:
    """A MAC under a master secret is a Finished with the master secret's hash."""
    if parameters.server_or_client not in _LABELS or hash_of(parameters.prf_hash) is not role.prf_hash:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "another PRF")


def judge_mac_data(parameters: TlsMac, role: Role, data: bytes) -> None:
    """What is MACed is one transcript hash, and the MAC has its negotiated length."""
    assert role.prf_hash is not None
    judgement = judge_finished(_LABELS[parameters.server_or_client], data, parameters.mac_length, role.prf_hash)
    if not judgement.allowed:
        raise Refused(CKR.DATA_LEN_RANGE, judgement.why)
