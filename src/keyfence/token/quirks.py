"""How a module may differ from the standard's letter: the token's calibration.

`Quirks()` is strict: `classic` then does everything that PKCS#11 3.2's text allows and nothing that it forbids. Each field
narrows that (a module that offers less) or bends it (a module that errs). "Measured" names modules seen to behave so.
"""

from dataclasses import dataclass, replace
from enum import Enum


class Rounding(Enum):
    """What becomes of a size in bits that is no whole number of bytes."""

    REFUSE = "refuse"
    DOWN = "down"  # measured: NSS softoken
    UP = "up"  # measured: opencryptoki


class Source(Enum):
    """Where a write key's length is taken from: the mechanism's parameter or the template's CKA_VALUE_LEN."""

    PARAMETER = "parameter"
    TEMPLATE = "template"


class Keep(Enum):
    """Which bytes a CKA_VALUE_LEN shorter than the derived value leaves."""

    STANDARD = "standard"  # the last of a key agreement (sections 6.3.17, 6.4.5), the first of all else
    FIRST = "first"
    LAST = "last"  # measured: wolfPKCS11


class Randoms(Enum):
    """What becomes of a client or server random that is not 32 bytes long. The standard has a length field and no rule."""

    ANY = "any"
    EXACT = "exact"
    TRUNCATE = "truncate"


class Sensitivity(Enum):
    """Who decides a derived key's CKA_SENSITIVE and CKA_EXTRACTABLE where the standard leaves it to the template."""

    TEMPLATE = "template"
    BASE = "base"  # a template less strict than the base key's attributes is refused; measured: NSS softoken
    FORCED = "forced"  # every derived key is born sensitive and not extractable; a FIPS module may do so


