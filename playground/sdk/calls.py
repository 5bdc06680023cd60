"""What to ask and how to read the answer: pure, no network. Both faces of the SDK, sync and async, stand on it."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import codec, signatures
from playground.protocol.errors import (
    ConfigError,
    DeadlineError,
    DeployingError,
    InputError,
    OverloadedError,
    PlaygroundError,
    ServerError,
    UnavailableError,
    from_status,
)
from playground.protocol.signatures import MethodKind

Signature: TypeAlias = resources_pb2.MethodSignature
Data: TypeAlias = resources_pb2.Data
Request: TypeAlias = service_pb2.PostModelOutputsRequest
Reply: TypeAlias = service_pb2.MultiOutputResponse

UNARY_SECONDS = 600.0
STREAM_SECONDS = 3600.0
MAX_BATCH = 128
GET_SIGNATURES = "_GET_SIGNATURES"
SUCCESS = int(StatusCode.SUCCESS)


# --- where a call goes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Which model. An empty user is the token's owner, an empty version the latest."""

    model_id: str
    user_id: str = ""
    app_id: str = "main"
    version_id: str = ""


def parse_reference(text: str) -> ModelAddress:
    """``MODEL``, ``APP/MODEL``, ``USER/APP/models/MODEL[/versions/VERSION]``, or the address of such a page."""
    path = urlsplit(text).path if "://" in text else text.partition("?")[0]
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 4 and parts[-2] == "models":
        return ModelAddress(parts[-1], user_id=parts[-4], app_id=parts[-3])
    if len(parts) >= 6 and parts[-4] == "models":
        return ModelAddress(parts[-3], user_id=parts[-6], app_id=parts[-5], version_id=parts[-1])
    if "://" not in text and len(parts) == 1:
        return ModelAddress(parts[0])
    if "://" not in text and len(parts) == 2:
        return ModelAddress(parts[1], app_id=parts[0])
    raise InputError(f"{text!r} names no model: give it like hello, main/hello or owner/main/models/hello.")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which deployment, or which nodepool's deployment. All empty: the shared one."""

    deployment_id: str = ""
    deployment_user_id: str = ""
    compute_cluster_id: str = ""
    nodepool_id: str = ""

    def check(self) -> Selector:
        """Half a pair or both kinds are refused before anything is sent: a selector is never dropped silently."""
        if self.deployment_id and (self.compute_cluster_id or self.nodepool_id):
            raise InputError("Give either deployment_id, or compute_cluster_id and nodepool_id; not both.")
        if bool(self.compute_cluster_id) != bool(self.nodepool_id):
            missing = "nodepool_id" if self.compute_cluster_id else "compute_cluster_id"
            raise InputError(f"A nodepool is named by compute_cluster_id and nodepool_id: {missing} is missing.")
        if self.deployment_user_id and not (self.deployment_id or self.nodepool_id):
            raise InputError("A user was named, but neither a deployment nor a nodepool of theirs.")
        return self

    def override(self, **given: str | None) -> Selector:
        """This one with what is given per call. Another kind of selector takes this one's place."""
        news = {name: value for name, value in given.items() if value is not None}
        if news.get("deployment_id") or news.get("compute_cluster_id") or news.get("nodepool_id"):
            return Selector(**news).check()
        return replace(self, **news).check()

    def to_proto(self) -> resources_pb2.RunnerSelector | None:
        if self.deployment_id:
            deployment = resources_pb2.Deployment(id=self.deployment_id, user_id=self.deployment_user_id)
            return resources_pb2.RunnerSelector(deployment=deployment)
        if self.nodepool_id:
            cluster = resources_pb2.ComputeCluster(id=self.compute_cluster_id, user_id=self.deployment_user_id)
            nodepool = resources_pb2.Nodepool(id=self.nodepool_id, compute_cluster=cluster)
            return resources_pb2.RunnerSelector(nodepool=nodepool)
        return None


def make_header(
    address: ModelAddress,
    selector: Selector,
    *,
    inference_params: Mapping[str, Any] | None = None,
    output_config: Mapping[str, Any] | None = None,
) -> bytes:
    """Everything of a request but its inputs, serialized. Protobuf's concatenation is a merge, so a call appends its
    inputs' bytes and builds no header of its own."""
    request = Request(
        user_app_id=resources_pb2.UserAppIDSet(user_id=address.user_id, app_id=address.app_id),
        model_id=address.model_id,
        version_id=address.version_id,
        runner_selector=selector.to_proto(),
    )
    if inference_params or output_config:
        request.model.CopyFrom(_make_model(address, inference_params, output_config))
    return bytes(request.SerializeToString())


