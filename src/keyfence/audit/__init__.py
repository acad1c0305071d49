"""The audit: a lab that sets up victims inside a module, techniques run against them, proof, findings."""

from .findings import Finding, Report, Verdict
from .runner import Audit, Options
from .target import CannotAudit, Opened, Target

__all__ = ["Audit", "CannotAudit", "Finding", "Opened", "Options", "Report", "Target", "Verdict"]
