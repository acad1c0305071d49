"""operands: the allow-list of (function, mechanism, role), for every object whose value goes into a call."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.params import Raw

from ..call import Call, Objection
from ..mechanisms import (
    AGREEMENTS,
    DH_MASTERS,
    FUNCTION_VERSIONS,
    HKDFS,
    OF_A_MASTER,
    RSA_MASTERS,
    SIGNING_PRFS,
    TLS_DERIVATIONS,
    TLS_MACS,
    function_of,
    is_offered,
)
from ..parameters import fits
from ..roles import Kind, Role
from ..stages import EXPANDED, SALTS
from ..ways import Left, Reading, Terms, Way
from .base import USES, Rule, World

_SIGNATURES: Final = frozenset(
    {
        CKM.RSA_PKCS,
        CKM.RSA_X_509,
        CKM.RSA_PKCS_PSS,
        *(CKM[f"{name}_RSA_PKCS{form}"] for name in ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512") for form in ("", "_PSS")),
        CKM.MD5_RSA_PKCS,
        CKM.DSA,
        *(CKM[f"DSA_{name}"] for name in ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")),
        CKM.ECDSA,
        *(CKM[f"ECDSA_{name}"] for name in ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")),
        CKM.EDDSA,
    }
)
_WRAPS: Final = frozenset(
    {
        CKM.AES_ECB,
        CKM.AES_CBC,
        CKM.AES_CBC_PAD,
        CKM.AES_KEY_WRAP,
        CKM.AES_KEY_WRAP_PAD,
        CKM.AES_KEY_WRAP_KWP,
    }
)

_DERIVED_FROM: Final[Mapping[Kind, frozenset[int]]] = {
    Kind.PRIVATE: AGREEMENTS,
    Kind.PREMASTER: frozenset(RSA_MASTERS),
    Kind.SHARED: frozenset({*DH_MASTERS, CKM.HKDF_DERIVE}),
    Kind.MASTER: OF_A_MASTER,
    Kind.PSK: frozenset({CKM.HKDF_DERIVE}),
    **dict.fromkeys(EXPANDED, HKDFS),
}


def _of_role(role: Role) -> frozenset[int]:
    return role.mechanisms


def _these(*mechanisms: int) -> Callable[[Role], frozenset[int]]:
    listed = frozenset(mechanisms)
    return lambda _role: listed


_ALLOWED: Final[Mapping[tuple[str, Kind], Callable[[Role], frozenset[int]]]] = {
    **{("C_DeriveKey", kind): _these(*mechanisms) for kind, mechanisms in _DERIVED_FROM.items()},
    ("C_SignInit", Kind.MASTER): _these(*TLS_MACS, *SIGNING_PRFS),
    ("C_VerifyInit", Kind.MASTER): _these(*TLS_MACS),
    **{(function, kind): _of_role for function in ("C_SignInit", "C_VerifyInit") for kind in (Kind.MAC, Kind.FINISHED)},
    ("C_SignInit", Kind.PRIVATE): _these(*_SIGNATURES),
    ("C_DecryptInit", Kind.PRIVATE): _these(CKM.RSA_PKCS, CKM.RSA_X_509),
    ("C_UnwrapKey", Kind.PRIVATE): _these(CKM.RSA_PKCS),
    ("C_WrapKey", Kind.WRAPPING): _these(*_WRAPS),
    ("C_UnwrapKey", Kind.WRAPPING): _these(*_WRAPS),
}
"""What a secret of TLS does. Record keys are ciphered with, and `use-binding` says by which mechanism."""

_CIPHERING: Final = frozenset({"C_EncryptInit", "C_DecryptInit"})
_TLS_ONLY: Final = TLS_DERIVATIONS | TLS_MACS | frozenset(SIGNING_PRFS)
_PARAMETERS_READ: Final = frozenset({"C_DeriveKey", "C_WrapKey", "C_UnwrapKey", "C_SignInit", "C_VerifyInit"})


class Operands(Rule):
    """An allow-list, since a list of what is forbidden was got round on every module: HMAC, KBKDF, IKE's PRFs, concatenation,
    XOR, extraction, encryption of data and digests all rebuild a stream or take a secret apart, vendors' numbers do it again,
    and a secret given as a SALT or as the second half of a concatenation is used as much as a base key is."""

    id: ClassVar[str] = "operands"
    functions: ClassVar[frozenset[str]] = USES

    def judge(self, call: Call, world: World) -> Call:
        _check_parameter(call)
        if not is_offered(call.mechanism_type, world.policy.versions):
            raise Objection("the policy has no version of TLS with this mechanism")
        if call.role.is_tls:
            _check_tls(call)
        elif call.mechanism_type in _TLS_ONLY:
            raise Objection(f"a secret in the role {call.role} never becomes one of TLS")
        _check_function(call, world)
        _check_operands(call)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        if isinstance(way, Reading) and way.operand:
            allowed = not way.role.is_tls or _is_salt(way.role, way.mechanism)
        else:
            allowed = not way.role.is_tls or _is_listed(way.function, way.role, way.mechanism)
        return (way,) if allowed and is_offered(way.mechanism, terms.policy.versions) else ()


def _check_parameter(call: Call) -> None:
    """What cannot be read may hold a handle, and handles of the module's are small numbers."""
    if call.function not in _PARAMETERS_READ or call.mechanism is None:
        return
    if isinstance(call.mechanism.parameters, Raw):
        raise Objection("a parameter that is not understood may name an object")
    if not fits(call.function, call.mechanism.type, call.mechanism.parameters):
        raise Objection("a parameter of another mechanism's may name an object", CKR.MECHANISM_PARAM_INVALID)


def _check_tls(call: Call) -> None:
    if not _is_listed(call.function, call.role, call.mechanism_type):
        raise Objection(f"not on the list for the role {call.role}")


def _is_listed(function: str, role: Role, mechanism: int) -> bool:
    if role.kind is Kind.RECORD and function in _CIPHERING:
        return True
    allowed = _ALLOWED.get((function, role.kind))
    return allowed is not None and mechanism in allowed(role)


def _check_function(call: Call, world: World) -> None:
    """A master secret keys one function, in a version that the policy has."""
    if call.role.kind is not Kind.MASTER or call.mechanism is None:
        return
    function = function_of(call.mechanism.type, call.mechanism.parameters)
    if function is None or function != call.role.function:
        raise Objection("a master secret keys one PRF, with one hash")
    if not FUNCTION_VERSIONS.get(function, frozenset()) & world.policy.versions:
        raise Objection(f"the policy has no version of TLS with the PRF {function}")


def _check_operands(call: Call) -> None:
    """A secret of TLS is an operand in one place only: as the salt of an extract along RFC 8446's schedule."""
    for operand in call.operands:
        if operand.role.is_tls and not _is_salt(operand.role, call.mechanism_type):
            raise Objection(f"an operand in the role {operand.role}")


def _is_salt(role: Role, mechanism: int) -> bool:
    """HKDF's parameter has room for one handle: the salt's."""
    return mechanism in HKDFS and role.kind in SALTS
