"""A guard before a module that may crash and be started again, as an audit's may."""

from keyfence.cryptoki import Cryptoki, KeyfenceError

from .guard import Guard
from .ledger import Ledger
from .policy import Policy


class RestartableGuard(Guard):
    """A guard that starts anew with its module: no object is left then, and the ledger has what was committed."""

    def __init__(self, module: Cryptoki, policy: Policy, ledger: Ledger) -> None:
        super().__init__(module, policy, ledger)
        self._ledger = ledger

    def restart(self) -> None:
        """KeyfenceError where the module cannot be started again."""
        restart = getattr(self.module, "restart", None)
        if restart is None:
            raise KeyfenceError("without isolation there is no way to start the module again")
        restart()
        super().__init__(self.module, self.policy, self._ledger, journal=self.journal)

    def close(self) -> None:
        """Ends the module's process, where it has one."""
        close = getattr(self.module, "close", None)
        if close is not None:
            close()
