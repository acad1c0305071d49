"""PRF output, to the caller or as a key: TLS_PRF, WTLS_PRF and the exporter TLS_KDF (PKCS#11 3.2 sections 6.40.9, 6.41.5)."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki import Derived
from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.params import TlsKdf, TlsPrf, WtlsPrf
from keyfence.schedule import RESERVED_LABELS, exporter, prf_tls10
from keyfence.schedule.wtls import wtls_prf

from ..quirks import Quirks
from ..refused import Refused
from ..templates import Inheritance, NewKey
from .derivation import GENERIC_ONLY, Derivation, Outcome, Request, one_key, randoms, stream_shape, tls_function


def _check_label(label: bytes, quirks: Quirks) -> None:
    """What a module can do that looks at the label field alone: the same string cut elsewhere passes."""
    if not quirks.reserved_labels and label in RESERVED_LABELS:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "TLS's own label")


def _tls_prf(request: Request) -> Outcome:
    parameters = request.parameters(TlsPrf)
    _check_label(parameters.label, request.quirks)
    output = prf_tls10(request.secret, parameters.label, parameters.seed, _output_length(parameters))
    return Outcome((), lambda _handles: Derived(output=output))


def _wtls_prf(request: Request) -> Outcome:
    parameters = request.parameters(WtlsPrf)
    _check_label(parameters.label, request.quirks)
    _, prf_hash = tls_function(parameters.digest)
    if prf_hash is None:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no hash")
    output = wtls_prf(prf_hash, request.secret, parameters.label, parameters.seed, _output_length(parameters))
    return Outcome((), lambda _handles: Derived(output=output))


def _output_length(parameters: TlsPrf | WtlsPrf) -> int:
    if not 1 <= parameters.output_length <= _LONGEST_OUTPUT:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "pulOutputLen")
    return parameters.output_length


def _tls_kdf(request: Request) -> Outcome:
    """An exporter (RFC 5705) whose label nobody checks: "the token does not enforce this behavior" (section 6.40.9)."""
    parameters = request.parameters(TlsKdf)
    _check_label(parameters.label, request.quirks)
    version, prf_hash = tls_function(parameters.prf)
    client, server = randoms(request.quirks, parameters.client_random, parameters.server_random)
    if parameters.context is not None and len(parameters.context) > _LONGEST_CONTEXT:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "a context has a length of 16 bits")
    key_type, length = stream_shape(request.template, request.quirks)
    value = exporter(version, prf_hash, request.secret, parameters.label, client, server, length, parameters.context)
    return one_key(request, NewKey(value, key_type, (request.base,), Inheritance.STICKY))


_LONGEST_CONTEXT: Final = 0xFFFF
_LONGEST_OUTPUT: Final = 1 << 16

DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.TLS_PRF: Derivation(GENERIC_ONLY, _tls_prf),
    CKM.WTLS_PRF: Derivation(GENERIC_ONLY, _wtls_prf),
    CKM.TLS_KDF: Derivation(GENERIC_ONLY, _tls_kdf),
    CKM.TLS12_KDF: Derivation(GENERIC_ONLY, _tls_kdf),
}
