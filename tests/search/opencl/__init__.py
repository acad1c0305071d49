"""OpenCL on the processor through pocl. Its cache of compiled kernels lies in the repository's .local, not in one's home."""

import os
from pathlib import Path

os.environ.setdefault("POCL_CACHE_DIR", str(Path(__file__).parents[3] / ".local" / "pocl"))
