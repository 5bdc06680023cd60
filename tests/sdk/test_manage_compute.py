"""Clusters, nodepools, deployments, models, apps and runners through both twins of the SDK and a real gateway."""

from __future__ import annotations

import dataclasses
import inspect
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from playground.sdk import (
    AccessError,
    ConflictError,
    InputError,
    InstanceType,
    NotFoundError,
    async_management,
    management,
)
from playground.sdk.testing import Server, serve_gateway
from tests.sdk.conftest import Async, Sync
from tests.sdk.test_live_runner import HELLO


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    with serve_gateway(HELLO) as server:
        yield server


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
async def at(request: pytest.FixtureRequest, gateway: Server) -> AsyncIterator[Any]:
    twin = request.param(gateway.address, token=gateway.token, timeout=60)
    yield twin
    await twin.close()


def new_id(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:8]}"


async def test_a_cluster_with_a_nodepool_and_a_deployment(at: Any) -> None:
    client, cc, dp = at.client, new_id("cc"), new_id("dp")
    made = await at.value(client.clusters.create, cc, description="Mine", cloud_provider="shed", region="r1")
    assert (made.id, made.user_id, made.cloud_provider, made.visibility) == (cc, "owner", "shed", "private")
    small = InstanceType("small", cpu_limit="1", cpu_memory="512Mi", price="0.42")
    pool = await at.value(client.nodepools.create, f"{cc}/np", instance_types=[small], max_instances=2)
    assert (pool.reference, pool.engine, pool.instance_types) == (f"{cc}/np", "local", (small,))
    made = await at.value(
        client.deployments.create,
        dp,
        "hello",
        nodepools=[f"{cc}/np", "local/shared"],
        min_replicas=0,
        max_replicas=2,
        scale_to_zero_delay_seconds=30,
        environment={"GREETING": "hi"},
        secrets={"KEY": "hush"},
        description="Nightly",
    )
    assert made.nodepools == (f"{cc}/np", "local/shared")
    assert (made.min_replicas, made.max_replicas, made.scale_to_zero_delay_seconds) == (0, 2, 30)
    assert (made.environment, made.secrets, made.queue_limit) == ({"GREETING": "hi"}, ("KEY",), 256)
    assert (made.model.model_id, made.follows_latest, made.is_enabled) == ("hello", True, True)
    assert made in await at.value(client.deployments.list, f"{cc}/np")
    with pytest.raises(ConflictError, match="np"):
        await at.value(client.clusters.delete, cc)
    with pytest.raises(ConflictError, match=dp):
        await at.value(client.nodepools.delete, f"{cc}/np")
    await at.value(client.deployments.delete, dp)
    await at.value(client.nodepools.delete, f"{cc}/np")
    await at.value(client.clusters.delete, cc)
    for get, name in ((client.clusters.get, cc), (client.deployments.get, dp), (client.nodepools.get, f"{cc}/np")):
        with pytest.raises(NotFoundError, match=name):
            await at.value(get, name)


async def test_edits_set_what_they_are_given(at: Any) -> None:
    client, dp = at.client, new_id("dp")
    before = await at.value(client.deployments.create, dp, "hello", min_replicas=0, description="One")
    edited = await at.value(client.deployments.edit, dp, max_replicas=3, queue_limit=5, is_enabled=False)
    expected = dataclasses.replace(before, max_replicas=3, queue_limit=5, is_enabled=False)
    kept = {"state": edited.state, "reason": edited.reason}
    assert edited == dataclasses.replace(expected, **kept)
    edited = await at.value(client.deployments.edit, dp, description="", is_enabled=True, visibility="public")
    assert (edited.description, edited.is_enabled, edited.visibility) == ("", True, "public")
    version = (await at.value(client.models.get, "hello")).version_id
    edited = await at.value(client.deployments.edit, dp, version_id=version)
    assert (edited.follows_latest, edited.model.version_id) == (False, version)
    assert (await at.value(client.deployments.edit, dp, version_id="")).follows_latest
    await at.value(client.deployments.edit, dp, secrets={"A": "b"})
    assert (await at.value(client.deployments.edit, dp, secrets={"A": None})).secrets == ()
    await at.value(client.deployments.delete, dp)


async def test_models_and_their_versions(at: Any) -> None:
    models = at.client.models
    hello = await at.value(models.get, "hello")
    assert hello.reference == "owner/main/models/hello"
    assert hello in await at.value(models.list)
    versions = await at.value(models.versions, "hello")
    assert versions[0].id == hello.version_id
    assert versions[0].methods[0] == "predict"
    assert (await at.value(models.edit, "hello", visibility="public")).visibility == "public"
    assert (await at.value(models.edit, "hello", visibility="private")).visibility == "private"
    with pytest.raises(ConflictError, match="only version"):
        await at.value(models.delete_version, "hello", hello.version_id)
    with pytest.raises(NotFoundError, match="absent"):
        await at.value(models.delete, "absent")


async def test_an_app_lives(at: Any) -> None:
    apps, slug = at.client.apps, new_id("app")
    made = await at.value(apps.create, slug, description="Mine")
    assert made == await at.value(apps.get, slug)
    assert made in await at.value(apps.list)
    assert (await at.value(apps.edit, slug, visibility="public")).visibility == "public"
    await at.value(apps.delete, slug)
    with pytest.raises(NotFoundError):
        await at.value(apps.get, slug)


async def test_lists_go_past_a_page(at: Any) -> None:
    ids = [new_id("dp") for _ in range(3)]
    for slug in ids:
        await at.value(at.client.deployments.create, slug, "hello", min_replicas=0)
    listed = [one.id for one in await at.value(at.client.deployments.list)]
    assert [slug for slug in listed if slug in ids] == ids
    await at.value(at.client.deployments.delete, *ids)
    assert await at.value(at.client.runners.list, "local/nowhere") == []


async def test_mistakes_are_found_before_or_behind_the_wire(at: Any) -> None:
    client = at.client
    for wrong in ("shared", "a/b/c/d", "local/"):
        with pytest.raises(InputError, match="names no nodepool"):
            await at.value(client.nodepools.get, wrong)
    with pytest.raises(InputError, match="private or public"):
        await at.value(client.clusters.create, "x", visibility="org")
    with pytest.raises(InputError, match="list of texts"):
        await at.value(client.deployments.create, "x", "hello", nodepools="local/shared")
    with pytest.raises(InputError, match="min_replicas"):
        await at.value(client.deployments.create, "x", "hello", min_replicas=3, max_replicas=2)
    with pytest.raises(ConflictError):
        await at.value(client.deployments.delete, "shared-hello")


async def test_without_a_token_nothing_is_told(at: Any, gateway: Server) -> None:
    nobody = type(at)(gateway.address, token="", timeout=10)
    with pytest.raises(AccessError):
        await nobody.value(nobody.client.clusters.list)
    await nobody.close()


@pytest.mark.parametrize("name", ["Apps", "Models", "Clusters", "Nodepools", "Deployments", "Runners"])
def test_twins_have_the_same_names_and_parameters(name: str) -> None:
    one, other = getattr(management, name), getattr(async_management, f"Async{name}")
    acts = [{n: f for n, f in inspect.getmembers(kind, inspect.isfunction) if n[0] != "_"} for kind in (one, other)]
    assert acts[0].keys() == acts[1].keys()
    for act, function in acts[0].items():
        assert inspect.signature(function).parameters == inspect.signature(acts[1][act]).parameters
        assert inspect.getdoc(function) == inspect.getdoc(acts[1][act])
