"""New inputs over the wire: several in a call, each with what came of it, and the upload that counts them.

Files are looked into outside of any transaction, so these calls have threads of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db.models import F

from inputs import services
from inputs.models import AddJob, Input
from inputs.services.given import Given, check_id
from playground.catalog.access import Role
from playground.gateway.families import owners
from playground.gateway.families.given import read_new
from playground.gateway.families.inputs import INVALID, find_shelf, job_message, messages_of
from playground.protocol.errors import InputError, PlaygroundError, to_status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playground.catalog.models import App, User

MOST_INPUTS = 128
MOST_SUFFIXES = 1000
SAME_ID = "Input has a duplicate ID."
"""The very words by which official uploads of datasets tell those that were there before from those to try again."""
Resolution = resources_pb2.InputIDConflictResolution
Outcome = Input | PlaygroundError


def post_inputs(caller: User, request: service_pb2.PostInputsRequest) -> service_pb2.MultiInputResponse:
    """Where some are refused, the others are kept all the same, and the whole says how many failed."""
    app = find_shelf(caller, request.user_app_id, Role.MEMBER)
    owners.require_some(request.inputs, "input", INVALID)
    if len(request.inputs) > MOST_INPUTS:
        words = f"A call uploads at most {MOST_INPUTS} inputs; this one has {len(request.inputs)}."
        raise InputError(words, code=INVALID)
    slugs = _resolved(app, request)
    read = [_read(message, slug) for message, slug in zip(request.inputs, slugs, strict=True)]
    outcomes = _add(caller, app, read, request)
    reply = service_pb2.MultiInputResponse(inputs=_messages(caller, request, outcomes), status=_status_of(outcomes))
    if request.inputs_add_job_id:
        job = AddJob.objects.get(app=app, slug=request.inputs_add_job_id)
        reply.inputs_add_job.CopyFrom(job_message(job))
    return reply


def _resolved(app: App, request: service_pb2.PostInputsRequest) -> list[str]:
    """The ids that the inputs get: with SUFFIX, those that are taken are numbered."""
    slugs = [message.id for message in request.inputs]
    if request.input_id_conflict_resolution != Resolution.SUFFIX:
        return slugs
    taken = set(Input.objects.alive().filter(app=app, slug__in=slugs).values_list("slug", flat=True))
    found: list[str] = []
    for slug in slugs:
        free = _free(app, slug, taken | set(found)) if slug in taken or slug in found else slug
        found.append(free if slug else "")
    return found


def _free(app: App, slug: str, taken: set[str]) -> str:
    near = Input.objects.alive().filter(app=app, slug__startswith=f"{slug}-")
    there = taken | set(near.values_list("slug", flat=True))
    tried = (f"{slug}-{number}" for number in range(1, MOST_SUFFIXES))
    return next((name for name in tried if name not in there), slug)


def _read(message: resources_pb2.Input, slug: str) -> Given | PlaygroundError:
    try:
        return read_new(message, slug=slug)
    except InputError as error:
        return error


def _add(
    caller: User,
    app: App,
    read: Sequence[Given | PlaygroundError],
    request: service_pb2.PostInputsRequest,
) -> list[Outcome]:
    news = [one for one in read if isinstance(one, Given)]
    job = request.inputs_add_job_id
    added = iter(services.add_inputs(caller, app, news, job=job) if news else ())
    if job and len(news) < len(read):
        _count_refused(app, job, len(read) - len(news))
    outcomes: list[Outcome] = [next(added) if isinstance(one, Given) else one for one in read]
    if request.input_id_conflict_resolution == Resolution.SKIP:
        outcomes = [_skipped(one, message.id) for one, message in zip(outcomes, request.inputs, strict=True)]
    return [_with_code(one, message) for one, message in zip(outcomes, request.inputs, strict=True)]


def _count_refused(app: App, job: str, number: int) -> None:
    """Those that were not even looked into count too."""
    row, _ = AddJob.objects.get_or_create(app=app, slug=check_id(job, "The id of an upload"))
    AddJob.objects.filter(pk=row.pk).update(failed=F("failed") + number)


def _skipped(outcome: Outcome, slug: str) -> Outcome:
    """The input that has the id already stands for the one that was not added."""
    existing = outcome.existing if isinstance(outcome, services.DuplicateError) else None
    return existing if existing is not None and slug and existing.slug == slug else outcome


def _with_code(outcome: Outcome, message: resources_pb2.Input) -> Outcome:
    """What is wrong with an input has a code of inputs, not one of models."""
    if isinstance(outcome, services.DuplicateError) and outcome.existing and outcome.existing.slug == message.id:
        outcome.details = SAME_ID
    if isinstance(outcome, InputError) and outcome.code == InputError.v2_code:
        is_address = any(getattr(message.data, kind).url for kind in ("image", "video", "audio", "text"))
        outcome.code = int(StatusCode.INPUT_INVALID_URL if is_address else StatusCode.INPUT_UNSUPPORTED_FORMAT)
    return outcome


def _messages(
    caller: User, request: service_pb2.PostInputsRequest, outcomes: Sequence[Outcome]
) -> list[resources_pb2.Input]:
    kept = iter(messages_of(caller, [one for one in outcomes if isinstance(one, Input)]))
    found = []
    for outcome, message in zip(outcomes, request.inputs, strict=True):
        if isinstance(outcome, Input):
            found.append(next(kept))
        else:
            found.append(resources_pb2.Input(id=message.id, status=to_status(outcome)))
    return found


def _status_of(outcomes: Sequence[Outcome]) -> status_pb2.Status:
    """Nothing where all went well; the one error where one was sent, or where none went well for one reason alone."""
    failed = [one for one in outcomes if isinstance(one, PlaygroundError)]
    if not failed:
        return status_pb2.Status()
    first = to_status(failed[0])
    if len(outcomes) == 1:
        return first
    first.description = f"{len(failed)} of {len(outcomes)} inputs failed: {first.description}"
    if len(failed) < len(outcomes) or len({one.code for one in failed}) > 1:
        first.code = StatusCode.MIXED_STATUS if len(failed) < len(outcomes) else StatusCode.FAILURE
        first.internal_details = ""
    return first


HANDLERS: dict[str, Callable[..., object]] = {"PostInputs": post_inputs}
