"""The bench: what the audit lends to attacks. One session, traced; keys of the lab's own whose values it may know."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.params import GcmLayout, Iv
from keyfence.cryptoki.session import Session, secret_key
from keyfence.cryptoki.values import AttributeValue, Template
from keyfence.search.problem import Problem
from keyfence.techniques import searching as engines
from keyfence.techniques.base import Given, Inconclusive, Known, preparing
from keyfence.techniques.targets import target_of
from keyfence.techniques.victim import Victim

from .agreement import agree
from .demonstration import nothing
from .imitation import base_like, secret_from
from .schedules import derived_secret

_USES = {"derive": True, "sign": True, "verify": True}
_PROTECTED = {"sensitive": True, "extractable": False}


Searching = Callable[[int, int], None]
"""Is told how many candidates of a search are done, of how many: 0 when it begins."""


def untold(_done: int, _candidates: int) -> None:
    """Nobody is told."""


class AuditBench:
    """See `techniques.base.Bench`. Everything made through it dies with the scope the runner opens around an attack."""

    def __init__(
        self,
        session: Session,
        mechanisms: frozenset[int],
        gcm_layout: GcmLayout,
        max_search_bits: int,
        searchable: Collection[str] = (),
        given: Callable[[Victim], Given] = nothing,
        searching: Searching = untold,
    ) -> None:
        self.session = session
        self.mechanisms = mechanisms
        self.gcm_layout = gcm_layout
        self.max_search_bits = max_search_bits
        self.searchable = searchable
        self.given = given
        self.on_the_victim = False
        self._searching = searching
        self._found: dict[Problem, bytes | str] = {}  # the key, or why there is none

    @contextmanager
    def rehearsing_on_the_victim(self) -> Iterator[None]:
        """Inside, `rehearsal` hands out the victim's own secret: of unknown value, and refused whatever is refused to it."""
        self.on_the_victim = True
        try:
            yield
        finally:
            self.on_the_victim = False

    def has(self, *mechanisms: int) -> bool:
        return self.mechanisms.issuperset(mechanisms)

    def rehearsal(self, victim: Victim) -> Known:
        """A secret with the victim's length and protection: derivations inherit from their base, so it has to be alike.

        Derived as the victim's was, from one that we import, so that no module can treat the two differently by where they
        come from; else imported itself; else generated readable, read, and then protected; else of unknown value.
        """
        if self.on_the_victim:
            return Known(target_of(victim).secret, None)
        with suppress(CryptokiError):
            return self._derived(victim)
        with preparing():
            return self._own(victim.secret_length)

    def _derived(self, victim: Victim) -> Known:
        base = base_like(victim.profile)
        imported = self.import_key(CKK.GENERIC_SECRET, base, **_PROTECTED, derive=True)
        randoms = (victim.client_random, victim.server_random)
        return Known(derived_secret(self.session, victim.profile, imported, *randoms), secret_from(victim, base))

    def _own(self, length: int) -> Known:
        value = os.urandom(length)
        with suppress(CryptokiError):
            return Known(self.import_key(CKK.GENERIC_SECRET, value, **_PROTECTED, **_USES), value)
        with suppress(CryptokiError):
            handle = self._generate(length, sensitive=False, extractable=True)
            value = self.session.value(handle)
            protection: Template = {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}
            self.session.module.set_attribute_value(self.session.handle, handle, protection)
            return Known(handle, value)
        return Known(self._generate(length, **_PROTECTED), None)

    def search(self, wanted: Problem) -> bytes:
        """See `techniques.base.Bench`; mechanisms over the same stream pose the same question, and it is answered once."""
        if wanted not in self._found:
            self._found[wanted] = self._answer(wanted)
        found = self._found[wanted]
        if isinstance(found, str):
            raise Inconclusive(found)
        return found

    def _answer(self, wanted: Problem) -> bytes | str:
        self._searching(0, wanted.candidates)
        try:
            return engines.find(wanted, lambda done: self._searching(done, wanted.candidates))
        except Inconclusive as why:
            return str(why)

    def pre_master(self, victim: Victim) -> int:
        """One more, by the same agreement; the other objects of the agreement die with the attack's scope."""
        if self.on_the_victim:
            return victim.handles.pre_master
        with preparing():
            return agree(self.session, victim.profile).pre_master

    def import_key(self, key_type: int, value: bytes, **attributes: AttributeValue) -> int:
        """C_CreateObject; where it is not offered, C_UnwrapKey under a key of our own. Unprepared where neither is.

        Readable, since what is made of it may take its protection from there; sensitive, where all keys have to be (FIPS).
        """
        refusals: list[CryptokiError] = []
        for protection in ({"sensitive": False, "extractable": True}, {"sensitive": True, "extractable": True}):
            template = secret_key(key_type, None, **protection | attributes)
            try:
                return self.session.create(template | {CKA.VALUE: value})
            except CryptokiError as refusal:
                refusals.append(refusal)
            if handle := self._unwrap(template, value):
                return handle
        with preparing():
            raise refusals[0]

    def _unwrap(self, template: dict[int, AttributeValue], value: bytes) -> int:
        """The value encrypted under an own AES key in CBC with padding, then unwrapped: an import in two steps."""
        mechanism = Mechanism(CKM.AES_CBC_PAD, Iv(bytes(16)))
        if not self.has(CKM.AES_KEY_GEN, CKM.AES_CBC_PAD):
            return 0
        with suppress(CryptokiError):
            kek = self.session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16, encrypt=True, unwrap=True))
            wrapped = self.session.encrypt(mechanism, kek, value)
            return self.session.unwrap(mechanism, kek, wrapped, template)
        return 0

    def _generate(self, length: int, **flags: bool) -> int:
        template = secret_key(CKK.GENERIC_SECRET, length, **_USES | flags)
        return self.session.generate(Mechanism(CKM.GENERIC_SECRET_KEY_GEN), template)
