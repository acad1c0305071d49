"""The guard: every `Cryptoki` method, judged before the module behind it is called."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from keyfence.cryptoki import METHODS, Cryptoki, function_name, refusal
from keyfence.cryptoki.constants import CKR
from keyfence.cryptoki.dispatch import Dispatched

from .blocks import Cuts
from .fingerprint import Fingerprints
from .functions.general import General
from .functions.keys import Keys
from .functions.objects import Objects
from .functions.operations import Operations
from .functions.unjudged import UNJUDGED_METHODS, Unjudged
from .journal import Journal
from .ledger import Ledger
from .policy import Policy
from .registry import Registry
from .roles import Role
from .rules import RULES, Rule, World
from .state import State

_PARTS: Final = (General, Objects, Operations, Keys)


class Guard(Dispatched):
    """A `Cryptoki` around another, in which secrets of TLS do what `policy` lists and nothing else.

    The caller sees handles of the guard's own and session handles of the module's. Any number of threads may call, and any
    number of guards, in other processes too, may share one ledger. A refusal is a `CryptokiError` whose detail names the rule;
    `journal` counts them. Each guard has to be the only way to its module that the adversary has.
    """

    def __init__(
        self, module: Cryptoki, policy: Policy, ledger: Ledger, *, journal: Journal | None = None, rules: Sequence[Rule] = RULES
    ) -> None:
        self.module = module
        self.policy = policy
        self.journal = journal or Journal()
        world = World(policy, Cuts(policy), ledger, Fingerprints(module, policy.facts, ledger), Registry())
        self._state = State(module, world, rules, self.journal)
        self._methods = _methods(self._state)

    def role(self, handle: int) -> Role | None:
        """What the guard takes an object for; None for a handle that it never issued, or no more."""
        entry = self._state.registry.find(handle)
        return None if entry is None else entry.role

    def protects(self, handle: int) -> bool:
        """Whether an object is a secret of TLS, to this guard's policy."""
        role = self.role(handle)
        return role is not None and role.is_tls

    def _call(self, name: str, *arguments: Any) -> Any:
        method = self._methods.get(name)
        if method is None:
            raise refusal(CKR.FUNCTION_NOT_SUPPORTED, function_name(name))
        return method(*arguments)

    def __repr__(self) -> str:
        return f"<Guard of {self.module!r}>"


def _methods(state: State) -> Mapping[str, Callable[..., Any]]:
    """Every `Cryptoki` method that a part has, by name."""
    parts = [part(state) for part in _PARTS]
    unjudged = Unjudged(state)
    judged = {name: getattr(part, name) for part in parts for name in METHODS if hasattr(part, name)}
    return judged | {name: partial(unjudged.call, name) for name in UNJUDGED_METHODS}
