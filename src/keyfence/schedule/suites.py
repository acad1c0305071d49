"""The cipher suites of the IANA registry, each parsed from its name (`names`); `SUITES` holds them all.

    suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").shape(Version.TLS12)     → Shape(mac=0, key=16, iv=4)
    suite(0x002F).shape(Version.TLS10)                                      → Shape(mac=20, key=16, iv=16)

All lengths are in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from keyfence.cryptoki.constants import CKK, CKM

from .ciphers import Cipher, Mode
from .names import SuiteName, parse_name
from .prf import PrfHash
from .protocol import Version
from .shapes import Shape


class UnknownSuite(LookupError):
    """No suite of the registry has this name or number."""


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """One cipher suite.

    code             code point, 0xC02F
    name             IANA name
    key_exchange     "RSA", "DH", "DHE", "ECDH", "ECDHE", "PSK", "SRP", "KRB5" …; None in TLS 1.3
    authentication   "RSA", "DSS", "ECDSA", "PSK", "anon" …; None in TLS 1.3
    cipher           the record cipher, `ciphers.Cipher`
    mac              hash of the record MAC; None for AEADs, GOST and the null suite
    mac_key          length of one MAC key (0 for AEADs)
    prf_hash         hash of TLS 1.2's PRF or TLS 1.3's HKDF; None for GOST, whose hash is none of `PrfHash`
    export           EXPORT suite: its write keys are `cipher.material` bytes and are stretched to `cipher.key`
    min_version, max_version    the versions that negotiate it, both included
    """

    code: int
    name: str
    key_exchange: str | None
    authentication: str | None
    cipher: Cipher
    mac: PrfHash | None
    mac_key: int
    prf_hash: PrfHash | None
    export: bool
    min_version: Version
    max_version: Version

    @property
    def mode(self) -> Mode:
        """The record cipher's mode."""
        return self.cipher.mode

    @property
    def is_aead(self) -> bool:
        """Whether its records are sealed by an AEAD."""
        return self.cipher.mode.is_aead

    @property
    def ckk(self) -> CKK | None:
        """Key type of the write keys; None where PKCS#11 has none."""
        return self.cipher.ckk

    @property
    def ckm(self) -> CKM | None:
        """Mechanism of the record cipher; None where PKCS#11 has none."""
        return self.cipher.ckm

    def ckm_mac(self, version: Version) -> CKM | None:
        """Mechanism of the record MAC: CKM_SSL3_*_MAC in SSL 3.0, HMAC after it, None without a record MAC."""
        if self.mac is None:
            return None
        if version is Version.SSL3:
            return CKM.SSL3_MD5_MAC if self.mac is PrfHash.MD5 else CKM.SSL3_SHA1_MAC
        return self.mac.ckm_hmac

    def supports(self, version: Version) -> bool:
        """Whether this version negotiates the suite."""
        return self.min_version <= version <= self.max_version

    def fixed_iv(self, version: Version) -> int:
        """Length of one IV in the key block (RFC 5246 §6.3; TLS 1.3: of the per-record nonce's IV, RFC 8446 §5.3).

        TLS 1.1 and 1.2 write a fresh IV into every CBC record, so that the key block has none (RFC 4346 §6.2.3.2); export
        suites take theirs from public data (RFC 2246 §6.3.1).
        """
        if version is Version.TLS13 or self.mode is Mode.POLY1305:
            return 12
        if self.mode is Mode.CBC:
            return self.cipher.block if version <= Version.TLS10 and not self.export else 0
        if self.mode is Mode.CTR:
            # RFC 9189 §4: counter mode takes half a block, GOST 28147-89's CNT a whole one.
            return self.cipher.block if self.cipher.algorithm == "28147" else self.cipher.block // 2
        return 4 if self.is_aead else 0

    def record_iv(self, version: Version) -> int:
        """Length of the IV or explicit nonce that every record carries."""
        if self.mode is Mode.CBC and version >= Version.TLS11:
            return self.cipher.block
        return 8 if self.mode in (Mode.GCM, Mode.CCM) and version <= Version.TLS12 else 0

    def shape(self, version: Version) -> Shape:
        """How the suite cuts this version's key block; ValueError where the version has no such suite or no key block."""
        if not self.supports(version):
            raise ValueError(f"{version} does not negotiate {self.name}")
        if version is Version.TLS13:
            raise ValueError("TLS 1.3 has no key block")
        return Shape(self.mac_key, self.cipher.material, self.fixed_iv(version))

    def __str__(self) -> str:
        return self.name