def _make_model(
    address: ModelAddress, params: Mapping[str, Any] | None, config: Mapping[str, Any] | None
) -> resources_pb2.Model:
    model = resources_pb2.Model(id=address.model_id, user_id=address.user_id, app_id=address.app_id)
    model.model_version.id = address.version_id
    info = model.model_version.output_info
    try:
        info.params.update(dict(params or {}))
        info.output_config.CopyFrom(resources_pb2.OutputConfig(**(config or {})))
    except (ValueError, TypeError) as error:
        raise InputError(f"inference_params or output_config cannot be sent: {error}") from None
    return model


def make_request(header: bytes, *inputs: Data) -> bytes:
    """The whole request. Framed by hand, as nesting messages in messages would copy a picture twice more."""
    return b"".join([header, *(_frame(_INPUTS, _frame(_DATA, data.SerializeToString())) for data in inputs)])


def _tag(message: Any, field: str) -> bytes:
    number = message.DESCRIPTOR.fields_by_name[field].number
    return bytes([number << 3 | 2])  # a length-delimited field of a number below 16


_INPUTS = _tag(Request, "inputs")
_DATA = _tag(resources_pb2.Input, "data")


def _frame(tag: bytes, content: bytes) -> bytes:
    length, size = bytearray(), len(content)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return tag + length + content


# --- what came back ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServedBy:
    """Where a call ran, and how long it waited there before it began, where that is worth telling."""

    deployment_id: str = ""
    deployment_user_id: str = ""
    nodepool_id: str = ""
    compute_cluster_id: str = ""
    runner_id: str = ""
    queued_ms: float = field(default=0.0, compare=False)


class Answer(NamedTuple):
    """One output and what is known about it. Counts are 0 where the model gave none.

    ``answers`` is of a stream: the number, from 1, of the last input that the model had taken; 0 where nobody says.

    A tuple, because one is made for every piece of a stream: a frozen dataclass takes three times as long.
    """

    value: Any
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    served_by: ServedBy | None
    request_id: str
    data: Data
    answers: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A model is on its way up: its ``state`` (such as ``building``), what the gateway says, seconds waited so far."""

    state: str
    message: str
    waited_seconds: float


def check(reply: Any) -> None:
    """Raises the error that a reply's in-band status stands for, with where the call had got to."""
    if reply.status.code != SUCCESS:
        error = from_status(reply.status)
        if isinstance(reply, service_pb2.MultiOutputResponse):
            error.served_by = read_served_by(reply)
        raise error


def holds_something(reply: Reply) -> bool:
    """Whether a stream's reply is a piece or a failure, rather than an end that only says where the call ran."""
    return bool(reply.outputs) or reply.status.code != SUCCESS


def split(reply: Reply) -> list[Reply]:
    """A reply for each piece of a stream's reply that holds several."""
    where = reply.runner_selector if reply.HasField("runner_selector") else None
    return [Reply(status=reply.status, outputs=[output], runner_selector=where) for output in reply.outputs]


def first_output(reply: Reply) -> resources_pb2.Output:
    """The one output of a good reply."""
    check(reply)
    if not reply.outputs:
        raise ServerError("The reply says success and holds no output.", call_id=reply.status.req_id)
    output = reply.outputs[0]
    if output.status.code not in (SUCCESS, 0):
        raise _output_error(output, reply)
    return output


def _output_error(output: resources_pb2.Output, reply: Reply) -> PlaygroundError:
    error = from_status(output.status)
    error.call_id = error.call_id or reply.status.req_id
    return error


def read_value(signature: Signature, reply: Reply) -> Any:
    return codec.decode_output(signature, first_output(reply).data)


def read_batch(signature: Signature, reply: Reply, *, count: int) -> list[Any]:
    first_output(reply)
    if len(reply.outputs) != count:
        raise ServerError(
            f"{count} inputs were sent and {len(reply.outputs)} outputs came back.", call_id=reply.status.req_id
        )
    for output in reply.outputs:
        if output.status.code not in (SUCCESS, 0):
            raise _output_error(output, reply)
    return [codec.decode_output(signature, output.data) for output in reply.outputs]


def read_answer(signature: Signature, reply: Reply, *, served_by: ServedBy | None = None) -> Answer:
    """The whole answer; ``served_by`` is what is known of it from an earlier piece of the same call."""
    output = first_output(reply)
    data = output.data
    return Answer(
        value=codec.decode_output(signature, data),
        prompt_tokens=output.prompt_tokens,
        completion_tokens=output.completion_tokens,
        cached_tokens=output.cached_tokens,
        served_by=served_by or read_served_by(reply),
        request_id=reply.status.req_id,
        data=data,
        answers=_answered(output) if output.HasField("input") else 0,
    )


