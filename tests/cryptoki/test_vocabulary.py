"""The tables of constants: names for numbers, numbers against a header that is not ours."""

import re
from pathlib import Path

import pytest

from keyfence.cryptoki.constants import (
    CKA,
    CKC,
    CKD,
    CKG,
    CKK,
    CKM,
    CKO,
    CKR,
    CKS,
    CKU,
    CKZ,
    UNAVAILABLE_INFORMATION,
    Constant,
    HkdfSalt,
    MechanismFlag,
    SessionFlag,
    TokenFlag,
    describe,
    known,
    vendor,
)

TABLES: dict[str, type[Constant]] = {table.__name__: table for table in (CKA, CKC, CKD, CKG, CKK, CKM, CKO, CKR, CKS, CKU, CKZ)}
HEADERS = Path("/usr/include/nss")  # Debian: libnss3-dev


def test_a_constant_prints_as_the_standard_writes_it() -> None:
    assert str(CKM.TLS12_KEY_AND_MAC_DERIVE) == "CKM_TLS12_KEY_AND_MAC_DERIVE"
    assert f"{CKR.OK}" == "CKR_OK"
    assert CKM.TLS12_KEY_AND_MAC_DERIVE == 0x3E1


def test_a_number_is_described_as_well_as_it_can_be() -> None:
    assert describe(CKM, 0x3E1) == "CKM_TLS12_KEY_AND_MAC_DERIVE"
    assert describe(CKM, 0xCE534369) == "CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE"
    assert describe(CKK, 0xCE534354) == "CKK_NSS_CHACHA20"
    assert describe(CKM, 0x99999999) == "CKM_0x99999999"
    assert describe(CKR, 0x7FFFFFFF) == "CKR_0x7FFFFFFF"


def test_the_same_number_has_a_name_per_table() -> None:
    assert describe(CKM, 0xCE534354) == "CKM_NSS_HKDF_SHA256"
    assert describe(CKA, 0xCE534354) == "CKA_0xCE534354"


def test_a_known_number_is_a_member_and_another_stays_a_number() -> None:
    assert known(CKK, 0x1F) is CKK.AES
    assert known(CKK, 0x99999999) == 0x99999999
    assert type(known(CKK, 0x99999999)) is int


def test_the_array_attributes_carry_the_array_flag() -> None:
    arrays = {CKA.WRAP_TEMPLATE: 0x211, CKA.UNWRAP_TEMPLATE: 0x212, CKA.DERIVE_TEMPLATE: 0x213, CKA.ALLOWED_MECHANISMS: 0x600}
    assert all(attribute == 0x40000000 | number for attribute, number in arrays.items())


def _defined(header: str) -> dict[str, int]:
    """The numbers that a header defines outright, and those that it counts from another (`(CKM_NSS + 25)`)."""
    text = re.sub(r"/\*.*?\*/", "", (HEADERS / header).read_text(), flags=re.DOTALL)
    plain = {name: int(number, 0) for name, number in re.findall(r"#define (CK\w+) +(0x[0-9A-Fa-f]+|[0-9]+)U?L?\s", text)}
    bases = {"CKM_NSS": 0xCE534350, "CKK_NSS": 0xCE534350}
    counted = {
        name: bases[base] + int(offset)
        for name, base, offset in re.findall(r"#define (CK[MK]_NSS\w+) +\((CK[MK]_NSS) \+ (\d+)\)", text)
    }
    array = re.findall(r"#define (CKA\w+) +\(CKF_ARRAY_ATTRIBUTE \| (0x[0-9A-Fa-f]+)U?L?\)", text)
    return plain | counted | {name: 0x40000000 | int(number, 0) for name, number in array}


@pytest.fixture(scope="module")
def standard() -> dict[str, int]:
    if not HEADERS.is_dir():
        pytest.fail("NSS's headers are missing: apt-get install libnss3-dev", pytrace=False)
    return _defined("pkcs11t.h")


@pytest.mark.native
@pytest.mark.parametrize("prefix", TABLES)
def test_numbers_agree_with_the_header_of_3_0(standard: dict[str, int], prefix: str) -> None:
    theirs = {name[4:]: number for name, number in standard.items() if name[:3] == prefix}
    ours = {name: int(member) for name, member in TABLES[prefix].__members__.items()}
    shared = theirs.keys() & ours.keys()
    assert shared
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


@pytest.mark.native
def test_flags_agree_with_the_header_of_3_0(standard: dict[str, int]) -> None:
    names = {MechanismFlag.DERIVE: "CKF_DERIVE", MechanismFlag.SIGN: "CKF_SIGN", MechanismFlag.MESSAGE_SIGN: "CKF_MESSAGE_SIGN"}
    names |= {MechanismFlag[member.name]: f"CKF_{member.name}" for member in MechanismFlag if f"CKF_{member.name}" in standard}
    assert len(names) > 10
    assert {name: int(flag) for flag, name in names.items()} == {name: standard[name] for name in names.values()}
    for flags in (TokenFlag, SessionFlag, HkdfSalt):
        stem = "CKF_HKDF_SALT_" if flags is HkdfSalt else "CKF_"
        assert {m.name: int(m) for m in flags} == {m.name: standard[f"{stem}{m.name}"] for m in flags}


@pytest.mark.native
def test_vendor_numbers_agree_with_their_vendors_header(standard: dict[str, int]) -> None:
    theirs, ours = _defined("pkcs11n.h"), {name: number for (_, number), name in vendor.VENDOR_NAMES.items()}
    shared = theirs.keys() & ours.keys()
    assert len(shared) > 40
    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


def test_unavailable_information_is_all_ones() -> None:
    assert UNAVAILABLE_INFORMATION == 2**64 - 1
