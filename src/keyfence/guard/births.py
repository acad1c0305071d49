"""What a call makes of a key, and what it makes: bookkeeping, not judgement. Rules decide whether it may.

`foresee` completes a call: the role that an unbound key takes by it, and the role of what will be born. A call that does
nothing that TLS does takes its key out of TLS, and what it makes is outside.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.params import Hkdf, KeyMat, Tls12KeyMat, TlsKdf
from keyfence.schedule import BadSeparatedLabel, PrfHash, SeparatedLabel, Version
from keyfence.schedule.tls13 import Output

from .blocks import Asked, Cuts, standard_type, with_twins
from .call import Birth, Call
from .mechanisms import AGREEMENTS, DH_MASTERS, EXPORTS, HKDFS, KEY_BLOCKS, PRE_MASTERS, RSA_MASTERS, function_of
from .policy import Policy
from .roles import EXPORTED, OTHER, OUTSIDE_PRIVATE, PREMASTER, PRIVATE, PUBLIC, SHARED, UNBOUND, WRAPPING, Kind, Role
from .stages import EXPANDED, SALTS, Step, extracted, hash_named, parsed, record_suites, step

_SECRET_TYPES: Final = frozenset({CKK.GENERIC_SECRET, CKK.HKDF})
GENERATED_TYPES: Final[Mapping[int, int]] = {
    CKM.GENERIC_SECRET_KEY_GEN: CKK.GENERIC_SECRET,
    CKM.HKDF_KEY_GEN: CKK.HKDF,
    CKM.AES_KEY_GEN: CKK.AES,
    CKM.DES3_KEY_GEN: CKK.DES3,
    CKM.CHACHA20_KEY_GEN: CKK.CHACHA20,
}
_TAGS: Final = {CKM.AES_GCM: (16,), CKM.AES_CCM: (8, 16), CKM.CHACHA20_POLY1305: (16,)}


def foresee(call: Call, policy: Policy, cuts: Cuts) -> Call:
    """The call with `adopts` and `birth` filled in; `adopts` where the key is unbound now, whatever other threads do to it."""
    unbound = call.key is not None and call.key.role.is_unbound
    call = _foreseen(call, policy, cuts)
    return call if unbound else replace(call, adopts=None)


def _foreseen(call: Call, policy: Policy, cuts: Cuts) -> Call:
    match call.function:
        case "C_DeriveKey":
            return _outside(_derivation(call, policy, cuts), policy)
        case "C_GenerateKey":
            return replace(call, birth=_generated(call, policy))
        case "C_GenerateKeyPair":
            return replace(call, birth=Birth(_private(call.template, policy)))
        case "C_CreateObject":
            return replace(call, birth=Birth(_imported(call.template, policy)))
        case "C_UnwrapKey":
            return _outside(replace(call, adopts=OTHER, birth=_unwrapped(call)), policy)
        case "C_CopyObject":
            return replace(call, birth=Birth(call.subject.role if call.subject else OTHER))
        case _:
            return replace(call, adopts=_used(call))


def _used(call: Call) -> Role:
    """An operation other than a derivation: only the PRFs of a master secret belong to TLS."""
    function = function_of(call.mechanism_type, call.mechanism.parameters if call.mechanism else None)
    return Role(Kind.MASTER, function) if function else OTHER


# Objects by their attributes


def found(attributes: Mapping[int, AttributeValue], policy: Policy) -> Role:
    """The role of a token object that was there before the guard, by the attributes it has.

    A name gives a right only to what was made in a module and never left it.
    """
    match attributes.get(CKA.CLASS):
        case CKO.PRIVATE_KEY:
            return _private(attributes, policy)
        case CKO.SECRET_KEY:
            inside = attributes.get(CKA.LOCAL) is True and attributes.get(CKA.NEVER_EXTRACTABLE) is True
            return _named(attributes, policy, inside) or OTHER
        case _:
            return PUBLIC


def _private(attributes: Mapping[int, AttributeValue], policy: Policy) -> Role:
    return OUTSIDE_PRIVATE if any(name.matches(attributes) for name in policy.outside_tls) else PRIVATE


def _named(attributes: Mapping[int, AttributeValue], policy: Policy, made_inside: bool) -> Role | None:
    if made_inside and any(name.matches(attributes) for name in policy.wrapping_keys):
        return WRAPPING
    bound = next((bound for bound in policy.tls_keys if bound.name.matches(attributes)), None)
    if bound is None:
        return None
    tags = frozenset(length for mechanism in bound.mechanisms for length in _TAGS.get(CKM(mechanism), ()))
    return Role(Kind.RECORD, mechanisms=bound.mechanisms, lengths=tags)


def _generated(call: Call, policy: Policy) -> Birth:
    if call.mechanism_type in PRE_MASTERS:
        return Birth(PREMASTER, sendable=True)
    key_type = call.template.get(CKA.KEY_TYPE, GENERATED_TYPES.get(call.mechanism_type))
    attributes = {**call.template, CKA.KEY_TYPE: key_type} if key_type is not None else call.template
    return Birth(_named(attributes, policy, made_inside=True) or _plain(attributes))


def _imported(template: Template, policy: Policy) -> Role:
    match template.get(CKA.CLASS):
        case CKO.PRIVATE_KEY:
            return _private(template, policy)
        case CKO.SECRET_KEY:
            return _named(template, policy, made_inside=False) or _plain(template)
        case _:
            return PUBLIC


def _plain(attributes: Mapping[int, AttributeValue]) -> Role:
    """A secret that may yet become one of TLS: of no cipher's type, and in no other process's sight."""
    fit = attributes.get(CKA.KEY_TYPE) in _SECRET_TYPES and not attributes.get(CKA.TOKEN)
    return UNBOUND if fit else OTHER


def _outside(call: Call, policy: Policy) -> Call:
    """A key that comes from outside TLS may be one of the plain keys that the policy binds to their use."""
    if call.birth.role != OTHER or any(entry.role.is_tls for entry in call.used) or call.role.is_tls:
        return call
    return replace(call, birth=replace(call.birth, role=_named(call.template, policy, made_inside=False) or OTHER))


def _unwrapped(call: Call) -> Birth:
    if call.key is not None and call.key.role == PRIVATE:
        return Birth(PREMASTER)
    return Birth(PRIVATE if call.template.get(CKA.CLASS) == CKO.PRIVATE_KEY else OTHER)


# Derivations


def _derivation(call: Call, policy: Policy, cuts: Cuts) -> Call:
    mechanism, function = call.mechanism_type, None
    if call.mechanism is not None:
        function = function_of(mechanism, call.mechanism.parameters) or ""
    if mechanism in AGREEMENTS:
        role = SHARED if call.key is not None and call.key.role == PRIVATE else OTHER
        return replace(call, adopts=OTHER, birth=Birth(role))
    if mechanism in (*RSA_MASTERS, *DH_MASTERS):
        adopts = SHARED if mechanism in DH_MASTERS else PREMASTER
        return replace(call, adopts=adopts, birth=Birth(Role(Kind.MASTER, function or "")))
    if mechanism in KEY_BLOCKS:
        return replace(call, adopts=Role(Kind.MASTER, function or ""), birth=_key_block(call, cuts))
    if mechanism in EXPORTS:
        return replace(call, adopts=Role(Kind.MASTER, function or ""), birth=Birth(_exported(call)))
    if mechanism in HKDFS:
        return _hkdf(call, policy)
    return replace(call, adopts=Role(Kind.MASTER, function) if function else OTHER)


def _key_block(call: Call, cuts: Cuts) -> Birth:
    assert call.mechanism is not None
    parameters = call.mechanism.parameters
    if not isinstance(parameters, KeyMat | Tls12KeyMat):
        return Birth()
    function = function_of(call.mechanism.type, parameters)
    returns_ivs = call.mechanism.type != CKM.TLS12_KEY_SAFE_DERIVE
    template = call.template
    asked = Asked.of(function, parameters, template.get(CKA.KEY_TYPE), template.get(CKA.VALUE_LEN), returns_ivs)
    cut = cuts.match(asked)
    if cut is None:
        return Birth()
    lengths = frozenset({cut.shape.mac})
    return Birth(Role(Kind.RECORD, "", cut.mechanisms, cut.tags), Role(Kind.MAC, "", cut.mac_mechanisms, lengths), cut=cut)


def _exported(call: Call) -> Role:
    """Keying material for an application; under a separated key's label the key of its algorithm."""
    parameters = call.mechanism.parameters if call.mechanism else None
    try:
        label = SeparatedLabel.parse(parameters.label) if isinstance(parameters, TlsKdf) else None
    except BadSeparatedLabel:
        label = None
    return EXPORTED if label is None else separated_role(label)


