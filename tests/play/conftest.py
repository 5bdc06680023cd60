"""A model with a signature of every kind, its owner, a team mate and a stranger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from playground.catalog.models import App, Membership, Model, ModelVersion, User
from playground.compute.models import Deployment
from playground.compute.services import ensure_shared_deployment
from playground.compute.setup import ensure_shared_nodepool
from playground.protocol.signatures import Param, build_signatures
from playground.protocol.values import Image, Region


class Everything:
    """Methods of all three kinds, with arguments of many types."""

    def predict(
        self,
        text: str,
        mood: str = "calm",
        extra: dict = {"a": 1},  # noqa: B006 - a default as an author writes it
        count: int = Param(default=3, min_value=1, max_value=10, description="How many lines."),
        style: str = Param(default="plain", choices=["plain", "loud"]),
        is_short: bool = Param(default=False),
    ) -> str:
        """Says it back."""
        return text

    def generate(self, text: str) -> Iterator[str]:
        """Says it word by word."""
        yield text

    def stream(self, text: Iterator[str]) -> Iterator[str]:
        yield from text

    def find(self, image: Image, threshold: float = Param(default=0.35, min_value=0.0, max_value=1.0)) -> list[Region]:
        """Finds things."""
        return []


def signatures_of(model_class: type) -> list:
    for name, method in vars(model_class).items():
        if not name.startswith("_"):
            method._is_model_method = True
    return list(build_signatures(model_class, where="test").values())


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("olive")


@pytest.fixture
def model(owner: User) -> Model:
    app = App.objects.create(owner=owner, slug="main")
    made = Model.objects.create(app=app, slug="everything", description="# Everything\n\nDoes all.\n\nAnd more.")
    version = ModelVersion(model=made, folder="/nowhere")
    version.signatures = signatures_of(Everything)
    version.save()
    return made


@pytest.fixture
def deployment(model: Model, owner: User) -> Deployment:
    ensure_shared_nodepool(owner)
    return ensure_shared_deployment(model)


@pytest.fixture
def mate(model: Model) -> User:
    made = User.objects.create_user("mate")
    Membership.objects.create(app=model.app, user=made, role=Membership.Role.VIEWER)
    return made


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger")


def browser(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
