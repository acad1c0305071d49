"""Runs techniques against a token and gives their findings: what every technique's test begins with."""

from keyfence.audit import Audit, Finding, Opened, Options, Target, Verdict
from keyfence.cryptoki import Cryptoki
from keyfence.cryptoki.isolation import IsolatedModule
from keyfence.token import Quirks, SoftToken

from ..modules import RealModule

STRICT = Quirks()
"""Everything the standard allows, nothing it forbids."""


def findings(module: Cryptoki, *techniques: str, suites: tuple[str, ...] = (), slot: int | None = None) -> list[Finding]:
    """The findings of these techniques on `module`; nothing may be left behind."""
    return _audited(Target("test", lambda: module, slot), techniques, suites)


def _audited(target: Target, techniques: tuple[str, ...], suites: tuple[str, ...]) -> list[Finding]:
    opened = Opened(target)
    try:
        report = Audit(opened, Options(techniques=techniques, suites=suites)).run()
    finally:
        opened.close()
    assert report.residue.clean, report.residue
    return list(report.findings)


def classic(*techniques: str, quirks: Quirks = STRICT, suites: tuple[str, ...] = ()) -> list[Finding]:
    """On the classic token, bent by `quirks`."""
    return findings(SoftToken(quirks=quirks), *techniques, suites=suites)


def separated(*techniques: str) -> list[Finding]:
    """On the token with the separated schedule."""
    return findings(SoftToken("separated"), *techniques)


def real(module: RealModule, *techniques: str, suites: tuple[str, ...] = ()) -> list[Finding]:
    """On a real module, in a process of its own: an audit closes what it opened."""
    again = IsolatedModule(module.factory, environment=module.environment)
    target = Target(module.preset.name, lambda: again, module.slot, lambda: module.pin, module.preset.gcm)
    return _audited(target, techniques, suites)


def verdicts(found: list[Finding]) -> dict[tuple[str, str], Verdict]:
    """(mechanism, protocol) to verdict; of several victims of one protocol the last."""
    return {(finding.mechanism, finding.victim.protocol): finding.verdict for finding in found}


def exposed(found: list[Finding]) -> list[Finding]:
    """The findings that are EXPOSED."""
    return [finding for finding in found if finding.verdict is Verdict.EXPOSED]
