"""Four people around one app with a model, and the built-in nodepool; and a gateway that keeps replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from playground.catalog.models import Membership, Model, ModelVersion, User
from playground.catalog.services import ensure_owner
from playground.compute.models import Nodepool
from playground.compute.setup import ensure_shared_nodepool
from tests.compute.plane import Plane
from tests.gateway import live

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class House:
    """``owner`` is the installation's administrator; ``ada`` owns the app, with ``mate`` and ``viewer`` in it."""

    owner: User
    ada: User
    mate: User
    viewer: User
    stranger: User
    model: Model
    version: ModelVersion
    shared: Nodepool


@pytest.fixture
def house() -> House:
    owner, _ = ensure_owner()
    shared = ensure_shared_nodepool(owner)
    ada, mate, viewer, stranger = (User.objects.create(username=name) for name in ("ada", "mate", "viewer", "stranger"))
    app = ada.apps.create(slug="lab")
    Membership.objects.create(app=app, user=mate, role=Membership.Role.MEMBER)
    Membership.objects.create(app=app, user=viewer, role=Membership.Role.VIEWER)
    model = Model.objects.create(app=app, slug="tiny")
    version = model.versions.create(folder="/nowhere", config={"model": {"id": "tiny"}})
    return House(owner, ada, mate, viewer, stranger, model, version, shared)


@pytest.fixture
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A gateway of one's own, not started yet, and without deployments."""
    made = Plane(live.make(tmp_path_factory.mktemp("plane")))
    yield made
    if made.live.process is not None and made.live.process.poll() is None:
        made.live.stop()
