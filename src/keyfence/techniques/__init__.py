"""Every way to leak that keyfence knows, one file each; `TECHNIQUES` is the registry, in the order reports show them."""

from typing import Final

from .attribute_flip import AttributeFlip
from .base import Technique
from .check_value import CheckValue
from .cross_mode import CrossMode
from .digest_key import DigestKey
from .encrypt_data import EncryptData
from .exporter_label import ExporterLabel
from .hash_derive import HashDerive
from .hkdf_data import HkdfData
from .hkdf_salt import HkdfSalt
from .hkdf_truncation import HkdfTruncation
from .hmac_oracle import HmacOracle
from .ike_prf import IkePrf
from .iv_window import IvWindow
from .kbkdf import Kbkdf
from .prf_oracle import PrfOracle
from .readable_derive import ReadableDerive
from .rederive import Rederive
from .rsa_raw import RsaRaw
from .short_key import ShortKey
from .short_mac import ShortMac
from .slice import SliceTechnique
from .suite_overlap import SuiteOverlap
from .truncation import Truncation
from .unwrap_retype import UnwrapRetype
from .verify_oracle import VerifyOracle
from .version_bytes import VersionBytes
from .weak_algorithm import WeakAlgorithm
from .wrap import Wrap

TECHNIQUES: Final[tuple[Technique, ...]] = (
    IvWindow(),
    ShortMac(),
    ShortKey(),
    WeakAlgorithm(),
    ReadableDerive(),
    PrfOracle(),
    ExporterLabel(),
    HmacOracle(),
    HkdfData(),
    HkdfTruncation(),
    SliceTechnique(),
    HashDerive(),
    Kbkdf(),
    CrossMode(),
    EncryptData(),
    SuiteOverlap(),
    HkdfSalt(),
    DigestKey(),
    IkePrf(),
    VerifyOracle(),
    Rederive(),
    UnwrapRetype(),
    RsaRaw(),
    CheckValue(),
    Truncation(),
    Wrap(),
    AttributeFlip(),
    VersionBytes(),
)
