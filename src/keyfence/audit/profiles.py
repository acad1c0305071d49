"""Which victim sessions a technique is tried on: its kinds of session, the audit's suites, an agreement the token offers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from keyfence.schedule import CipherSuite, suite
from keyfence.techniques.base import Technique
from keyfence.techniques.victim import VERSIONS, Agreement, Kind, Profile

Whether = Callable[[Profile], bool]

_GCM: Final = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
_CBC: Final = "TLS_RSA_WITH_AES_256_CBC_SHA"

DEFAULT_SUITES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.SSL3: (_CBC,),
    Kind.TLS10: (_CBC,),
    Kind.TLS12: (_GCM, _CBC),
    Kind.TLS13: ("TLS_AES_128_GCM_SHA256",),
    Kind.WTLS: ("TLS_RSA_WITH_3DES_EDE_CBC_SHA",),
    Kind.SEPARATED: (_GCM,),
    Kind.BARE: (_GCM,),
}
"""A GCM and a CBC suite where the protocol has both."""

_AGREEMENTS: Final = (Agreement.GENERATED, Agreement.ECDHE, Agreement.RSA)


def profiles(technique: Technique, works: Whether, lists: Whether, suites: Sequence[str] = ()) -> Iterator[Profile]:
    """The sessions to attack. `suites` replaces the default ones where a kind's version negotiates them.

    works, lists    whether a session can be set up, and whether the token lists what it needs; one that is only listed is
                    yielded where no agreement works, so that somebody is told
    """
    for kind in Kind:
        if kind not in technique.kinds or _superseded(kind, technique, works):
            continue
        names = technique.suites or suites or DEFAULT_SUITES[kind]
        for agreement in technique.agreements or (technique.agreement,):
            found = (profile for name in names if (profile := _offered(kind, suite(name), agreement, works, lists)))
            yield from islice(found, 1 if technique.one_suite else None)


def _offered(kind: Kind, wanted: CipherSuite, agreement: Agreement | None, works: Whether, lists: Whether) -> Profile | None:
    if not wanted.supports(VERSIONS[kind]) or wanted.ckk is None or wanted.ckm is None or wanted.export:
        return None
    candidates = [Profile(kind, wanted, each) for each in ((agreement,) if agreement else _AGREEMENTS)]
    return next((profile for whether in (works, lists) for profile in candidates if whether(profile)), None)


def _superseded(kind: Kind, technique: Technique, works: Whether) -> bool:
    """Separated keys and bare keys stand in where there is no classic schedule to attack; beside one they add nothing."""
    if kind not in (Kind.SEPARATED, Kind.BARE):
        return False
    classic = (Kind.TLS12, Kind.TLS10, Kind.SSL3)
    return any(
        _offered(each, suite(name), None, works, works) is not None
        for each in classic
        if each in technique.kinds
        for name in DEFAULT_SUITES[each]
    )
