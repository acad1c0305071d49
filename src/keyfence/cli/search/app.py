"""The group `keyfence search`: its commands, put together."""

from typing import Final

import typer

from . import bench, des, jobs, short, worker
from .options import STRAY

EPILOG: Final = (
    "Exit codes: 0 found, 1 not found in the range, 2 usage, 3 could not run or interrupted. Wherever hex digits are "
    "asked for, @FILE reads them from a file and - from standard input, so that known bits of a key need not show to "
    "whoever lists processes."
)

app = typer.Typer(
    name="search",
    help="Find keys from what a module gives away: DES, RC4, HMAC, AES.",
    epilog=EPILOG,
    rich_markup_mode=None,
    invoke_without_command=True,
)
app.callback()(jobs.jobs)
app.command("des", context_settings=STRAY, epilog=EPILOG, short_help="A DES key from blocks it encrypted.")(des.des)
app.command("aes", context_settings=STRAY, epilog=EPILOG, short_help="An AES key partly known, or from two DES halves.")(
    short.aes
)
app.command("rc4", context_settings=STRAY, epilog=EPILOG, short_help="A short or partly known RC4 key.")(short.rc4)
app.command("hmac-sha1", context_settings=STRAY, epilog=EPILOG, short_help="A short or partly known HMAC-SHA1 key.")(
    short.hmac_sha1
)
app.command("hmac-sha256", context_settings=STRAY, epilog=EPILOG, short_help="A short or partly known HMAC-SHA256 key.")(
    short.hmac_sha256
)
app.command("bench", short_help="Keys per second, beside hashcat and john.")(bench.bench)
app.command("worker", short_help="Make this machine a node of a cluster.")(worker.worker)
