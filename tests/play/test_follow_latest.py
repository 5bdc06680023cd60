"""The version added last is the latest, whatever the clock did: wherever it is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from django.utils import timezone

from playground.catalog.models import Model, ModelVersion
from playground.catalog.services import ensure_owner
from playground.compute.desired import read_desired
from playground.compute.services import ensure_shared_deployment
from playground.compute.setup import ensure_shared_nodepool
from playground.gateway.families.deployments import get_deployment
from playground.gateway.families.models import get_model
from playground.gateway.snapshots import read_world
from playground.play.queries import models, places
from tests.gateway.live import ECHO


@pytest.mark.django_db
def test_a_clock_that_jumped_back_makes_no_old_version_the_latest() -> None:
    owner, app = ensure_owner()
    ensure_shared_nodepool(owner)
    model = Model.objects.create(app=app, slug="echo")
    for slug in ("first", "second"):
        method = resources_pb2.MethodSignature(name="predict")
        method.output_fields.add(name="return", type=1 if slug == "second" else 3)
        version = ModelVersion(model=model, slug=slug, folder=str(ECHO))
        version.signatures = [method]
        version.save()
    ModelVersion.objects.filter(slug="second").update(created_at=timezone.now() - timedelta(days=1))
    deployment = ensure_shared_deployment(model)

    latest = model.latest
    assert latest is not None
    assert latest.slug == "second"
    address = resources_pb2.UserAppIDSet(user_id="owner", app_id="main")
    told = get_model(owner, service_pb2.GetModelRequest(user_app_id=address, model_id="echo"))
    assert told.model.model_version.id == "second"
    asked = service_pb2.GetDeploymentRequest(user_app_id=address, deployment_id="shared-echo")
    assert get_deployment(owner, asked).deployment.worker.model.model_version.id == "second"
    assert read_desired()[0][0].spec.version_id == "second"
    assert read_world().models[model.pk].version_ids == ("second", "first")
    assert places.lines_of([deployment.pk])[0].version == "second"
    assert models.rows_of(owner, [model.pk])[0].io == models.io_of(latest)
    assert models.io_of(latest)
