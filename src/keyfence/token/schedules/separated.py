"""The separated schedule: a secret of TLS does one thing, says which by its role, and never shows a byte.

    RSA unwrap, pre-master generation ─→ PRE_MASTER ─┐
                                                     ├─→ MASTER ─→ record keys by separated labels, exports; Finished
    ECDH, DH ─────────────────────────→ SHARED ──────┤
                                                     └─→ TLS 1.3's schedule (tls13.py) ─→ record keys; IVs as data
    all else: bound to the first mechanism it is used with

Roles go by value (roles.py). Where the specification refuses, so does this; where it is silent, an honest TLS stack must work.

What a hostile caller can do all the same:

- wrap a pre-master secret that was generated as extractable, before its first use, once, under an RSA key of its own: no
  token knows which public key is the server's. The client's own C_WrapKey then fails. Key agreement has no such moment.
- use a handle while it has one: open and make records, make Finished values, repeat a GCM nonce (two tags under one nonce
  show GHASH's key, and with that forgeries need no handle), sign for the server.
- be told that a value it brings has a role already: a guess confirmed, one a call, which matters for PSKs that can be guessed.
- be first: a key that was used for something else is lost to TLS, and the other way round.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from keyfence.cryptoki import CryptokiError, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO, CKR, MechanismFlag
from keyfence.cryptoki.params import Ccm, Ecdh1Derive, Gcm, TlsMac

from ..attributes import Attributes, name
from ..kernels.diffie_hellman import is_safe_prime
from ..mechanisms import key_block, master, prf
from ..mechanisms.derivation import Request
from ..mechanisms.generation import PRE_MASTER_LENGTH
from ..mechanisms.registry import OFFERS, SIGNING_PRFS, Offer
from ..objects import StoredObject
from ..quirks import Quirks
from ..refused import Refused
from ..templates import number
from . import tls12, tls13
from .classic import Classic
from .roles import Ledger, Role, Stage, demand, protected
from .signatures import judge_raw_signature

_VERSION: Final = b"\3\3"
"""What a pre-master secret of TLS 1.2 begins with: the client's version, where TLS 1.2 is what was agreed on."""

_NONCE_LENGTH: Final = 12
_PRE_MASTERS: Final = (CKM.SSL3_PRE_MASTER_KEY_GEN, CKM.TLS_PRE_MASTER_KEY_GEN)
_AGREEMENTS: Final = (CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE, CKM.DH_PKCS_DERIVE)
_HKDFS: Final = (CKM.HKDF_DERIVE, CKM.HKDF_DATA)
_DERIVED_FROM: Final[Mapping[Stage, tuple[int, ...]]] = {
    Stage.PRE_MASTER: tls12.RSA_FORMS,
    Stage.SHARED: (*tls12.DH_FORMS, CKM.HKDF_DERIVE),
    Stage.MASTER: tls12.KDFS,
    **dict.fromkeys((Stage.PSK, Stage.HANDSHAKE_SALT, Stage.MAIN_SALT, Stage.EXPORTER), (CKM.HKDF_DERIVE,)),
    **dict.fromkeys(tls13.STEPS, _HKDFS),
}
"""What may be derived with which secret of TLS; the parameters are judged after."""

_LOOSENED_BY_TRUE: Final = (
    CKA.ENCRYPT,
    CKA.DECRYPT,
    CKA.SIGN,
    CKA.SIGN_RECOVER,
    CKA.VERIFY,
    CKA.WRAP,
    CKA.UNWRAP,
    CKA.DERIVE,
    CKA.EXTRACTABLE,
    CKA.TRUSTED,
)
_CIPHERING: Final = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
_MACING: Final = MechanismFlag.SIGN | MechanismFlag.VERIFY


def _offers() -> Mapping[int, Offer]:
    """No classic cut, no PRF to the caller, no raw RSA, and no RSA decryption of what may be a pre-master secret."""
    gone = {*key_block.DERIVATIONS, *master.DERIVATIONS, *prf.DERIVATIONS, *SIGNING_PRFS, CKM.RSA_X_509}
    gone |= {CKM.WTLS_PRE_MASTER_KEY_GEN}
    gone -= {*tls12.MASTER_FORMS, *tls12.KDFS}
    kept = {mechanism: offer for mechanism, offer in OFFERS.items() if mechanism not in gone}
    decrypting = MechanismFlag.DECRYPT | MechanismFlag.MESSAGE_DECRYPT
    kept[CKM.RSA_PKCS] = replace(kept[CKM.RSA_PKCS], functions=kept[CKM.RSA_PKCS].functions & ~decrypting)
    return kept


