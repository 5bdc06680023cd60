"""Every process hears of each change once, in whatever order they are committed."""

from __future__ import annotations

import queue

import pytest
from django.db import connection

from playground.catalog.changes import ChangeWatcher
from playground.catalog.models import Change

PATIENCE = 30


@pytest.mark.django_db(transaction=True)
def test_each_change_is_heard_once() -> None:
    """Where several write at once, a change may come to be seen after one with a greater number."""
    first, *rest = (7, 8, 10) if connection.vendor == "sqlite" else (7, 10, 8)
    Change.objects.create(pk=first, kind="model", key="before")
    heard: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    watcher = ChangeWatcher(lambda changes: [heard.put(one) for one in changes], poll_seconds=0.01)
    watcher.start()
    try:
        for number in rest:
            Change.objects.create(pk=number, kind="model", key=str(number))
            assert heard.get(timeout=PATIENCE) == ("model", str(number))
    finally:
        watcher.stop()
    assert heard.empty()
