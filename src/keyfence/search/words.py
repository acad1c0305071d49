"""Numbers in words: how many keys, how fast, how long."""

from math import log2
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
_UNITS: Final = ((365.25 * DAY, 730 * DAY, "years"), (DAY, 2 * DAY, "days"), (HOUR, 2 * HOUR, "h"), (60.0, 120.0, "min"))
"""How long each is, from how long on it is used, and its name."""
_RATES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def power(count: int) -> str:
    """2^55, 2^54.3 …; what is less than 2^20 as it is."""
    return f"2^{log2(count):.1f}".removesuffix(".0") if count >= 2**20 else f"{count:,}"


def duration(seconds: float) -> str:
    """In the unit that suits it: 95 s, 3.5 days."""
    for size, least, name in _UNITS:
        if seconds >= least:
            return f"{few_digits(seconds / size)} {name}"
    return f"{few_digits(seconds)} s"


def rate(keys_per_second: float) -> str:
    """1.38 G keys/s."""
    size, unit = next((it for it in _RATES if keys_per_second >= it[0]), _RATES[-1])
    return f"{few_digits(keys_per_second / size)} {unit} keys/s".replace("  ", " ")


def few_digits(value: float) -> str:
    """Three digits at least, all of those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def many(count: int, what: str) -> str:
    """1 machine, 2 machines."""
    return f"{count:,} {what}{'s' if count > 1 else ''}"
