"""What is done from time to time: the deleted goes for good, what a process left behind is taken up again."""

from __future__ import annotations

from inputs.services import deleting, fetching


def sweep() -> int:
    """Returns how many deleted inputs went for good."""
    fetching.start_left_behind()
    deleting.forget_jobs()
    return deleting.purge()
