"""The lab: sets up victim sessions inside the module, the way an honest TLS stack does, and never learns their secrets.

Every secret is made by the module: a generated pre-master secret, an ECDH between two keys of the module's own, an RSA
exchange whose pre-master secret was generated and wrapped inside. What the lab keeps is what an eavesdropper has (randoms,
public points, records), the handles, and the plaintexts that it had sealed, to compare with. A demonstration is the exception:
its secrets the lab imports, and so can tell a search part of what it looks for.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

from keyfence.cryptoki import CryptokiError, ModuleFailure
from keyfence.cryptoki.constants import CKA, CKK
from keyfence.cryptoki.params import GcmLayout
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import Side
from keyfence.techniques.base import Given, Inconclusive
from keyfence.techniques.victim import VERSIONS, Kind, Profile, Record, Victim

from . import agreement, demonstration, schedules
from .agreement import Agreed
from .demonstration import Demonstration
from .imitation import base_like, secret_from
from .sealing import Sealer
from .trace import CallBudgetSpent

_RANDOM_BYTES = {Kind.WTLS: 16}


class Lab:
    """Makes victims in one session. A profile is set up once; the same victim is handed out again.

    `failures` remembers why a profile could not be set up: over the lab's own end, so that no module is ended twice by one.
    """

    def __init__(
        self,
        session: Session,
        mechanisms: frozenset[int],
        gcm_layout: GcmLayout,
        failures: dict[Profile, str] | None = None,
        demonstrating: Demonstration | None = None,
    ) -> None:
        self.session = session
        self.mechanisms = mechanisms
        self.gcm_layout = gcm_layout
        self._victims: dict[Profile, Victim] = {}
        self._failures = {} if failures is None else failures
        self._plaintexts: dict[Record, bytes] = {}
        self._demonstration = demonstrating
        self._imported: dict[Profile, bytes] = {}
        self._given: dict[Profile, Given] = {}

    def works(self, profile: Profile) -> bool:
        """Whether such a session can be set up, whatever is listed: lists are advice, and there are slots that list no TLS
        mechanism and derive all the same."""
        try:
            self.victim(profile)
        except Inconclusive:
            return False
        return True

    def lists(self, profile: Profile) -> bool:
        """Whether the token lists every mechanism that such a session needs."""
        needed = schedules.needed(profile) | {int(profile.suite.ckm or 0)}
        return needed <= self.mechanisms and (profile.kind is Kind.BARE or agreement.listed(profile, self.mechanisms))

    def victim(self, profile: Profile) -> Victim:
        """The session of this profile. Inconclusive where the set-up fails; ModuleFailure where it ends the module, once."""
        if profile in self._failures:
            raise Inconclusive(f"no honest session to attack: {self._failures[profile]}")
        if profile not in self._victims:
            try:
                self._victims[profile] = self._set_up(profile)
            except (CryptokiError, Inconclusive) as error:
                self._failures[profile] = f"setting it up met {error}"
                return self.victim(profile)
            except ModuleFailure as failure:
                if not isinstance(failure, CallBudgetSpent):
                    self._failures[profile] = f"setting it up ended the module ({failure})"
                raise
        return self._victims[profile]

    def plaintext(self, record: Record) -> bytes:
        """What the lab had sealed into `record`."""
        return self._plaintexts[record]

    def given(self, victim: Victim) -> Given:
        """What searches are told of the victim's key block: nothing, but in a demonstration."""
        base = self._imported.pop(victim.profile, None)
        if self._demonstration is not None and base is not None:
            self._given[victim.profile] = self._demonstration.given(victim, secret_from(victim, base))
        return self._given.get(victim.profile) or demonstration.nothing(victim)

    def imported(self, victim: Victim) -> bool:
        """Whether its secret is one of the lab's own."""
        return self._demonstration is not None and victim.kind in demonstration.KINDS

    @property
    def handles(self) -> frozenset[int]:
        """Every object of every victim."""
        return frozenset(handle for victim in self._victims.values() for handle in victim.handles.all)

    def sealer(self, profile: Profile) -> Sealer:
        """To have the module seal one more record with a victim's keys."""
        return Sealer(self.session, profile, self.gcm_layout)

    def close(self) -> None:
        """Destroys every victim."""
        for victim in self._victims.values():
            for handle in victim.handles.all:
                with suppress(CryptokiError):
                    self.session.destroy(handle)
        self._victims.clear()

    def forget(self) -> None:
        """The session is gone, and its objects with it."""
        self._victims.clear()

    def lose(self, victim: Victim) -> None:
        """Objects of this one are gone."""
        self._victims.pop(victim.profile, None)

    def _set_up(self, profile: Profile) -> Victim:
        length = _RANDOM_BYTES.get(profile.kind, 32)
        client_random, server_random = os.urandom(length), os.urandom(length)
        with self.session.scope():
            if profile.kind is Kind.BARE:
                agreed, keys = Agreed(0), schedules.bare(self.session, profile, os.urandom)
            else:
                agreed = self._agree(profile)
                keys = schedules.derive(self.session, profile, agreed, client_random, server_random)
            _check_ivs(profile, keys.ivs)
            records = dict(self.sealer(profile).records(keys))
            self.session.keep(*keys.handles.all)
        self._plaintexts.update(records)
        return Victim(
            profile,
            keys.handles,
            tuple(records),
            client_random,
            server_random,
            keys.ivs,
            agreed.peer_public,
            agreed.message,
        )

    def _agree(self, profile: Profile) -> Agreed:
        """A pre-master secret; for a demonstration one of the lab's own, protected like any."""
        if self._demonstration is None or profile.kind not in demonstration.KINDS:
            return agreement.agree(self.session, profile)
        base = self._imported[profile] = base_like(profile)
        template = secret_key(CKK.GENERIC_SECRET, None, sensitive=True, extractable=False, derive=True)
        return Agreed(self.session.create(template | {CKA.VALUE: base}))


def _check_ivs(profile: Profile, ivs: Mapping[Side, bytes]) -> None:
    """CKR_OK does not mean that the IVs were written."""
    length = profile.suite.fixed_iv(VERSIONS[profile.kind])
    for side, iv in ivs.items():
        if len(iv) != length:
            raise Inconclusive(f"a {side} IV of {len(iv)} bytes where the suite has {length}")
