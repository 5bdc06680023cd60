"""What to ask about inputs and how to read the answers, touching no network: one function an act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from clarifai_grpc.grpc.api import resources_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import structs
from playground.protocol.errors import InputError, PlaygroundError, ServerError, from_status
from playground.protocol.values import Concept, Region
from playground.sdk.asks import Ask, ask, nothing, whose
from playground.sdk.calls import check
from playground.sdk.new_inputs import NAME_KEY, Kind, NewInput, concept_messages, write_metadata
from playground.sdk.resources import texts

State = Literal["ready", "waiting", "failed"]
_KINDS: tuple[Kind, ...] = ("image", "video", "audio", "text")
_STATES: dict[int, State] = {
    StatusCode.INPUT_DOWNLOAD_SUCCESS: "ready",
    StatusCode.INPUT_DOWNLOAD_PENDING: "waiting",
    StatusCode.INPUT_DOWNLOAD_IN_PROGRESS: "waiting",
}
_CODES: dict[State, int] = {
    "ready": StatusCode.INPUT_DOWNLOAD_SUCCESS,
    "waiting": StatusCode.INPUT_DOWNLOAD_PENDING,
    "failed": StatusCode.INPUT_DOWNLOAD_FAILED,
}
PER_PAGE = 128


class InputEdits(TypedDict, total=False):
    """What of an input can be changed."""

    concepts: Iterable[str | Concept]
    metadata: Mapping[str, Any] | Iterable[str]
    datasets: Iterable[str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Whose inputs: the app they are in."""

    app_id: str = "main"
    user_id: str = ""

    def to_proto(self) -> resources_pb2.UserAppIDSet:
        return whose(self.user_id, self.app_id)


@dataclass(frozen=True, slots=True)
class InputInfo:
    """An input as it is kept. ``url`` is where its bytes are, for a while; ``text`` is told by ``get`` alone.

    ``state`` is "waiting" while its address is being fetched; ``reason`` says why it failed.
    """

    id: str
    kind: Kind
    state: State
    reason: str
    name: str
    url: str
    text: str
    width: int
    height: int
    duration_seconds: float
    concepts: tuple[Concept, ...]
    regions: tuple[Region, ...]
    metadata: Mapping[str, Any]
    datasets: tuple[str, ...]
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What came of one of many: the input as it is kept now, or the error."""

    source: NewInput
    input: InputInfo | None = None
    error: PlaygroundError | None = None

    def result(self) -> InputInfo:
        """The input. Raises the error where there is none."""
        if self.error is not None or self.input is None:
            raise self.error or ServerError("Nothing came of it.")
        return self.input


def list_inputs(
    shelf: Shelf, *, ids: Iterable[str], state: State | None, page: int, per_page: int
) -> Ask[list[InputInfo]]:
    given = texts(ids, "ids")
    status = None if state is None else {"code": _CODES[state]}
    return ask(
        "ListInputs",
        lambda reply: [read_input(one) for one in reply.inputs],
        user_app_id=shelf.to_proto(),
        ids=given,
        status=status,
        page=page,
        per_page=per_page,
    )


def get_input(shelf: Shelf, input_id: str) -> Ask[InputInfo]:
    return ask("GetInput", lambda reply: read_input(reply.input), user_app_id=shelf.to_proto(), input_id=input_id)


def delete_inputs(shelf: Shelf, input_ids: Iterable[str]) -> Ask[None]:
    return ask("DeleteInputs", nothing, user_app_id=shelf.to_proto(), ids=input_ids)


def edit_input(
    shelf: Shelf, input_id: str, action: Literal["merge", "overwrite", "remove"], edits: InputEdits
) -> Ask[InputInfo]:
    """What ``edits`` do not tell of stays as it is."""
    if not input_id:
        raise InputError("Say which input: its id is empty.")
    message = resources_pb2.Input(id=input_id, dataset_ids=texts(edits.get("datasets", ()), "datasets"))
    message.data.concepts.extend(concept_messages(edits.get("concepts", ())))
    metadata = edits.get("metadata", {})
    write_metadata(message.data, metadata if isinstance(metadata, Mapping) else dict.fromkeys(metadata, ""))
    return ask(
        "PatchInputs",
        lambda reply: read_input(reply.inputs[0]),
        user_app_id=shelf.to_proto(),
        inputs=[message],
        action=action,
    )


# --- uploads -------------------------------------------------------------------------------------------------------


def upload(shelf: Shelf, source: NewInput) -> Ask[InputInfo]:
    return ask(
        "PostInputs",
        lambda reply: read_input(reply.inputs[0]),
        user_app_id=shelf.to_proto(),
        inputs=[source.to_proto()],
    )


class Batch:
    """Some of many: those that can be sent, and why the others cannot. Making one reads their files."""

    def __init__(self, sources: Sequence[NewInput]) -> None:
        self._sources = sources
        self._unsent: dict[int, PlaygroundError] = {}
        self._messages: list[resources_pb2.Input] = []
        for number, source in enumerate(sources):
            try:
                self._messages.append(source.to_proto())
            except PlaygroundError as error:
                self._unsent[number] = error

    def ask(self, shelf: Shelf) -> Ask[list[Uploaded]] | None:
        """None where nothing can be sent."""
        if not self._messages:
            return None
        return ask(
            "PostInputs",
            lambda reply: self.outcome(list(reply.inputs)),
            check=_check_batch,
            user_app_id=shelf.to_proto(),
            inputs=self._messages,
        )

    def outcome(self, messages: Sequence[resources_pb2.Input], error: PlaygroundError | None = None) -> list[Uploaded]:
        """For each source, in their order; ``error`` is of those that the reply does not tell about."""
        told = iter(messages)
        found = []
        for number, source in enumerate(self._sources):
            message = None if number in self._unsent else next(told, None)
            if message is None:
                missing = error or ServerError("The reply does not tell what came of it.")
                found.append(Uploaded(source, error=self._unsent.get(number, missing)))
            elif message.status.code in _STATES:
                found.append(Uploaded(source, read_input(message)))
            else:
                found.append(Uploaded(source, error=from_status(message.status)))
        return found


def _check_batch(reply: Any) -> None:
    """Where the reply tells of each input, those that failed do not stand in the way of the others."""
    if not reply.inputs:
        check(reply)


# --- reading -------------------------------------------------------------------------------------------------------


def read_input(message: resources_pb2.Input) -> InputInfo:
    data, kind = message.data, _kind(message.data)
    medium = getattr(data, kind)
    info = getattr(medium, f"{kind}_info")
    metadata = structs.read_struct(data.metadata)
    state = _STATES.get(message.status.code, "failed")
    return InputInfo(
        id=message.id,
        kind=kind,
        state=state,
        reason=message.status.details or message.status.description if state == "failed" else "",
        name=str(metadata.get(NAME_KEY, "")),
        url=medium.url,
        text=data.text.raw,
        width=getattr(info, "width", 0),
        height=getattr(info, "height", 0),
        duration_seconds=getattr(info, "duration_seconds", 0.0),
        concepts=tuple(Concept.from_proto(one) for one in data.concepts),
        regions=tuple(Region.from_proto(one) for one in data.regions),
        metadata=metadata,
        datasets=tuple(message.dataset_ids),
        created_at=message.created_at.ToDatetime(tzinfo=UTC),
        modified_at=message.modified_at.ToDatetime(tzinfo=UTC),
    )


def _kind(data: resources_pb2.Data) -> Kind:
    return next((kind for kind in _KINDS if data.HasField(kind)), "text")
