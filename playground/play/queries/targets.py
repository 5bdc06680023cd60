"""What a pane of a comparison calls: a target as addresses name it, and as the page shows it.

``owner/main/models/hello?method=generate&deployment=edge&version=…&arguments={…}&prompt=…``
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from inputs.fits import KINDS, fit, fitting, why_not
from playground.catalog.models import Model, ModelVersion, User
from playground.play.forms import build_form, with_forms
from playground.play.queries.choices import Choice, choose
from playground.runs.models import Run

PLACE = ("deployment", "owner", "cluster", "nodepool")
ORDER = ("text", "image", "audio", "video")
_ADDRESS = re.compile(r"([^/]{1,150})/([^/]{1,64})/models/([^/]{1,64})")
_QUERY_NAMES = {
    "deployment_id": "deployment",
    "deployment_user_id": "owner",
    "compute_cluster_id": "cluster",
    "nodepool_id": "nodepool",
}


@dataclass(frozen=True)
class Target:
    """What is called, and how; ``prompt`` is a text of its own, None where it gets what all get."""

    model: str
    method: str = ""
    version: str = ""
    place: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    prompt: str | None = None

    def __str__(self) -> str:
        query = {"method": self.method, "version": self.version, **self.place}
        if self.arguments:
            query["arguments"] = json.dumps(self.arguments, ensure_ascii=False, separators=(",", ":"))
        pairs = [(name, value) for name, value in query.items() if value]
        words = urlencode(pairs if self.prompt is None else [*pairs, ("prompt", self.prompt)])
        return f"{self.model}?{words}" if words else self.model


def read_target(text: str) -> Target:
    """What an address names; whatever of it cannot be read is left out."""
    model, _, query = text.replace("\0", "").partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=50)) if query.count("&") < 50 else {}
    return Target(
        model=model.strip("/")[:300],
        method=given.get("method", "")[:200],
        version=given.get("version", "")[:200],
        place={name: given[name][:200] for name in PLACE if given.get(name)},
        arguments=_arguments(given.get("arguments", "")),
        prompt=given.get("prompt"),
    )


def _arguments(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


@dataclass(frozen=True)
class Pane:
    """A target as the page shows it. ``reason`` says why it cannot be run as it is; "" where it can."""

    id: str
    letter: str
    target: Target
    model: Model | None = None
    method: str = ""
    choice: Choice | None = None
    version: ModelVersion | None = None
    versions: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    same_as: str = ""

    @property
    def name(self) -> str:
        """Short, for a head and a tab; every model has a *Shared*, so that one has the model's name too."""
        slug = self.target.model.rpartition("/")[2]
        if self.choice is None:
            return slug or "No target"
        is_own = self.choice.deployment is not None and not self.choice.deployment.is_shared
        return self.choice.label if is_own or not slug else f"{slug} · {self.choice.label}"

    @property
    def words(self) -> str:
        """What stands below the name: model and method, then where."""
        slug = self.target.model.rpartition("/")[2]
        version = f"version {self.target.version[:8]}" if self.target.version else ""
        meta = self.choice.meta if self.choice else ""
        named = "" if self.name.startswith(f"{slug} ·") else slug
        return " · ".join(filter(None, [named, self.method, version, meta]))


def letter_of(number: int) -> str:
    return chr(ord("A") + number)


def describe_panes(user: User, panes: list[tuple[str, str]], kind: str) -> list[Pane]:
    """The panes of (id, target), those that call the same said to."""
    found: list[Pane] = []
    for number, (pane, text) in enumerate(panes):
        one = describe_pane(user, pane, letter_of(number), read_target(text), kind)
        twin = next((other.letter for other in found if other.target == one.target and other.model), "")
        found.append(replace(one, same_as=twin))
    return found


