"""cross-mode: a GCM write key used with ECB, CBC, CTR, OFB or CFB, each of which encrypts single blocks for its caller."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKM
from keyfence.cryptoki.params import Ctr, Iv, Parameters

from .base import Attack, Bench, Technique
from .block_oracle import BLOCK, KINDS, ZERO, BlockOracleAttack, concerns
from .usage import permitted
from .victim import Victim

_COUNTER_BITS: Final = 32  # GCM counts in the last 32 bits, and so must CTR here


@dataclass(frozen=True, slots=True)
class BlockMode:
    """How a mode gives E(x): with which parameter, on which data; `groups` says which blocks one call can take."""

    parameters: Callable[[bytes], Parameters | None]
    data: Callable[[bytes], bytes]
    groups: Callable[[Sequence[bytes]], Sequence[bytes]]


def _all_at_once(blocks: Sequence[bytes]) -> Sequence[bytes]:
    return [b"".join(blocks)]


def _one_by_one(blocks: Sequence[bytes]) -> Sequence[bytes]:
    return blocks


def _counters_at_once(blocks: Sequence[bytes]) -> Sequence[bytes]:
    return [blocks[0], b"".join(blocks[1:])]


def _zeros(group: bytes) -> bytes:
    return bytes(len(group))


def _itself(group: bytes) -> bytes:
    return group


_CHAINED: Final = BlockMode(lambda _: Iv(ZERO), _itself, _one_by_one)
_FEEDBACK: Final = BlockMode(Iv, _zeros, _one_by_one)
MODES: Final[Mapping[CKM, BlockMode]] = {
    CKM.AES_ECB: BlockMode(lambda _: None, _itself, _all_at_once),
    CKM.AES_CBC: _CHAINED,  # E(x xor IV)
    CKM.AES_CBC_PAD: _CHAINED,  # the padding is a block of its own
    CKM.AES_CTR: BlockMode(lambda group: Ctr(group[:BLOCK], _COUNTER_BITS), _zeros, _counters_at_once),
    CKM.AES_OFB: _FEEDBACK,  # E(IV) xor x
    CKM.AES_CFB128: _FEEDBACK,
}


class CrossMode(Technique):
    id = "cross-mode"
    title = "A GCM key used in another mode"
    summary = (
        "A key has a type and no mode: whoever may encrypt with an AES-GCM write key may do so by CKM_AES_ECB, _CBC, _CTR, "
        "_OFB or _CFB128. Each returns E(x) for blocks of the caller's choice. E(0) is the GHASH key, E of a record's counter "
        "blocks its keystream: both together open that record, and forge others, without the key and without the module."
    )
    section = "PKCS#11 3.2 §4.8 (CKA_ALLOWED_MECHANISMS, which key-block derivations leave empty), §6.10, §6.13"
    references = ("NIST SP 800-38D §7, §8", "Joux, Authentication Failures in NIST version of GCM, 2006", "RFC 5288 §3")
    remedy = "Give write keys CKA_ALLOWED_MECHANISMS with the suite's one mechanism, from birth."
    kinds = KINDS

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [CrossModeAttack(victim, mechanism) for mechanism in MODES] if concerns(victim) else []


class CrossModeAttack(BlockOracleAttack):
    """C_Encrypt of chosen blocks under the write key."""

    def __init__(self, victim: Victim, mechanism: CKM) -> None:
        super().__init__(victim, mechanism)
        self.mode = MODES[mechanism]

    def groups(self, blocks: Sequence[bytes]) -> Sequence[bytes]:
        return self.mode.groups(blocks)

    def encrypted(self, bench: Bench, key: int, group: bytes) -> bytes:
        mechanism = Mechanism(self.mechanism, self.mode.parameters(group))
        answer = permitted(bench, key, CKA.ENCRYPT, lambda key: bench.session.encrypt(mechanism, key, self.mode.data(group)))
        return answer[: len(group)]
