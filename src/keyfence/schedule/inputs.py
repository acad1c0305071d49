"""What a token lets be asked of a TLS 1.2 master secret: the PRF's input judged as ONE string.

    judge_derivation(label, client_random, server_random, context)     keys and exported keying material
    judge_finished(label, handshake_hash, length, prf_hash)            MACs

Judging the label alone is not enough: label "k" and a random that begins "ey expansion" is the classic key block. So the
string that reaches the PRF is put together first, and what it BEGINS with decides, wherever the caller put the cut.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from . import tls
from .prf import PrfHash
from .separated import PREFIX, RANDOM_LENGTH, BadSeparatedLabel, SeparatedLabel

RESERVED_LABELS: Final = (
    tls.CLIENT_FINISHED,
    tls.SERVER_FINISHED,
    tls.MASTER_SECRET,
    tls.KEY_EXPANSION,
    tls.EXTENDED_MASTER_SECRET,
)
"""In the registry of exporter labels, but TLS's own (RFC 5246, RFC 7627): never an exporter's."""

EXPERIMENTAL: Final = b"EXPERIMENTAL"

EXPORTER_LABELS: Final = frozenset(
    {
        b"client EAP encryption",  # RFC 5216
        b"ttls keying material",  # RFC 5281
        b"ttls challenge",  # RFC 5281
        b"EXTRACTOR-dtls_srtp",  # RFC 5764
        b"EXPORTER_DTLS_OVER_SCTP",  # RFC 6083
        b"EXPORTER: teap session key seed",  # RFC 7170
        b"EXPORTER-Token-Binding",  # RFC 8471
        b"EXPORTER-network-time-security",  # RFC 8915
        b"EXPORTER_EAP_TLS_Key_Material",  # RFC 9190
        b"EXPORTER_EAP_TLS_Method-Id",  # RFC 9190
        b"EXPORTER-client authenticator handshake context",  # RFC 9261
        b"EXPORTER-server authenticator handshake context",  # RFC 9261
        b"EXPORTER-client authenticator finished key",  # RFC 9261
        b"EXPORTER-server authenticator finished key",  # RFC 9261
        b"EXPORTER-Channel-Binding",  # RFC 9266
        b"EXPORTER-ACE-MQTT-Sign-Challenge",  # RFC 9431
        b"EXPORTER-HTTP-Concealed-Authentication",  # RFC 9729
        b"EXPORTER-ETSI-TC-M2M-Bootstrap",  # ETSI TS 102 921
        b"EXPORTER-ETSI-TC-M2M-Connection",  # ETSI TS 102 921
        b"EXPORTER-oneM2M-Bootstrap",  # oneM2M TS 0003
        b"EXPORTER-oneM2M-Connection",  # oneM2M TS 0003
        b"EXPORTER_GBA_Digest",  # 3GPP TS 33.222
        b"TLS_MK_Extr",  # INCITS FC-SP-2
    }
)
"""The labels of IANA's registry "TLS Exporter Labels" that applications may use."""


class Rule(StrEnum):
    """Which rule of the specification decided."""

    RANDOM_LENGTH = "randoms are 32 bytes each"
    RESERVED = "TLS's own labels are no exporter labels"
    SEPARATED = "a separated key's label parses with nothing left over and has no context"
    EXPORTER = "a registered exporter label, two randoms, and a context that says its length"
    EXPERIMENTAL = "an EXPERIMENTAL exporter label"
    UNKNOWN = "all other inputs are refused"
    FINISHED = "a Finished label, the transcript's hash, and the negotiated length"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an input is allowed, which rule said so, and why. `separated` is set for a separated key that is allowed."""

    allowed: bool
    rule: Rule
    why: str
    separated: SeparatedLabel | None = None


class ForbiddenInput(ValueError):
    """A PRF input that the specification refuses; `judgement` says why."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.why)
        self.judgement = judgement


