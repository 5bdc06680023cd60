"""``compute apply``: the official shapes and our keys, made so once; files that lie change nothing and say where."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError

from playground.catalog.models import Change, Model, User
from playground.compute import services
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.protocol.errors import ConfigError
from tests.management.conftest import Run

pytestmark = pytest.mark.django_db
LAB = """
compute_cluster:
  id: lab
  description: Where things are tried
  cloud_provider: {id: aws}
  region: us-east-1
  managed_by: user
  cluster_type: dedicated
  visibility: {gettable: PRIVATE}
---
nodepool:
  id: one
  description: ""
  compute_cluster: {id: lab}
  instance_types: [{id: s, compute_info: {cpu_limit: "1", cpu_memory: 256Mi, num_accelerators: 0}}]
  node_capacity_type: {capacity_types: [ON_DEMAND_TYPE, 2]}
  min_instances: 0
  max_instances: 3
  visibility: {gettable: 10}
---
deployment:
  id: mine
  description: Mine
  worker: {model: {id: tiny, user_id: owner, app_id: main, model_version: {id: v1}}}
  scheduling_choice: prefer spot
  nodepools:
    - {id: one, compute_cluster: {id: lab, user_id: owner}}
    - {id: shared, compute_cluster: {id: local}}
  autoscale_config:
    min_replicas: 0
    max_replicas: 2
    traffic_history_seconds: 30
    scale_down_delay_seconds: 31
    scale_up_delay_seconds: 32
    scale_to_zero_delay_seconds: 33
    disable_packing: true
  environment: {GREETING: Hi}
  secrets: {KEY: hush}
  queue_limit: 9
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lab.yaml"


def test_everything_is_made_as_it_says(run: Run, model: Model, file: Path) -> None:
    file.write_text(LAB)
    assert run("compute", "apply", str(file)).splitlines() == [
        "compute cluster lab created",
        "nodepool lab/one created",
        "deployment mine created",
    ]
    cluster, pool, row = Cluster.objects.get(slug="lab"), Nodepool.objects.get(slug="one"), Deployment.objects.get()
    assert (cluster.cloud_provider, cluster.region, cluster.managed_by, cluster.visibility) == (
        "aws",
        "us-east-1",
        "user",
        10,
    )
    assert (pool.capacity_types, pool.max_instances, pool.instance_types[0]["id"]) == ([1, 2], 3, "s")
    assert [str(one.nodepool) for one in row.placements.all()] == ["lab/one", "local/shared"]
    assert (row.version.slug if row.version else "", row.scheduling_choice, row.queue_limit) == ("v1", 7, 9)
    assert (row.min_replicas, row.max_replicas, row.disable_packing) == (0, 2, True)
    assert (
        row.traffic_history_seconds,
        row.scale_down_delay_seconds,
        row.scale_up_delay_seconds,
        row.scale_to_zero_delay_seconds,
    ) == (30, 31, 32, 33)
    assert services.environment_of(row) == {"GREETING": "Hi", "KEY": "hush"}


def test_again_it_does_nothing(run: Run, model: Model, file: Path) -> None:
    file.write_text(LAB)
    run("compute", "apply", str(file))
    before = Change.objects.count()
    said = run("compute", "apply", str(file)).splitlines()
    assert [line.split()[-1] for line in said] == ["unchanged"] * 3
    assert Change.objects.count() == before


def test_what_is_otherwise_is_changed(run: Run, model: Model, file: Path) -> None:
    file.write_text(LAB)
    run("compute", "apply", str(file))
    other = LAB.replace("region: us-east-1", "region: attic").replace("max_replicas: 2", "max_replicas: 5")
    file.write_text(other.replace(", model_version: {id: v1}", ""))
    said = run("compute", "apply", str(file)).splitlines()
    assert [line.split()[-1] for line in said] == ["changed", "unchanged", "changed"]
    row = Deployment.objects.get()
    assert (row.max_replicas, row.version, row.generation) == (5, None, 2)
    file.write_text("deployment: {id: mine, environment: {GREETING: null}, autoscale_config: {max_replicas: 1}}")
    run("compute", "apply", str(file))
    assert services.environment_of(Deployment.objects.get()) == {"KEY": "hush"}


