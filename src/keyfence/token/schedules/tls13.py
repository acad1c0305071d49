"""The separated schedule's TLS 1.3: HKDF along RFC 8446 section 7.1 and nowhere else.

HKDF-Extract makes the early, handshake and main secrets; HKDF-Expand-Label makes of each what the RFC makes of it, at the
length that the label itself says. Public is "iv" alone.
"""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR
from keyfence.cryptoki.params import Hkdf
from keyfence.schedule import BadHkdfLabel, HkdfLabel, PrfHash, tls13
from keyfence.schedule.tls13 import HASHES, IV_LENGTH, Output, early_without_psk, salt_without_psk, zeros

from ..keytypes import FIXED
from ..mechanisms.derivation import Request, hash_of
from ..refused import Refused
from ..templates import number
from .roles import Ledger, Role, Stage, protected, record_key

Step = tls13.Step[Stage]
_STAGES: Final = {secret: Stage[secret.name] for secret in tls13.Secret}
_EXPORTER: Final = tls13.any_label(_STAGES)
STEPS: Final[Mapping[Stage, Mapping[bytes, Step]]] = tls13.steps(_STAGES)
"""Stage.EXPORTER takes any label: it is the application's."""

AEADS: Final = {CKK.AES: (CKM.AES_GCM, CKM.AES_CCM), CKK.CHACHA20: (CKM.CHACHA20_POLY1305,)}
_KEY_LENGTHS: Final = {CKK.AES: (16, 32), CKK.CHACHA20: (32,)}


def judge(request: Request, ledger: Ledger) -> tuple[Template, Role | None]:
    """The template to derive with, and what the result will be."""
    parameters = request.parameters(Hkdf)
    prf_hash = hash_of(parameters.prf_hash)
    if prf_hash not in HASHES or parameters.extract == parameters.expand:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "either extract or expand, with a hash of TLS 1.3")
    if parameters.extract:
        return _extract(request, parameters, prf_hash, ledger)
    return _expand(request, parameters, prf_hash, ledger)


# HKDF-Extract


def _extract(request: Request, parameters: Hkdf, prf_hash: PrfHash, ledger: Ledger) -> tuple[Template, Role]:
    if request.mechanism.type != CKM.HKDF_DERIVE:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "an extract makes no data")
    stage = _extracted(request, parameters, prf_hash, ledger)
    nothing = request.base.value.reveal() == zeros(prf_hash)
    if stage is Stage.MAIN and not nothing:
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "the main secret is extracted from zeros")
    if not nothing:
        _check_input(request, Stage.PSK if stage is Stage.EARLY else Stage.SHARED, ledger)
    return _as_secret(request.template, prf_hash), Role(stage, prf_hash)


def _extracted(request: Request, parameters: Hkdf, prf_hash: PrfHash, ledger: Ledger) -> Stage:
    """The stage that follows from the salt: none or zeros, or what "derived" made of the stage before."""
    if parameters.salt_key is not None:
        role = ledger.of(request.operand(parameters.salt_key))
        if role == Role(Stage.HANDSHAKE_SALT, prf_hash):
            return Stage.HANDSHAKE
        if role == Role(Stage.MAIN_SALT, prf_hash):
            return Stage.MAIN
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "no salt of this schedule")
    if parameters.salt in (None, b"", zeros(prf_hash)):
        return Stage.EARLY
    if parameters.salt == salt_without_psk(prf_hash):
        return Stage.HANDSHAKE
    raise Refused(CKR.MECHANISM_PARAM_INVALID, "no salt of this schedule")


def is_constant(value: bytes) -> bool:
    """Whether this is no secret, but what every handshake without a PSK has in common."""
    constants = (zeros, early_without_psk, salt_without_psk)
    return any(value == constant(prf_hash) for constant in constants for prf_hash in HASHES)


def _check_input(request: Request, stage: Stage, ledger: Ledger) -> None:
    if request.base.object_class == CKO.DATA:
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "data is no secret")
    role = ledger.of(request.base)
    if role is None:
        ledger.adopt(request.base, Role(stage))
    elif role.stage is not stage:
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, f"not {stage.value}")


# HKDF-Expand-Label


def _expand(request: Request, parameters: Hkdf, prf_hash: PrfHash, ledger: Ledger) -> tuple[Template, Role | None]:
    role = ledger.of(request.base)
    if role is None or role.prf_hash is not prf_hash:
        raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "no secret of TLS 1.3 with this hash")
    label = _parse(parameters.info)
    step = _EXPORTER if role.stage is Stage.EXPORTER else STEPS.get(role.stage, {}).get(label.label)
    if step is None or not step.context.holds(label.context, prf_hash):
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"not made of {role.stage.value}")
    if (request.mechanism.type == CKM.HKDF_DATA) is not (step.output is Output.IV):
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "only an IV is data")
    _check_length(request.template, label)
    return _made(request.template, step, label, prf_hash)


def _parse(info: bytes) -> HkdfLabel:
    try:
        return HkdfLabel.parse(info)
    except BadHkdfLabel as error:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, str(error)) from None


def _check_length(template: Template, label: HkdfLabel) -> None:
    """The label names the length, so that no key is the start of another; the template has to agree."""
    fixed = FIXED.get(number(template, CKA.KEY_TYPE) or 0)
    if number(template, CKA.VALUE_LEN) not in (label.length, None if fixed == label.length else label.length):
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN is not the label's")


def _made(template: Template, step: Step, label: HkdfLabel, prf_hash: PrfHash) -> tuple[Template, Role | None]:
    match step.output:
        case Output.NEXT:
            if label.length != prf_hash.digest_size or step.makes is None:
                raise Refused(CKR.MECHANISM_PARAM_INVALID, "a secret is as long as the hash")
            mechanism = prf_hash.ckm_hmac if step.makes is Stage.FINISHED else None
            hash_role = None if step.makes is Stage.PSK else prf_hash
            return _as_secret(template, prf_hash), Role(step.makes, hash_role, mechanism)
        case Output.KEY:
            return _as_record_key(template)
        case Output.IV:
            if label.length != IV_LENGTH:
                raise Refused(CKR.MECHANISM_PARAM_INVALID, "an IV has 12 bytes")
            return template, None
        case Output.MATERIAL:
            return protected(template), None


def _as_secret(template: Template, prf_hash: PrfHash) -> Template:
    types = (CKK.HKDF, CKK.GENERIC_SECRET, prf_hash.ckk_hmac)
    if number(template, CKA.KEY_TYPE) not in (None, *types):
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_KEY_TYPE")
    return protected(template)


def _as_record_key(template: Template) -> tuple[Template, Role]:
    """A key for the AEAD of its type; GCM for AES unless the template allows CCM alone. It has 16 or 32 bytes."""
    key_type = number(template, CKA.KEY_TYPE)
    length = FIXED.get(key_type or 0, number(template, CKA.VALUE_LEN))
    mechanisms = AEADS.get(CKK(key_type)) if key_type in tuple(AEADS) else None
    if mechanisms is None or length not in _KEY_LENGTHS[CKK(key_type or 0)]:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "a record key is AES of 16 or 32 bytes, or ChaCha20")
    asked = template.get(CKA.ALLOWED_MECHANISMS, mechanisms[:1])
    mechanism = next((m for m in mechanisms if asked == (m,)), None)
    if mechanism is None:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_ALLOWED_MECHANISMS")
    tags = (16, 8) if mechanism == CKM.AES_CCM else (16,)
    return record_key(template, mechanism, macs=False), Role(Stage.RECORD, mechanism=mechanism, tags=tags)
