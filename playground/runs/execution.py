"""One run: prepares its call, makes it through the SDK, and turns what comes into events on its tail.

It is a task of the server's loop. Sockets come and go beside it; only ``stop`` and the limits end it early.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings

from playground.compute.models import Deployment
from playground.media import services as media
from playground.protocol.errors import (
    ConflictError,
    DeadlineError,
    InputError,
    ModelError,
    PlaygroundError,
    ServerError,
    UnavailableError,
)
from playground.protocol.pipes import UNKNOWN
from playground.protocol.plain import to_plain
from playground.protocol.signatures import MethodKind
from playground.runs import bounds, events, inputs, requests, services, words
from playground.runs.events import Figures
from playground.runs.inputs import Inputs
from playground.runs.models import Run
from playground.runs.tail import Tail
from playground.runs.writer import Journal, Writer
from playground.sdk import ServedBy
from playground.sdk.pipes import ask_fate, call_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from uuid import UUID

    from clarifai_grpc.grpc.api.resources_pb2 import ModelTypeField

    from playground.catalog.models import User
    from playground.runs.inputs import Given
    from playground.runs.requests import Prepared, Request
    from playground.sdk import Answer, AsyncClient, AsyncModel, Waiting

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
FATE_SECONDS = 2.0  # what does not stop within that is said not to
_STOP = "stop"
# Values of these are plain as they are, or nearly: turned on the loop. All others carry bytes: turned in a thread.
_LIGHT = frozenset({"STR", "INT", "FLOAT", "BOOL", "JSON_DATA", "TEXT", "CONCEPT", "LIST", "TUPLE"})


class LiveRun:
    """A run of this process, from its start until it is stored."""

    def __init__(
        self,
        user: User,
        request: Request,
        *,
        worker: str,
        client: AsyncClient,
        writer: Writer,
        in_thread: Callable[..., Awaitable[Any]],
        on_refused: Callable[[LiveRun, Exception], None],
    ) -> None:
        self.user = user
        self.user_pk: int = user.pk  # read once: a socket's user is a lazy object, and slow to look at
        self.request = request
        self.tail = Tail(request.run_id)
        self.figures = Figures()
        self._worker = worker
        self._client = client
        self._writer = writer
        self._in_thread = in_thread
        self._on_refused = on_refused
        self._prepared: Prepared | None = None
        self._journal: Journal | None = None
        self._is_prepared = asyncio.Event()
        self._inputs = Inputs(is_open=request.is_input_open)
        self._given = 0
        self._is_passing = False
        self._reason_to_end = ""
        self._is_light = True
        self._media_bytes = 0
        self._had_items = 0  # of a list that was cut
        self._served: ServedBy | None = None
        self._call_id = ""
        self.task = asyncio.create_task(self._run(), name=f"run {request.run_id}")

    @property
    def id(self) -> UUID:
        return self.request.run_id

    @property
    def is_ended(self) -> bool:
        return self.tail.is_ended

    @property
    def has_open_input(self) -> bool:
        return self._inputs.is_open

    # What sockets and the server ask for.

    def stop(self) -> None:
        """Cancel the call, down to the model's own loop. One that has finished stays finished."""
        if self._journal is not None and not self.is_ended and not self._reason_to_end:
            self._append(events.STOPPING, events.stopping())
        self._end(_STOP)

    def abandon(self) -> None:
        """The server stops: end as failed, keeping what arrived. One that is being stopped is not waited for."""
        if self._reason_to_end == _STOP and not self.is_ended:
            self.task.cancel()
        self._end("server")

    def _end(self, reason: str) -> None:
        if not self.is_ended and not self._reason_to_end:
            self._reason_to_end = reason
            self.task.cancel()

    async def give(self, given: Given) -> None:
        """One more input for the model's stream. Raises ConflictError, OverloadedError, InputError."""
        await self._is_prepared.wait()
        if self._prepared is None or not self.has_open_input or self.is_ended:
            raise ConflictError("This run takes no more inputs.")
        signature = self._prepared.signature
        if isinstance(given.plain, str):
            self._inputs.put(inputs.read(self.user, signature, given))
        else:
            self._inputs.put(await self._in_thread(inputs.read, self.user, signature, given))

    def close_input(self) -> None:
        """No more inputs will come; the model's answers go on."""
        self._inputs.close()

    # The task.

    async def _run(self) -> None:
        try:
            await self._execute()
        except asyncio.CancelledError:
            await self._end_early()
        except requests.AlreadyStarted as repetition:
            self._on_refused(self, repetition)
        except PlaygroundError as error:
            self._fail(error)
        except Exception:  # the door of a run: whatever it was, the run ends and says so
            call_id = secrets.token_hex(8)
            logger.exception("Run %s broke (request id %s)", self.id, call_id)
            self._fail(ServerError("Something failed inside the server. Its log says what.", call_id=call_id))
        finally:
            self._is_prepared.set()

    async def _execute(self) -> None:
        call_name.set(str(self.id))
        await self._begin()
        self._is_prepared.set()
        try:
            async with asyncio.timeout(settings.RUN_MAX_SECONDS):
                await self._answer()
        except DeadlineError:
            raise
        except TimeoutError:
            hours = settings.RUN_MAX_SECONDS / 3600
            raise DeadlineError(f"The run took longer than {hours:g} h, so it was stopped. {self._kept()}") from None
        self._close(Run.State.FINISHED, events.FINISHED, events.finished(self._measured()))

    async def _begin(self) -> None:
        """Look up and check what the call needs, then open the journal: from there on it is a run."""
        self._prepared = prepared = await self._in_thread(requests.prepare, self.user, self.request)
        self._is_light = _is_light(prepared.output_field)
        arguments = requests.without_secrets(prepared.signature, self.request.arguments)
        target = prepared.target
        row = self._row(arguments, model_id=target.model_id, version_id=target.version_id)
        self._open_journal(row, prepared.media_ids)
        asked = self.request.selector
        self._append(events.STARTED, events.started(method=self.request.method, asked=asked, state=target.asked_state))

    def _row(self, arguments: dict[str, Any], **subject: int) -> Run:
        request = self.request
        return Run(
            id=request.run_id,
            user_id=self.user_pk,
            method=request.method,
            arguments=arguments,
            selector=request.selector,
            worker=self._worker,
            asked=words.first_words(arguments),
            searched=words.asked_text(request.method, arguments),
            **subject,
        )

    def _open_journal(self, row: Run, media_ids: frozenset[str]) -> None:
        self._journal = Journal(row, self.tail, media_ids, urge=self._writer.urge)

    async def _answer(self) -> None:
        assert self._prepared is not None
        await self._call(self._prepared)

    async def _call(self, prepared: Prepared) -> None:
        model, method = self._model(prepared), self.request.method
        deadline = settings.RUN_MAX_SECONDS + 5.0  # our own limit comes first, and says so in its own words
        if prepared.kind is MethodKind.UNARY:
            await self._take(await model.call(method, prepared.arguments, deadline=deadline, on_wait=self._wait))
            return
        inputs = self._all_inputs(prepared) if prepared.kind is MethodKind.STREAM else None
        watch = asyncio.create_task(self._watch(prepared)) if inputs is not None else None
        try:
            async with model.open_stream(
                method, prepared.arguments, inputs=inputs, deadline=deadline, on_wait=self._wait
            ) as stream:
                async for answer in stream:
                    await self._take(answer)
        finally:
            self._inputs.is_open = False
            if watch is not None:
                watch.cancel()

    def _model(self, prepared: Prepared) -> AsyncModel:
        user_id, app_id, model_id = self.request.subject
        return self._client.model(
            user_id=user_id,
            app_id=app_id,
            model_id=model_id,
            version_id=self.request.version,
            signatures=prepared.target.signatures,
            **self.request.selector,
        )

    async def _all_inputs(self, prepared: Prepared) -> AsyncIterator[Any]:
        kept = prepared.given(requests.without_secrets(prepared.signature, self.request.arguments))
        for value, plain in zip(prepared.inputs, kept, strict=True):
            self._note_input({"value": plain})
            yield value
        async for entry in self._inputs:
            self._note_input(entry.facts)
            if self._journal is not None:
                self._journal.media_ids.extend(entry.media_ids)
            yield entry.value

    def _note_input(self, facts: events.Fields) -> None:
        self._append(events.INPUT, events.given(self._given, facts))
        self._given += 1

    # What comes back.

    async def _take(self, answer: Answer) -> None:
        figures = self.figures
        value = answer.value
        if type(value) is str:
            value = value[: max(0, settings.RUN_MAX_TEXT_BYTES - self.tail.size)]
            figures.characters += len(value)
        else:
            value = await self._plain(value)
        if self._served is None and answer.served_by is not None:
            self._route(answer.served_by)
        if figures.first_output_ms is None:
            figures.first_output_ms = round(self.tail.elapsed_ms(), 2)
        figures.prompt_tokens = max(figures.prompt_tokens, answer.prompt_tokens)
        made = figures.completion_tokens
        figures.completion_tokens = max(made, answer.completion_tokens)
        figures.outputs += 1
        news = figures.completion_tokens if figures.completion_tokens > made else 0
        of = answer.answers - 1 if answer.answers else None
        self._append(events.OUTPUT, events.output(figures.outputs - 1, value, news, of))
        self._check_size()

    def _check_size(self) -> None:
        """Raises ModelError past what one run may keep, of text or of media; what is live goes on, and is not kept."""
        if self._inputs.is_live and not self._is_passing and self.tail.size > settings.RUN_MAX_TEXT_BYTES / 2:
            self._append(events.PASSING, events.passing(self.figures.outputs))
            self._is_passing = True
        for size, limit in (
            (self.tail.size, settings.RUN_MAX_TEXT_BYTES),
            (self._media_bytes, settings.RUN_MAX_MEDIA_BYTES),
        ):
            if size > limit:
                raise ModelError(f"The answer grew past {limit // 2**20} MB, so the model was stopped. {self._kept()}")
        if self._had_items:
            kept, had = f"{bounds.MAX_ITEMS:,}", f"{self._had_items:,}"
            raise ModelError(f"A list of the answer has {had} items, and a run keeps {kept}: the first ones are kept.")

    async def _plain(self, value: Any) -> Any:
        assert self._prepared is not None
        return await self._as_plain(value, self._prepared.output_field)

    async def _as_plain(self, value: Any, field: ModelTypeField) -> Any:
        if self._is_light and bounds.is_small(value):
            plain = to_plain(value, field, self._keep)
        else:
            plain = await self._in_thread(self._bounded, value, field)
        if isinstance(plain, dict) and isinstance(text := plain.get("text"), str):
            self.figures.characters += len(text)
        return plain

    def _bounded(self, value: Any, field: ModelTypeField) -> Any:
        """The plain value, or the file it is kept in where events cannot hold it; runs in a thread."""
        value, had = bounds.shorten(value, field)
        self._had_items = max(self._had_items, had)
        room = max(settings.RUN_MAX_TEXT_BYTES - self.tail.size, 0)
        return bounds.within(to_plain(value, field, self._keep), room, self._keep)

    def _keep(self, data: bytes, content_type: str) -> str:
        """Store the bytes of an output; runs in a thread."""
        self._media_bytes += len(data)
        name = f"output.{content_type.rpartition('/')[2].removeprefix('x-')}"
        said = content_type if content_type == bounds.JSON else ""
        made = media.store_answer(data, self.user, name, content_type=said).pk
        if self._journal is not None:
            self._journal.media_ids.append(made)
        return made

    def _route(self, served: ServedBy) -> None:
        assert self._prepared is not None
        self._served = served
        where = {
            "deployment_id": served.deployment_id,
            "nodepool_id": served.nodepool_id,
            "compute_cluster_id": served.compute_cluster_id,
            "is_shared": (served.deployment_user_id, served.deployment_id) in self._prepared.target.shared,
        }
        asked = self.request.selector
        names = ("deployment_id", "nodepool_id", "compute_cluster_id")
        as_asked = all(where[name] == asked[name] for name in names if name in asked) if asked else where["is_shared"]
        if "nodepool_id" in asked:  # it may be on another of its nodepools
            as_asked = as_asked or served.deployment_id == self._prepared.target.asked_slug
        as_asked = as_asked and asked.get("deployment_user_id", served.deployment_user_id) == served.deployment_user_id
        if self._journal is not None:
            self._journal.served_by = where
        told = events.routed(served_by=where, as_asked=bool(as_asked), queued_ms=served.queued_ms)
        self._append(events.ROUTED, told)

    # Waiting for a deployment.

    def _wait(self, waiting: Waiting) -> None:
        self._say_deploying(str(waiting.state), waiting.message, waiting.waited_seconds)

    async def _watch(self, prepared: Prepared) -> None:
        """A stream is held by the gateway until its deployment is ready: meanwhile say how that stands."""
        if prepared.target.asked_id is None:
            return
        while self._served is None:
            await asyncio.sleep(WATCH_SECONDS)
            state, reason = await self._in_thread(_read_state, prepared.target.asked_id)
            if self._served is None and state != Deployment.State.READY:
                self._say_deploying(state, reason, self.tail.elapsed_ms() / 1000)

    def _say_deploying(self, state: str, reason: str, waited: float) -> None:
        name = self._prepared.target.asked_slug if self._prepared is not None else ""
        name = name or self.request.selector.get("deployment_id", "")
        self._append(events.DEPLOYING, events.deploying(deployment=name, state=state, reason=reason, waited_s=waited))

    # The end.

    async def _end_early(self) -> None:
        if self._reason_to_end == _STOP:
            figures = self._measured()
            fate = await self._fate() if self._journal is not None else ""
            self._close(Run.State.STOPPED, events.STOPPED, events.stopped(figures, fate))
        else:
            self._fail(UnavailableError(f"The server was stopped while this run went on. {self._kept()}"))

    async def _fate(self) -> str:
        """Whether the model has stopped computing, as the gateway hears it from the runner."""
        try:
            return (await ask_fate(self._client, str(self.id), FATE_SECONDS)).decode()
        except asyncio.CancelledError:  # the server stops as well
            return UNKNOWN.decode()

    def _fail(self, error: PlaygroundError) -> None:
        if self._journal is None:
            self._on_refused(self, error)
            return
        if self._served is None and isinstance(error.served_by, ServedBy):
            self._route(error.served_by)
        described = events.describe_error(error)
        self._call_id = self._call_id or error.call_id
        fields = events.failed(described, self._measured())
        self._close(Run.State.FAILED, events.FAILED, fields, error=described)

    def _measured(self) -> Figures:
        self.figures.total_ms = round(self.tail.elapsed_ms(), 2)
        return self.figures

    def _kept(self) -> str:
        return "What arrived is kept." if self.figures.outputs else "Nothing had arrived."

    def _close(self, state: str, kind: str, fields: events.Fields, **more: Any) -> None:
        if self._journal is None:  # stopped before it was prepared: there is nothing to keep
            self._on_refused(self, InputError("Stopped before it began. Nothing was run."))
            return
        logger.info("%s: run %s: %s", self._call_id or "no answer", self.id, state)
        self._journal.outcome = {"state": state, **services.row_figures(self.figures), **more}
        self._append(kind, fields)

    def _append(self, kind: str, fields: events.Fields) -> None:
        if self._is_passing and kind in (events.INPUT, events.OUTPUT):
            self.tail.pass_on(kind, fields)
            return
        self.tail.append(kind, fields)
        if self._journal is not None:
            self._writer.note(self._journal)


def _is_light(field: ModelTypeField) -> bool:
    return type(field).DataType.Name(field.type) in _LIGHT and all(_is_light(inner) for inner in field.type_args)


def _read_state(deployment_pk: int) -> tuple[str, str]:
    row = Deployment.objects.filter(pk=deployment_pk).values_list("state", "reason").first()
    return (row[0], row[1]) if row is not None else ("", "The deployment was deleted.")
