"""What PKCS#11 has, before any rule: for each secret of TLS the ways to get at it, lengths left open.

A subject is a secret in one of its streams, with what the victim made of it. Roles are foreseen as the guard foresees them
(`births`); whether a call may be made is not decided here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.model import Capability, Key, Lengths, Stream, Window
from keyfence.schedule import HkdfLabel, PrfHash, SeparatedLabel, Side, Version, judge_string
from keyfence.schedule.separated import ALGORITHMS
from keyfence.schedule.tls13 import HASHES

from ..births import expanded_role, separated_role
from ..blocks import Cut, Cuts
from ..mechanisms import DH_MASTERS, FUNCTION_VERSIONS, KEY_BLOCKS, RSA_MASTERS, SIGNING_PRFS
from ..policy import Policy
from ..roles import EXPORTED, OTHER, PREMASTER, PRIVATE, SHARED, UNBOUND, WRAPPING, Kind, Role
from ..stages import record_suites, step
from ..ways import Cutting, Reading, Way
from .capabilities import cut_capability

TYPES: Final = (CKK.GENERIC_SECRET, CKK.AES, CKK.CHACHA20, CKK.DES3)
"""The key types that bytes are asked for as. DES3 stands for those with parity, which a search need not find."""

RANDOMS: Final = bytes(64)
"""Any: rules judge by what the input begins with, and by the randoms' lengths."""

MASTER_BYTES: Final = 48
_SHARED_BYTES: Final = 32  # P-256's; another curve's differ in nothing else
_VERSION_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """A secret in one of its streams.

    victims     what is to be kept
    committed   the cut that the victim made of a key block and the ledger knows; None: there is none, or no cut
    """

    title: str
    victims: tuple[Capability, ...]
    ways: tuple[Way, ...]
    committed: Cut | None = field(default=None)


def function_name(function: str) -> str:
    """The model's name of the function that a master secret keys."""
    return {"SSL3": "SSL3", "TLS10": "TLS10-PRF"}.get(function, f"TLS12-PRF-{function}")


def functions(policy: Policy) -> tuple[str, ...]:
    """The functions that master secrets key in the policy's versions."""
    return tuple(name for name, versions in FUNCTION_VERSIONS.items() if versions & policy.versions)


# ---- Key blocks


def key_blocks(cuts: Cuts, function: str) -> Iterator[Subject]:
    """One subject per cut that a ledger may hold, and one for all cuts that none holds."""
    own = [cut for cut in cuts if cut.function == function]
    stream = key_block(function)
    ways: tuple[Way, ...] = (*cuttings(function), *_of_a_master(function, stream))
    for cut in own:
        yield Subject(f"key blocks, {cut.text.decode()}", (cut_capability(cut, stream),), ways, committed=cut)
    if own:
        unseen = f"key blocks that no ledger knows, {function_name(function)}"
        yield Subject(unseen, tuple(cut_capability(cut, stream) for cut in own), ways)


def key_block(function: str) -> Stream:
    """The stream that a key block is; SSL 3.0 has no label."""
    return Stream.of("master secret", function_name(function), b"" if function == "SSL3" else b"key expansion", RANDOMS)


def cuttings(function: str) -> tuple[Cutting, ...]:
    """The mechanisms that cut it; and cut it under other randoms for the ledger's eyes (NSS takes 32 bytes of any)."""
    role, stream = Role(Kind.MASTER, function), key_block(function)
    cut = _mechanism_of(function, KEY_BLOCKS, CKM.TLS12_KEY_AND_MAC_DERIVE)
    return Cutting(role, stream, cut), Cutting(role, stream, cut, renamed=True)


def _of_a_master(function: str, stream: Stream) -> Iterator[Reading]:
    role = Role(Kind.MASTER, function)
    yield from _prfs(role, stream)
    yield from _oracles(role, stream)


