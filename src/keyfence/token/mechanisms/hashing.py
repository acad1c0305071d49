"""A key's digest as a key (PKCS#11 3.2 section 6.21), which the template may make readable."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKR

from ..kernels.digests import DIGESTS, Digest
from ..keytypes import LENGTHS
from ..refused import Refused
from ..templates import Inheritance
from .derivation import Derivation, Derive, Outcome, Request, cut_key


def _hash(row: Digest) -> Derive:
    def derive(request: Request) -> Outcome:
        if request.mechanism.parameters is not None:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, f"{request.mechanism.name} takes no parameter")
        return cut_key(request, row.of(request.secret), Inheritance.TEMPLATE)

    return derive


DERIVATIONS: Final[Mapping[int, Derivation]] = {
    row.key_derivation: Derivation(frozenset(LENGTHS), _hash(row)) for row in DIGESTS
}