def describe_pane(user: User, pane: str, letter: str, target: Target, kind: str) -> Pane:
    """A target looked up for ``user``; what cannot be found or used says so in its reason."""
    model = _find_model(user, target.model)
    if model is None:
        words = f"No model {target.model} for you. It does not exist, or is not shared with you."
        return Pane(pane, letter, target, reason=words, facts=_facts(target))
    choice = choose(user, model, target.place)
    version = model.latest
    if target.version:
        version = model.versions.filter(slug=target.version).first()
    elif choice.deployment is not None and choice.deployment.served_version is not None:
        version = choice.deployment.served_version
    known = with_forms(version.signatures) if version else []
    able = fitting(known, kind)
    signature = next((one for one in able if one.name == target.method), None)
    if signature is None and not target.method:
        signature = next(iter(able), None)
    reason = choice.refusal
    if not reason and target.version and version is None:
        reason = f"{model.slug} has no version {target.version}."
    if not reason and signature is None:
        reason = _hindrance(known, kind, target.method, model)
    fitted = fit(signature, kind) if signature is not None else None
    facts = _facts(target) | {"selector": choice.selector, "label": choice.label}
    if signature is not None and fitted is not None:
        form = build_form(signature)
        facts |= {
            "method": signature.name,
            "shape": form.shape,
            "argument": fitted.argument,
            "is_list": fitted.is_list,
            "is_stream": form.is_stream,
        }
    return Pane(
        id=pane,
        letter=letter,
        target=target,
        model=model,
        method=signature.name if signature is not None else target.method,
        choice=choice,
        version=version,
        versions=tuple(model.versions.order_by("-pk").values_list("slug", flat=True)[:8]),
        methods=tuple(one.name for one in able),
        facts=facts,
        reason=reason,
    )


def _facts(target: Target) -> dict[str, Any]:
    """What the page keeps of a pane, to make calls by."""
    return {
        "target": str(target),
        "model": target.model,
        "method": target.method,
        "version": target.version,
        "place": dict(target.place),
        "arguments": dict(target.arguments),
        "prompt": target.prompt,
    }


def _hindrance(known: list[Any], kind: str, method: str, model: Model) -> str:
    if reason := why_not(known, kind):
        return f"{reason}." if known else f"What {model.slug} takes is known once it has been loaded."
    named = next((one for one in known if one.name == method), None)
    if named is None:
        return f"{model.slug} has no method {method[:80]}."
    return f"{method[:80]} does not take this input. Choose another method."


def _find_model(user: User, address: str) -> Model | None:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    return Model.objects.visible_to(user).at(*match.groups()).select_related("app__owner").first()


def kind_of(user: User, targets: list[str]) -> str:
    """What the first target that is there takes, text before pictures."""
    for text in targets:
        target = read_target(text)
        model = _find_model(user, target.model)
        version = model.latest if model else None
        known = with_forms(version.signatures) if version else []
        named = [one for one in known if one.name == target.method] or known
        for kind in ORDER:
            if fitting(named, kind):
                return kind
    return ORDER[0]


def target_of(run: Run) -> tuple[str, Any, str]:
    """What a run called, as a target; its input; and the input's kind. A kind of "" fits no comparison."""
    assert run.model is not None
    version = run.version or run.model.latest
    signature = next((one for one in version.signatures if one.name == run.method), None) if version else None
    place = {_QUERY_NAMES[name]: value for name, value in run.selector.items() if name in _QUERY_NAMES}
    for kind in ORDER:
        fitted = fit(signature, kind) if signature is not None else None
        if fitted is None or fitted.argument not in run.arguments:
            continue
        rest = {name: value for name, value in run.arguments.items() if name != fitted.argument}
        given = run.arguments[fitted.argument]
        given = next(iter(given), None) if fitted.is_list and isinstance(given, list) else given
        if isinstance(given, dict) and kind == "text":
            given = given.get("text")
        return str(Target(str(run.model), run.method, place=place, arguments=rest)), given, kind
    return str(Target(str(run.model), run.method, place=place)), None, ""


__all__ = ["KINDS", "Pane", "Target", "describe_pane", "describe_panes", "kind_of", "read_target", "target_of"]
