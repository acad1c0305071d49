"""Pure TLS key schedules: no module, no network; bytes in, bytes out.

    Version, Side, ContentType                     the shared words
    PrfHash, p_hash, prf_tls10, prf_tls12, tls_prf pseudo-random functions; `tls_prf` dispatches on the version
    master_secret, extended_master_secret, key_block, transcript_hash, verify_data, finished, exporter, exporter_seed
                                                   the classic schedule, SSL 3.0 to TLS 1.2: (version, prf_hash, …)
    export_write_key, export_iv                    what EXPORT suites add to it
    wtls_prf, wtls_master_secret, wtls_key_block   WTLS, a key block per direction
    ssl3                                           SSL 3.0's own functions, its record MAC among them
    hkdf                                           HKDF and TLS 1.3: extract, expand, HkdfLabel, expand_label, traffic_key …
    Shape, Part                                    the parts of a key block and where they lie
    SUITES, suite, CipherSuite, UnknownSuite       the cipher suites of the IANA registry
    SeparatedLabel, separated_key, separated_ivs   the separated key expansion
    check_prf_input, judge_derivation, judge_string, judge_finished, Judgement
                                                   what a token may be asked of a master secret
    record                                         RecordKeys, seal, open: records protected and opened outside any module
    mac_input, aad, nonce, pad, unpad, header      the pieces of that, for letting a module do it
    BadRecordMac, UnsupportedCipher                what `record.open` raises

Lengths are in bytes except where a name says bits.
"""

from . import hkdf, record, ssl3
from .ciphers import Cipher, Mode
from .hkdf import BadHkdfLabel, HkdfLabel
from .inputs import (
    EXPORTER_LABELS,
    RESERVED_LABELS,
    ForbiddenInput,
    Judgement,
    Rule,
    check_prf_input,
    judge_derivation,
    judge_finished,
    judge_string,
)
from .names import BadSuiteName, SuiteName, parse_name
from .pieces import BadRecordMac, aad, header, mac_input, nonce, pad, unpad
from .prf import PrfHash, p_hash, prf_tls10, prf_tls12
from .primitives import UnsupportedCipher
from .protocol import ContentType, Side, Version
from .record import Plaintext, RecordKeys
from .separated import (
    BadSeparatedLabel,
    SeparatedAlgorithm,
    SeparatedLabel,
    labels_of,
    separated_ivs,
    separated_key,
    template_objection,
)
from .shapes import Part, Shape
from .suites import SUITES, CipherSuite, UnknownSuite, parse_suite, suite
from .tls import (
    export_iv,
    export_write_key,
    exporter,
    exporter_seed,
    extended_master_secret,
    finished,
    key_block,
    master_secret,
    tls_prf,
    transcript_hash,
    verify_data,
)
from .wtls import wtls_key_block, wtls_master_secret, wtls_prf

__all__ = [
    "EXPORTER_LABELS",
    "RESERVED_LABELS",
    "SUITES",
    "BadHkdfLabel",
    "BadRecordMac",
    "BadSeparatedLabel",
    "BadSuiteName",
    "Cipher",
    "CipherSuite",
    "ContentType",
    "ForbiddenInput",
    "HkdfLabel",
    "Judgement",
    "Mode",
    "Part",
    "Plaintext",
    "PrfHash",
    "RecordKeys",
    "Rule",
    "SeparatedAlgorithm",
    "SeparatedLabel",
    "Shape",
    "Side",
    "SuiteName",
    "UnknownSuite",
    "UnsupportedCipher",
    "Version",
    "aad",
    "check_prf_input",
    "export_iv",
    "export_write_key",
    "exporter",
    "exporter_seed",
    "extended_master_secret",
    "finished",
    "header",
    "hkdf",
    "judge_derivation",
    "judge_finished",
    "judge_string",
    "key_block",
    "labels_of",
    "mac_input",
    "master_secret",
    "nonce",
    "p_hash",
    "pad",
    "parse_name",
    "parse_suite",
    "prf_tls10",
    "prf_tls12",
    "record",
    "separated_ivs",
    "separated_key",
    "ssl3",
    "suite",
    "template_objection",
    "tls_prf",
    "transcript_hash",
    "unpad",
    "verify_data",
    "wtls_key_block",
    "wtls_master_secret",
    "wtls_prf",
]
