"""What a call is as code: the model, version, method, place and arguments that an address and a form give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2
from django.urls import reverse

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment, Nodepool
from playground.media.models import Reference
from playground.play.forms import with_forms
from playground.play.queries.choices import Choice, choice_of
from playground.protocol.signatures import MethodKind, kind_of
from playground.sdk.calls import ModelAddress, Selector
from playground.sdk.snippets import Ask, Call, Snippet, prepare, write_snippets

MOST_PLACES = 100
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "audio/wav": ".wav", "video/mp4": ".mp4"}


@dataclass(frozen=True)
class File:
    """A stored file that a program needs beside it; no address where it is not one's own to see."""

    name: str
    address: str


@dataclass(frozen=True)
class Code:
    """One call in every language."""

    call: Call
    snippets: list[Snippet]
    files: list[File]


@dataclass(frozen=True)
class Asked:
    """What an address and a form give: which method, in which version, where, and with what."""

    signature: resources_pb2.MethodSignature
    version_id: str
    choice: Choice
    arguments: Mapping[str, Any]


def write_code(user: User, model: Model, asked: Asked, base_url: str) -> Code:
    """The call as code. Files are named as their owner named them, if that is this user."""
    files = _Files(user)
    ask = Ask(
        address=ModelAddress(model.slug, model.app.owner.username, model.app.slug, asked.version_id),
        signature=asked.signature,
        arguments=asked.arguments,
        base_url=base_url,
        selector=Selector(**asked.choice.selector),
        place_user_id=_owner_of(user, asked.choice),
        name_of=files.name_of,
    )
    call = prepare(ask)
    return Code(call, write_snippets(call), [File(name, files.address_of(key)) for key, name in call.files.items()])


class _Files:
    def __init__(self, user: User) -> None:
        self._user = user
        self._found: dict[str, Reference | None] = {}

    def name_of(self, key: str) -> str:
        found = self._found[key] = Reference.objects.visible_to(self._user).filter(pk=key[:32]).first()
        if found is None:
            return "file"
        return found.name or f"file{_ENDINGS.get(found.content_type, '')}"

    def address_of(self, key: str) -> str:
        found = self._found.get(key)
        return reverse("media:content", args=[found.pk]) if found else ""


def _owner_of(user: User, choice: Choice) -> str:
    """Whose the chosen deployment or nodepool is: the official client looks for it under that name."""
    if "cluster" not in choice.query:
        return str(choice.query.get("owner", user.username))
    here = Nodepool.objects.visible_to(user).filter(slug=choice.query["nodepool"])
    found = here.filter(cluster__slug=choice.query["cluster"]).values_list("cluster__owner__username", flat=True)
    return found.first() or user.username


def list_methods(version: ModelVersion | None) -> list[resources_pb2.MethodSignature]:
    return with_forms(version.signatures) if version else []


def pick_method(known: list[resources_pb2.MethodSignature], name: str) -> resources_pb2.MethodSignature | None:
    """The one of that name; else the one that a model's page opens with: the first that answers piece by piece."""
    named = [signature for signature in known if signature.name == name]
    streaming = [signature for signature in known if kind_of(signature) is MethodKind.GENERATE]
    return next(iter([*named, *streaming, *known]), None)


def list_places(user: User, model: Model) -> list[Choice]:
    """Where the call may go: Shared, then one's own deployments, then others'."""
    rows = Deployment.objects.visible_to(user).filter(model=model).select_related("nodepool__cluster", "owner")
    ordered = sorted(rows, key=lambda row: (not row.is_shared, row.owner_id != user.pk, row.slug))
    return [choice_of(row, user) for row in ordered[:MOST_PLACES]]
