"""Deleting models, with what only they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.models import Model, note_change
from playground.compute.models import Deployment
from playground.compute.services.deployments import remove
from playground.protocol.errors import ConflictError

if TYPE_CHECKING:
    from playground.catalog.models import User


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
