"""--estimate: how long what is missing of a job takes, and what it costs."""

from collections.abc import Iterator

from keyfence.search.job import Job

from .options import How


def lines(job: Job, how: How) -> Iterator[str]:
    yield ""
