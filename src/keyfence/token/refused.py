"""How the token says no inside itself: a CKR without its function, which only the outermost layer knows."""

from keyfence.cryptoki.constants import CKR


class Refused(Exception):
    """Becomes `keyfence.cryptoki.refusal(ckr, function, detail)` at the token's surface. `detail` never holds a secret."""

    def __init__(self, ckr: CKR, detail: str = "") -> None:
        super().__init__(ckr, detail)
        self.ckr = ckr
        self.detail = detail