def separated_role(label: SeparatedLabel) -> Role:
    """A record or MAC key for the one mechanism of the label's algorithm."""
    mechanisms = frozenset({int(label.facts.mechanism)}) if label.facts.mechanism is not None else frozenset[int]()
    if label.algorithm.startswith("HMAC_"):
        return Role(Kind.MAC, "", mechanisms, frozenset({label.length}))
    tag = 8 if label.algorithm.endswith("CCM_8") else 0 if label.algorithm.endswith("CBC") else 16
    return Role(Kind.RECORD, "", mechanisms, frozenset({tag} if tag else ()))


def _hkdf(call: Call, policy: Policy) -> Call:
    assert call.mechanism is not None
    parameters = call.mechanism.parameters
    if not isinstance(parameters, Hkdf) or Version.TLS13 not in policy.versions:
        return replace(call, adopts=OTHER)
    try:
        prf_hash = PrfHash.of_mechanism(parameters.prf_hash)
    except ValueError:
        return replace(call, adopts=OTHER)
    if parameters.extract and not parameters.expand:
        return _extract(call, parameters, prf_hash)
    if parameters.expand and not parameters.extract and call.key is not None and call.key.role.kind in EXPANDED:
        return replace(call, birth=_expand(call, parameters, prf_hash, policy))
    return replace(call, adopts=OTHER)


