"""Gray code: how candidates count outside the vectors, so that from one count to the next one bit of the key flips."""


def gray(count: int) -> int:
    """The Gray code of a number: that of the next number differs in one bit."""
    return count ^ count >> 1


def ungray(code: int) -> int:
    """The number whose Gray code this is."""
    count = 0
    while code:
        count, code = count ^ code, code >> 1
    return count
