"""What the tab Versions shows: a model's versions, and of one its methods, requirements, build log and source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse

from playground.catalog.access import Role, has_role
from playground.catalog.models import Model, ModelVersion, User
from playground.catalog.sources import SourceFile, list_files
from playground.compute.models import Deployment
from playground.play.forms import MISSING, FormField, MethodForm, list_forms
from playground.play.forms.values import number_text
from playground.protocol import signatures

_ASKS = (("cpu_limit", "CPU"), ("cpu_memory", "memory"), ("num_accelerators", "GPU"))
HIDDEN_LINE = "(a line with an address: owners of the app see it)"


@dataclass(frozen=True)
class Argument:
    """An argument of a method in words: what it is, what stands for it when it is left out, what it may be."""

    name: str
    type: str
    default: str
    bounds: str
    hint: str
    is_required: bool
    is_setting: bool


@dataclass(frozen=True)
class Method:
    """A method in words."""

    name: str
    words: str
    description: str
    arguments: list[Argument]
    output: str


@dataclass(frozen=True)
class Detail:
    """One version as the tab shows it.

    ``play_url`` is where it can be tried: "" where no deployment that the reader sees serves it. ``files`` are there
    for owners of the app alone, ``file`` is the open one.
    """

    version: ModelVersion
    is_latest: bool
    methods: list[Method]
    requirements: str
    asks: str
    deployments: list[Deployment]
    play_url: str
    is_owner: bool
    files: list[SourceFile]
    file: SourceFile | None


def list_versions(model: Model) -> QuerySet[ModelVersion]:
    """The newest first, without what only the details need."""
    return model.versions.order_by("-pk").defer("signatures_proto", "config", "requirements")


def describe(user: User, version: ModelVersion, latest: ModelVersion | None, file: str) -> Detail:
    """``file`` is the name of the one to show; the first where there is none of that name."""
    is_owner = has_role(user, version.model.app, Role.OWNER)
    is_latest = latest is not None and version.pk == latest.pk
    serving = _serving(user, version, is_latest=is_latest)
    files = list_files(version) if is_owner else []
    chosen = next((entry for entry in files if entry.name == file), files[0] if files else None)
    return Detail(
        version,
        is_latest,
        [_method(form) for form in list_forms(version.signatures)],
        requirements_of(version, is_owner=is_owner),
        _asks(version.config),
        serving,
        _play_url(version, serving, is_latest=is_latest),
        is_owner,
        files,
        chosen,
    )


def _serving(user: User, version: ModelVersion, *, is_latest: bool) -> list[Deployment]:
    """Those that run this version, of the ones that ``user`` sees."""
    follows = Q(version=version) | Q(version=None) if is_latest else Q(version=version)
    rows = Deployment.objects.visible_to(user).filter(follows, model=version.model_id).select_related("owner")
    return list(rows.order_by("-is_shared", "slug")[:50])


def _play_url(version: ModelVersion, serving: Sequence[Deployment], *, is_latest: bool) -> str:
    """An older version is called where it is pinned; the shared deployment has the latest."""
    model = version.model
    if is_latest:
        return model.get_absolute_url()
    if not serving:
        return ""
    query = {} if serving[0].is_shared else {"deployment": serving[0].slug, "owner": serving[0].owner.username}
    parts = [model.app.owner.username, model.app.slug, model.slug, version.slug]
    return f"{reverse('play:model_version', args=parts)}?{urlencode(query)}"


def requirements_of(version: ModelVersion, *, is_owner: bool) -> str:
    """Without blank lines; addresses can hold passwords, so they are for owners."""
    lines = [line.rstrip() for line in version.requirements.splitlines() if line.strip()]
    return "\n".join(line if is_owner or "://" not in line else HIDDEN_LINE for line in lines)


def _asks(config: Any) -> str:
    """What a replica asks of its machine: "2 CPU, 512Mi memory"."""
    info = config.get("inference_compute_info") if isinstance(config, dict) else None
    given = info if isinstance(info, dict) else {}
    return ", ".join(f"{given[name]} {words}" for name, words in _ASKS if given.get(name))


def _method(form: MethodForm) -> Method:
    output = " and ".join(map(signatures.describe_type, form.signature.output_fields)) or "nothing"
    arguments = [_argument(entry) for entry in form.fields]
    return Method(form.name, form.words, str(form.signature.description).strip(), arguments, output)


def _argument(entry: FormField) -> Argument:
    return Argument(
        entry.name,
        entry.type,
        _default(entry),
        _bounds(entry),
        entry.hint,
        entry.is_required,
        bool(entry.signature.is_param) and not entry.signature.iterator,
    )


def _default(entry: FormField) -> str:
    """As an author would write it; a secret's is never told."""
    if entry.is_required:
        return ""
    if entry.kind == "secret":
        return "secret" if entry.signature.default else ""
    if entry.default is None:
        return "null"
    return str(entry.signature.default) if entry.default is MISSING else entry.text or '""'


def _bounds(entry: FormField) -> str:
    if entry.choices and entry.kind in {"choice", "choices"}:
        return _listed(entry.choices)
    low, high = (None if end is None else number_text(end) for end in (entry.low, entry.high))
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"from {low}" if low is not None else f"up to {high}" if high is not None else ""


def _listed(choices: Sequence[str]) -> str:
    shown = ", ".join(choices[:8])
    return f"{shown} and {len(choices) - 8} more" if len(choices) > 8 else shown
