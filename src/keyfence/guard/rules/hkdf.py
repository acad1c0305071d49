"""hkdf-schedule: secrets of TLS 1.3 are made along RFC 8446's schedule and no other way."""

from dataclasses import replace
from typing import ClassVar, Final

from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR
from keyfence.cryptoki.params import Hkdf
from keyfence.schedule import PrfHash
from keyfence.schedule.tls13 import HASHES

from ..blocks import standard_type
from ..call import Call, Objection, number
from ..ledger import LedgerUnavailable
from ..mechanisms import HKDFS
from ..roles import Kind, Role
from ..stages import EXPANDED, KEY_LENGTHS, hash_named, parsed
from ..ways import Left, Reading, Terms, Way
from .base import Rule, World
from .one_cut import commit

_KEYS: Final = frozenset(Kind) - {Kind.PUBLIC}
_TYPES: Final = frozenset({CKK.GENERIC_SECRET, CKK.HKDF})
_MAC_TYPES: Final = frozenset({prf_hash.ckk_hmac for prf_hash in HASHES})
_DATA: Final = frozenset({Kind.PUBLIC, Kind.EXPORTED})


class HkdfSchedule(Rule):
    """HKDF-Expand gives any prefix of a stream for any info, and CKM_HKDF_DATA gives it readable; HKDF-Extract with a secret as
    its salt is HMAC under that secret of whatever the caller says. So an info has to be an HkdfLabel whose length is the one
    asked for, under a label that RFC 8446 gives this secret, with the context it has there; an extract takes the salt and
    the input of the schedule. `key` makes an AEAD key of an allowed suite with the secret's hash, and where several ciphers
    fit, the first one stands; CKM_HKDF_DATA gives `iv`, and what an application exports."""

    id: ClassVar[str] = "hkdf-schedule"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey"})

    def judge(self, call: Call, world: World) -> Call:
        concerned = call.role.is_tls or call.birth.role.is_tls or any(operand.role.is_tls for operand in call.operands)
        if call.mechanism is None or call.mechanism.type not in HKDFS or not concerned:
            return call
        parameters = call.mechanism.parameters
        if not isinstance(parameters, Hkdf) or parameters.extract == parameters.expand:
            raise Objection("either extract or expand", CKR.MECHANISM_PARAM_INVALID)
        prf_hash = _hash(parameters)
        if parameters.extract:
            return _extract(call, prf_hash)
        return _expand(call, parameters, prf_hash, world)

    def leaves(self, way: Way, terms: Terms) -> Left:
        concerned = isinstance(way, Reading) and way.mechanism in HKDFS and (way.role.is_tls or way.born.is_tls)
        if not isinstance(way, Reading) or not concerned:
            return (way,)
        if way.operand or way.oracle:
            return ()
        return _expanded(way) if way.role.kind in EXPANDED else (way,)


def _hash(parameters: Hkdf) -> PrfHash:
    prf_hash = next((each for each in HASHES if parameters.prf_hash in (each.ckm, each.ckm_hmac)), None)
    if prf_hash is None:
        raise Objection("no hash of TLS 1.3", CKR.MECHANISM_PARAM_INVALID)
    return prf_hash


def _extract(call: Call, prf_hash: PrfHash) -> Call:
    if call.mechanism_type != CKM.HKDF_DERIVE:
        raise Objection("an extract makes no data", CKR.MECHANISM_PARAM_INVALID)
    kind, zeros = call.birth.role.kind, call.key is not None and call.key.secret.zeros
    if kind not in (Kind.EARLY, Kind.HANDSHAKE, Kind.MAIN):
        raise Objection("no salt of this schedule", CKR.MECHANISM_PARAM_INVALID)
    if kind is Kind.MAIN and not zeros:
        raise Objection("the main secret is extracted from zeros", CKR.KEY_FUNCTION_NOT_PERMITTED)
    wanted = Role(Kind.PSK, prf_hash.name) if kind is Kind.EARLY else Role(Kind.SHARED)
    if not zeros and call.role != wanted:
        raise Objection(f"extracted from a {wanted.kind}, not from a {call.role.kind}", CKR.KEY_FUNCTION_NOT_PERMITTED)
    _check_length(call, prf_hash.digest_size, may_be_absent=True)
    _check_type(call, kind)
    return call


