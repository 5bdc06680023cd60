"""The list of models comes in pages, at a cost that does not grow with the catalog."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from playground.catalog.models import Model
from playground.catalog.services import ensure_owner
from playground.play.views.models import PAGE_SIZE


@pytest.mark.django_db
def test_many_models_come_in_pages(client: Client) -> None:
    owner, app = ensure_owner()
    client.force_login(owner)
    Model.objects.create(app=app, slug="first")
    client.get("/models/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert b"page__pages" not in client.get("/models/").content
    Model.objects.bulk_create(Model(app=app, slug=f"m{number:03}") for number in range(2 * PAGE_SIZE))
    with CaptureQueriesContext(connection) as many:
        page = client.get("/models/").content.decode()
    assert len(many) <= len(few) + 1  # one to count the pages' rows
    assert page.count("table__name") == PAGE_SIZE
    assert "Page 1 of 3" in page
    assert 'href="?page=2"' in page
    last = client.get("/models/?q=m&page=3").content.decode()
    assert last.count("table__name") == PAGE_SIZE, "past the end the last page is shown"
    assert 'href="?q=m&amp;page=1"' in last
