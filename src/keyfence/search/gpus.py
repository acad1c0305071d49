"""What GPUs do at DES, by published benchmarks of hashcat -m 14000 ("DES (PT = $salt, key = $pass)").

Somebody else's figures, all of them: not one was measured by us. Listings of one card differ by a tenth with driver,
cooling and version of hashcat. A rate is of one GPU, in encryptions per second, and hashcat tries one key in each.

"copied" in a source means that we read a collection's copy of a listing whose author it names, not the author's page.
"""

import re
from dataclasses import dataclass
from typing import Final

from .problem import BadProblem


@dataclass(frozen=True, slots=True)
class Gpu:
    """`rate` in encryptions per second; `when` is what is known of the date: the listing's, or its hashcat's."""

    name: str
    rate: float
    when: str
    source: str


_SPEEDS: Final = "github.com/dosoos/hashcat_speeds, benchmarks/"
_COPIED: Final = "Chick3nman's listing, copied at github.com/tnAnGel/HashCat-Benchmark"
GPUS: Final = (
    Gpu("RTX 5090", 179.4e9, "undated, hashcat 6.2.6-851", f"{_SPEEDS}RTX5090.txt"),
    Gpu("RTX 4090", 146.6e9, "October 2022, hashcat 6.2.6", _COPIED),
    Gpu("H100 PCIe", 77.83e9, "undated, hashcat 6.2.6-514", f"{_SPEEDS}H100PCIE.txt"),
    Gpu("RTX 3090", 67.53e9, "undated, hashcat 6.1.1-83", _COPIED),
    Gpu("A100 PCIe 40GB", 63.14e9, "undated, hashcat 6.1.1", _COPIED),
    Gpu("V100 SXM2 16GB", 46.52e9, "undated, hashcat 4.1.0", _COPIED),
    Gpu("GTX 1080 Ti", 27.87e9, "13 July 2018", "github.com/siseci/hashcat-benchmark-comparison"),
    Gpu(
        "GTX 1080",
        21.50e9,
        "20 March 2018, hashcat 4.1.0 at work",
        "hashcat.net forum, thread “Trying to crack 8 Byte DES key”",
    ),
)
"""The fastest first."""


def gpu(name: str) -> Gpu:
    """The GPU of that name, whatever its case and spaces, or the only one whose name has it as a part. Raises BadProblem."""
    wanted = _plain(name)
    found = [it for it in GPUS if _plain(it.name) == wanted] or [it for it in GPUS if wanted and wanted in _plain(it.name)]
    if len(found) == 1:
        return found[0]
    several = ", ".join(it.name for it in found or GPUS)
    if found:
        raise BadProblem(f"more than one GPU is called {name!r}: {several}")
    raise BadProblem(f"no figure for a GPU {name!r}; there are figures for {several}")


def _plain(name: str) -> str:
    return re.sub(r"nvidia|geforce|tesla|[^a-z0-9]", "", name.casefold())
