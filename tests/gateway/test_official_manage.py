"""The official SDK's management classes against our gateway. Contract 6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway.asking import new_id

if TYPE_CHECKING:
    from tests.gateway.client_process import Client

PROLOGUE = """
from clarifai.client.app import App
from clarifai.client.compute_cluster import ComputeCluster
from clarifai.client.nodepool import Nodepool
from clarifai.client.user import User
me = User(user_id="owner")
"""
CLUSTER = {
    "compute_cluster": {
        "description": "Mine",
        "cloud_provider": {"id": "shed"},
        "region": "r1",
        "managed_by": "us",
        "cluster_type": "dedicated",
        "visibility": {"gettable": 10},
    }
}
NODEPOOL = {
    "nodepool": {
        "description": "Small",
        "compute_cluster": {"id": "", "user_id": "owner"},
        "instance_types": [{"id": "small", "compute_info": {"cpu_limit": "1", "cpu_memory": "512Mi"}}],
        "node_capacity_type": {"capacity_types": [1]},
        "min_instances": 0,
        "max_instances": 1,
    }
}
DEPLOYMENT = {
    "deployment": {
        "description": "Nightly",
        "worker": {"model": {"id": "echo", "user_id": "owner", "app_id": "main"}},
        "scheduling_choice": 4,
        "nodepools": [{"id": "np", "compute_cluster": {"id": ""}}],
        "autoscale_config": {"min_replicas": 0, "max_replicas": 2, "scale_to_zero_delay_seconds": 60},
        "visibility": {"gettable": 10},
    }
}


def test_from_cluster_to_deployment_and_back(official: Client) -> None:
    cc, dp = new_id("cc"), new_id("dp")
    told = official.told(f"""{PROLOGUE}
cluster_config, nodepool_config, deployment_config = {CLUSTER!r}, {NODEPOOL!r}, {DEPLOYMENT!r}
nodepool_config["nodepool"]["compute_cluster"]["id"] = {cc!r}
deployment_config["deployment"]["nodepools"][0]["compute_cluster"]["id"] = {cc!r}
cluster = me.create_compute_cluster(compute_cluster_id={cc!r}, compute_cluster_config=cluster_config)
told["region"] = me.compute_cluster({cc!r}).region
told["clusters"] = [one.id for one in me.list_compute_clusters()]
pool = cluster.create_nodepool(nodepool_id="np", nodepool_config=nodepool_config)
told["pool"] = [cluster.nodepool("np").id, cluster.nodepool("np").max_instances]
told["pools"] = [one.id for one in cluster.list_nodepools()]
made = pool.create_deployment(deployment_id={dp!r}, deployment_config=deployment_config)
told["made"] = [made.id, made.autoscale_config.max_replicas, made.description]
told["again"] = raised(lambda: pool.create_deployment(deployment_id={dp!r}, deployment_config={DEPLOYMENT!r}))[1]
got = pool.deployment({dp!r})
told["got"] = [got.id, got.worker.model.id, got.nodepools[0].compute_cluster.id]
told["deployments"] = [one.id for one in pool.list_deployments()]
told["in use"] = raised(lambda: me.delete_compute_clusters([{cc!r}]))[1]
told["pool in use"] = raised(lambda: cluster.delete_nodepools(["np"]))[1]
pool.delete_deployments([{dp!r}])
cluster.delete_nodepools(["np"])
me.delete_compute_clusters([{cc!r}])
told["gone"] = [
    raised(lambda: pool.deployment({dp!r}))[1],
    raised(lambda: cluster.nodepool("np"))[1],
    raised(lambda: me.compute_cluster({cc!r}))[1],
    raised(lambda: pool.delete_deployments([{dp!r}]))[1],
]
""")
    assert told["region"] == "r1"
    assert {"local", cc} <= set(told["clusters"])
    assert (told["pool"], told["pools"]) == (["np", 1], ["np"])
    assert told["made"] == [dp, 2, "Nightly"]
    assert told["got"] == [dp, "echo", cc]
    assert told["deployments"] == [dp]
    assert "np" in told["in use"]
    assert dp in told["pool in use"]
    for said, code in zip(told["gone"], ("DEPLOYMENT", "CLUSTER", "CLUSTER", "DEPLOYMENT"), strict=True):
        assert f"{code}_DOES_NOT_EXIST" in said


def test_listing_models_apps_and_versions(official: Client) -> None:
    """List entries need names, method types and ``model_version``; pages are asked for until one is empty."""
    told = official.told(f"""{PROLOGUE}
told["apps"] = [app.id for app in me.list_apps()]
app = App(user_id="owner", app_id="main")
told["models"] = sorted(model.id for model in app.list_models())
told["page"] = len(list(app.list_models(page_no=1, per_page=2)))
told["past"] = len(list(app.list_models(page_no=9, per_page=2)))
rows = me.list_models(user_id="owner", app_id="main", show=False)
told["kinds"] = {{row["id"]: [row["UNARY_STREAMING"], row["supported_openai_client"]] for row in rows}}
told["info"] = me.get_user_info(user_id="me").user.id
model = app.model(model_id="wire")
told["said"] = model.predict(text="a")
""")
    assert told["apps"] == ["main"]
    assert {"echo", "wire", "chat"} <= set(told["models"])
    assert (told["page"], told["past"]) == (2, 0)
    assert "generate" in told["kinds"]["echo"][0]
    assert told["kinds"]["chat"][1]
    assert told["info"] == "owner"
    assert told["said"] == "a"


def test_apps_are_made_edited_and_deleted(official: Client) -> None:
    slug = new_id("app")
    told = official.told(f"""{PROLOGUE}
app = me.create_app({slug!r})
told["there"] = me.app({slug!r}).id
me.patch_app({slug!r}, description="New", visibility=50)
told["description"] = me.app({slug!r}).description
me.delete_app({slug!r})
told["gone"] = raised(lambda: me.app({slug!r}))[1]
told["model"] = raised(lambda: App(user_id="owner", app_id="main").create_model("new"))[1]
told["model gone"] = raised(lambda: App(user_id="owner", app_id="main").delete_model("absent"))[1]
App(user_id="owner", app_id="main").patch_model("chat", description="Chats.", visibility=10)
""")
    assert (told["there"], told["description"]) == (slug, "New")
    assert "CONN_DOES_NOT_EXIST" in told["gone"]
    assert "terminal" in told["model"]
    assert "MODEL_DOES_NOT_EXIST" in told["model gone"]


def test_places_and_runners(official: Client) -> None:
    told = official.told(f"""{PROLOGUE}
told["providers"] = [one.id for one in me.list_cloud_providers()]
told["regions"] = [one.id for one in me.list_cloud_regions("local")]
told["types"] = [one.id for one in me.list_instance_types("local", "local")]
pool = ComputeCluster(compute_cluster_id="local", user_id="owner").nodepool("shared")
told["runners"] = [one.worker.model.id for one in pool.list_runners()]
told["post"] = raised(lambda: pool.create_runner(runner_config={{"runner": {{"worker": {{}}, "num_replicas": 1}}}}))[1]
""")
    assert "local" in told["providers"]
    assert told["regions"] == ["local"]
    assert "this-machine" in told["types"]
    assert {"echo", "wire", "chat"} <= set(told["runners"])
    assert "deployments" in told["post"]