class Separated(Classic):
    """See the module's text."""

    name = "separated"

    def __init__(self, quirks: Quirks) -> None:
        super().__init__(quirks)
        self.quirks = replace(quirks, check_values=False)  # three bytes tell a short key, and a record key has no use for them
        self._ledger = Ledger()
        self._rejection_key = secrets.token_bytes(32)

    def offers(self) -> Mapping[int, Offer]:
        return _offers()

    # Uses

    def judge_use(self, key: StoredObject, mechanism: Mechanism, function: MechanismFlag) -> None:
        if key.object_class != CKO.SECRET_KEY:
            return
        role = self._ledger.of(key)
        if role is None:
            self._first_use(key, mechanism, function)
        elif not _permitted(role, mechanism, function):
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, f"not with {role.stage.value}")

    def _first_use(self, key: StoredObject, mechanism: Mechanism, function: MechanismFlag) -> None:
        """A secret without a role is bound to what it does first; TLS takes it over where the derivation is judged.

        TLS 1.3's constants are not bound: who used one for something else would stop every handshake after.
        """
        into_tls = function is MechanismFlag.DERIVE and mechanism.type in (*tls12.MASTER_FORMS, *tls12.KDFS, *_HKDFS)
        if not into_tls and not tls13.is_constant(key.value.reveal()):
            self._ledger.assign(key, Role(Stage.BOUND, mechanism=mechanism.type))

    def judge_data(self, key: StoredObject, mechanism: Mechanism, data: bytes) -> None:
        if key.object_class == CKO.PRIVATE_KEY and mechanism.type == CKM.RSA_PKCS:
            judge_raw_signature(key, data)
        role = self._ledger.of(key)
        if role is not None and role.stage is Stage.MASTER and isinstance(mechanism.parameters, TlsMac):
            tls12.judge_mac_data(mechanism.parameters, role, data)

    def judge_digest_key(self, key: StoredObject) -> None:
        if key.flag(CKA.SENSITIVE) or self._ledger.of(key) is not None:
            raise Refused(CKR.KEY_INDIGESTIBLE)

    def judge_wrap(self, key: StoredObject, mechanism: Mechanism) -> None:
        """A client's fresh pre-master secret leaves once, for the server; no other secret of TLS ever leaves."""
        role = self._ledger.of(key)
        if role is None or role.stage is Stage.BOUND:
            return
        leaving = role.stage is Stage.PRE_MASTER and mechanism.type == CKM.RSA_PKCS and key.flag(CKA.EXTRACTABLE)
        if not leaving or not self._ledger.send(key):
            raise Refused(CKR.KEY_NOT_WRAPPABLE, f"not {role.stage.value}")

    # Births

    def judge_generate(self, mechanism: Mechanism, template: Template) -> tuple[Template, Role | None]:
        if mechanism.type not in _PRE_MASTERS:
            return template, None
        template = demand(template, {CKA.SENSITIVE: True, CKA.TOKEN: False})
        return {CKA.EXTRACTABLE: False, **template}, Role(Stage.PRE_MASTER)

    def judge_unwrap(self, mechanism: Mechanism, template: Template) -> tuple[Template, Role | None]:
        """What comes out of a ClientKeyExchange is a pre-master secret, whole."""
        if mechanism.type != CKM.RSA_PKCS:
            return template, None
        whole: Attributes = {CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: PRE_MASTER_LENGTH}
        return protected(demand(template, whole)), Role(Stage.PRE_MASTER)

    def opened(self, mechanism: Mechanism, key: StoredObject, wrapped: bytes, unwrap: Callable[[], bytes]) -> bytes:
        """A ClientKeyExchange that is not one of TLS 1.2 gives a random secret and no error (RFC 5246 section 7.4.7.1).

        An error would be Bleichenbacher's oracle. So would be a random secret that is another each time, or the same under
        two keys; and a version that shows as it was sent (Klima, Pokorny and Rosa, CHES 2003): all begin with TLS 1.2's.
        """
        if mechanism.type != CKM.RSA_PKCS:
            return unwrap()
        instead = _VERSION + hmac.digest(key.parts[CKA.PRIVATE_EXPONENT].fingerprint(self._rejection_key), wrapped, "sha384")
        instead = instead[:PRE_MASTER_LENGTH]
        try:
            value = unwrap()
        except CryptokiError as error:
            if error.ckr != CKR.WRAPPED_KEY_INVALID:
                raise
            return instead
        return value if len(value) == PRE_MASTER_LENGTH and value.startswith(_VERSION) else instead

    def judge_derive(self, request: Request) -> tuple[Request, Role | None]:
        mechanism = request.mechanism.type
        if mechanism in _AGREEMENTS:
            return _agreed(request), Role(Stage.SHARED)
        template, role = request.template, None
        if mechanism in tls12.MASTER_FORMS:
            template, role = tls12.judge_master(request, self._ledger)
        elif mechanism in tls12.KDFS:
            template, role = tls12.judge_kdf(request, self._ledger)
        elif mechanism in _HKDFS:
            template, role = tls13.judge(request, self._ledger)
        return replace(request, template=template), role

    def born(self, objects: tuple[StoredObject, ...], role: Role | None) -> None:
        if role is None:
            return
        for stored in objects:
            self._ledger.assign(stored, role)
            if role.stage is Stage.PRE_MASTER and stored.flag(CKA.LOCAL):
                self._ledger.allow_sending(stored)

    # Objects

    def judge_change(self, stored: StoredObject, template: Template) -> None:
        """A secret key is never loosened, whatever its template said."""
        if stored.object_class not in (CKO.SECRET_KEY, CKO.PRIVATE_KEY):
            return
        role = self._ledger.of(stored)
        fleeting = role is not None and role.stage is not Stage.BOUND
        for attribute, value in template.items():
            loosening = attribute in _LOOSENED_BY_TRUE or (fleeting and attribute == CKA.TOKEN)
            loosened = loosening and value is True and not stored.flag(attribute)
            if loosened or (attribute == CKA.SENSITIVE and value is False and stored.flag(CKA.SENSITIVE)):
                raise Refused(CKR.ATTRIBUTE_READ_ONLY, name(attribute))


