"""A range over threads: the size of chunks."""

import time
from collections.abc import Iterator

from keyfence.search.problem import Hit
from keyfence.search.threads import FIRST_CHUNK, Search


class Slow:
    """Two milliseconds a count, 25 of them in a twentieth of a second."""

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        time.sleep(0.002 * (stop - first))
        return iter(())


def test_slow_keys_go_in_small_chunks() -> None:
    """However long a key takes, it is a twentieth of a second until the next one is asked whether to go on."""
    told: list[int] = []
    Search(Slow, 0, 200, 0).run(1, lambda: False, told.append)
    sizes = [after - before for before, after in zip([0, *told], told, strict=False)]
    assert sizes[0] == FIRST_CHUNK
    assert 0 < max(sizes[1:]) <= 25
    assert told[-1] == 200
