"""What the terminal names, found: models by reference, nodepools as CLUSTER/NODEPOOL, values as NAME=VALUE."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from playground.catalog.models import App
from playground.catalog.services import MAIN_APP_ID
from playground.compute import services
from playground.sdk.calls import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.catalog.models import Model, ModelVersion, User
    from playground.compute.models import Deployment, Nodepool


def find_model(user: User, ref: str) -> tuple[Model, ModelVersion | None]:
    """The model, and the version where ``ref`` names one."""
    named = parse_reference(ref)
    model = services.find_model(user, named.model_id, app=named.app_id, owner=named.user_id)
    return model, services.find_version(model, named.version_id) if named.version_id else None


def find_app(user: User, slug: str) -> App:
    """The user's app of that id; ``main`` is made where it is not there yet."""
    if slug == MAIN_APP_ID:
        return App.objects.get_or_create(owner=user, slug=slug)[0]
    app = App.objects.filter(owner=user, slug=slug).first()
    if app is None:
        names = ", ".join(App.objects.filter(owner=user).values_list("slug", flat=True))
        raise CommandError(f"{user.username} has no app {slug}. There are: {names or 'none'}.")
    return app


def find_nodepool(user: User, name: str) -> Nodepool:
    """``CLUSTER/NODEPOOL``, or ``USER/CLUSTER/NODEPOOL`` where it is somebody else's."""
    parts = name.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise CommandError(f"{name}: a nodepool is named as CLUSTER/NODEPOOL.")
    owner = parts[0] if len(parts) == 3 else user.username
    return services.find_nodepool(user, parts[-2], parts[-1], owner=owner)


def find_deployment(user: User, slug: str) -> Deployment:
    return services.find_deployment(user, slug, owner=user.username)


def read_values(given: Iterable[str]) -> dict[str, str | None]:
    """``NAME=VALUE`` each; ``NAME=`` is an empty text, and ``NAME-`` removes it."""
    values: dict[str, str | None] = {}
    for one in given:
        name, is_pair, value = one.partition("=")
        if not is_pair and not one.endswith("-"):
            raise CommandError(f"--env {one}: write it as NAME=VALUE, or NAME- to remove it.")
        values[name if is_pair else one[:-1]] = value if is_pair else None
    return values


def read_secrets(names: Iterable[str]) -> dict[str, str | None]:
    """Their values; ``NAME-`` removes one."""
    return {name.removesuffix("-"): None if name.endswith("-") else read_secret(name) for name in names}


def read_secret(name: str) -> str:
    """From the environment of the command, else asked for: on a command line others would see it."""
    if "=" in name:
        raise CommandError(
            f"--secret {name.partition('=')[0]}: give only its name. Its value is taken from the environment, or asked "
            "for: what stands on a command line can be seen by others."
        )
    if name in os.environ:
        return os.environ[name]
    if not sys.stdin.isatty():
        raise CommandError(f"The secret {name} is not in the environment: set {name}, or run this in a terminal.")
    return getpass.getpass(f"{name}: ")
