"""A prepared database, and commands as a terminal runs them, but in this process."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import call_command

from playground.catalog.models import Model, User
from playground.catalog.services import ensure_owner
from playground.compute.setup import ensure_shared_nodepool

Run = Callable[..., str]


@pytest.fixture
def owner() -> User:
    owner, _ = ensure_owner()
    ensure_shared_nodepool(owner)
    return owner


@pytest.fixture
def model(owner: User) -> Model:
    model = Model.objects.create(app=ensure_owner()[1], slug="tiny")
    model.versions.create(slug="v1", folder="/nowhere")
    return model


@pytest.fixture
def run(owner: User) -> Run:
    """What a command prints. Raises what it is refused with."""

    def run(*arguments: str) -> str:
        printed = io.StringIO()
        call_command(*arguments, stdout=printed, stderr=printed)
        return printed.getvalue()

    return run
