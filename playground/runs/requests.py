"""What a page asks for, checked before anything is sent: the socket's message, then the model, method and arguments."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment
from playground.media import services as media
from playground.protocol.errors import DeployingError, InputError, NotFoundError, PlaygroundError
from playground.protocol.fields import holds_secret, is_secret
from playground.protocol.plain import from_plain
from playground.protocol.signatures import MethodKind, bind, kind_of, output_field, stream_field, unknown_argument
from playground.runs.models import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clarifai_grpc.grpc.api.resources_pb2 import MethodSignature, ModelTypeField

_SUBJECT = r"([^/]{{1,150}})/([^/]{{1,64}})/{}/([^/]{{1,64}})"
_MODEL = re.compile(_SUBJECT.format("models"))
_WORKFLOW = re.compile(_SUBJECT.format("workflows"))
_SELECTOR_KEYS = ("deployment_id", "deployment_user_id", "compute_cluster_id", "nodepool_id")
_MEDIA_KINDS = {"IMAGE": "image/", "AUDIO": "audio/", "VIDEO": "video/"}
_MAX_MEDIA_PER_CALL = 100


class AlreadyStarted(Exception):
    """This user's run with this id exists: the start is a repetition."""


@dataclass(frozen=True)
class Request:
    """A message ``start``, its forms checked. ``subject`` is what is called: whose, in which app, and its id."""

    run_id: UUID
    subject: tuple[str, str, str]
    method: str
    arguments: dict[str, Any]
    version: str = ""
    selector: dict[str, str] = field(default_factory=dict)
    is_input_open: bool = False
    is_workflow: bool = False

    @property
    def address(self) -> str:
        user_id, app_id, slug = self.subject
        return f"{user_id}/{app_id}/{'workflows' if self.is_workflow else 'models'}/{slug}"


@dataclass(frozen=True)
class Target:
    """What the catalog says of a call's destination: the same for every call until something there changes."""

    model_id: int
    version_id: int
    signatures: tuple[MethodSignature, ...]
    asked_id: int | None
    asked_slug: str
    asked_state: str
    shared: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Prepared:
    """A call that may be made: everything looked up, every value checked."""

    target: Target
    signature: MethodSignature
    arguments: dict[str, Any]
    inputs: list[Any]
    media_ids: frozenset[str]

    def given(self, plain: dict[str, Any]) -> list[Any]:
        """The stream's inputs that came with the start, as they are kept, out of the arguments that are kept."""
        field = stream_field(self.signature)
        return plain.get(field.name, []) if field is not None else []

    @property
    def kind(self) -> MethodKind:
        return kind_of(self.signature)

    @property
    def output_field(self) -> ModelTypeField:
        return output_field(self.signature)


