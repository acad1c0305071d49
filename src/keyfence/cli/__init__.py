"""The command line: `keyfence audit`, `modules`, `techniques`, `overlap`, `guard`; a file each.

Exit codes: 0 nothing exposed, 1 exposures, 2 usage, 3 could not run, or ran and could conclude nothing (`ending`).
"""

from .app import main

__all__ = ["main"]