def _answered(output: resources_pb2.Output) -> int:
    name = output.input.id
    return int(name) if name.isascii() and name.isdigit() and len(name) < 10 else 0


class AnswerReader:
    """Reads a stream's answers: they all come from one place, so that is read once."""

    def __init__(self) -> None:
        self._served_by: ServedBy | None = None

    def read(self, signature: Signature, reply: Reply) -> Answer:
        answer = read_answer(signature, reply, served_by=self._served_by)
        self._served_by = answer.served_by
        return answer


def read_served_by(reply: Reply) -> ServedBy | None:
    if not reply.HasField("runner_selector"):
        return None
    selector = reply.runner_selector
    nodepool = selector.nodepool
    if not nodepool.id and selector.deployment.nodepools:
        nodepool = selector.deployment.nodepools[0]
    return ServedBy(
        deployment_id=selector.deployment.id,
        deployment_user_id=selector.deployment.user_id,
        nodepool_id=nodepool.id,
        compute_cluster_id=nodepool.compute_cluster.id,
        runner_id=selector.runner.id,
        queued_ms=_queued(selector.runner),
    )


def _queued(runner: resources_pb2.Runner) -> float:
    if not runner.HasField("metadata"):
        return 0.0
    value = runner.metadata.fields["queued_ms"].number_value
    return float(value) if 0 <= value < math.inf else 0.0


# --- a model's methods ---------------------------------------------------------------------------------------------


def ask_version(address: ModelAddress) -> bytes:
    """GetModelVersion, whose reply holds the signatures."""
    user_app = resources_pb2.UserAppIDSet(user_id=address.user_id, app_id=address.app_id)
    request = service_pb2.GetModelVersionRequest(
        user_app_id=user_app, model_id=address.model_id, version_id=address.version_id
    )
    return bytes(request.SerializeToString())


def read_version(reply: service_pb2.SingleModelVersionResponse) -> dict[str, Signature]:
    """Signatures by name, in the order the author declared them; empty where the far side has none (yet)."""
    check(reply)
    return {signature.name: signature for signature in reply.model_version.method_signatures}


def ask_signatures(header: bytes) -> bytes:
    data = Data(parts=[resources_pb2.Part()])
    data.metadata["_method_name"] = GET_SIGNATURES
    return make_request(header, data)


def read_signatures(reply: Reply) -> dict[str, Signature]:
    if reply.status.code == StatusCode.INPUT_UNSUPPORTED_FORMAT:
        return {}  # a model from before methods: only the by_* calls reach it
    text = first_output(reply).data.text.raw
    return signatures.signatures_from_json(text) if text else {}


def describe(signature: Signature) -> str:
    """A method's signature as Python would write it."""
    declared = f"def {signature.name}{signatures.python_signature(signature)}"
    return declared.replace("collections.abc.", "").replace("playground.protocol.values.", "")


