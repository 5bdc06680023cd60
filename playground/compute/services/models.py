"""Models as deployments need them: finding one and its versions; and deleting one, with what only it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.models import Model, note_change
from playground.catalog.services import MAIN_APP_ID, OWNER_ID
from playground.compute.models import Deployment
from playground.compute.services.deployments import remove
from playground.protocol.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from playground.catalog.models import ModelVersion, User


def find_model(user: User, slug: str, *, app: str = "", owner: str = "") -> Model:
    """The model that ``user`` can see; without ``owner``, their own in app ``main``, else the built-in owner's."""
    visible = Model.objects.visible_to(user).select_related("app__owner")
    owners = [owner] if owner else [user.username, OWNER_ID]
    for name in owners:
        found = visible.at(name, app or MAIN_APP_ID, slug).first()
        if found is not None:
            return found
    names = ", ".join(str(model) for model in visible.order_by("pk")[:20])
    raise NotFoundError(
        f"No model {owners[0]}/{app or MAIN_APP_ID}/models/{slug} for you. It does not exist, or is not shared with "
        f"you. There are: {names or 'none yet'}.",
        code=StatusCode.MODEL_DOES_NOT_EXIST,
    )


def find_version(model: Model, slug: str) -> ModelVersion:
    found = model.versions.filter(slug=slug).first()
    if found is None:
        names = ", ".join(model.versions.order_by("-created_at", "-pk").values_list("slug", flat=True)[:20])
        raise NotFoundError(
            f"The model {model.slug} has no version {slug}. There are: {names or 'none'}.",
            code=StatusCode.MODEL_DOES_NOT_EXIST,
        )
    return found


@transaction.atomic
def delete_model(user: User, model: Model) -> None:
    """The model, its versions, runs and shared deployment. Refused while somebody's deployment runs it."""
    require_role(user, model.app, Role.OWNER)
    own = Deployment.objects.filter(model=model, is_shared=False).select_related("owner").order_by("pk")
    if names := ", ".join(str(row) for row in own[:20]):
        raise ConflictError(
            f"The model {model.slug} is in use by the deployments {names}. Delete them first.",
            code=StatusCode.DEPLOYMENT_INVALID_REQUEST,
        )
    for deployment in Deployment.objects.filter(model=model):
        remove(deployment)
    pk = model.pk
    model.delete()
    note_change("model", pk)