def test_a_secret_s_value_comes_from_outside(
    run: Run, model: Model, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(LAB.replace("secrets: {KEY: hush}", "secrets: [KEY]"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="The secret KEY is not in the environment"):
        run("compute", "apply", str(file))
    assert not Cluster.objects.filter(slug="lab").exists()
    monkeypatch.setenv("KEY", "from outside")
    assert "from outside" not in run("compute", "apply", str(file))
    assert services.environment_of(Deployment.objects.get())["KEY"] == "from outside"


def test_a_remote_nodepool_s_addresses(run: Run, file: Path) -> None:
    file.write_text(
        "{compute_cluster: {id: lab}, "
        "nodepool: {id: far, compute_cluster: {id: lab}, engine: remote, addresses: [{address: 'a:1', tls: true}]}}"
    )
    assert run("compute", "apply", str(file)).count("created") == 2
    assert Nodepool.objects.get(slug="far").addresses == [{"address": "a:1", "tls": True}]


def test_what_means_nothing_here_is_noted(run: Run, file: Path) -> None:
    file.write_text("compute_cluster: {id: lab, key: {id: pg_secret}}")
    said = run("compute", "apply", str(file))
    assert "lab.yaml, document 1, compute_cluster.key: not used here" in said
    assert "pg_secret" not in said


def test_each_user_has_their_own(run: Run, file: Path) -> None:
    User.objects.create(username="ada")
    file.write_text("compute_cluster: {id: lab}")
    run("compute", "apply", str(file))
    assert "created" in run("compute", "apply", str(file), "--user", "ada")
    assert Cluster.objects.filter(slug="lab").count() == 2


def put(old: str, new: str) -> str:
    assert old in LAB
    return LAB.replace(old, new)


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "", "has no documents"),
        ("- 1", "document 1", "no mapping"),
        ("just words", "document 1", "no mapping"),
        ("a: [", "document 1", "line 1"),
        ("a: 1\na: 2", "document 1", "a is there twice"),
        ("compute_cluster: {id: a, id: b}", "document 1", "id is there twice"),
        ("compute_cluster: {id: a}\n---\n1: 2", "document 2", "the key 1 is no text"),
        ("!!python/object/apply:os.system ['true']", "document 1", "could not determine a constructor"),
        ("a: &a [*a]\nnodepool: *b", "document 1", "undefined alias"),
        ("cluster: {id: a}", "document 1, cluster", "one of compute_cluster, nodepool, deployment"),
        ("{compute_cluster: {id: a}, other: 1}", "document 1, other", "no such key"),
        ("compute_cluster: lab", "document 1, compute_cluster", "no mapping"),
        ("compute_cluster: {}", "document 1, compute_cluster.id", "missing"),
        ("compute_cluster: {id: 7}", "document 1, compute_cluster.id", "Put it in quotes"),
        ("compute_cluster: {id: a, user_id: ada}", "document 1, compute_cluster.user_id", "--user ada"),
        (put("{KEY: hush}", "hush"), "document 3, deployment.secrets", "no mapping"),
        (put("  id: mine", "  id: mine\n  user_id: ada"), "document 3, deployment.user_id", "--user ada"),
        ("compute_cluster: {id: a b}", "document 1, compute_cluster.id", "cannot be an id"),
        ("compute_cluster: {id: a, regoin: x}", "document 1, compute_cluster.regoin", "no such key"),
        ("compute_cluster: {id: a, cloud_provider: aws}", "document 1, compute_cluster.cloud_provider", "no mapping"),
        (put("gettable: PRIVATE", "gettable: 30"), "document 1, compute_cluster.visibility", "org"),
        (put("gettable: PRIVATE", "gettable: 11"), "document 1, compute_cluster.visibility.gettable", "none of these"),
        (put("compute_cluster: {id: lab}", "compute_cluster: {id: gone}"), "document 2, nodepool", "No cluster gone"),
        (put("256Mi", "9999Ti"), "document 2, nodepool.instance_types", "memory, where there are"),
        (put("[ON_DEMAND_TYPE, 2]", "[3]"), "document 2, nodepool.node_capacity_type.capacity_types", "none of these"),
        (put("max_instances: 3", "max_instances: many"), "document 2, nodepool.max_instances", "whole number"),
        (put("instance_types: [", "engine: ray\n  instance_types: ["), "document 2, nodepool.engine", "local, remote"),
        (put("  worker:", "  werker:"), "document 3, deployment.werker", "no such key"),
        (put("model: {id: tiny,", "workflow: {id: tiny,"), "document 3, deployment.worker.workflow", "workflows"),
        (put("id: tiny", "id: huge"), "document 3, deployment", "No model owner/main/models/huge"),
        (put("{id: v1}", "{id: v2}"), "document 3, deployment", "no version v2. There are: v1"),
        (put("prefer spot", "9"), "document 3, deployment.scheduling_choice", "none of these"),
        (put("id: one, compute", "id: two, compute"), "document 3, deployment", "No nodepool lab/two"),
        (put("user_id: owner}}", "user_id: ada}}"), "document 3, deployment", "No nodepool lab/one"),
        (
            put("min_replicas: 0", "min_replicas: 3"),
            "document 3, deployment.autoscale_config.min_replicas",
            "above max_replicas",
        ),
        (
            put("min_replicas: 0", "min_replica: 0"),
            "document 3, deployment.autoscale_config.min_replica",
            "no such key",
        ),
        (put("min_replicas: 0", 'min_replicas: "0"'), "autoscale_config.min_replicas", "whole number"),
        (put("GREETING: Hi", "GREETING: yes"), "document 3, deployment.environment", "put it in quotes"),
        (put("queue_limit: 9", "queue_limit: 0"), "document 3, deployment.queue_limit", "1 to"),
    ],
)
def test_a_file_that_lies_is_refused_whole(run: Run, model: Model, file: Path, text: str, where: str, why: str) -> None:
    User.objects.create(username="ada")
    file.write_text(text)
    with pytest.raises((ConfigError, CommandError)) as refused:
        run("compute", "apply", str(file))
    said = str(refused.value)
    assert "lab.yaml" in said
    assert where in said
    assert why in said
    assert "\n" not in said
    assert "hush" not in said
    assert not Cluster.objects.filter(slug__in=["lab", "a"]).exists()


def test_a_file_that_is_not_there_says_so(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"Cannot read .*: No such file"):
        run("compute", "apply", str(tmp_path / "none.yaml"))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match=r"Cannot read"):
        run("compute", "apply", str(tmp_path / "binary.yaml"))


def test_lists_and_deletions(run: Run, model: Model, file: Path) -> None:
    file.write_text(LAB)
    run("compute", "apply", str(file))
    said = run("compute", "list")
    assert "lab/one" in said
    assert "aws us-east-1" in said
    assert "processors" in said.splitlines()[-1]
    services.delete_deployments(model.app.owner, ["mine"])
    assert run("compute", "delete", "lab/one") == "lab/one deleted\n"
    assert "lab/ " in run("compute", "list")
    assert run("compute", "delete", "lab") == "lab deleted\n"
