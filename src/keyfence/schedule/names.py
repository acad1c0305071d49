"""The grammar of cipher suite names in the IANA registry.

    name       = "TLS_" exchange [ "_EXPORT" ] "_WITH_" cipher [ "_" digest ]       ; TLS 1.2 and before
               / "TLS_" cipher "_" digest                                           ; TLS 1.3: AEAD and HKDF hash only
    exchange   = method [ "_" peer ]                                                ; ECDHE_RSA, DH_anon, SRP_SHA_DSS
    cipher     = algorithm [ "_" bits ] [ "_" mode ] [ "_40" ]                      ; AES_128_GCM, DES_CBC, RC2_CBC_40
    digest     = "NULL" / "MD5" / "SHA" / "SHA256" / "SHA384" / "OMAC" / "IMIT"

What the digest means depends on the cipher: beside a cipher without authentication it is the record MAC's hash, beside
an AEAD the PRF's. CCM suites of RFC 6655 leave it out (SHA-256), and a "40" goes with EXPORT, always.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from .ciphers import ALGORITHMS, Cipher, Mode


class BadSuiteName(ValueError):
    """A name that the grammar of the registry does not make."""


@dataclass(frozen=True, slots=True)
class SuiteName:
    """A name taken apart. Exchange and authentication are None in TLS 1.3, whose suites name neither."""

    key_exchange: str | None
    authentication: str | None
    export: bool
    cipher: Cipher
    digest: str | None


_NAME: Final = re.compile(
    r"""TLS_
    (?:
        (?P<exchange> [A-Za-z0-9_]+? ) (?P<export> _EXPORT )? _WITH_
    )?
    (?P<cipher>
        (?P<algorithm> AES | ARIA | CAMELLIA | 3DES_EDE | DES40 | DES | RC2 | RC4 | IDEA | SEED | CHACHA20 | NULL
                     | KUZNYECHIK | MAGMA | 28147 )
        (?: _ (?P<bits> 128 | 256 ) )?
        (?: _ (?P<mode> CBC | GCM | CCM_8 | CCM | POLY1305 | CTR | CNT ) )?
        (?P<short> _40 )?
    )
    (?: _ (?P<digest> NULL | MD5 | SHA | SHA256 | SHA384 | OMAC | IMIT ) )?
    """,
    re.VERBOSE,
)

_EXCHANGES: Final = {
    "NULL": ("NULL", "NULL"),
    "RSA": ("RSA", "RSA"),
    "PSK": ("PSK", "PSK"),
    "KRB5": ("KRB5", "KRB5"),
    "SRP_SHA": ("SRP", "SRP"),
    "SRP_SHA_RSA": ("SRP", "RSA"),
    "SRP_SHA_DSS": ("SRP", "DSS"),
    "PSK_DHE": ("DHE", "PSK"),  # RFC 6655's spelling of DHE_PSK, for the CCM_8 suites only
    "ECCPWD": ("ECCPWD", "ECCPWD"),
    "ECJPAKE": ("ECJPAKE", "ECJPAKE"),
    "GOSTR341112_256": ("GOSTR341112_256", "GOSTR341112"),
}
"""Exchanges that are not simply method and peer."""

_METHOD_AND_PEER: Final = re.compile(r"(DHE?|ECDHE?|RSA)_(RSA|DSS|ECDSA|PSK|anon)")

_MODES: Final = {"CCM_8": Mode.CCM, "CNT": Mode.CTR, "POLY1305": Mode.POLY1305}
_TAGS: Final = {"GCM": 16, "CCM": 16, "CCM_8": 8, "POLY1305": 16}
_SHORT_KEY: Final = 5  # bytes: the 40 bits of an export suite


def parse_name(name: str) -> SuiteName:
    """`name` by the grammar above; BadSuiteName where it does not fit, SCSVs included (they are signals, not suites)."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise BadSuiteName(f"not a cipher suite's name: {name!r}")
    cipher = _cipher(match)
    exchange, authentication = _exchange(match["exchange"], name)
    parsed = SuiteName(exchange, authentication, match["export"] is not None, cipher, match["digest"])
    _check(parsed, name)
    return parsed


def _exchange(text: str | None, name: str) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    if text in _EXCHANGES:
        return _EXCHANGES[text]
    match = _METHOD_AND_PEER.fullmatch(text)
    if match is None:
        raise BadSuiteName(f"unknown key exchange {text} in {name}")
    return match[1], match[2]


def _cipher(match: re.Match[str]) -> Cipher:
    algorithm = ALGORITHMS[match["algorithm"]]
    mode = _mode(match)
    key = int(match["bits"]) // 8 if match["bits"] else algorithm.keys[0]
    bits_named = match["bits"] is not None
    if mode not in algorithm.mechanisms or key not in algorithm.keys or bits_named != _names_bits(match):
        raise BadSuiteName(f"no cipher {match['cipher']} in {match[0]}")
    cipher = Cipher(
        name=match["cipher"],
        algorithm=algorithm.name,
        mode=mode,
        key=key,
        material=key,
        block=algorithm.block,
        tag=_TAGS.get(match["mode"], 0),
        ckk=algorithm.ckk,
        ckm=algorithm.mechanisms[mode],
    )
    return replace(cipher, material=_SHORT_KEY) if _is_short(match) else cipher


def _mode(match: re.Match[str]) -> Mode:
    if match["mode"] is None:
        return Mode.NULL if match["algorithm"] == "NULL" else Mode.STREAM
    return _MODES.get(match["mode"]) or Mode(match["mode"])


def _names_bits(match: re.Match[str]) -> bool:
    """Whether this cipher's name has to say its key length."""
    several = len(ALGORITHMS[match["algorithm"]].keys) > 1
    return several or (match["algorithm"] == "RC4" and not match["short"])


def _is_short(match: re.Match[str]) -> bool:
    return match["short"] is not None or match["algorithm"] == "DES40"


def _check(parsed: SuiteName, name: str) -> None:
    """What the pieces may not be together."""
    cipher, digest = parsed.cipher, parsed.digest
    if parsed.export != (cipher.material < cipher.key):
        raise BadSuiteName(f"EXPORT and a 40-bit cipher come together, not so in {name}")
    if parsed.key_exchange is None and not (cipher.mode.is_aead and digest):
        raise BadSuiteName(f"a TLS 1.3 suite is an AEAD and a hash, not {name}")
    if digest is None and cipher.mode is not Mode.CCM:
        raise BadSuiteName(f"{name} names no digest")
    if (cipher.mode is Mode.CTR) != (digest in ("OMAC", "IMIT")):
        raise BadSuiteName(f"{digest} does not go with {cipher.name} in {name}")
    if cipher.mode.is_aead and digest not in (None, "SHA256", "SHA384"):
        raise BadSuiteName(f"{digest} is no PRF hash, in {name}")
    if (digest == "NULL") != (parsed.key_exchange == "NULL"):
        raise BadSuiteName(f"only TLS_NULL_WITH_NULL_NULL has no MAC, not {name}")