def _prfs(role: Role, stream: Stream) -> Iterator[Reading]:
    """The PRF itself on an input of the caller's: as keys, and as bytes."""
    if role.function == "SSL3":
        return
    label = _separated(stream)
    born = EXPORTED if label is None else separated_role(label)
    for key_type in TYPES:
        yield Reading("C_DeriveKey", role, stream, CKM.TLS12_KDF, born=born, key_type=key_type, readable=True)
    if role.function == "TLS10":
        yield Reading("C_DeriveKey", role, stream, CKM.TLS_PRF)
    for mechanism, function in SIGNING_PRFS.items():
        if function == role.function:
            yield Reading("C_SignInit", role, stream, mechanism)


def _oracles(role: Role, stream: Stream) -> Iterator[Reading]:
    """Functions of the secret that rebuild the stream: HMAC under it, whatever its name, and for SSL 3.0 digests."""
    if role.function == "SSL3":
        yield Reading("C_DigestKey", role, stream, CKM.MD5, oracle="DIGEST-MD5")
        yield Reading("C_DeriveKey", role, stream, CKM.MD5_KEY_DERIVATION, oracle="DIGEST-MD5", readable=True)
    elif role.function in PrfHash.__members__:
        prf_hash = PrfHash[role.function]
        oracle = f"HMAC-{prf_hash.name}"
        for function, mechanism in (
            ("C_SignInit", prf_hash.ckm_hmac),
            ("C_SignInit", CKM[f"{prf_hash.name}_HMAC_GENERAL"]),
            ("C_VerifyInit", CKM[f"{prf_hash.name}_HMAC_GENERAL"]),
            ("C_MessageSignInit", prf_hash.ckm_hmac),
            ("C_DeriveKey", CKM.SP800_108_COUNTER_KDF),
            ("C_DeriveKey", CKM.IKE2_PRF_PLUS_DERIVE),
            ("C_DeriveKey", CKM.IKE_PRF_DERIVE),
        ):
            yield Reading(function, role, stream, mechanism, oracle=oracle)
        for mechanism in (CKM.HKDF_DERIVE, CKM.HKDF_DATA):
            yield Reading("C_DeriveKey", role, stream, mechanism, operand=True, oracle=oracle)


# ---- Values


def values(policy: Policy) -> Iterator[Subject]:
    """What all keys follow from: pre-master, agreed and master secrets, each whole."""
    stream = Stream("pre-master secret", "value", b"")
    rest = _whole("pre-master secret", stream, MASTER_BYTES, start=_VERSION_BYTES)
    yield Subject("pre-master secrets", (rest,), (*_private(stream), *_shown(PREMASTER, stream)))
    stream = Stream("agreed secret", "value", b"")
    agreed = _made(PRIVATE, stream, CKM.ECDH1_DERIVE, SHARED, _SHARED_BYTES)
    yield Subject(
        "agreed secrets",
        (_whole("agreed secret", stream, _SHARED_BYTES),),
        (*agreed, *_shown(SHARED, stream), *_version(SHARED, stream)),
    )
    for function in functions(policy):
        yield _master(function)


def _master(function: str) -> Subject:
    """A master secret is itself the start of a stream, that of its pre-master secret."""
    role = Role(Kind.MASTER, function)
    stream = Stream.of("pre-master secret", function_name(function), b"master secret", RANDOMS)
    made = (
        way
        for base, table in ((PREMASTER, RSA_MASTERS), (SHARED, DH_MASTERS))
        for way in _made(base, stream, _mechanism_of(function, table, _TLS12[base.kind]), role, MASTER_BYTES)
    )
    before = (way for base in (PREMASTER, SHARED, UNBOUND) for way in _oracles(Role(base.kind, function), stream))
    ways = (*made, *before, *_shown(role, stream), *_version(role, stream), *_unwrapped(stream))
    return Subject(f"master secrets, {function_name(function)}", (_whole("master secret", stream, MASTER_BYTES),), ways)


_TLS12: Final = {
    Kind.PREMASTER: CKM.TLS12_MASTER_KEY_DERIVE,
    Kind.SHARED: CKM.TLS12_MASTER_KEY_DERIVE_DH,
}


def _made(base: Role, stream: Stream, mechanism: int, born: Role, whole: int) -> Iterator[Reading]:
    """The same derivation again: readable, cut short, as a type that hides less, or left in the token."""
    for key_type in TYPES:
        for stays in (False, True):
            yield Reading(
                *("C_DeriveKey", base, stream, mechanism), born=born, key_type=key_type, readable=True, whole=whole, stays=stays
            )


