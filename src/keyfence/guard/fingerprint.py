"""Which secret is it? An answer by value, computed inside the module and independent of an object's attributes.

A master secret is known by the start of a key block under randoms that no caller may use: the IVs of it, which every module
that cuts key blocks gives. A secret of TLS 1.3 is known by an expansion under an HkdfLabel that no caller may use. What comes
out is hashed with the ledger's key. There is one way for each, never a second where the first fails: two names for one secret
would be two first cuts.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from keyfence.cryptoki import Cryptoki, CryptokiError, KeyMaterial, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.params import Hkdf, KeyMat, Tls12KeyMat
from keyfence.schedule import HkdfLabel, PrfHash

from .call import Objection
from .ledger import Ledger
from .policy import ModuleFacts
from .registry import Entry
from .stages import FINGERPRINT_LABEL

RESERVED: Final = b"keyfence fingerprint"
"""How the randoms begin that no caller may use."""

_LENGTH: Final = 16
_RANDOM: Final = 32
_FIXED_TYPES: Final = frozenset({CKK.DES, CKK.DES2, CKK.DES3, CKK.CHACHA20, CKK.SEED, CKK.IDEA})


def is_reserved(random: bytes) -> bool:
    """Whether a caller may not use this random."""
    return random.startswith(RESERVED)


class Fingerprints:
    """Fingerprints of secrets in one module, kept with the secret: a value does not change."""

    def __init__(self, module: Cryptoki, facts: ModuleFacts, ledger: Ledger) -> None:
        self._module = module
        self._facts = facts
        self._ledger = ledger

    def of_master(self, session: int, entry: Entry, function: str) -> bytes:
        """32 bytes that name a master secret keying `function`. Objection where the module does not make the key block;
        LedgerUnavailable without the ledger's key."""
        return self._once(entry, function, lambda: self._of_block(session, entry.module_handle, function))

    def of_hkdf(self, session: int, entry: Entry, prf_hash: PrfHash) -> bytes:
        """32 bytes that name a secret of TLS 1.3. Raises as `of_master` does."""
        return self._once(entry, f"HKDF {prf_hash.name}", lambda: self._expanded(session, entry.module_handle, prf_hash))

    def _once(self, entry: Entry, purpose: str, compute: Callable[[], bytes]) -> bytes:
        known = entry.secret.fingerprints.get(purpose)
        if known is None:
            try:
                value = compute()
            except CryptokiError as error:
                raise Objection(f"the secret cannot be identified: {error.ckr_name}") from error
            known = self._ledger.hash(purpose.encode("ascii"), value)
            entry.secret.fingerprints[purpose] = known
        return known

    # Key blocks

    def _of_block(self, session: int, master: int, function: str) -> bytes:
        shape, value = self._facts.fingerprint_shape, b""
        if not shape.iv:
            raise Objection("the secret cannot be identified: a fingerprint's cut has IVs")
        for number in range(-(-_LENGTH // (2 * shape.iv))):
            value += self._ivs(session, master, self._mechanism(function, number))
        return value[:_LENGTH]

    def _ivs(self, session: int, master: int, mechanism: Mechanism) -> bytes:
        made = self._module.derive_key(session, mechanism, master, self._template()).key_material
        if made is None:
            raise Objection("the secret cannot be identified: no key material")
        self._discard(session, made)
        lengths = {len(iv or b"") for iv in (made.client_iv, made.server_iv)}
        if lengths != {self._facts.fingerprint_shape.iv}:
            raise Objection("the secret cannot be identified: the module wrote no IVs")
        return (made.client_iv or b"") + (made.server_iv or b"")

    def _mechanism(self, function: str, number: int) -> Mechanism:
        shape = self._facts.fingerprint_shape
        bits = (8 * shape.mac, 8 * shape.key, 8 * shape.iv)
        randoms = (RESERVED.ljust(_RANDOM, b"."), RESERVED.ljust(_RANDOM - 1, b".") + bytes([number]))
        if function in ("SSL3", "TLS10"):
            cut = CKM.SSL3_KEY_AND_MAC_DERIVE if function == "SSL3" else CKM.TLS_KEY_AND_MAC_DERIVE
            return Mechanism(cut, KeyMat(*bits, *randoms))
        return Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, Tls12KeyMat(*bits, *randoms, int(PrfHash[function].ckm)))

    def _template(self) -> Template:
        """Without CKA_SENSITIVE: some modules refuse to hear it where the base key's is another, and nobody sees these keys."""
        facts = self._facts
        template: dict[int, bool | int] = {
            CKA.CLASS: int(CKO.SECRET_KEY),
            CKA.KEY_TYPE: facts.fingerprint_key_type,
            CKA.ENCRYPT: True,
        }
        if facts.fingerprint_key_type not in _FIXED_TYPES:
            template[CKA.VALUE_LEN] = facts.fingerprint_shape.key
        return template

    def _discard(self, session: int, made: KeyMaterial) -> None:
        for handle in made.handles:
            with suppress(CryptokiError):
                self._module.destroy_object(session, handle)

    # HKDF

    def _expanded(self, session: int, secret: int, prf_hash: PrfHash) -> bytes:
        info = HkdfLabel(_LENGTH, FINGERPRINT_LABEL, b"").encode()
        parameters = Hkdf(extract=False, expand=True, prf_hash=int(prf_hash.ckm), info=info)
        template: Template = {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: _LENGTH, CKA.PRIVATE: False}
        made = self._module.derive_key(session, Mechanism(CKM.HKDF_DATA, parameters), secret, template).handle
        try:
            value = self._module.get_attribute_value(session, made, [CKA.VALUE])[CKA.VALUE]
        finally:
            self._module.destroy_object(session, made)
        if not isinstance(value, bytes) or len(value) != _LENGTH:
            raise Objection("the secret cannot be identified: the module expanded something else")
        return value
