"""The lab: sets up victim sessions inside the module, the way an honest TLS stack does, and never learns their secrets.

Every secret is made by the module: a generated pre-master secret, an ECDH between two keys of the module's own, an RSA
exchange whose pre-master secret was generated and wrapped inside. What the lab keeps is what an eavesdropper has (randoms,
public points, records), the handles, and the plaintexts that it had sealed, to compare with.
"""

import os
from contextlib import suppress

from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.params import GcmLayout
from keyfence.cryptoki.session import Session
from keyfence.techniques.base import Inconclusive
from keyfence.techniques.victim import Kind, Profile, Record, Victim

from . import agreement, schedules
from .agreement import Agreed
from .sealing import Sealer

_RANDOM_BYTES = {Kind.WTLS: 16}


class Lab:
    """Makes victims in one session. A profile is set up once; the same victim is handed out again."""

    def __init__(self, session: Session, mechanisms: frozenset[int], gcm_layout: GcmLayout) -> None:
        self.session = session
        self.mechanisms = mechanisms
        self.gcm_layout = gcm_layout
        self._victims: dict[Profile, Victim | CryptokiError] = {}
        self._plaintexts: dict[Record, bytes] = {}

    def offers(self, profile: Profile) -> bool:
        """Whether there is such a session on this token: the mechanisms are listed, or it works without.

        Mechanism lists are advice, and there are slots that list no TLS mechanism and derive all the same.
        """
        if self._lists(profile):
            return True
        try:
            self.victim(profile)
        except Inconclusive:
            return False
        return True

    def _lists(self, profile: Profile) -> bool:
        needed = schedules.needed(profile) | {int(profile.suite.ckm or 0)}
        return needed <= self.mechanisms and (profile.kind is Kind.BARE or agreement.listed(profile, self.mechanisms))

    def victim(self, profile: Profile) -> Victim:
        """The session of this profile. Inconclusive where the module lists the mechanisms but the set-up fails."""
        if profile not in self._victims:
            try:
                self._victims[profile] = self._set_up(profile)
            except CryptokiError as error:
                self._victims[profile] = error
        outcome = self._victims[profile]
        if isinstance(outcome, CryptokiError):
            raise Inconclusive(f"no honest session to attack: setting it up met {outcome}")
        return outcome

    def plaintext(self, record: Record) -> bytes:
        """What the lab had sealed into `record`."""
        return self._plaintexts[record]

    @property
    def handles(self) -> frozenset[int]:
        """Every object of every victim."""
        victims = (victim for victim in self._victims.values() if isinstance(victim, Victim))
        return frozenset(handle for victim in victims for handle in victim.handles.all)

    def sealer(self, profile: Profile) -> Sealer:
        """To have the module seal one more record with a victim's keys."""
        return Sealer(self.session, profile, self.gcm_layout)

    def close(self) -> None:
        """Destroys every victim."""
        for victim in self._victims.values():
            if isinstance(victim, Victim):
                for handle in victim.handles.all:
                    with suppress(CryptokiError):
                        self.session.destroy(handle)
        self._victims.clear()

    def forget(self) -> None:
        """The session is gone, and its objects with it."""
        self._victims.clear()

    def _set_up(self, profile: Profile) -> Victim:
        length = _RANDOM_BYTES.get(profile.kind, 32)
        client_random, server_random = os.urandom(length), os.urandom(length)
        with self.session.scope():
            if profile.kind is Kind.BARE:
                agreed, keys = Agreed(0), schedules.bare(self.session, profile, os.urandom)
            else:
                agreed = agreement.agree(self.session, profile)
                keys = schedules.derive(self.session, profile, agreed, client_random, server_random)
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