@dataclass(frozen=True, slots=True)
class Method:
    """A signature and what follows from it, worked out once."""

    signature: Signature
    kind: MethodKind
    stream_name: str

    @classmethod
    def of(cls, signature: Signature) -> Method:
        field = signatures.stream_field(signature)
        return cls(
            signature=signature,
            kind=signatures.kind_of(signature),
            stream_name=field.name if field else "",
        )

    @property
    def help(self) -> inspect.Signature:
        """As Python would show it; made when asked for, since calls need it not."""
        return signatures.python_signature(self.signature)

    def split(self, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """The plain arguments, and the iterable given for the stream."""
        plain = dict(arguments)
        if self.stream_name not in plain:
            raise InputError(f"{self.signature.name}: {self.stream_name} is missing; give any iterable.")
        return plain, check_items(plain.pop(self.stream_name), self.stream_name)


def as_batch(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The dicts of a batch, one call's arguments each; ``None`` where the list is an ordinary value (chat messages)."""
    if kwargs or len(args) != 1 or not isinstance(args[0], list) or not args[0]:
        return None
    if not all(isinstance(one, dict) for one in args[0]) or not signature.input_fields:
        return None
    names = {field.name for field in signature.input_fields}
    takes_list = signature.input_fields[0].type in {
        resources_pb2.ModelTypeField.DataType.JSON_DATA,
        resources_pb2.ModelTypeField.DataType.LIST,
    }
    if takes_list and not all(one and names.issuperset(one) for one in args[0]):
        return None
    if len(args[0]) > MAX_BATCH:
        raise InputError(f"{len(args[0])} inputs in one batch: at most {MAX_BATCH} go together.")
    return args[0]


def encode_batch(signature: Signature, batch: Iterable[Mapping[str, Any]]) -> list[Data]:
    return [codec.encode_arguments(signature, signatures.bind(signature, (), one)) for one in batch]


def check_items(items: Any, name: str) -> Any:
    """An iterable or async iterable of inputs; a lone text or mapping is taken for the mistake it is."""
    if isinstance(items, (str, bytes, bytearray, Mapping)):
        raise InputError(f"{name} takes many inputs: give a list, a generator, or any other iterable of them.")
    if not isinstance(items, Iterable) and not hasattr(items, "__aiter__"):
        raise InputError(f"{name} takes an iterable of inputs, not {type(items).__name__}.")
    return items


class ItemEncoder:
    """Turns a stream's inputs into requests: the first carries the other arguments too."""

    def __init__(self, header: bytes, signature: Signature, arguments: Mapping[str, Any]) -> None:
        self._header = header
        self._signature = signature
        self._arguments = arguments
        self.count = 0

    def encode(self, item: Any) -> bytes:
        self.count += 1
        if self.count == 1:
            return make_request(self._header, codec.encode_arguments(self._signature, self._arguments, item=item))
        return make_request(self._header, codec.encode_stream_item(self._signature, item))

    def finish(self) -> bytes | None:
        """What is left to send when the inputs have ended: the arguments, where there was no input at all."""
        if self.count:
            return None
        return make_request(self._header, codec.encode_arguments(self._signature, self._arguments))


# --- patience ------------------------------------------------------------------------------------------------------


STATES = ("pending", "building", "starting", "ready", "scaled to zero", "draining", "failed")
# Seconds before each further try of what is not on its way up but may pass.
RETRY_WAITS: dict[type[PlaygroundError], tuple[float, ...]] = {
    OverloadedError: (0.1, 0.25, 0.5, 1.0, 2.0),
    UnavailableError: (0.1, 0.4),
}
POLL_FIRST, POLL_MOST, POLL_GROWTH = 0.25, 2.0, 1.4
# Never tried again by itself: what failed to start, and what may have ended the model that it was asked of.
_FINAL = frozenset({StatusCode.MODEL_DEPLOYMENT_FAILED, StatusCode.RUNNER_PROCESSING_FAILED})


class Patience:
    """How long a call is tried: polls while a model is deployed, a few tries for what may pass, never past the end."""

    def __init__(self, seconds: float) -> None:
        self.began = time.monotonic()
        self.seconds = seconds
        self._polls = 0
        self._tries: dict[type[PlaygroundError], int] = {}

    def left(self) -> float:
        return max(self.seconds - (time.monotonic() - self.began), 0.001)

    def waited(self) -> float:
        return time.monotonic() - self.began

    def pause_after(self, error: PlaygroundError, on_wait: Callable[[Waiting], None] | None) -> float:
        """Seconds to wait before the next try, of which ``on_wait`` is told; raises the error where there is none."""
        pause = self._next_pause(error)
        if pause is None:
            raise error
        if self.waited() + pause < self.seconds:
            if on_wait is not None and isinstance(error, DeployingError):
                on_wait(self._describe(error))
            return pause
        if isinstance(error, DeployingError):
            late = f"The model was not ready within {self.seconds:g} s: {error.message}"
            raise DeadlineError(late, call_id=error.call_id) from error
        raise error

    def _next_pause(self, error: PlaygroundError) -> float | None:
        if not error.retryable or error.code in _FINAL:
            return None
        if isinstance(error, DeployingError):
            self._polls += 1
            return float(min(POLL_FIRST * POLL_GROWTH ** (self._polls - 1), POLL_MOST))
        tried = self._tries[type(error)] = self._tries.get(type(error), 0) + 1
        waits = RETRY_WAITS.get(type(error), ())
        return waits[tried - 1] if tried <= len(waits) else None

    def _describe(self, error: DeployingError) -> Waiting:
        said = {part.strip(" .").lower() for part in error.message.split(":")}
        state = next((state for state in STATES if state in said), "deploying")
        return Waiting(state, error.message, self.waited())


def check_seconds(seconds: float) -> float:
    if not seconds > 0:
        raise ConfigError(f"A time limit of {seconds!r} s leaves no time: give seconds above zero.")
    return float(seconds)


def join(pieces: list[Any]) -> Any:
    """Pieces as one whole: a text where all are texts, else the list of them."""
    return "".join(pieces) if pieces and all(isinstance(piece, str) for piece in pieces) else pieces
