"""The policy: what a `Guard` lets TLS secrets do. Frozen data; `Policy.default()` is the tight one.

All lengths are in bytes. A policy says nothing of how rules work: each rule reads what it needs from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from keyfence.cryptoki import AttributeValue
from keyfence.cryptoki.constants import CKA, CKK
from keyfence.schedule import EXPORTER_LABELS, CipherSuite, Shape, Version, suite


class Mode(StrEnum):
    """What happens where a rule objects."""

    ENFORCE = "enforce"
    """The call is refused, and what cannot be judged is refused too."""
    MONITOR = "monitor"
    """The call goes on as it was asked; the objection is logged and counted."""


@dataclass(frozen=True, slots=True)
class ObjectName:
    """Which objects are meant: those that have every attribute named here. With none named, all of them.

    Names are for keys made in the module: the guard gives no special right to a key that was imported under such a name.
    """

    label: str | None = None
    id: bytes | None = None
    key_type: int | None = None

    def matches(self, attributes: Mapping[int, AttributeValue]) -> bool:
        """Whether an object with these attributes (CKA_LABEL, CKA_ID, CKA_KEY_TYPE as far as it has them) is meant."""
        wanted = ((CKA.LABEL, self.label), (CKA.ID, self.id), (CKA.KEY_TYPE, self.key_type))
        return all(value is None or attributes.get(attribute) == value for attribute, value in wanted)


@dataclass(frozen=True, slots=True)
class BoundKey:
    """Plain keys made elsewhere that are to be used as record keys are: with these mechanisms and no others."""

    name: ObjectName
    mechanisms: frozenset[int]


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """What has to be known of the module behind the guard. All guards that share a ledger need the same facts of it.

    honours_allowed_mechanisms   CKA_ALLOWED_MECHANISMS is looked at when a key is used; where it is not, the guard's own table
                                 decides alone, and the attribute is left out of templates
    fingerprint_shape            the cut of the reserved key block that identifies a master secret. It has to be one that the
                                 module makes, with IVs: as many are asked for as 16 bytes take
    fingerprint_key_type         the write keys' type in that cut
    """

    honours_allowed_mechanisms: bool = False
    fingerprint_shape: Shape = Shape(0, 16, 4)  # noqa: RUF009 - frozen; AES_128_GCM's
    fingerprint_key_type: int = int(CKK.AES)


DEFAULT_SUITES: Final = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
)
"""The default policy's suites. AES_128_CBC_SHA, AES_128_CBC_SHA256, AES_256_CBC_SHA256 and 3DES_EDE_CBC_SHA are not among
them: the fixed IVs of ChaCha20 suites, which have the same PRF, lie on their write keys. A block that was cut before there was
a ledger would lose so much of one that at most 64 bits are left to search (`guard.blocks.payable` computes it)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed; everything else is refused to secrets of TLS.

    suites              cipher suites. Shape, key type and PRF of a cut have to be one of theirs
    versions            protocol versions. Their mechanisms are the ones offered; TLS 1.1 goes by TLS 1.0's mechanisms, and only
                        TLS 1.0 and SSL 3.0 get a CBC suite's IVs out of the key block
    exporter_labels     labels that applications may export keying material under
    experimental        whether labels that begin "EXPERIMENTAL" may, too (RFC 5705 §4)
    separated           whether keys may be made by the separated key expansion
    outside_tls         private keys that are NOT for TLS: what they agree on or unwrap never becomes a secret of TLS
    raw_rsa             whether private keys of TLS do CKM_RSA_X_509 and decrypt CKM_RSA_PKCS, as servers with static-RSA suites
                        may need that decrypt the pre-master secret into their own memory. What they decrypt is not protected
    wrapping_keys       keys that wrap secrets of TLS and do nothing else; only what they wrapped here can be unwrapped
    tls_keys            plain keys, made elsewhere, that are record keys
    modes               rule id to mode; enforce where a rule is not named
    facts               what is known of the module
    """

    suites: tuple[CipherSuite, ...]
    versions: frozenset[Version] = frozenset({Version.TLS12, Version.TLS13})
    exporter_labels: frozenset[bytes] = EXPORTER_LABELS
    experimental: bool = True
    separated: bool = True
    outside_tls: tuple[ObjectName, ...] = ()
    raw_rsa: bool = False
    wrapping_keys: tuple[ObjectName, ...] = ()
    tls_keys: tuple[BoundKey, ...] = ()
    modes: Mapping[str, Mode] = field(default_factory=lambda: MappingProxyType({}))
    facts: ModuleFacts = ModuleFacts()

    @classmethod
    def default(cls) -> "Policy":
        """The documented, tight default: TLS 1.2 and 1.3, every rule enforced."""
        return cls(tuple(suite(name) for name in DEFAULT_SUITES))

    def mode(self, rule: str) -> Mode:
        """What happens where `rule` objects."""
        return self.modes.get(rule, Mode.ENFORCE)
