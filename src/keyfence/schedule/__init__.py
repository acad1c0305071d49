"""Pure TLS key schedules: no module, no network; bytes in, bytes out.

    Version, Side, ContentType                     the shared words
    PrfHash, p_hash, prf_tls10, prf_tls12, tls_prf pseudo-random functions; `tls_prf` dispatches on the version
    master_secret, extended_master_secret, key_block, transcript_hash, verify_data, finished, exporter, exporter_seed
                                                   the classic schedule, SSL 3.0 to TLS 1.2: (version, prf_hash, …)
    export_write_key, export_iv                    what EXPORT suites add to it
    ssl3                                           SSL 3.0's own functions, its record MAC among them
    hkdf                                           HKDF and TLS 1.3: extract, expand, HkdfLabel, expand_label, traffic_key …
    Shape, Part                                    the parts of a key block and where they lie
    SUITES, suite, CipherSuite, UnknownSuite       the cipher suites of the IANA registry
    SeparatedLabel, separated_key, separated_ivs   the separated key expansion
    check_prf_input, judge_derivation, judge_string, judge_finished, Judgement
                                                   what a token may be asked of a master secret

Lengths are in bytes except where a name says bits.
"""

from . import hkdf, ssl3
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
from .prf import PrfHash, p_hash, prf_tls10, prf_tls12
from .protocol import ContentType, Side, Version
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

__all__ = [
    "EXPORTER_LABELS",
    "RESERVED_LABELS",
    "SUITES",
    "BadHkdfLabel",
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
    "PrfHash",
    "Rule",
    "SeparatedAlgorithm",
    "SeparatedLabel",
    "Shape",
    "Side",
    "SuiteName",
    "UnknownSuite",
    "Version",
    "check_prf_input",
    "export_iv",
    "export_write_key",
    "exporter",
    "exporter_seed",
    "extended_master_secret",
    "finished",
    "hkdf",
    "judge_derivation",
    "judge_finished",
    "judge_string",
    "key_block",
    "labels_of",
    "master_secret",
    "p_hash",
    "parse_name",
    "parse_suite",
    "prf_tls10",
    "prf_tls12",
    "separated_ivs",
    "separated_key",
    "ssl3",
    "suite",
    "template_objection",
    "tls_prf",
    "transcript_hash",
    "verify_data",
]