def _agreed(request: Request) -> Request:
    """An agreed secret comes whole and hashed by nobody, as a generic secret, from a group without small subgroups."""
    parameters = request.mechanism.parameters
    if request.base.key_type == CKK.DH and not is_safe_prime(_prime(request.base)):
        raise Refused(CKR.DOMAIN_PARAMS_INVALID, "the prime is no safe one")
    if isinstance(parameters, Ecdh1Derive) and parameters.kdf != CKD.NULL:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "CKD_NULL only")
    if number(request.template, CKA.KEY_TYPE) not in (None, CKK.GENERIC_SECRET, CKK.HKDF):
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_KEY_TYPE")
    whole = replace(request.quirks, full_length_only=True)
    return replace(request, template=protected(request.template), quirks=whole)


def _prime(key: StoredObject) -> int:
    prime = key.attributes[CKA.PRIME]
    assert isinstance(prime, bytes)
    return int.from_bytes(prime, "big")


def _permitted(role: Role, mechanism: Mechanism, function: MechanismFlag) -> bool:
    """Whether a secret of this role may be used with this mechanism, as far as can be said without the data."""
    if function is MechanismFlag.DERIVE:
        bound = role.stage is Stage.BOUND and mechanism.type == role.mechanism
        return bound or mechanism.type in _DERIVED_FROM.get(role.stage, ())
    if role.stage is Stage.MASTER:
        if mechanism.type not in tls12.MACS or not isinstance(mechanism.parameters, TlsMac):
            return False
        tls12.judge_mac(mechanism.parameters, role)
        return function in _MACING
    if mechanism.type != role.mechanism:
        return False
    if role.stage is Stage.RECORD:
        return function in _CIPHERING | _MACING and _as_in_records(role, mechanism)
    return role.stage is Stage.BOUND or (role.stage is Stage.FINISHED and function in _MACING)


def _as_in_records(role: Role, mechanism: Mechanism) -> bool:
    """A record key's tags and nonces are as long as its suite's.

    A shorter tag is a forgery made cheap; another nonce makes a counter block that records never have, in GCM any that the
    caller likes (SP 800-38D section 7.1).
    """
    match mechanism.parameters:
        case Gcm(iv=nonce, tag_bits=bits):
            return len(nonce) == _NONCE_LENGTH and bits // 8 in role.tags and bits % 8 == 0
        case Ccm(nonce=nonce, mac_length=length):
            return len(nonce) == _NONCE_LENGTH and length in role.tags
        case _:
            return True
