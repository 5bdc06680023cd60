"""Calls go to the replica with the fewest in flight, and to none that is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.routing import NodepoolKey
from tests.gateway.desk import DEPLOYMENT, POOL, ask, desk, generate, post, text_of


async def test_calls_go_where_the_fewest_are() -> None:
    async with desk("left", "right") as (made, runners):
        made.show(*runners)
        held = [asyncio.create_task(post(made, method="hold")) for _ in range(4)]
        for runner in runners:
            await runner.gate.wait_arrived(2)
        assert [made.traffic.at(runner.endpoint) for runner in runners] == [2, 2]
        for runner in runners:
            runner.gate.open.set()
        answers = [text_of(reply) for reply in await asyncio.gather(*held)]
        assert sorted(answers) == ["left you", "left you", "right you", "right you"]
        assert made.traffic.in_flight(7) == 0


async def test_a_busy_replica_is_passed_by() -> None:
    async with desk("left", "right") as (made, (left, right)):
        made.show(left, right)
        held = asyncio.create_task(post(made, method="hold"))
        await left.gate.wait_arrived()
        for _ in range(3):
            assert text_of(await post(made)) == "right you"
        left.gate.open.set()
        await held
        assert text_of(await post(made)) == "left you"


async def test_a_replica_that_dies_takes_its_calls_with_it_and_gets_no_new_one() -> None:
    async with desk("left", "right") as (made, (left, right)):
        made.show(left, right)
        held = [asyncio.create_task(post(made, method="hold")) for _ in range(2)]
        await left.gate.wait_arrived()
        await right.gate.wait_arrived()
        await left.end()  # the controller has not seen it yet
        lost = await held[0]
        assert lost.status.code == StatusCode.RUNNER_PROCESSING_FAILED
        assert "replica went away" in lost.status.description
        assert lost.runner_selector.deployment.id == "shared-talker"
        assert [text_of(await post(made)) for _ in range(5)] == ["right you"] * 5
        right.gate.open.set()
        assert text_of(await held[1]) == "right you"


async def test_a_version_that_was_asked_for_is_the_one_that_answers() -> None:
    async with desk("old", "new") as (made, (old, new)):
        made.show(old, version_id="v0")
        waiting = asyncio.create_task(post(made, version_id="v1"))
        assert text_of(await post(made)) == "old you"
        assert made.records[-1].version_slug == "v0"
        made.show(new, version_id="v1")
        assert text_of(await waiting) == "new you"
        assert made.records[-1].version_slug == "v1"


async def test_each_call_is_counted_once_with_its_figures() -> None:
    async with desk("left") as (made, (left,)):
        made.show(left)
        await post(made)
        assert len(await generate(made)) == 3
        made.show()
        await post(made)
        unary, pieces, refused = made.records
        assert (unary.deployment_pk, unary.version_slug, unary.method, unary.user_pk) == (7, "v1", "predict", 1)
        assert (unary.outcome, unary.outputs, unary.bytes_in) == ("SUCCESS", 1, len(ask()))
        assert unary.first_output_s is not None
        assert 0 < unary.queue_s <= unary.first_output_s <= unary.duration_s
        assert (pieces.outcome, pieces.outputs, pieces.method) == ("SUCCESS", 3, "generate")
        assert (refused.outcome, refused.outputs, refused.first_output_s) == ("MODEL_DEPLOYING", 0, None)


async def test_a_call_that_its_caller_ends_is_counted_as_stopped() -> None:
    async with desk("left") as (made, (left,)):
        made.show(left)
        held = asyncio.create_task(post(made, method="hold"))
        await left.gate.wait_arrived()
        held.cancel()
        await asyncio.wait([held])
        assert made.records[-1].outcome == "STOPPED"
        assert made.traffic.load(7) == 0


async def test_a_reply_names_the_nodepool_that_it_really_ran_on() -> None:
    spare = NodepoolKey("owner", "local", "spare", pk=2)
    moving = replace(DEPLOYMENT, nodepool=replace(POOL, pk=1), others=(spare,))
    async with desk("one", deployment=moving) as (made, (one,)):
        for nodepool_pk, name in [(0, "shared"), (1, "shared"), (2, "spare")]:
            made.show(one, nodepool_id=nodepool_pk)
            selector = (await post(made)).runner_selector
            assert (selector.deployment.id, selector.nodepool.id) == ("shared-talker", name)
