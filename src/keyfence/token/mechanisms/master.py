"""Master secrets from pre-master secrets (PKCS#11 3.2 sections 6.39.5, 6.40.4, 6.41.4; RFC 7627)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.constants import vendor as nss
from keyfence.cryptoki.params import ExtendedMasterKeyDerive, MasterKeyDerive, Tls12MasterKeyDerive, WtlsMasterKeyDerive
from keyfence.schedule import PrfHash, Version, extended_master_secret, master_secret
from keyfence.schedule.wtls import wtls_master_secret

from ..attributes import Attributes
from ..refused import Refused
from ..templates import Inheritance, NewKey, derived_shape
from .derivation import GENERIC_ONLY, Derivation, Derive, Outcome, Request, asks_readable, cut, one_key, randoms, tls_function

MASTER_LENGTH: Final = 48

TLS12_MASTER_MECHANISMS: Final = (
    CKM.TLS12_KEY_AND_MAC_DERIVE,
    CKM.TLS12_KEY_SAFE_DERIVE,
    CKM.TLS_KDF,
    CKM.TLS_MAC,
    CKM.TLS12_KDF,
    CKM.TLS12_MAC,
)
"""CKA_ALLOWED_MECHANISMS that the TLS 1.2 mechanisms contribute, with the deprecated aliases (section 6.40.4)."""

_VERSIONS: Final = (0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304)

Compute = Callable[[Request], tuple[bytes, bool]]
"""To the master secret, and whether the caller wants the version bytes."""


def _classic(version: Version, prf_hash: PrfHash | None = None) -> Compute:
    def compute(request: Request) -> tuple[bytes, bool]:
        parameters = request.parameters(MasterKeyDerive)
        client, server = randoms(request.quirks, parameters.client_random, parameters.server_random)
        return master_secret(version, prf_hash, request.secret, client, server), parameters.wants_version

    return compute


def _tls12(request: Request) -> tuple[bytes, bool]:
    parameters = request.parameters(Tls12MasterKeyDerive)
    version, prf_hash = tls_function(parameters.prf_hash)
    client, server = randoms(request.quirks, parameters.client_random, parameters.server_random)
    return master_secret(version, prf_hash, request.secret, client, server), parameters.wants_version


def _extended(request: Request) -> tuple[bytes, bool]:
    parameters = request.parameters(ExtendedMasterKeyDerive)
    version, prf_hash = tls_function(parameters.prf_hash)
    return extended_master_secret(version, prf_hash, request.secret, parameters.session_hash), parameters.wants_version


def _wtls(request: Request) -> tuple[bytes, bool]:
    parameters = request.parameters(WtlsMasterKeyDerive)
    _, prf_hash = tls_function(parameters.digest)
    if prf_hash is None:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no hash")
    value = wtls_master_secret(prf_hash, request.secret, parameters.client_random, parameters.server_random)
    return value, parameters.wants_version


def _master(compute: Compute, versioned: bool, restricted: bool = False, wtls: bool = False) -> Derive:
    """`versioned`: the RSA form, whose base begins with a version. `restricted`: contributes CKA_ALLOWED_MECHANISMS."""

    def derive(request: Request) -> Outcome:
        value, wants_version = compute(request)
        if wants_version and not versioned:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, "pVersion is NULL for Diffie-Hellman")
        if asks_readable(request.template) and not request.quirks.readable_master:
            raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "a readable master secret")
        _check_version(request, versioned)
        if request.quirks.short_masters:
            value = cut(value, derived_shape(request.template, len(value))[1], request.quirks)
        new = NewKey(value, CKK.GENERIC_SECRET, (request.base,), Inheritance.TEMPLATE, defaults=_USES)
        if restricted:
            new = replace(new, contributed={CKA.ALLOWED_MECHANISMS: TLS12_MASTER_MECHANISMS})
        return one_key(request, new, _version(request.secret, wtls) if wants_version else None)

    return derive


def _version(pre_master: bytes, wtls: bool) -> tuple[int, int]:
    """CK_VERSION, whose bytes the pre-master secret begins with; WTLS's single byte stands as the major one."""
    return (pre_master[0], 0) if wtls else (pre_master[0], pre_master[1])


_USES: Final[Attributes] = {CKA.DERIVE: True, CKA.SIGN: True, CKA.VERIFY: True}
"""What a master secret is for: a default that spares applications from saying so."""


def _check_version(request: Request, versioned: bool) -> None:
    if (
        versioned
        and len(request.secret) == MASTER_LENGTH
        and request.quirks.version_required
        and int.from_bytes(request.secret[:2], "big") not in _VERSIONS
    ):
        raise Refused(CKR.KEY_TYPE_INCONSISTENT, "no version at the start of the base key")


def _rsa(compute: Compute, restricted: bool = False) -> Derivation:
    return Derivation(GENERIC_ONLY, _master(compute, True, restricted), MASTER_LENGTH, MASTER_LENGTH)


def _dh(compute: Compute, restricted: bool = False) -> Derivation:
    return Derivation(GENERIC_ONLY, _master(compute, False, restricted))


DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.SSL3_MASTER_KEY_DERIVE: _rsa(_classic(Version.SSL3)),
    CKM.SSL3_MASTER_KEY_DERIVE_DH: _dh(_classic(Version.SSL3)),
    CKM.TLS_MASTER_KEY_DERIVE: _rsa(_classic(Version.TLS10)),
    CKM.TLS_MASTER_KEY_DERIVE_DH: _dh(_classic(Version.TLS10)),
    CKM.TLS12_MASTER_KEY_DERIVE: _rsa(_tls12, restricted=True),
    CKM.TLS12_MASTER_KEY_DERIVE_DH: _dh(_tls12, restricted=True),
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE: _rsa(_extended, restricted=True),
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH: _dh(_extended, restricted=True),
    nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256: _rsa(_classic(Version.TLS12, PrfHash.SHA256)),
    nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256: _dh(_classic(Version.TLS12, PrfHash.SHA256)),
    nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE: _rsa(_extended),
    nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH: _dh(_extended),
    CKM.WTLS_MASTER_KEY_DERIVE: Derivation(GENERIC_ONLY, _master(_wtls, versioned=True, wtls=True)),
    CKM.WTLS_MASTER_KEY_DERIVE_DH_ECC: _dh(_wtls),
}
