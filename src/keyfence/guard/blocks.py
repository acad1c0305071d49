"""The cuts of key blocks that a policy allows: a suite's shape, key type and PRF, and what is then done with the keys.

    cuts = Cuts(policy)
    cuts.match(asked)      the allowed cut that a call asks for; None where it asks for another
    payable(policy)        parts of allowed suites that the IVs of other allowed suites show at a payable price

All lengths are in bytes, for ONE side.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.constants.vendor import CKK_NSS_CHACHA20, CKM_NSS_CHACHA20_POLY1305
from keyfence.cryptoki.params import KeyMat, Tls12KeyMat
from keyfence.schedule import CipherSuite, Mode, Part, Shape, Version

from .policy import Policy

PAYABLE_BITS: Final = 80
"""A search below this price counts as possible."""

_SAME_TYPE: Final = {CKK_NSS_CHACHA20: int(CKK.CHACHA20)}
_TWINS: Final = {int(CKM.CHACHA20_POLY1305): frozenset({CKM_NSS_CHACHA20_POLY1305})}
"""NSS's own names of standard things."""
_GENERAL: Final = {
    int(CKM.MD5_HMAC): int(CKM.MD5_HMAC_GENERAL),
    int(CKM.SHA_1_HMAC): int(CKM.SHA_1_HMAC_GENERAL),
    int(CKM.SHA256_HMAC): int(CKM.SHA256_HMAC_GENERAL),
    int(CKM.SHA384_HMAC): int(CKM.SHA384_HMAC_GENERAL),
}


def standard_type(key_type: int) -> int:
    """The standard's number of a key type."""
    return _SAME_TYPE.get(key_type, key_type)


def with_twins(mechanism: int) -> frozenset[int]:
    """A mechanism and other numbers of the same."""
    return frozenset({int(mechanism)}) | _TWINS.get(mechanism, frozenset())