def _private(stream: Stream) -> Iterator[Reading]:
    """What a private key makes of a recorded ClientKeyExchange."""
    for key_type in TYPES:
        yield Reading(
            *("C_UnwrapKey", PRIVATE, stream, CKM.RSA_PKCS),
            born=PREMASTER,
            key_type=key_type,
            readable=True,
            whole=MASTER_BYTES,
        )
    for function, mechanism in (
        ("C_DecryptInit", CKM.RSA_PKCS),
        ("C_DecryptInit", CKM.RSA_X_509),
        ("C_SignInit", CKM.RSA_X_509),
        ("C_SignRecoverInit", CKM.RSA_X_509),
    ):
        yield Reading(function, PRIVATE, stream, mechanism)


def _shown(role: Role, stream: Stream) -> Iterator[Reading]:
    """How a key object's value comes out of a module, or of the sight of whoever knew its role."""
    yield Reading("C_GetAttributeValue", role, stream, attribute=CKA.VALUE)
    for function in ("C_SetAttributeValue", "C_CopyObject"):
        yield Reading(function, role, stream, attribute=CKA.SENSITIVE)
        yield Reading(function, role, stream, attribute=CKA.EXTRACTABLE)
    yield Reading("C_CopyObject", role, stream, born=role, stays=True)
    yield Reading("C_WrapKey", role, stream, CKM.AES_KEY_WRAP, operand=True)
    yield Reading("C_GetOperationState", role, stream)
    for mechanism in (CKM.EXTRACT_KEY_FROM_KEY, CKM.CONCATENATE_BASE_AND_DATA, CKM.XOR_BASE_AND_DATA):
        yield Reading("C_DeriveKey", role, stream, mechanism, key_type=CKK.GENERIC_SECRET, readable=True)
    yield Reading(
        *("C_DeriveKey", role, stream, CKM.CONCATENATE_BASE_AND_KEY), operand=True, key_type=CKK.GENERIC_SECRET, readable=True
    )


def _version(role: Role, stream: Stream) -> Iterator[Reading]:
    """A master-key derivation gives the first two bytes of its base back as pVersion."""
    for mechanism in (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH):
        yield Reading("C_DeriveKey", role, stream, mechanism, length=frozenset({_VERSION_BYTES}))


def _unwrapped(stream: Stream) -> Iterator[Reading]:
    """A piece of what a wrapping key wrapped, or all of it."""
    for key_type in TYPES:
        yield Reading(
            *("C_UnwrapKey", WRAPPING, stream, CKM.AES_ECB), born=OTHER, key_type=key_type, readable=True, whole=MASTER_BYTES
        )


# ---- Separated keys


def separated(functions: Collection[str]) -> Iterator[Subject]:
    """Every key that the separated key expansion names, each the only slice of a stream of its own."""
    for function in functions:
        for name, algorithm in ALGORITHMS.items():
            label = SeparatedLabel.of(name, Side.CLIENT)
            stream = Stream.of("master secret", function_name(function), label.build(), RANDOMS)
            key = Window(name, stream, Key.of(algorithm.key_types[0]), Lengths.exactly(0), Lengths.exactly(label.length))
            yield Subject(f"separated keys, {name}", (key,), tuple(_of_a_master(function, stream)))


def _separated(stream: Stream) -> SeparatedLabel | None:
    return judge_string(stream.input).separated


# ---- TLS 1.3


