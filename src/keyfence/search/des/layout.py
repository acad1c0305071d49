"""Which unknown bit of the key changes how fast."""


def bit_order(unknown: frozenset[int]) -> tuple[int, ...]:
    """The unknown bits of the key register (0 to 55, after PC-1), the fastest first."""
    return tuple(sorted(unknown))