def parse_run_id(message: dict[str, Any]) -> UUID:
    """Raises InputError."""
    try:
        return UUID(message["run"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("run: the run's id, a UUID, is needed.") from None


def parse_start(message: dict[str, Any]) -> Request:
    """The message ``start`` as a request. Raises InputError that names what is malformed."""
    is_workflow = "workflow" in message
    kind, form = ("workflow", _WORKFLOW) if is_workflow else ("model", _MODEL)
    match = form.fullmatch(_text(message, kind))
    if match is None:
        raise InputError(f"{kind}: an address like owner/main/{kind}s/hello is needed.")
    arguments, selector = message.get("arguments", {}), message.get("selector", {})
    if is_workflow and "input" in message:
        arguments = {"": message["input"]}
    if not isinstance(arguments, dict):
        raise InputError("arguments: an object, by name, is needed.")
    if not isinstance(selector, dict) or not all(
        key in _SELECTOR_KEYS and isinstance(value, str) for key, value in selector.items()
    ):
        raise InputError(f"selector: an object of text with {', '.join(_SELECTOR_KEYS)} is needed.")
    return Request(
        run_id=parse_run_id(message),
        subject=(match[1], match[2], match[3]),
        version=_text(message, "version", ""),
        method=_text(message, "method", "predict" if is_workflow else None),
        arguments=arguments,
        selector={key: value for key, value in selector.items() if value},
        is_input_open=message.get("open_input") is True,
        is_workflow=is_workflow,
    )


def _text(message: dict[str, Any], name: str, default: str | None = None) -> str:
    value = message.get(name, default)
    if not isinstance(value, str) or len(value) > 500:
        raise InputError(f"{name}: text is needed.")
    return value


def parse_after(message: dict[str, Any]) -> int:
    """The cursor of a message ``attach``. Raises InputError."""
    after = message.get("after", 0)
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 2**31:
        raise InputError("after: the number of the last event received, a whole number from 0, is needed.")
    return after


def parse_key(message: dict[str, Any]) -> str:
    """The key of another's link in a message ``attach``; "" where there is none. Raises InputError."""
    return _text(message, "key", "")


def prepare(user: User, request: Request) -> Prepared:
    """Look up and check all that a call needs; reads the database and decodes pictures, so run it in a thread.

    Raises AlreadyStarted for a repetition; NotFoundError, DeployingError, InputError (``argument`` names the field).
    """
    check_new(user, request)
    target = _targets.find(user, request)
    signature = _signature(request, target)
    reader = Reader(user)
    arguments, inputs = read_arguments(signature, request, reader)
    return Prepared(
        target=target,
        signature=signature,
        arguments=arguments,
        inputs=inputs,
        media_ids=frozenset(reader.ids),
    )


def check_new(user: User, request: Request) -> None:
    """Raises AlreadyStarted for a repetition, NotFoundError where the id is that of another's run."""
    run_id = Run._meta.pk.get_db_prep_value(request.run_id, connection)
    owner_id = _read_one("SELECT user_id FROM runs_run WHERE id = %s", run_id)
    if owner_id == user.pk:
        raise AlreadyStarted
    if owner_id is not None:
        raise NotFoundError(f"No run {request.run_id} for you. It does not exist, or is not yours.")


def _read_one(query: str, *parameters: Any) -> Any:
    """A value straight from the database: on the way to the first output the ORM's 1 ms for each query counts."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return row[0] if row is not None else None


class _Targets:
    """Remembers targets while the table of changes stands still, and for a minute at most.

    The gateway decides on every call who may make it and where it goes; this is for the form's checks and words.
    Many starts at once look up once: the others wait for that.
    """

    SECONDS = 60.0
    LIMIT = 500

    def __init__(self) -> None:
        self._known: dict[Any, tuple[int, float, Target]] = {}
        self._lock = threading.Lock()

    def find(self, user: User, request: Request) -> Target:
        key = (user.pk, request.subject, request.version, *sorted(request.selector.items()))
        sequence = _read_one("SELECT MAX(id) FROM catalog_change") or 0
        return self._fresh(key, sequence) or self._look_up(user, request, key, sequence)

    def _fresh(self, key: Any, sequence: int) -> Target | None:
        then, until, target = self._known.get(key) or (-1, 0.0, None)
        return target if then == sequence and time.monotonic() < until else None

    def _look_up(self, user: User, request: Request, key: Any, sequence: int) -> Target:
        with self._lock:
            if (target := self._fresh(key, sequence)) is not None:
                return target
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            target = _look_up(user, request)
            self._known[key] = (sequence, time.monotonic() + self.SECONDS, target)
            return target


_targets = _Targets()


def _look_up(user: User, request: Request) -> Target:
    model = Model.objects.visible_to(user).select_related("app__owner").at(*request.subject).first()
    if model is None:
        where = f"No model {request.address} for you."
        raise NotFoundError(f"{where} It does not exist, or is not shared with you. Nothing was run.")
    deployments = list(
        Deployment.objects.visible_to(user)
        .filter(model=model)
        .select_related("owner", "version", "nodepool__cluster")
        .prefetch_related("placements__nodepool__cluster")
        .order_by("-is_shared", "pk")
    )
    asked = next((deployment for deployment in deployments if _fits(deployment, request.selector, user)), None)
    version = _version(model, request.version, asked)
    return Target(
        model_id=model.pk,
        version_id=version.pk,
        signatures=tuple(version.signatures),
        asked_id=asked.pk if asked is not None else None,
        asked_slug=asked.slug if asked is not None else "",
        asked_state=asked.state if asked is not None else "",
        shared=frozenset((entry.owner.username, entry.slug) for entry in deployments if entry.is_shared),
    )


def _fits(deployment: Deployment, selector: dict[str, str], user: User) -> bool:
    """Whether a call with this selector would go to it: for its state and version alone, the gateway routes."""
    if "deployment_id" in selector:
        owner = selector.get("deployment_user_id") or user.username
        return (deployment.owner.username, deployment.slug) == (owner, selector["deployment_id"])
    if "nodepool_id" in selector:
        nodepools = [deployment.nodepool, *(placement.nodepool for placement in deployment.placements.all())]
        pair = (selector.get("compute_cluster_id"), selector["nodepool_id"])
        return any((nodepool.cluster.slug, nodepool.slug) == pair for nodepool in nodepools)
    return deployment.is_shared


def _version(model: Model, slug: str, asked: Deployment | None) -> ModelVersion:
    if slug:
        version = model.versions.filter(slug=slug).first()
    else:
        version = (asked.version if asked is not None else None) or model.latest
    if version is None:
        which = f"version {slug}" if slug else "version yet"
        raise NotFoundError(f"The model {model} has no {which}. Nothing was run.")
    return version


def _signature(request: Request, target: Target) -> MethodSignature:
    for signature in target.signatures:
        if signature.name == request.method:
            return signature
    name = request.subject[2]
    if not target.signatures:
        state = f" Its deployment is {target.asked_state}." if target.asked_state else ""
        raise DeployingError(f"The methods of {name} are not known before it has been loaded once.{state}")
    names = ", ".join(signature.name for signature in target.signatures)
    raise NotFoundError(f"{name} has no method {request.method!r}. It has {names}. Nothing was run.")


class Reader:
    """Opens the media that arguments name, as the user may see them, and remembers which those were."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.ids: set[str] = set()

    def fetcher(self, field: ModelTypeField) -> Callable[[str], bytes]:
        def fetch(media_id: str) -> bytes:
            if len(self.ids) >= _MAX_MEDIA_PER_CALL:
                raise InputError(f"A call takes at most {_MAX_MEDIA_PER_CALL} files.")
            reference = media.find(self.user, str(media_id))
            check_content(reference.content_type, reference.name, field)
            self.ids.add(reference.pk)
            with media.open_bytes(reference) as file:
                return file.read()

        return fetch


def check_content(content_type: str, name: str, field: ModelTypeField) -> None:
    """Raises InputError where a field for pictures, sounds or films is given something else."""
    wanted = {_MEDIA_KINDS[kind] for kind in _kinds(field) if kind in _MEDIA_KINDS}
    is_free = any(kind not in _MEDIA_KINDS for kind in _kinds(field) if kind not in {"LIST", "TUPLE"})
    if wanted and not is_free and not any(content_type.startswith(prefix) for prefix in wanted):
        what = "picture" if wanted == {"image/"} else " or ".join(sorted(prefix[:-1] for prefix in wanted))
        raise InputError(f"{name or 'The file'} is no {what}: its bytes look like {content_type}.")


def _kinds(field: ModelTypeField) -> Iterator[str]:
    yield type(field).DataType.Name(field.type)
    for inner in field.type_args:
        yield from _kinds(inner)


def read_arguments(signature: MethodSignature, request: Request, reader: Reader) -> tuple[dict[str, Any], list[Any]]:
    """The arguments as values, and those inputs of a stream that were given with the start."""
    streamed = stream_field(signature)
    fields = {field.name: field for field in signature.input_fields}
    values: dict[str, Any] = {}
    inputs: list[Any] = []
    for name, plain in request.arguments.items():
        field = fields.get(name)
        if field is None:
            raise unknown_argument(signature, name)
        if streamed is not None and name == streamed.name:
            inputs = _stream_inputs(plain, field, reader)
        else:
            values[name] = read_value(plain, field, reader.fetcher(field))
    # The SDK's own check, made here: nothing is sent, and the refusal names the field.
    bind(signature, (), values | ({streamed.name: inputs} if streamed is not None else {}))
    return values, inputs


def without_secrets(signature: MethodSignature, arguments: dict[str, Any]) -> dict[str, Any]:
    """The plain arguments as a run keeps them: a secret is used once, for its call, and stored nowhere."""
    fields = {field.name: field for field in signature.input_fields}
    kept = {name: plain for name, plain in arguments.items() if not is_secret(fields[name])}
    return {name: blanked(plain, fields[name]) for name, plain in kept.items()}


def blanked(plain: Any, field: ModelTypeField) -> Any:
    """A plain value whose secret parts are empty."""
    if is_secret(field):
        return ""
    if not holds_secret(field):
        return plain
    if isinstance(plain, list):  # a list's items, or a tuple's
        inners = [*field.type_args] * (1 if len(field.type_args) > 1 else len(plain))
        return [blanked(item, inner) for item, inner in zip(plain, inners, strict=False)]
    if isinstance(plain, dict) and len(plain) == 1 and (key := next(iter(plain))) in {"fields", "tuple"}:
        return {key: blanked(plain[key], field)}
    if not isinstance(plain, dict):
        return None
    inners_by_name = {inner.name: inner for inner in field.type_args}
    return {name: blanked(item, inners_by_name[name]) for name, item in plain.items() if name in inners_by_name}


def _stream_inputs(plain: Any, field: ModelTypeField, reader: Reader) -> list[Any]:
    if not isinstance(plain, list):
        raise InputError(f'argument "{field.name}" needs a list of inputs', argument=field.name)
    return [read_value(item, field, reader.fetcher(field)) for item in plain]


def read_value(plain: Any, field: ModelTypeField, fetch: Callable[[str], bytes]) -> Any:
    """The value of a plain argument. Raises InputError that names it, also where a file is not there."""
    try:
        return from_plain(plain, field, fetch)
    except PlaygroundError as error:
        raise InputError(error.message, argument=field.name) from None
