"""Audits of weak-algorithm whose searches are run: the lab's secret imported, all but some bits of its DES keys given."""

from collections.abc import Collection

from keyfence.audit import Audit, Finding, Opened, Options, Target
from keyfence.audit.demonstration import Demonstration
from keyfence.cryptoki import Cryptoki
from keyfence.cryptoki.isolation import IsolatedModule

from ..modules import RealModule

GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
DES_AND_AES = frozenset({"des", "aes"})
"""Without the search of RC4 keys, which is the cheaper one where a module makes them of five bytes."""


def demonstrated(
    module: Cryptoki | RealModule,
    unknown: int,
    *,
    max_search_bits: int | None = None,
    searchable: Collection[str] | None = DES_AND_AES,
    suite: str = GCM,
) -> list[Finding]:
    """The findings where `unknown` bits of every eight bytes are searched, `max_search_bits` at once (default: as many)."""
    most = unknown if max_search_bits is None else max_search_bits
    opened = Opened(_target(module), max_search_bits=most, searchable=searchable, demonstration=Demonstration(unknown))
    try:
        report = Audit(opened, Options(techniques=("weak-algorithm",), suites=(suite,))).run()
    finally:
        opened.close()
    assert report.residue.clean, report.residue
    return list(report.findings)


def _target(module: Cryptoki | RealModule) -> Target:
    if not isinstance(module, RealModule):
        return Target("test", lambda: module)
    again = IsolatedModule(module.factory, environment=module.environment)
    return Target(module.preset.name, lambda: again, module.slot, lambda: module.pin, module.preset.gcm)


def searched(finding: Finding) -> list[tuple[str, int]]:
    """(key type or "record", bits searched) of each step."""
    return [(_kind(step), int(step.rpartition("(2^")[2].split()[0])) for step in finding.steps]


def _kind(step: str) -> str:
    return step.partition("CKA_KEY_TYPE=CKK_")[2].partition(",")[0] or "record"
