"""randoms: 32 bytes and 32 bytes in every mechanism, and pVersion for RSA pre-master secrets alone."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKR
from keyfence.cryptoki.params import (
    ExtendedMasterKeyDerive,
    KeyMat,
    MasterKeyDerive,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsKdf,
)
from keyfence.schedule import PrfHash

from ..call import Call, Objection
from ..fingerprint import is_reserved
from ..mechanisms import DH_MASTERS, RSA_MASTERS, function_of
from ..roles import Kind, Role
from ..ways import Cutting, Left, Reading, Terms, Way
from .base import Rule, World

_RANDOM: int = 32
_TLS10_TRANSCRIPT: int = 36  # MD5 and SHA-1


class Randoms(Rule):
    """A PRF sees label and randoms as one string, and modules differ in what they make of a random of another length: NSS takes
    the first 32 bytes of any, so that 40 bytes are a new tuple for a careless ledger and the old stream. A session hash of
    another length moves the same cut. And a master-key derive returns the first two bytes of its base as pVersion, which are
    a version in an RSA pre-master secret and two bytes of a key in everything else."""

    id: ClassVar[str] = "randoms"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey"})

    def judge(self, call: Call, world: World) -> Call:
        parameters = call.mechanism.parameters if call.mechanism else None
        match parameters:
            case (
                MasterKeyDerive(client_random=client, server_random=server)
                | Tls12MasterKeyDerive(client_random=client, server_random=server)
                | KeyMat(client_random=client, server_random=server)
                | Tls12KeyMat(client_random=client, server_random=server)
                | TlsKdf(client_random=client, server_random=server)
            ):
                _check_randoms(client, server)
            case ExtendedMasterKeyDerive(session_hash=session_hash):
                _check_session_hash(call, session_hash)
        match parameters:
            case MasterKeyDerive() | Tls12MasterKeyDerive() | ExtendedMasterKeyDerive():
                _check_version(call, parameters.wants_version)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        if isinstance(way, Cutting):
            return () if way.renamed else (way,)
        shown = isinstance(way, Reading) and way.key_type is None and way.mechanism in (*RSA_MASTERS, *DH_MASTERS)
        return () if shown and not _begins_with_version(way.role, way.mechanism) else (way,)


def _check_randoms(client: bytes, server: bytes) -> None:
    if {len(client), len(server)} != {_RANDOM}:
        raise Objection("randoms are 32 bytes each", CKR.MECHANISM_PARAM_INVALID)
    if is_reserved(client) or is_reserved(server):
        raise Objection("a random that the guard keeps for itself", CKR.MECHANISM_PARAM_INVALID)


def _check_session_hash(call: Call, session_hash: bytes) -> None:
    """RFC 7627 section 3: the transcript's hash, in TLS 1.0 and 1.1 MD5 and SHA-1 together."""
    function = function_of(call.mechanism_type, call.mechanism.parameters if call.mechanism else None)
    prf_hash = PrfHash.__members__.get(function or "")
    length = prf_hash.digest_size if prf_hash else _TLS10_TRANSCRIPT if function == "TLS10" else None
    if len(session_hash) != length:
        raise Objection("a session hash is as long as its hash", CKR.MECHANISM_PARAM_INVALID)


def _check_version(call: Call, wants_version: bool) -> None:
    if wants_version and (call.key is None or not _begins_with_version(call.key.role, call.mechanism_type)):
        raise Objection("pVersion shows two bytes of a secret that begins with no version", CKR.MECHANISM_PARAM_INVALID)


def _begins_with_version(role: Role, mechanism: int) -> bool:
    """A secret that only becomes a pre-master secret by this call may begin with anything."""
    return role.kind is Kind.PREMASTER and mechanism in RSA_MASTERS
