"""raw-rsa: a private key of TLS does not open a key exchange into the caller's memory."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKM, CKR
from keyfence.schedule.signatures import is_tls_digest

from ..call import Call, Objection
from ..roles import Kind
from ..ways import Left, Terms, Way
from .base import Rule, World


class RawRsa(Rule):
    """CKM_RSA_X_509 by C_Decrypt or C_Sign, or C_Decrypt with CKM_RSA_PKCS, turns a recorded ClientKeyExchange into the
    pre-master secret, readable; so do two C_Sign with CKM_RSA_PKCS of data nearly as wide as the modulus (see
    `schedule.signatures`), which is why only digests are signed. Servers open it by C_UnwrapKey, whose result stays inside. A
    server that decrypts it into its own memory (an application with a software TLS stack) needs `raw_rsa`, and its static-RSA
    sessions are not protected."""

    id: ClassVar[str] = "raw-rsa"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DecryptInit", "C_SignInit", "C_SignRecoverInit", "C_Sign"})

    def judge(self, call: Call, world: World) -> Call:
        if call.role.kind is not Kind.PRIVATE or world.policy.raw_rsa:
            return call
        if _opens(call.function, call.mechanism_type):
            raise Objection("a private key of TLS signs and unwraps", CKR.KEY_FUNCTION_NOT_PERMITTED)
        if call.function == "C_Sign" and signs_unhashed(call) and not is_tls_digest(call.data, call.modulus):
            raise Objection("no digest that fits the modulus three times", CKR.DATA_INVALID)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        opens = way.role.kind is Kind.PRIVATE and _opens(way.function, way.mechanism)
        return () if opens and not terms.policy.raw_rsa else (way,)


def signs_unhashed(call: Call) -> bool:
    """Whether an RSA key of TLS pads and signs what the caller gives, so that it has to be judged whole."""
    return call.role.kind is Kind.PRIVATE and call.mechanism_type == CKM.RSA_PKCS


def _opens(function: str, mechanism: int) -> bool:
    """Whether the call is RSA's private operation with a result that the caller sees."""
    return function in ("C_DecryptInit", "C_SignRecoverInit") or mechanism == CKM.RSA_X_509
