"""keyfence search: keys found from what a module gives away about them; a file per command.

    des            DES keys from known or chosen plaintext
    short          rc4, hmac-sha1, hmac-sha256, aes: short or partly known keys; aes also from two DES halves
    jobs           --resume, --status, --estimate
    bench, worker  keys per second beside other programs; a node of a cluster

Exit codes: 0 found, 1 not found, 2 usage, 3 could not run or interrupted.
"""

from .app import app

__all__ = ["app"]
