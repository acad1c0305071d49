"""keyfence modules: the PKCS#11 modules of this machine and what they offer for TLS."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .ending import one_clear_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyfence.cryptoki import Cryptoki
    from keyfence.cryptoki.isolation import Factory
    from keyfence.presets import FoundModule

_FAMILIES: Final = ("SSL3", "TLS", "WTLS", "HKDF")


def modules(
    time_limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="For each call of a module.")] = 10.0,
) -> None:
    """List this machine's PKCS#11 modules (presets, p11-kit's configuration) and their TLS mechanisms. Logs in nowhere."""
    with one_clear_line():
        from keyfence.presets import discover
        from keyfence.report.terminal import console_for

        console = console_for(sys.stdout)
        found = discover()
        for module in found:
            console.print(*_lines(module, time_limit), sep="\n", soft_wrap=True)
        if not found:
            console.print("no PKCS#11 module found; keyfence audit --module PATH takes any")


def _lines(found: "FoundModule", time_limit: float) -> "Iterator[str]":
    """A module that does not open is a line of the list, not its end."""
    from keyfence.cryptoki import KeyfenceError
    from keyfence.cryptoki.isolation import IsolatedModule
    from keyfence.report.words import clean

    names = f" (keyfence audit {' | '.join(found.presets)})" if found.presets else ""
    yield f"{found.name}: {found.path}{names}"
    try:
        with IsolatedModule(_factory(found), time_limit=time_limit) as module:
            module.initialize()
            for line in (*_described(module), *_slots(module)):
                yield f"  {clean(line)}"
    except KeyfenceError as error:
        yield f"  does not open: {clean(str(error))}"


def _factory(found: "FoundModule") -> "Factory":
    """As the preset of the module's own name starts it; else as any module."""
    from keyfence.cryptoki.isolation import native
    from keyfence.presets import preset

    return preset(found.name).factory(found.path) if found.name in found.presets else native(found.path)


def _described(module: "Cryptoki") -> "Iterator[str]":
    info = module.get_info()
    version = "{}.{}".format(*info.library_version)
    yield f"{info.description or info.manufacturer} {version}, PKCS#11 {'{}.{}'.format(*info.cryptoki_version)}"


def _slots(module: "Cryptoki") -> "Iterator[str]":
    slots = module.get_slot_list(True)
    for slot in slots:
        token = module.get_token_info(slot)
        offered = _tls(module.get_mechanism_list(slot))
        yield f"slot {slot}, token {token.label!r}: {', '.join(offered) or 'no TLS or HKDF mechanism'}"
    if not slots:
        yield "no slot holds a token"


def _tls(mechanisms: "Iterable[int]") -> list[str]:
    from keyfence.cryptoki.constants import CKM, describe

    names = [describe(CKM, mechanism) for mechanism in mechanisms]
    return sorted(name for name in names if any(family in name.split("_") for family in (*_FAMILIES, "TLS10", "TLS12")))