def traffic_keys(policy: Policy) -> Iterator[Subject]:
    """Write keys from traffic secrets, and the traffic secrets themselves."""
    if Version.TLS13 not in policy.versions:
        return
    for prf_hash in HASHES:
        role = Role(Kind.TRAFFIC, prf_hash.name)
        for length, key_type in _write_keys(policy, prf_hash):
            stream = expansion("traffic secret", prf_hash, HkdfLabel(length, b"key", b""))
            key = Window(
                f"HKDF-Expand-Label, key, {length} bytes", stream, Key.of(key_type), Lengths.exactly(0), Lengths.exactly(length)
            )
            ways = (*expansions(role, stream, prf_hash, policy), *_oracles(role, stream))
            yield Subject(f"write keys of TLS 1.3, {prf_hash.name}, {length} bytes", (key,), ways)
        stream = expansion(
            "handshake secret", prf_hash, HkdfLabel(prf_hash.digest_size, b"c hs traffic", bytes(prf_hash.digest_size))
        )
        base = Role(Kind.HANDSHAKE, prf_hash.name)
        ways = (*expansions(base, stream, prf_hash, policy), *_oracles(base, stream), *_shown(role, stream))
        yield Subject(
            f"traffic secrets, {prf_hash.name}",
            (_whole("HKDF-Expand-Label, c hs traffic", stream, prf_hash.digest_size),),
            ways,
        )


def _write_keys(policy: Policy, prf_hash: PrfHash) -> set[tuple[int, int]]:
    """(length, key type) of the policy's suites."""
    kinds = {(suite.cipher.key, int(suite.ckk)) for suite in policy.suites if suite.ckk is not None}
    return {(length, kind) for length, kind in kinds if record_suites(policy, prf_hash, kind, length)}


def expansion(secret: str, prf_hash: PrfHash, label: HkdfLabel) -> Stream:
    """HKDF-Expand's stream under a label; its length is part of the input."""
    return Stream(secret, f"HKDF-EXPAND-{prf_hash.name}", label.encode())


def expansions(role: Role, stream: Stream, prf_hash: PrfHash, policy: Policy) -> Iterator[Reading]:
    """HKDF under the stream's own info, as keys of any type and as data."""
    for key_type in (*TYPES, None):
        mechanism = CKM.HKDF_DATA if key_type is None else CKM.HKDF_DERIVE
        label = HkdfLabel.parse(stream.input)
        line = step(role.kind, label, prf_hash)
        born = expanded_role(line, prf_hash, key_type, label.length, policy) if line else OTHER
        yield Reading("C_DeriveKey", role, stream, mechanism, born=born, key_type=key_type, readable=key_type is not None)


# ---- Record keys in their ciphers


def ciphers() -> Iterator[Subject]:
    """AES under a GCM key, without GCM: E(0) is the key of GHASH, E of a counter is keystream."""
    role = Role(Kind.RECORD, "", frozenset({int(CKM.AES_GCM)}), frozenset({16}))
    stream = Stream("write key", "AES", b"block")
    block = Window("AES", stream, Key.of(CKK.GENERIC_SECRET), Lengths.exactly(0), Lengths.exactly(16))
    modes = (CKM.AES_ECB, CKM.AES_CBC, CKM.AES_CBC_PAD, CKM.AES_CTR)
    ways = [Reading(function, role, stream, mode) for mode in modes for function in ("C_EncryptInit", "C_DecryptInit")]
    ways += [Reading("C_SignInit", role, stream, mechanism) for mechanism in (CKM.AES_CMAC, CKM.AES_MAC_GENERAL)]
    ways += [
        Reading("C_DeriveKey", role, stream, mechanism) for mechanism in (CKM.AES_ECB_ENCRYPT_DATA, CKM.AES_CBC_ENCRYPT_DATA)
    ]
    ways += [Reading("C_WrapKey", role, stream, CKM.AES_ECB), Reading("C_MessageEncryptInit", role, stream, CKM.AES_GCM)]
    yield Subject("record keys in other modes", (block,), tuple(ways))
    stream = Stream("write key", "value", b"")
    yield Subject("record keys", (_whole("write key", stream, 16),), tuple(_shown(role, stream)))


def _whole(name: str, stream: Stream, length: int, start: int = 0) -> Window:
    return Window(name, stream, Key.of(CKK.GENERIC_SECRET), Lengths.exactly(start), Lengths.exactly(length - start))


def _mechanism_of(function: str, table: Mapping[int, str], tls12: int) -> int:
    """The mechanism of a table that keys SSL 3.0's or TLS 1.0's function; for TLS 1.2's hashes the one that names them."""
    return int(next((mechanism for mechanism, name in table.items() if name == function in ("SSL3", "TLS10")), tls12))