def _expand(call: Call, parameters: Hkdf, prf_hash: PrfHash, world: World) -> Call:
    label = parsed(parameters.info)
    if call.role.kind not in EXPANDED or hash_named(call.role.function) is not prf_hash:
        raise Objection(f"a {call.role} is not expanded with this hash", CKR.KEY_FUNCTION_NOT_PERMITTED)
    born = call.birth.role.kind
    if label is None or born is Kind.OTHER:
        raise Objection(f"nothing that is made of a {call.role.kind}", CKR.MECHANISM_PARAM_INVALID)
    if not _may_be(born, data=call.mechanism_type == CKM.HKDF_DATA):
        raise Objection("data are an IV, or what an application exports, and nothing else", CKR.MECHANISM_PARAM_INVALID)
    _check_length(call, label.length)
    if born is Kind.RECORD:
        return _one_cipher(call, prf_hash, label.length, world)
    _check_type(call, born)
    return call


def _may_be(born: Kind, *, data: bool) -> bool:
    return born in (_DATA if data else _KEYS)


def _expanded(way: Reading) -> Left:
    """Of an expansion what its HkdfLabel says, where the schedule has it."""
    label, born = parsed(way.stream.input), way.born
    if label is None or born.kind is Kind.OTHER or not _may_be(born.kind, data=way.key_type is None):
        return ()
    if not (born.mechanisms if born.kind is Kind.RECORD else _fits(way.key_type, born.kind)):
        return ()
    return (replace(way, length=frozenset({label.length})),)


def _check_type(call: Call, born: Kind) -> None:
    """A cipher's type may change a secret's bytes (DES has parity), and is no type to derive from."""
    if not _fits(number(call.template, CKA.KEY_TYPE), born):
        raise Objection("a secret to derive from is of a generic type", CKR.TEMPLATE_INCONSISTENT)


def _fits(key_type: int | None, born: Kind) -> bool:
    return key_type in (None, *_TYPES) or (born is Kind.FINISHED and key_type in _MAC_TYPES)


def _check_length(call: Call, length: int, may_be_absent: bool = False) -> None:
    """The label names the length, so that no key is the start of another; what is asked for has to be that."""
    said = number(call.template, CKA.VALUE_LEN)
    fixed = KEY_LENGTHS.get(standard_type(number(call.template, CKA.KEY_TYPE) or 0)) == length
    if said != length and not (said is None and (fixed or may_be_absent)):
        raise Objection("CKA_VALUE_LEN is not the label's length", CKR.TEMPLATE_INCONSISTENT)


def _one_cipher(call: Call, prf_hash: PrfHash, length: int, world: World) -> Call:
    """Where the policy has one cipher for this hash, type and length, nothing is left to commit."""
    mechanisms = call.birth.role.mechanisms
    if call.template.get(CKA.CLASS, CKO.SECRET_KEY) != CKO.SECRET_KEY or not mechanisms:
        raise Objection("no allowed cipher suite has such a write key", CKR.TEMPLATE_INCONSISTENT)
    if not _ambiguous(prf_hash, length, world):
        return call
    assert call.key is not None
    try:
        fingerprint = world.fingerprints.of_hkdf(call.session, call.key, prf_hash)
        commit(world, (fingerprint, b"key", b""), f"type={number(call.template, CKA.KEY_TYPE)} length={length}".encode())
    except LedgerUnavailable as error:
        raise Objection(f"the ledger does not answer: {error}") from error
    return replace(call, birth=replace(call.birth, block=(fingerprint, b"key", b"")))


def _ambiguous(prf_hash: PrfHash, length: int, world: World) -> bool:
    """Whether two ciphers of the policy would take the same bytes for their key."""
    suites = (suite for suite in world.policy.suites if suite.key_exchange is None and suite.prf_hash is prf_hash)
    return len({suite.ckm for suite in suites if suite.cipher.key == length}) > 1
