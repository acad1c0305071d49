"""The token under quirks against the real modules that the quirks are named after: the same cuts, byte for byte.

What a module generates is compared and no more: past its stream NSS cuts into what its stack held, where the token has zeros.
"""

from collections.abc import Iterator
from itertools import product

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.session import Session
from keyfence.token import Quirks, Rounding, Sensitivity, SoftToken, Source

from ..modules import RealModule
from .bench import imported, key_mat10, key_mat12

pytestmark = pytest.mark.native

NSS = Quirks(
    rounding=Rounding.DOWN,
    write_key_cut=Source.TEMPLATE,
    amount=Source.PARAMETER,
    silent_without_value_len=True,
    ignore_derive_flag=True,
    ignore_allowed_mechanisms=True,
    sensitivity=Sensitivity.BASE,
)
OPENCRYPTOKI = Quirks(
    rounding=Rounding.UP,
    ignore_value_len=True,
    empty_write_keys=True,
    fix_parity=False,
    inherit=False,
    max_block=416,
    ignore_allowed_mechanisms=True,
)
MASTER = bytes(range(1, 49))
SIZES = list(product((0, 7, 8, 160), (0, 8, 9, 64, 128), (0, 64, 128)))
"""MAC, write key, IV; in bits. IVs are whole bytes, as is what a caller's buffer holds."""

Parts = list[bytes | None]


def cut(session: Session, mechanism: Mechanism, template: Template) -> Parts | None:
    """Four keys and two IVs, None for those not made; None altogether where the module refuses."""
    with session.scope():
        try:
            material = session.derive(mechanism, imported(session, MASTER), template).key_material
        except CryptokiError:
            return None
        assert material is not None
        handles = (material.client_mac, material.server_mac, material.client_key, material.server_key)
        return [session.value(h) if h else None for h in handles] + [material.client_iv, material.server_iv]


def generated(parts: Parts | None, amount: int) -> Parts | None:
    """What of the parts lies within the first `amount` bytes of stream."""
    if parts is None:
        return None
    kept, start = Parts(), 0
    for part in parts:
        kept.append(None if part is None else part[: max(0, amount - start)])
        start += len(part or b"")
    return kept


def templates(*wanted: tuple[CKK, int | None]) -> Iterator[Template]:
    for key_type, length in wanted:
        base: dict[int, int] = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: key_type}
        yield base if length is None else base | {CKA.VALUE_LEN: length}


def soft(quirks: Quirks) -> Session:
    token = SoftToken(quirks=quirks)
    token.initialize()
    return Session.open(token, 1)


def test_nss_cuts_by_the_template_and_generates_by_the_parameter(nss: RealModule) -> None:
    twin = soft(NSS)
    wanted = (
        (CKK.GENERIC_SECRET, None),
        (CKK.GENERIC_SECRET, 1),
        (CKK.AES, 16),
        (CKK.AES, None),
        (CKK.DES, None),
        (CKK.RC4, 5),
    )
    with nss.session() as handle:
        real = Session(nss.module, handle)
        for (mac, key, iv), template in product(SIZES, templates(*wanted)):
            amount = 2 * (mac // 8 + key // 8 + iv // 8)
            mechanism = key_mat12(mac, key, iv)
            got, expected = (generated(cut(each, mechanism, template), amount) for each in (real, twin))
            assert got == expected, (mac, key, iv, template)


def test_opencryptoki_rounds_up_and_ignores_the_template(opencryptoki: RealModule) -> None:
    twin = soft(OPENCRYPTOKI)
    wanted = (
        (CKK.GENERIC_SECRET, None),
        (CKK.GENERIC_SECRET, 16),
        (CKK.AES, 16),
        (CKK.AES, None),
        (CKK.DES, None),
        (CKK.RC4, 5),
    )
    with opencryptoki.session() as handle:
        real = Session(opencryptoki.module, handle)
        for (mac, key, iv), template in product(SIZES, templates(*wanted)):
            mechanism = key_mat10(mac, key, iv, CKM.SSL3_KEY_AND_MAC_DERIVE)
            assert cut(real, mechanism, template) == cut(twin, mechanism, template), (mac, key, iv, template)
