"""A worker as `keyfence search worker` runs it, which writes what it searches to a file; and workers that are wrong.

    recorder.py SCHEDULER LOG DEVICE [lying | version]

A line of the log is a chunk begun ("begin START STOP") or ended ("end START BELOW").
"""

import os
import sys
from typing import Any

import keyfence
from keyfence.search import cluster
from keyfence.search.cluster import remote
from keyfence.search.problem import Hit, SearchError

scheduler, log, device, *wrong = sys.argv[1:]
file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
search = remote.search


def recorded(asked: remote.Asked, run: str, start: int, stop: int, *rest: Any) -> remote.Report | remote.Refusal:
    os.write(file, b"begin %d %d\n" % (start, stop))
    report = search(asked, run, start, stop, *rest)
    if isinstance(report, remote.Report):
        os.write(file, b"end %d %d\n" % (start, report.below))
    return report


reports = 0


def lying(*chunk: Any) -> remote.Report | remote.Refusal:
    """Searches nothing, says that it did, and with the third chunk that a key was in it."""
    global reports
    reports += 1
    hits = (Hit(chunk[2], bytes(8)),) if reports > 2 else ()
    return remote.Report(chunk[3], hits, 0.3, False)


remote.search = lying if "lying" in wrong else recorded
if "version" in wrong:
    keyfence.__version__ = "0.0.9"

try:
    cluster.work_for(scheduler, 1, device)
except SearchError as error:
    sys.exit(f"keyfence: {error}")