@dataclass(frozen=True, slots=True)
class Cut:
    """One allowed cut. Suites that cut alike share it; `mechanisms` and `tags` are those of all of them.

    mac     the record MAC's mechanism; None for AEADs
    block   in CBC the cipher's block: the IVs that a caller may have room for; 0 for others
    """

    function: str
    shape: Shape
    key_type: int
    mac: int | None
    block: int
    mechanisms: frozenset[int]
    tags: frozenset[int]
    suites: tuple[str, ...] = ()

    @property
    def text(self) -> bytes:
        """What a ledger keeps of it: lengths, key type, function."""
        shape = self.shape
        return f"{self.function} mac={shape.mac} key={shape.key} iv={shape.iv} type={self.key_type}".encode("ascii")

    @property
    def mac_mechanisms(self) -> frozenset[int]:
        """What a MAC key of this cut is used with; the general form is for callers that say the full length."""
        return frozenset() if self.mac is None else frozenset({self.mac, _GENERAL.get(self.mac, self.mac)})

    def ivs(self, *, returned: bool) -> frozenset[int]:
        """The lengths of IV that a caller may ask for, per side; `returned`: the mechanism gives IVs back."""
        if not returned:
            return frozenset({self.shape.iv, 0})
        return frozenset({self.shape.iv}) if self.shape.iv else frozenset({0, self.block})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for, before anybody believes it. Lengths None: not whole bytes."""

    function: str | None
    mac: int | None
    key: int | None
    iv: int | None
    key_type: int | None
    value_len: int | None
    returns_ivs: bool

    @classmethod
    def of(
        cls, function: str | None, parameters: KeyMat | Tls12KeyMat, key_type: object, value_len: object, returns_ivs: bool
    ) -> "Asked":
        mac, key, iv = (_bytes(bits) for bits in (parameters.mac_bits, parameters.key_bits, parameters.iv_bits))
        kind = key_type if isinstance(key_type, int) else None
        return cls(function, mac, key, iv, kind, value_len if isinstance(value_len, int) else None, returns_ivs)


def _bytes(bits: int) -> int | None:
    return None if bits % 8 else bits // 8


class Cuts:
    """The allowed cuts of a policy."""

    def __init__(self, policy: Policy) -> None:
        self._all = tuple(_merged(policy))

    def __iter__(self) -> Iterator[Cut]:
        return iter(self._all)

    def match(self, asked: Asked) -> Cut | None:
        """The cut asked for, in parameter AND template: they have to agree where both speak."""
        return next((cut for cut in self._all if _is(cut, asked)), None)


def _is(cut: Cut, asked: Asked) -> bool:
    shape = cut.shape
    if (asked.function, asked.mac, asked.key) != (cut.function, shape.mac, shape.key):
        return False
    if asked.key_type is None or standard_type(asked.key_type) != cut.key_type:
        return False
    if asked.value_len not in (None, shape.key):
        return False
    return asked.iv in cut.ivs(returned=asked.returns_ivs)


def _merged(policy: Policy) -> Iterator[Cut]:
    groups: dict[tuple[str, Shape, int], list[Cut]] = {}
    for cut in _each(policy):
        groups.setdefault((cut.function, cut.shape, cut.key_type), []).append(cut)
    for alike in groups.values():
        first = alike[0]
        mechanisms = frozenset().union(*(cut.mechanisms for cut in alike))
        tags = frozenset().union(*(cut.tags for cut in alike))
        names = tuple(dict.fromkeys(name for cut in alike for name in cut.suites))
        yield replace(first, mechanisms=mechanisms, tags=tags, suites=names)


def _each(policy: Policy) -> Iterator[Cut]:
    for suite in policy.suites:
        for version in sorted(policy.versions - {Version.TLS13}):
            if suite.supports(version) and suite.ckk is not None and suite.ckm is not None and not suite.export:
                yield _cut(suite, version)


def _cut(suite: CipherSuite, version: Version) -> Cut:
    return Cut(
        function_of_suite(suite, version),
        suite.shape(version),
        int(suite.ckk or 0),
        int(suite.ckm_mac(version) or 0) or None,
        suite.cipher.block if suite.mode is Mode.CBC else 0,
        with_twins(int(suite.ckm or 0)),
        frozenset({suite.cipher.tag} if suite.cipher.tag else ()),
        (suite.name,),
    )


def function_of_suite(suite: CipherSuite, version: Version) -> str:
    """The function that a suite's master secret keys."""
    if version is Version.SSL3:
        return "SSL3"
    if version < Version.TLS12:
        return "TLS10"
    return suite.prf_hash.name if suite.prf_hash else ""


# IVs that lie on keys


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of one suite's key block of which other suites' IVs leave only `bits` to search."""

    suite: CipherSuite
    version: Version
    part: Part
    bits: int
    through: tuple[CipherSuite, ...]


def payable(policy: Policy, bits: int = PAYABLE_BITS) -> tuple[Shown, ...]:
    """Every key of an allowed suite that the IVs of all other allowed suites together uncover to a search below 2^bits.

    It matters for key blocks that were cut before a ledger stood: for those, each allowed cut is still open once.
    """
    found: list[Shown] = []
    for version in sorted(policy.versions - {Version.TLS13}):
        suites = [suite for suite in policy.suites if suite.supports(version) and suite.ckk is not None]
        for suite in suites:
            alike = [other for other in suites if function_of_suite(other, version) == function_of_suite(suite, version)]
            found += _shown(suite, version, alike, bits)
    return tuple(found)


def _shown(suite: CipherSuite, version: Version, others: Iterable[CipherSuite], bits: int) -> Iterator[Shown]:
    ivs = {other: _iv_bytes(other, version) for other in others}
    for part, (start, stop) in suite.shape(version).layout().items():
        key = frozenset(range(start, stop))
        through = tuple(other for other, public in ivs.items() if public & key)
        hidden = len(key.difference(*(ivs[other] for other in through)))
        if part.is_secret and through and 8 * hidden < bits:
            yield Shown(suite, version, part, 8 * hidden, through)


@cache
def _iv_bytes(suite: CipherSuite, version: Version) -> frozenset[int]:
    layout = suite.shape(version).layout()
    return frozenset(place for part, (start, stop) in layout.items() if not part.is_secret for place in range(start, stop))
