"""The table of mechanisms: complete, without contradictions, and what C_GetMechanismInfo says is what happens."""

from collections import Counter

import pytest

from keyfence.cryptoki import METHODS, CryptokiError, FunctionNotSupported, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR, MechanismFlag
from keyfence.token import SoftToken
from keyfence.token.kernels import ciphers, digests, macs
from keyfence.token.mechanisms import registry
from keyfence.token.mechanisms.generation import GENERATIONS
from keyfence.token.mechanisms.pairs import PAIRS

from .bench import imported, opened, refused

BEGINNERS = {
    MechanismFlag.ENCRYPT: "encrypt_init",
    MechanismFlag.DECRYPT: "decrypt_init",
    MechanismFlag.SIGN: "sign_init",
    MechanismFlag.VERIFY: "verify_init",
    MechanismFlag.MESSAGE_SIGN: "message_sign_init",
    MechanismFlag.MESSAGE_DECRYPT: "message_decrypt_init",
}


def test_no_mechanism_stands_in_two_tables() -> None:
    tables = (
        ciphers.MECHANISMS,
        macs.MECHANISMS,
        macs.TLS_MACS,
        registry.SIGNING_PRFS,
        digests.BY_MECHANISM,
        GENERATIONS,
        PAIRS,
        registry.KEY_WRAPS,
        *(family.DERIVATIONS for family in registry._FAMILIES),
    )
    counted = Counter(int(mechanism) for table in tables for mechanism in table)
    assert [mechanism for mechanism, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("schedule", ["classic", "separated"])
def test_list_and_info_agree(schedule: str) -> None:
    module = opened(schedule).module
    offered = module.get_mechanism_list(1)
    assert list(offered) == sorted(set(offered))
    for mechanism in offered:
        info = module.get_mechanism_info(1, mechanism)
        assert info.flags
        assert info.min_key_size <= info.max_key_size
    with refused(CKR.MECHANISM_INVALID):
        module.get_mechanism_info(1, CKM.X9_42_DH_DERIVE)
    with refused(CKR.SLOT_ID_INVALID):
        module.get_mechanism_list(2)


def test_what_is_not_flagged_is_refused() -> None:
    """Denied by default: every mechanism in every function that its flags leave out."""
    session = opened()
    key = imported(session, bytes(16), CKK.AES, encrypt=True, decrypt=True, sign=True, verify=True)
    for mechanism in session.module.get_mechanism_list(1):
        flags = session.module.get_mechanism_info(1, mechanism).flags
        for flag, begin in BEGINNERS.items():
            if flag not in flags:
                with refused(CKR.MECHANISM_INVALID):
                    getattr(session.module, begin)(session.handle, Mechanism(mechanism), key)
        if MechanismFlag.DERIVE not in flags:
            with refused(CKR.MECHANISM_INVALID):
                session.derive(Mechanism(mechanism), key, {})
        if MechanismFlag.GENERATE not in flags:
            with refused(CKR.MECHANISM_INVALID):
                session.generate(Mechanism(mechanism), {})


def test_no_call_ends_in_anything_but_a_cryptoki_error() -> None:
    """Every mechanism with no parameter at all, in every function, on keys of several types."""
    session = opened()
    keys = [
        imported(session, bytes(48)),
        imported(session, bytes(16), CKK.AES, encrypt=True, sign=True, wrap=True, unwrap=True),
        imported(session, bytes(24), CKK.DES3),
    ]
    for number in session.module.get_mechanism_list(1):
        mechanism = Mechanism(number)
        for key in keys:
            for call in (
                lambda m=mechanism, k=key: session.derive(m, k, {CKA.VALUE_LEN: 16}),
                lambda m=mechanism, k=key: session.encrypt(m, k, bytes(16)),
                lambda m=mechanism, k=key: session.sign(m, k, bytes(16)),
                lambda m=mechanism, k=key: session.wrap(m, k, keys[0]),
                lambda m=mechanism, k=key: session.unwrap(m, k, bytes(16), {CKA.KEY_TYPE: CKK.AES}),
                lambda m=mechanism: session.generate(m, {CKA.VALUE_LEN: 16}),
                lambda m=mechanism: session.generate_pair(m, {}, {}),
            ):
                try:
                    call()
                except CryptokiError as error:
                    assert error.function.startswith("C_")  # noqa: PT017


def test_every_method_is_answered() -> None:
    """A software token answers all of the protocol, be it with CKR_FUNCTION_NOT_SUPPORTED."""
    token = SoftToken()
    token.initialize()
    lacking = {name for name in METHODS if name not in token._methods}
    assert lacking == {
        "get_operation_state",
        "set_operation_state",
        "sign_recover_init",
        "sign_recover",
        "verify_recover_init",
        "verify_recover",
        "digest_encrypt_update",
        "decrypt_digest_update",
        "sign_encrypt_update",
        "decrypt_verify_update",
        "encapsulate_key",
        "decapsulate_key",
    }
    for name in lacking:
        with pytest.raises(FunctionNotSupported):
            token._call(name)
