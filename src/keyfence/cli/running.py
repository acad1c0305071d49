"""The audit of what was asked for, and its report."""

import sys
from collections import Counter
from collections.abc import Mapping

import z3

from keyfence.audit import Audit, Opened, Options, Report, Target
from keyfence.audit.sources import presets_of
from keyfence.cryptoki import CryptokiError, ModuleFailure
from keyfence.report import json, terminal
from keyfence.techniques import TECHNIQUES, keysearch, searching

from .ending import ExitCode, complain, could_not_run
from .guarding import guarded
from .progress import Display, Tally, display
from .request import AuditOptions

STANDARD_OUTPUT = "-"


def run(targets: Mapping[str, Target], options: AuditOptions) -> ExitCode:
    """Audits, one after the other, and reports. KeyfenceError where a token cannot be opened."""
    z3.set_param("ctrl_c", False)  # else z3 takes a Ctrl-C for itself: its question stays undecided, and the audit goes on
    with guarded(targets, options) as audited:
        reports = {name: _audit(name, target, options) for name, target in audited.items()}
    _report(reports, options)
    concluded = options.plan or _concluded(reports)
    if any(report.exposed for report in reports.values()):
        return ExitCode.EXPOSED
    return ExitCode.NOTHING_EXPOSED if concluded else ExitCode.COULD_NOT_RUN


def _concluded(reports: Mapping[str, Report]) -> bool:
    """Whether each audit has an answer of some kind. One that has none, a small --max-calls say, is named, with its reason."""
    empty = {name: report for name, report in reports.items() if not report.conclusive}
    for name, report in empty.items():
        ((reason, _),) = Counter(finding.why for finding in report.findings).most_common(1)
        complain(f"nothing could be concluded of {name}: every finding is INCONCLUSIVE ({reason})")
    return not empty


def _audit(name: str, target: Target, options: AuditOptions) -> Report:
    tally = Tally(len(options.techniques) or len(TECHNIQUES))
    silent = options.json == STANDARD_OUTPUT
    try:
        with display(name, tally, silent=silent) as shown:
            return _audited(target, options, shown)
    except CryptokiError as refusal:
        could_not_run(f"{refusal}{_hint(target, options)}")
    except (KeyboardInterrupt, ModuleFailure) as end:
        if not tally.verdicts:
            raise
        reason = "interrupted" if isinstance(end, KeyboardInterrupt) else f"{end},"
        could_not_run(f"{reason} {tally}")


def _hint(target: Target, options: AuditOptions) -> str:
    """Modules that want arguments or a certain slot refuse with codes that say nothing of it; presets know."""
    known = presets_of(target.path) if options.preset is None else ()
    return f"; a preset knows this module: keyfence audit {' | '.join(known)}" if known else ""


def _audited(target: Target, options: AuditOptions, shown: Display) -> Report:
    if options.max_search_bits > keysearch.PLAIN_BITS and not searching.searchable():
        complain(
            f"without the extra keyfence[search], searches of more than 2^{keysearch.PLAIN_BITS} trials are priced, not run"
        )
    opened = Opened(
        target,
        max_calls=options.max_calls,
        listener=shown.call if options.verbose > 1 else None,
        max_search_bits=options.max_search_bits,
        searching=shown.searching,
    )
    wanted = Options(
        suites=options.suites,
        techniques=options.techniques,
        plan_only=options.plan,
    )
    try:
        return Audit(opened, wanted, shown.finding).run()
    finally:
        opened.close()


def _report(reports: Mapping[str, Report], options: AuditOptions) -> None:
    if options.json is not None:
        content = _document(reports, options)
        if options.json == STANDARD_OUTPUT:
            sys.stdout.write(json.text(content))
            sys.stdout.flush()
            return
        json.write(content, options.json)
    _show(reports, options)


def _document(reports: Mapping[str, Report], options: AuditOptions) -> json.Document:
    if len(reports) == 1:
        (report,) = reports.values()
        return json.document(report, reveal=options.reveal, plan=options.plan)
    return json.documents(reports, reveal=options.reveal, plan=options.plan)


def _show(reports: Mapping[str, Report], options: AuditOptions) -> None:
    """Several audits side by side; all details of each only where they are asked for."""
    console = terminal.console_for(sys.stdout)
    verbose = options.verbose > 0
    if len(reports) > 1:
        terminal.show_side_by_side(reports, console, reveal=options.reveal, plan=options.plan)
    if len(reports) == 1 or verbose:
        for report in reports.values():
            terminal.show(report, console, reveal=options.reveal, verbose=verbose, plan=options.plan)
