"""Parameters of the SSL 3.0, TLS and WTLS mechanisms (PKCS#11 3.0 sections 2.38 to 2.40).

`wants_version` stands for a non-NULL pVersion: the module then writes the two version bytes of the pre-master secret.
"""

from dataclasses import dataclass

from .base import Parameters


@dataclass(frozen=True, slots=True)
class MasterKeyDerive(Parameters):
    """CK_SSL3_MASTER_KEY_DERIVE_PARAMS, for CKM_SSL3_MASTER_KEY_DERIVE, CKM_TLS_MASTER_KEY_DERIVE and their _DH forms."""

    client_random: bytes
    server_random: bytes
    wants_version: bool = False


@dataclass(frozen=True, slots=True)
class Tls12MasterKeyDerive(Parameters):
    """CK_TLS12_MASTER_KEY_DERIVE_PARAMS; `prf_hash` is a digest mechanism, CKM_SHA256 for most suites."""

    client_random: bytes
    server_random: bytes
    prf_hash: int
    wants_version: bool = False


@dataclass(frozen=True, slots=True)
class ExtendedMasterKeyDerive(Parameters):
    """CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS (3.1), and NSS's structure of the same content (RFC 7627)."""

    prf_hash: int
    session_hash: bytes
    wants_version: bool = False


@dataclass(frozen=True, slots=True)
class KeyMat(Parameters):
    """CK_SSL3_KEY_MAT_PARAMS, for CKM_SSL3_KEY_AND_MAC_DERIVE and CKM_TLS_KEY_AND_MAC_DERIVE. All three sizes in BITS."""

    mac_bits: int
    key_bits: int
    iv_bits: int
    client_random: bytes
    server_random: bytes
    is_export: bool = False


@dataclass(frozen=True, slots=True)
class Tls12KeyMat(Parameters):
    """CK_TLS12_KEY_MAT_PARAMS, for CKM_TLS12_KEY_AND_MAC_DERIVE and CKM_TLS12_KEY_SAFE_DERIVE. All three sizes in BITS."""

    mac_bits: int
    key_bits: int
    iv_bits: int
    client_random: bytes
    server_random: bytes
    prf_hash: int
    is_export: bool = False


@dataclass(frozen=True, slots=True)
class WtlsKeyMat(Parameters):
    """CK_WTLS_KEY_MAT_PARAMS: one direction's MAC key, write key and IV. All three sizes in BITS."""

    digest: int
    mac_bits: int
    key_bits: int
    iv_bits: int
    sequence_number: int
    client_random: bytes
    server_random: bytes
    is_export: bool = False


@dataclass(frozen=True, slots=True)
class WtlsMasterKeyDerive(Parameters):
    """CK_WTLS_MASTER_KEY_DERIVE_PARAMS."""

    digest: int
    client_random: bytes
    server_random: bytes
    wants_version: bool = False


@dataclass(frozen=True, slots=True)
class TlsPrf(Parameters):
    """CK_TLS_PRF_PARAMS: the TLS 1.0 PRF, its output returned to the caller."""

    label: bytes
    seed: bytes
    output_length: int


@dataclass(frozen=True, slots=True)
class WtlsPrf(Parameters):
    """CK_WTLS_PRF_PARAMS: the WTLS PRF, its output returned to the caller."""

    digest: int
    label: bytes
    seed: bytes
    output_length: int


@dataclass(frozen=True, slots=True)
class TlsKdf(Parameters):
    """CK_TLS_KDF_PARAMS, for CKM_TLS_KDF and CKM_TLS12_KDF: an RFC 5705 exporter. `context` None is "no context"."""

    prf: int
    label: bytes
    client_random: bytes
    server_random: bytes
    context: bytes | None = None


@dataclass(frozen=True, slots=True)
class TlsMac(Parameters):
    """CK_TLS_MAC_PARAMS, for CKM_TLS_MAC and CKM_TLS12_MAC: a Finished value. 1 is "server finished", 2 "client finished"."""

    prf_hash: int
    mac_length: int
    server_or_client: int
