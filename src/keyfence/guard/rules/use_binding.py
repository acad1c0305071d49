"""use-binding: a record key does its suite's cipher, a MAC key its suite's MAC, in full."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.params import Ccm, Gcm, MacGeneral, Parameters

from ..call import Call, Objection
from ..ledger import LedgerUnavailable
from ..parameters import fits_record
from ..registry import Secret
from ..roles import Kind, Role
from ..ways import Left, Terms, Way
from .base import Rule, World
from .one_cut import commit

_CIPHERING = frozenset({"C_EncryptInit", "C_DecryptInit"})
_FULL_TAG = frozenset({16})
"""Bytes of a tag in GCM and of Poly1305."""


class UseBinding(Rule):
    """A GCM key in ECB gives GHASH's key and any keystream; in CTR it opens records without their tags; with a tag of 4 bytes
    forging is cheap. A MAC key whose MACs may be shortened tells its bytes to a search, and C_Verify of one byte is an oracle.
    So each key has one mechanism, tags and MACs of its suite's length; where a cut serves two suites, the first use decides,
    for every guard that shares the ledger."""

    id: ClassVar[str] = "use-binding"
    functions: ClassVar[frozenset[str]] = frozenset(
        {"C_EncryptInit", "C_DecryptInit", "C_SignInit", "C_VerifyInit", "C_Sign", "C_Verify"}
    )

    def judge(self, call: Call, world: World) -> Call:
        if call.role.kind is Kind.RECORD:
            return _record(call, world)
        if call.role.kind in (Kind.MAC, Kind.FINISHED):
            return _mac(call)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        bound = way.role.kind is Kind.RECORD and not _is_own(way.role, way.function, way.mechanism)
        return () if bound else (way,)


def _is_own(role: Role, function: str, mechanism: int) -> bool:
    return function in _CIPHERING and mechanism in role.mechanisms


def _record(call: Call, world: World) -> Call:
    if call.function not in _CIPHERING or call.key is None or call.mechanism is None:
        raise Objection("a record key encrypts and decrypts", CKR.KEY_FUNCTION_NOT_PERMITTED)
    mechanism = call.mechanism.type
    if not _is_own(call.role, call.function, mechanism):
        raise Objection("not this key's cipher", CKR.KEY_FUNCTION_NOT_PERMITTED)
    if not fits_record(mechanism, call.mechanism.parameters):
        raise Objection("not this cipher's parameter", CKR.MECHANISM_PARAM_INVALID)
    tag = _tag(call.mechanism.parameters)
    if tag is not None and tag not in _own_tags(call.role, mechanism):
        raise Objection("not the tag length of this key's suite", CKR.MECHANISM_PARAM_INVALID)
    if len(call.role.mechanisms) > 1 or len(call.role.lengths) > 1:
        _bind(call.key.secret, mechanism, tag, world)
    return call


def _tag(parameters: Parameters | None) -> int | None:
    """Bytes of the tag; -1 for what is no whole number of them, None for parameters that say none."""
    match parameters:
        case Gcm(tag_bits=bits):
            return -1 if bits % 8 else bits // 8
        case Ccm(mac_length=length):
            return length
        case _:
            return None


def _own_tags(role: Role, mechanism: int) -> frozenset[int]:
    """A suite in CCM_8 has the same cut as one in GCM, and no short tag in GCM."""
    return role.lengths if mechanism == CKM.AES_CCM else _FULL_TAG


def _bind(secret: Secret, mechanism: int, tag: int | None, world: World) -> None:
    """In the ledger by the key block, and with the secret itself."""
    if secret.block is not None:
        fingerprint, client, server = secret.block
        try:
            use = world.ledger.hash(b"use", fingerprint)
            commit(world, (use, client, server), f"mechanism={mechanism} tag={tag}".encode("ascii"))
        except LedgerUnavailable as error:
            raise Objection(f"the ledger does not answer: {error}") from error
    if not world.registry.narrow(secret, mechanism, tag):
        raise Objection("this key is for another cipher", CKR.KEY_FUNCTION_NOT_PERMITTED)


def _mac(call: Call) -> Call:
    """`lengths` holds the one full length."""
    if call.function in ("C_SignInit", "C_VerifyInit"):
        parameters = call.mechanism.parameters if call.mechanism else None
        if isinstance(parameters, MacGeneral) and parameters.length not in call.role.lengths:
            raise Objection("a shortened MAC", CKR.MECHANISM_PARAM_INVALID)
        if parameters is not None and not isinstance(parameters, MacGeneral):
            raise Objection("not a MAC's parameter", CKR.MECHANISM_PARAM_INVALID)
    elif call.signature is not None and len(call.signature) not in call.role.lengths:
        raise Objection("a shortened MAC", CKR.SIGNATURE_LEN_RANGE)
    return call
