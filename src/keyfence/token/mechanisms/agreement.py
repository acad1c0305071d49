"""Key agreement: ECDH1_DERIVE and DH_PKCS_DERIVE (PKCS#11 3.2 sections 6.3.17, 6.4.5).

A value cut short keeps its last bytes: the standard truncates from the leading end. CKA_SENSITIVE is the template's.
"""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKD, CKK, CKM
from keyfence.cryptoki.params import Ecdh1Derive, PublicValue

from ..kernels import asymmetric
from ..quirks import Keep
from ..templates import Inheritance, NewKey, derived_shape
from .derivation import Derivation, Outcome, Request, cut_key, one_key


def _ecdh(request: Request) -> Outcome:
    parameters = request.parameters(Ecdh1Derive)
    shared = asymmetric.ecdh(request.base.material(), parameters.public_data)
    if parameters.kdf == CKD.NULL and not parameters.shared_data:
        return cut_key(request, shared, Inheritance.TEMPLATE, standard=Keep.LAST)
    key_type, length = derived_shape(request.template, None)
    value = asymmetric.ecdh_kdf(parameters.kdf, shared, parameters.shared_data, length)
    return one_key(request, NewKey(value, key_type, (request.base,), Inheritance.TEMPLATE))


def _dh(request: Request) -> Outcome:
    shared = asymmetric.dh(request.base.material(), request.parameters(PublicValue).value)
    return cut_key(request, shared, Inheritance.TEMPLATE, standard=Keep.LAST)


_EC: Final = Derivation(frozenset({CKK.EC, CKK.EC_MONTGOMERY}), _ecdh)

# The cofactor form is the same here: the Weierstrass curves have cofactor 1, and a Montgomery private key is a multiple of
# its curve's (RFC 7748 section 5).
DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.ECDH1_DERIVE: _EC,
    CKM.ECDH1_COFACTOR_DERIVE: _EC,
    CKM.DH_PKCS_DERIVE: Derivation(frozenset({CKK.DH}), _dh),
}
