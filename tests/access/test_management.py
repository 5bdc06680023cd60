"""Every management call of the wire, tried by each person: reads, then acts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2 as r
from clarifai_grpc.grpc.api import service_pb2 as s
from django.db import transaction

from inputs.models import Annotation, Input
from inputs.services import Given, add_inputs
from playground.catalog.models import PRIVATE, PUBLIC, App, User
from playground.compute import services
from playground.compute.models import Deployment, Nodepool, Replica
from playground.gateway.management import HANDLERS
from playground.protocol.errors import AccessError, NotFoundError
from tests.access import world
from tests.access.table import (
    ALL,
    COLUMNS,
    FOR_APP_OWNERS,
    FOR_ITS_OWNER,
    HIDDEN,
    IN_THE_APP,
    MERLES_OWN,
    OK,
    OLIVES_OWN,
    REFUSED,
    Row,
    tried,
)
from tests.gateway.inputs_wire import text
from tests.gateway.live import ECHO

if TYPE_CHECKING:
    from google.protobuf.message import Message

pytestmark = pytest.mark.django_db

APP = r.UserAppIDSet(user_id="olive", app_id="main")
MERLE = r.UserAppIDSet(user_id="merle")
ME = r.UserAppIDSet(user_id="me")
SEEN = r.Visibility(gettable=r.Visibility.Gettable.PUBLIC)
ECHO_WORKER = r.Worker(model=r.Model(id="echo", user_id="olive", app_id="main"))
OPEN_WORKER = r.Worker(model=r.Model(id="open", user_id="olive", app_id="main"))
NOBODY_ELSE: Row = (OK, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED)
NONE_AT_ALL: Row = (REFUSED,) * 6
BY_MEMBERS: Row = (OK, OK, OK, REFUSED, HIDDEN, OK)


def at(cluster: str, nodepool: str, user: str = "") -> r.Nodepool:
    return r.Nodepool(id=nodepool, compute_cluster=r.ComputeCluster(id=cluster, user_id=user))


SHARED = at("local", "shared")


def deployment(slug: str, **fields: Any) -> r.Deployment:
    few = r.AutoscaleConfig(min_replicas=0, max_replicas=1)
    return r.Deployment(id=slug, **{"autoscale_config": few} | fields)


def says(slug: str, concept: str, annotation_id: str = "") -> r.Annotation:
    return r.Annotation(id=annotation_id, input_id=slug, data=r.Data(concepts=[r.Concept(id=concept, value=1)]))


def workflow(slug: str) -> r.Workflow:
    return r.Workflow(id=slug, nodes=[r.WorkflowNode(id="only", model=ECHO_WORKER.model)])


# In the columns: owner, co-owner, member, viewer, stranger, administrator.
READS: list[tuple[str, Message, Row]] = [
    ("GetUser", s.GetUserRequest(user_app_id=ME), ALL),
    ("GetUser", s.GetUserRequest(user_app_id=r.UserAppIDSet(user_id="olive")), ALL),  # the public model is hers
    ("GetApp", s.GetAppRequest(user_app_id=APP), IN_THE_APP),
    ("GetModel", s.GetModelRequest(user_app_id=APP, model_id="echo"), IN_THE_APP),
    ("GetModel", s.GetModelRequest(user_app_id=APP, model_id="open"), ALL),
    ("GetModelVersion", s.GetModelVersionRequest(user_app_id=APP, model_id="echo"), IN_THE_APP),
    ("ListModelVersions", s.ListModelVersionsRequest(user_app_id=APP, model_id="echo"), IN_THE_APP),
    ("GetModelType", s.GetModelTypeRequest(user_app_id=APP, model_type_id="text-to-text"), ALL),
    ("GetDeployment", s.GetDeploymentRequest(user_app_id=APP, deployment_id="shared-echo"), IN_THE_APP),
    ("GetDeployment", s.GetDeploymentRequest(user_app_id=APP, deployment_id="for-all"), IN_THE_APP),
    ("GetDeployment", s.GetDeploymentRequest(user_app_id=APP, deployment_id="olives"), OLIVES_OWN),
    ("GetDeployment", s.GetDeploymentRequest(user_app_id=MERLE, deployment_id="merles"), MERLES_OWN),
    ("GetComputeCluster", s.GetComputeClusterRequest(user_app_id=ME, compute_cluster_id="local"), ALL),
    ("GetComputeCluster", s.GetComputeClusterRequest(user_app_id=APP, compute_cluster_id="olive-cluster"), OLIVES_OWN),
    (
        "GetNodepool",
        s.GetNodepoolRequest(user_app_id=ME, compute_cluster_id="local", nodepool_id="shared"),
        ALL,
    ),
    (
        "GetNodepool",
        s.GetNodepoolRequest(user_app_id=APP, compute_cluster_id="olive-cluster", nodepool_id="for-all"),
        OLIVES_OWN,
    ),
    ("GetRunner", s.GetRunnerRequest(user_app_id=APP, runner_id="runner-shared-echo"), IN_THE_APP),
    ("GetRunner", s.GetRunnerRequest(user_app_id=APP, runner_id="runner-olives"), OLIVES_OWN),
    ("GetRunner", s.GetRunnerRequest(user_app_id=MERLE, runner_id="runner-merles"), MERLES_OWN),
    ("ListLogEntries", s.ListLogEntriesRequest(user_app_id=APP, runner_id="runner-shared-echo"), FOR_APP_OWNERS),
    ("ListLogEntries", s.ListLogEntriesRequest(user_app_id=APP, runner_id="runner-olives"), OLIVES_OWN),
    ("ListLogEntries", s.ListLogEntriesRequest(user_app_id=MERLE, runner_id="runner-merles"), MERLES_OWN),
    ("GetWorkflow", s.GetWorkflowRequest(user_app_id=APP, workflow_id="flow"), IN_THE_APP),
    ("GetWorkflow", s.GetWorkflowRequest(user_app_id=APP, workflow_id="seen"), ALL),
    ("ListWorkflowVersions", s.ListWorkflowVersionsRequest(user_app_id=APP, workflow_id="flow"), IN_THE_APP),
    ("GetInput", s.GetInputRequest(user_app_id=APP, input_id="olives"), IN_THE_APP),
    ("ListInputs", s.ListInputsRequest(user_app_id=APP), IN_THE_APP),
    ("ListDatasetInputs", s.ListDatasetInputsRequest(user_app_id=APP, dataset_id="all"), IN_THE_APP),
    ("GetInputCount", s.GetInputCountRequest(user_app_id=APP), IN_THE_APP),
    ("GetDataset", s.GetDatasetRequest(user_app_id=APP, dataset_id="all"), IN_THE_APP),
    ("ListDatasets", s.ListDatasetsRequest(user_app_id=APP), IN_THE_APP),
    ("ListConcepts", s.ListConceptsRequest(user_app_id=APP), IN_THE_APP),
    ("ListAnnotations", s.ListAnnotationsRequest(user_app_id=APP), IN_THE_APP),
    ("GetInputsAddJob", s.GetInputsAddJobRequest(user_app_id=APP, id="job"), IN_THE_APP),
]

ACTS: list[tuple[str, Message, Row]] = [
    ("PatchApps", s.PatchAppsRequest(user_app_id=APP, apps=[r.App(id="main", visibility=SEEN)]), FOR_APP_OWNERS),
    ("PatchApp", s.PatchAppRequest(user_app_id=APP, app=r.App(id="main", description="New")), FOR_APP_OWNERS),
    ("PostApps", s.PostAppsRequest(user_app_id=ME, apps=[r.App(id="side")]), ALL),
    ("PostApps", s.PostAppsRequest(user_app_id=APP, apps=[r.App(id="side")]), NOBODY_ELSE),
    (
        "PatchModels",
        s.PatchModelsRequest(user_app_id=APP, models=[r.Model(id="echo", visibility=SEEN)]),
        FOR_APP_OWNERS,
    ),
    (
        "PatchModels",
        s.PatchModelsRequest(user_app_id=APP, models=[r.Model(id="open", description="Mine")]),
        (OK, OK, REFUSED, REFUSED, REFUSED, OK),
    ),
    ("PostModels", s.PostModelsRequest(user_app_id=APP, models=[r.Model(id="new")]), NONE_AT_ALL),
    ("PostModelVersions", s.PostModelVersionsRequest(user_app_id=APP, model_id="echo"), NONE_AT_ALL),
    ("DeleteModel", s.DeleteModelRequest(user_app_id=APP, model_id="bare"), FOR_APP_OWNERS),
    ("DeleteModels", s.DeleteModelsRequest(user_app_id=APP, ids=["bare"]), FOR_APP_OWNERS),
    (
        "DeleteModelVersion",
        s.DeleteModelVersionRequest(user_app_id=APP, model_id="bare", version_id="old"),
        FOR_APP_OWNERS,
    ),
    (
        "PostDeployments",
        s.PostDeploymentsRequest(
            user_app_id=ME, deployments=[deployment("new", nodepools=[SHARED], worker=ECHO_WORKER)]
        ),
        (OK, OK, OK, REFUSED, HIDDEN, OK),
    ),
    (
        "PostDeployments",
        s.PostDeploymentsRequest(
            user_app_id=ME, deployments=[deployment("new", nodepools=[SHARED], worker=OPEN_WORKER)]
        ),
        (OK, OK, OK, REFUSED, REFUSED, OK),
    ),
    (
        "PostDeployments",
        s.PostDeploymentsRequest(
            user_app_id=ME,
            deployments=[deployment("new", nodepools=[at("olive-cluster", "olives", "olive")], worker=ECHO_WORKER)],
        ),
        (OK, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OK),
    ),
    (
        "PostDeployments",
        s.PostDeploymentsRequest(
            user_app_id=MERLE, deployments=[deployment("new", nodepools=[SHARED], worker=ECHO_WORKER)]
        ),
        (REFUSED, REFUSED, OK, REFUSED, REFUSED, REFUSED),
    ),
    (
        "PatchDeployments",
        s.PatchDeploymentsRequest(user_app_id=APP, deployments=[deployment("shared-echo")]),
        FOR_APP_OWNERS,
    ),
    (
        "PatchDeployments",
        s.PatchDeploymentsRequest(user_app_id=APP, deployments=[deployment("for-all")]),
        FOR_ITS_OWNER,
    ),
    ("PatchDeployments", s.PatchDeploymentsRequest(user_app_id=MERLE, deployments=[deployment("merles")]), MERLES_OWN),
    ("DeleteDeployments", s.DeleteDeploymentsRequest(user_app_id=APP, ids=["for-all"]), FOR_ITS_OWNER),
    ("DeleteDeployments", s.DeleteDeploymentsRequest(user_app_id=APP, ids=["olives"]), OLIVES_OWN),
    (
        "PostComputeClusters",
        s.PostComputeClustersRequest(user_app_id=ME, compute_clusters=[r.ComputeCluster(id="new")]),
        ALL,
    ),
    (
        "PostComputeClusters",
        s.PostComputeClustersRequest(user_app_id=ME, compute_clusters=[r.ComputeCluster(id="new", user_id="olive")]),
        NOBODY_ELSE,
    ),
    (
        "PatchComputeClusters",
        s.PatchComputeClustersRequest(
            user_app_id=APP, compute_clusters=[r.ComputeCluster(id="olive-cluster", description="Hers")]
        ),
        OLIVES_OWN,
    ),
    (
        "PatchComputeClusters",
        s.PatchComputeClustersRequest(
            user_app_id=r.UserAppIDSet(user_id="ada"), compute_clusters=[r.ComputeCluster(id="local", visibility=SEEN)]
        ),
        (REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, OK),
    ),
    (
        "PostNodepools",
        s.PostNodepoolsRequest(
            user_app_id=APP, compute_cluster_id="olive-cluster", nodepools=[r.Nodepool(id="new", max_instances=1)]
        ),
        OLIVES_OWN,
    ),
    (
        "PatchNodepools",
        s.PatchNodepoolsRequest(
            user_app_id=APP,
            compute_cluster_id="olive-cluster",
            nodepools=[r.Nodepool(id="olives", description="Hers")],
        ),
        OLIVES_OWN,
    ),
    (
        "DeleteNodepools",
        s.DeleteNodepoolsRequest(user_app_id=APP, compute_cluster_id="olive-cluster", ids=["spare"]),
        OLIVES_OWN,
    ),
    ("PostWorkflows", s.PostWorkflowsRequest(user_app_id=APP, workflows=[workflow("new")]), BY_MEMBERS),
    ("PatchWorkflows", s.PatchWorkflowsRequest(user_app_id=APP, workflows=[workflow("flow")]), BY_MEMBERS),
    (
        "PatchWorkflows",
        s.PatchWorkflowsRequest(user_app_id=APP, workflows=[r.Workflow(id="flow", visibility=SEEN)]),
        FOR_APP_OWNERS,
    ),
    ("DeleteWorkflow", s.DeleteWorkflowRequest(user_app_id=APP, workflow_id="flow"), FOR_APP_OWNERS),
    ("DeleteWorkflows", s.DeleteWorkflowsRequest(user_app_id=APP, ids=["flow"]), FOR_APP_OWNERS),
    ("PostInputs", s.PostInputsRequest(user_app_id=APP, inputs=[text("new")]), BY_MEMBERS),
    ("PatchInputs", s.PatchInputsRequest(user_app_id=APP, inputs=[r.Input(id="olives")]), BY_MEMBERS),
    (
        "PatchConcepts",
        s.PatchConceptsRequest(user_app_id=APP, concepts=[r.Concept(id="fruit", name="Fruit")]),
        BY_MEMBERS,
    ),
    ("PostDatasets", s.PostDatasetsRequest(user_app_id=APP, datasets=[r.Dataset(id="new")]), BY_MEMBERS),
    ("DeleteDatasets", s.DeleteDatasetsRequest(user_app_id=APP, dataset_ids=["all"]), BY_MEMBERS),
    ("PostAnnotations", s.PostAnnotationsRequest(user_app_id=APP, annotations=[says("olives", "new")]), BY_MEMBERS),
    (
        "PatchAnnotations",
        s.PatchAnnotationsRequest(user_app_id=APP, annotations=[says("olives", "new", "77")]),
        BY_MEMBERS,
    ),
    ("DeleteAnnotations", s.DeleteAnnotationsRequest(user_app_id=APP, input_ids=["olives"]), BY_MEMBERS),
    ("DeleteInputs", s.DeleteInputsRequest(user_app_id=APP, ids=["olives"]), (OK, OK, REFUSED, REFUSED, HIDDEN, OK)),
    ("DeleteInput", s.DeleteInputRequest(user_app_id=APP, input_id="merles"), BY_MEMBERS),
    ("PostRunners", s.PostRunnersRequest(user_app_id=APP), NONE_AT_ALL),
    ("DeleteRunners", s.DeleteRunnersRequest(user_app_id=APP), NONE_AT_ALL),
]


@pytest.fixture(autouse=True)
def _world(settings: Any, tmp_path: Any) -> None:
    """With a replica of each deployment, a nodepool that nothing uses, and a model that nothing deploys."""
    settings.LOG_DIR = settings.MEDIA_ROOT = tmp_path
    world.make(ECHO)
    for row in Deployment.objects.all():
        Replica.objects.create(deployment=row, nodepool=row.nodepool, slug=f"runner-{row.slug}")
    Nodepool.objects.create(cluster=Deployment.objects.get(slug="olives").nodepool.cluster, slug="spare")
    app = Deployment.objects.get(slug="olives").model.app
    bare = app.models.create(slug="bare")
    for slug in ("old", "new"):
        bare.versions.create(slug=slug, folder=str(ECHO))
    for slug, visibility in (("flow", PRIVATE), ("seen", PUBLIC)):
        flow = app.workflows.create(slug=slug, visibility=visibility)
        graph = {"workflow": {"id": slug, "nodes": [{"id": "only", "model": {"model_id": "echo"}}]}}
        flow.versions.create(graph=graph, yaml=json.dumps(graph))
    for name, slug in ((world.OWNER, "olives"), (world.MEMBER, "merles")):
        given = [Given(slug=slug, text=slug, datasets=["all"], concepts=["fruit"])]
        add_inputs(User.objects.get(username=name), app, given, job="job")
    Annotation.objects.create(pk=77, input=Input.objects.get(slug="olives"), text="this")


def call(name: str, method: str, request: Message) -> Any:
    return HANDLERS[method](User.objects.get(username=name), request)


def outcome(name: str, method: str, request: Message) -> str:
    try:
        with transaction.atomic():
            call(name, method, request)
    except NotFoundError:
        return HIDDEN
    except AccessError:
        return REFUSED
    return OK


def names_of(table: list[tuple[str, Message, Row]]) -> list[str]:
    return [f"{number}-{method}" for number, (method, _, _) in enumerate(table)]


@pytest.mark.parametrize(("method", "request_", "row"), READS, ids=names_of(READS))
def test_reading(method: str, request_: Message, row: Row) -> None:
    assert tried(lambda name: outcome(name, method, request_)) == row


@pytest.mark.parametrize(("method", "request_", "row"), ACTS, ids=names_of(ACTS))
def test_acting(method: str, request_: Message, row: Row) -> None:
    assert tried(lambda name: outcome(name, method, request_)) == row


def test_no_call_is_left_untried() -> None:
    listed = {"ListApps", "ListModels", "ListDeployments", "ListComputeClusters", "ListNodepools", "ListRunners"}
    listed |= {"ListWorkflows"}
    labels = {"ListModelTypes", "ListCloudProviders", "ListCloudRegions", "ListInstanceTypes"}
    alike = {"PatchRunners", "PatchModelVersions", "DeleteApp", "DeleteComputeClusters"}
    assert set(HANDLERS) == {method for method, _, _ in READS + ACTS} | listed | labels | alike


LISTS: list[tuple[str, Message, str, dict[str, set[str]]]] = [
    (
        "ListModels",
        s.ListModelsRequest(user_app_id=APP),
        "models",
        {"": {"echo", "open", "bare"}, world.STRANGER: {"open"}},
    ),
    ("ListApps", s.ListAppsRequest(user_app_id=APP), "apps", {"": {"main"}, world.STRANGER: set()}),
    (
        "ListDeployments",
        s.ListDeploymentsRequest(user_app_id=APP),
        "deployments",
        {
            "": {"for-all", "shared-echo", "shared-open"},
            world.OWNER: {"for-all", "olives", "shared-echo", "shared-open"},
            world.ADMIN: {"for-all", "olives", "shared-echo", "shared-open"},
            world.STRANGER: {"shared-open"},
        },
    ),
    (
        "ListComputeClusters",
        s.ListComputeClustersRequest(user_app_id=r.UserAppIDSet(user_id="olive")),
        "compute_clusters",
        {"": set(), world.OWNER: {"olive-cluster", "local"}, world.ADMIN: {"olive-cluster"}},
    ),
    (
        "ListNodepools",
        s.ListNodepoolsRequest(user_app_id=r.UserAppIDSet(user_id="merle")),
        "nodepools",
        {"": set(), world.MEMBER: {"merles", "shared"}, world.ADMIN: {"merles"}},
    ),
    (
        "ListWorkflows",
        s.ListWorkflowsRequest(user_app_id=APP),
        "workflows",
        {"": {"flow", "seen"}, world.STRANGER: {"seen"}},
    ),
    (
        "ListRunners",
        s.ListRunnersRequest(user_app_id=r.UserAppIDSet(user_id="olive")),
        "runners",
        {
            "": {"runner-for-all", "runner-shared-echo", "runner-shared-open"},
            world.OWNER: {"runner-for-all", "runner-olives", "runner-shared-echo", "runner-shared-open"},
            world.ADMIN: {"runner-for-all", "runner-olives", "runner-shared-echo", "runner-shared-open"},
            world.STRANGER: {"runner-shared-open"},
        },
    ),
]


@pytest.mark.parametrize(("method", "request_", "field", "wanted"), LISTS, ids=[entry[0] for entry in LISTS])
def test_listing(method: str, request_: Message, field: str, wanted: dict[str, set[str]]) -> None:
    for name in COLUMNS:
        found = {row.id for row in getattr(call(name, method, request_), field)}
        assert found == wanted.get(name, wanted[""]), name


def test_a_public_app_opens_no_inputs() -> None:
    App.objects.filter(slug="main").update(visibility=PUBLIC)
    wanted = (OK, OK, OK, OK, REFUSED, OK)
    for method, request in (
        ("GetInput", s.GetInputRequest(user_app_id=APP, input_id="olives")),
        ("ListInputs", s.ListInputsRequest(user_app_id=APP)),
    ):
        assert tried(lambda name, method=method, request=request: outcome(name, method, request)) == wanted


def test_secrets_are_shown_to_nobody_and_the_environment_to_the_owner_alone() -> None:
    olive, row = User.objects.get(username="olive"), Deployment.objects.get(slug="for-all")
    services.edit_deployment(olive, row, environment={"MOOD": "calm"}, secrets={"API_KEY": "hush-hush"})
    for name in COLUMNS:
        for request in (s.ListDeploymentsRequest(user_app_id=APP),):
            told = str(call(name, "ListDeployments", request))
            assert "hush-hush" not in told
            assert ("calm" in told) == (name in {world.OWNER, world.ADMIN}), name


def test_a_public_place_is_for_anyone_to_deploy_on() -> None:
    Nodepool.objects.filter(slug="olives").update(visibility=PUBLIC)
    made = deployment("new", nodepools=[at("olive-cluster", "olives", "olive")], worker=ECHO_WORKER)
    request = s.PostDeploymentsRequest(user_app_id=ME, deployments=[made])
    assert tried(lambda name: outcome(name, "PostDeployments", request)) == (OK, OK, OK, REFUSED, HIDDEN, OK)