_DIGESTS: Final = {"MD5": PrfHash.MD5, "SHA": PrfHash.SHA1, "SHA256": PrfHash.SHA256, "SHA384": PrfHash.SHA384}
_GOST_MAC_KEY: Final = 32


def parse_suite(code: int, name: str) -> CipherSuite:
    """The suite that a line of the registry defines; BadSuiteName where the name does not parse."""
    parsed = parse_name(name)
    mac = None if parsed.cipher.mode.is_aead or parsed.digest is None else _DIGESTS.get(parsed.digest)
    minimum, maximum = _versions(parsed, mac)
    return CipherSuite(
        code=code,
        name=name,
        key_exchange=parsed.key_exchange,
        authentication=parsed.authentication,
        cipher=parsed.cipher,
        mac=mac,
        mac_key=_GOST_MAC_KEY if parsed.cipher.mode is Mode.CTR else mac.digest_size if mac else 0,
        prf_hash=_prf_hash(parsed),
        export=parsed.export,
        min_version=minimum,
        max_version=maximum,
    )


def _prf_hash(parsed: SuiteName) -> PrfHash | None:
    """SHA-384 where the name ends in it, else TLS 1.2's default of SHA-256 (RFC 5246 §5)."""
    if parsed.cipher.mode is Mode.CTR:
        return None
    return PrfHash.SHA384 if parsed.digest == "SHA384" else PrfHash.SHA256


def _versions(parsed: SuiteName, mac: PrfHash | None) -> tuple[Version, Version]:
    if parsed.key_exchange is None:
        return Version.TLS13, Version.TLS13
    return _min_version(parsed, mac), _max_version(parsed)


def _min_version(parsed: SuiteName, mac: PrfHash | None) -> Version:
    """The first version that implementations negotiate it in.

    AEADs and SHA-2 MACs came with TLS 1.2, the latter with PSK earlier (RFC 5487 §3, RFC 5489 §3); elliptic curves need
    the extensions of TLS 1.0. The rest is negotiated in SSL 3.0 too, even what was defined later, such as AES.
    """
    if parsed.cipher.mode.is_aead or parsed.cipher.mode is Mode.CTR:
        return Version.TLS12
    if mac in (PrfHash.SHA256, PrfHash.SHA384):
        return Version.TLS10 if parsed.authentication == "PSK" or parsed.key_exchange == "PSK" else Version.TLS12
    return Version.TLS10 if (parsed.key_exchange or "").startswith("EC") else Version.SSL3


def _max_version(parsed: SuiteName) -> Version:
    """TLS 1.1 dropped the export suites (RFC 4346 Appendix A.5), TLS 1.2 DES and IDEA (RFC 5469)."""
    if parsed.export:
        return Version.TLS10
    return Version.TLS11 if parsed.cipher.algorithm in ("DES", "IDEA") else Version.TLS12


def _registry() -> tuple[CipherSuite, ...]:
    text = files(__package__).joinpath("suites.txt").read_text("ascii")
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(parse_suite(int(code, 16), name) for code, name in lines)


SUITES: Final[tuple[CipherSuite, ...]] = _registry()
"""Every suite of TLS 1.2 and before, and the five of RFC 8446, in order of code points."""

_BY_CODE: Final[Mapping[int, CipherSuite]] = MappingProxyType({s.code: s for s in SUITES})
_BY_NAME: Final[Mapping[str, CipherSuite]] = MappingProxyType({s.name.upper(): s for s in SUITES})


def suite(name_or_number: str | int) -> CipherSuite:
    """The suite with this IANA name (any case), number, or number as text ("0xC02F"); UnknownSuite suggests near names."""
    if isinstance(name_or_number, int):
        return _by_code(name_or_number)
    text = name_or_number.strip().upper()
    if text.startswith("0X"):
        return _by_hexadecimal(text)
    if text in _BY_NAME:
        return _BY_NAME[text]
    near = [_BY_NAME[match].name for match in get_close_matches(text, _BY_NAME, n=3)]
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise UnknownSuite(f"no cipher suite is called {name_or_number!r}{hint}")


def _by_code(code: int) -> CipherSuite:
    if code not in _BY_CODE:
        raise UnknownSuite(f"no cipher suite has the code point 0x{code:04X}")
    return _BY_CODE[code]


def _by_hexadecimal(text: str) -> CipherSuite:
    try:
        code = int(text, 16)
    except ValueError:
        raise UnknownSuite(f"{text!r} is no code point: write it as 0xC02F") from None
    return _by_code(code)