def _extract(call: Call, parameters: Hkdf, prf_hash: PrfHash) -> Call:
    kind: Kind | None = None
    if parameters.salt_key is None:
        kind = extracted(prf_hash, parameters.salt)
    elif call.operands and call.operands[0].role.function == prf_hash.name:
        kind = SALTS.get(call.operands[0].role.kind)
    if kind is None:
        return replace(call, adopts=OTHER)
    birth = Birth(Role(kind, prf_hash.name))
    if call.key is not None and call.key.secret.zeros:
        return replace(call, birth=birth)
    return replace(call, adopts=Role(Kind.PSK, prf_hash.name) if kind is Kind.EARLY else SHARED, birth=birth)


def _expand(call: Call, parameters: Hkdf, prf_hash: PrfHash, policy: Policy) -> Birth:
    label = parsed(parameters.info)
    assert call.key is not None
    line = step(call.key.role.kind, label, prf_hash) if label else None
    if line is None or label is None or hash_named(call.key.role.function) is not prf_hash:
        return Birth()
    return Birth(expanded_role(line, prf_hash, call.template.get(CKA.KEY_TYPE), label.length, policy))


def expanded_role(line: Step, prf_hash: PrfHash, key_type: AttributeValue | None, length: int, policy: Policy) -> Role:
    """The role of what a secret of TLS 1.3 makes by this line of the schedule; `key_type` as the template has it."""
    match line.output:
        case Output.NEXT:
            assert line.makes is not None
            finished = line.makes is Kind.FINISHED
            mechanisms = frozenset({int(prf_hash.ckm_hmac), _general(prf_hash)} if finished else ())
            lengths = frozenset({prf_hash.digest_size} if finished else ())
            return Role(line.makes, prf_hash.name, mechanisms, lengths)
        case Output.KEY:
            suites = record_suites(policy, prf_hash, standard_type(key_type), length) if isinstance(key_type, int) else ()
            if not suites:
                return OTHER
            mechanisms = frozenset[int]().union(*(with_twins(suite.ckm) for suite in suites if suite.ckm is not None))
            return Role(Kind.RECORD, "", mechanisms, frozenset(suite.cipher.tag for suite in suites))
        case Output.IV:
            return PUBLIC
        case Output.MATERIAL:
            return EXPORTED


def _general(prf_hash: PrfHash) -> int:
    return int(CKM[f"{prf_hash.name}_HMAC_GENERAL"])