def judge_derivation(
    label: bytes,
    client_random: bytes,
    server_random: bytes,
    context: bytes | None = None,
    labels: Collection[bytes] = EXPORTER_LABELS,
) -> Judgement:
    """Judge the input of CKM_TLS_KDF or the like, given in its pieces. Context None: there is none (RFC 5705 §4).

    `labels` are the exporter labels that are taken for registered.
    """
    if len(client_random) != RANDOM_LENGTH or len(server_random) != RANDOM_LENGTH:
        lengths = f"{len(client_random)} and {len(server_random)}"
        return Judgement(False, Rule.RANDOM_LENGTH, f"randoms of {lengths} bytes, not 32 and 32")
    if context is not None and len(context) > 0xFFFF:
        return Judgement(False, Rule.EXPORTER, f"a context of {len(context)} bytes does not fit its length")
    return judge_string(label + tls.exporter_seed(client_random, server_random, context), labels)


def judge_string(data: bytes, labels: Collection[bytes] = EXPORTER_LABELS) -> Judgement:
    """Judge a whole input, label + client_random + server_random + context, of a derivation."""
    if reserved := [label for label in RESERVED_LABELS if data.startswith(label)]:
        return Judgement(False, Rule.RESERVED, f'the input begins "{reserved[0].decode()}", which is TLS\'s own')
    if data.startswith(PREFIX):
        return _judge_separated(data)
    if data.startswith(EXPERIMENTAL):
        return _judge_experimental(data)
    if any(_is_export(data, label) for label in labels):
        return Judgement(True, Rule.EXPORTER, "the label is registered")
    return Judgement(False, Rule.UNKNOWN, "the input is neither a separated key's nor an exporter's")


def judge_finished(label: bytes, handshake_hash: bytes, length: int, prf_hash: PrfHash) -> Judgement:
    """Judge a MAC under the master secret (CKM_TLS_MAC): only Finished, over one whole hash, at the negotiated 12 bytes."""
    data = label + handshake_hash
    hashes = [data.removeprefix(own) for own in (tls.CLIENT_FINISHED, tls.SERVER_FINISHED) if data.startswith(own)]
    if not hashes:
        return Judgement(False, Rule.FINISHED, "only Finished is MACed with a master secret")
    if len(hashes[0]) != prf_hash.digest_size:
        return Judgement(False, Rule.FINISHED, f"a transcript hash has {prf_hash.digest_size} bytes, not {len(hashes[0])}")
    if length != tls.VERIFY_DATA_LENGTH:
        return Judgement(False, Rule.FINISHED, f"verify_data has {tls.VERIFY_DATA_LENGTH} bytes, not {length}")
    return Judgement(True, Rule.FINISHED, "a Finished")


def check_prf_input(label: bytes, client_random: bytes, server_random: bytes, context: bytes | None = None) -> Judgement:
    """`judge_derivation`, raising ForbiddenInput where it refuses."""
    judgement = judge_derivation(label, client_random, server_random, context)
    if not judgement.allowed:
        raise ForbiddenInput(judgement)
    return judgement


def _judge_separated(data: bytes) -> Judgement:
    """The randoms are the last 64 bytes, so a context or a shifted cut shows as a label that does not parse."""
    try:
        label = SeparatedLabel.parse(data[: -2 * RANDOM_LENGTH])
    except BadSeparatedLabel as error:
        return Judgement(False, Rule.SEPARATED, str(error))
    return Judgement(True, Rule.SEPARATED, f"a separated key for {label.algorithm}", label)


def _judge_experimental(data: bytes) -> Judgement:
    if len(data) < len(EXPERIMENTAL) + 2 * RANDOM_LENGTH:
        return Judgement(False, Rule.EXPERIMENTAL, "too short to hold two randoms")
    return Judgement(True, Rule.EXPERIMENTAL, "the label is for experiments")


def _is_export(data: bytes, label: bytes) -> bool:
    """Whether `data` is `label`, 64 bytes of randoms, and either nothing more or a context behind its length."""
    if not data.startswith(label):
        return False
    rest = data[len(label) :]
    context = rest[2 * RANDOM_LENGTH :]
    if not context:
        return len(rest) == 2 * RANDOM_LENGTH
    return len(context) >= 2 and int.from_bytes(context[:2], "big") == len(context) - 2