@dataclass(frozen=True, slots=True)
class Quirks:
    """The ways to bend `classic`. Lengths are in bytes."""

    only: frozenset[int] | None = None
    """The mechanisms offered, and no others. None: all that the token has."""
    without: frozenset[int] = frozenset()
    """Mechanisms taken away."""

    # The cut of a key block (KEY_AND_MAC derivations)
    max_iv: int | None = None
    """Longest IV, per side. Measured: none in NSS (up to its buffer)."""
    mac_lengths: frozenset[int] | None = None
    """Lengths a MAC key may have."""
    key_lengths: frozenset[int] | None = None
    """Lengths a write key may have; 0 stands for "no write keys"."""
    write_key_types: frozenset[int] | None = None
    """Types a write key may have. Measured: SSL 3.0 ciphers and CKK_GENERIC_SECRET in opencryptoki."""
    max_block: int | None = None
    """Longest key block. Measured: 416 in opencryptoki (26 rounds of MD5), as in SSL 3.0 itself."""
    rounding: Rounding = Rounding.REFUSE
    write_key_cut: Source = Source.PARAMETER
    """What says how long a write key is, and so where the parts after it start. Measured: TEMPLATE in NSS."""
    amount: Source = Source.PARAMETER
    """What says how much key block is generated. Bytes cut beyond it are zero. Measured: PARAMETER in NSS."""
    ignore_value_len: bool = False
    """Cut by the parameter, never minding a CKA_VALUE_LEN that disagrees. Measured: opencryptoki."""
    silent_without_value_len: bool = False
    """Cut by the template, and without CKA_VALUE_LEN: CKR_OK, MAC keys, no write keys, IVs never written. Measured: NSS."""
    empty_mac_keys: bool = True
    """Asked for MAC keys of 0 bits, make objects of no bytes, not handles 0. JSSE destroys them unseen. Measured: NSS."""
    empty_write_keys: bool = False
    """Asked for write keys of 0 bits, make objects of no bytes where the type has no fixed lengths. Measured: opencryptoki."""
    readable_key_mat: bool = False
    """CKA_SENSITIVE and CKA_EXTRACTABLE of the template beat the base key's in key blocks, which the standard forbids."""
    randoms: Randoms = Randoms.ANY

    # Derived keys in general
    keep: Keep = Keep.STANDARD
    fix_parity: bool = True
    """DES keys are stored with odd parity. Measured: yes in NSS, no in opencryptoki."""
    inherit: bool = True
    """CKA_SENSITIVE and CKA_EXTRACTABLE left out of a template come from the base key. Measured: False in opencryptoki."""
    sensitivity: Sensitivity = Sensitivity.TEMPLATE
    min_derived: int = 1
    """Shortest derived key."""
    full_length_only: bool = False
    """CKA_VALUE_LEN may not shorten a derived value."""
    extract_truncates: bool = False
    """HKDF-Extract alone heeds a CKA_VALUE_LEN shorter than the hash, which the standard gives no meaning."""
    readable_hkdf: bool = True
    """CKM_HKDF_DATA and keys by CKM_HKDF_DERIVE may be read; False refuses both."""
    reserved_labels: bool = True
    """TLS_KDF and TLS_PRF take TLS's own labels ("key expansion"). False refuses them, by the label field alone."""
    version_required: bool = False
    """A master-key derive with pVersion wants a base that begins with an SSL or TLS version, so no master secret."""
    readable_master: bool = True
    """A master-key derive's template may ask for a readable master secret; False refuses."""
    short_masters: bool = False
    """A master-key derive cuts the master secret to CKA_VALUE_LEN, where the standard has 48 bytes and no others."""

    # Uses of keys
    ignore_derive_flag: bool = False
    """CKA_DERIVE is not looked at. Measured: NSS."""
    ignore_usage_flags: bool = False
    """CKA_ENCRYPT, CKA_SIGN and kin are not looked at."""
    ignore_allowed_mechanisms: bool = False
    """CKA_ALLOWED_MECHANISMS is stored and not honoured. Measured: NSS, opencryptoki."""
    one_mechanism_per_key: bool = False
    """The first cipher mechanism a key is used with is the only one ever after."""
    min_hmac_key: int = 0
    """Shortest key for HMAC. FIPS modules set 14."""
    general_macs: bool = True
    """The *_GENERAL MACs give and check shortened MACs; False takes them at full length only."""
    short_signatures: bool = False
    """C_Verify accepts any non-empty prefix of a MAC."""
    digest_sensitive_keys: bool = True
    """C_DigestKey takes a sensitive key. The standard leaves it to the token (CKR_KEY_INDIGESTIBLE)."""
    max_digest_key: int | None = None
    """Longest key for C_DigestKey."""
    raw_rsa: bool = True
    """CKM_RSA_X_509 decrypts and signs."""
    salt_keys: bool = True
    """HKDF takes a key as its salt."""

    # Objects
    wrap_unextractable: bool = False
    """C_WrapKey wraps keys that are not extractable. A bug of old tokens (Clulow 2003; Tookan 2010)."""
    clear_sensitive_by_set: bool = False
    """C_SetAttributeValue clears CKA_SENSITIVE and sets CKA_EXTRACTABLE. A bug of old tokens (Tookan 2010)."""
    clear_sensitive_by_copy: bool = False
    """C_CopyObject does. A bug of old tokens (Tookan 2010)."""
    copy_changes_mechanisms: bool = False
    """C_CopyObject may change CKA_ALLOWED_MECHANISMS."""
    unwrap_truncates: bool = False
    """C_UnwrapKey cuts the value to CKA_VALUE_LEN or the key type's length, where the standard refuses the conflict."""
    readable_unwrap: bool = True
    """C_UnwrapKey may make a readable key; the standard lets it."""
    check_values: bool = True
    """CKA_CHECK_VALUE is supported, which the standard leaves open."""
    min_check_value_key: int = 0
    """Shortest key that has a check value."""
    import_keys: bool = True
    """C_CreateObject makes keys. Measured: False in NSS's FIPS token."""
    login_required: bool = False
    """Keys are private unless the template says otherwise, so that nothing works before C_Login. Measured: NSS slot 2."""

    def has_check_value(self, length: int) -> bool:
        """Whether a key of so many bytes has a CKA_CHECK_VALUE: to read, and to be compared with a template's."""
        return self.check_values and length >= self.min_check_value_key

    def only_narrow(self) -> bool:
        """Whether nothing but the choice of mechanisms and objects differs from the strict token."""
        narrowed = replace(
            self, only=None, without=frozenset(), import_keys=True, login_required=False, raw_rsa=True, check_values=True
        )
        return narrowed == Quirks()
