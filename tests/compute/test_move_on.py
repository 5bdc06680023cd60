"""From a nodepool on which a deployment fails to the next of its own; on the last it stays failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.compute import services
from playground.compute.models import Deployment
from playground.compute.services.states import move_on

if TYPE_CHECKING:
    from tests.compute.conftest import House
    from tests.compute.plane import Plane

ELSEWHERE = """
cluster = services.create_cluster(owner, "far")
dead = services.create_nodepool(owner, cluster, "dead", engine="remote", addresses=["127.0.0.1:9"])
shared = Nodepool.objects.get(is_shared=True)
"""


def test_it_goes_on_to_one_that_works(plane: Plane) -> None:
    plane.make(min_replicas=0)
    plane.do(ELSEWHERE + "services.edit_deployment(owner, row, nodepools=[dead, shared], min_replicas=1)")
    plane.live.start()
    seen = plane.wait_for("ready on the second", state="ready", ready=1)
    assert "failed" in seen["states"]
    assert "It failed on far/dead; local/shared is next." in seen["reasons"]
    with plane.calling() as caller:
        assert caller.answer()


@pytest.mark.django_db
def test_in_order_to_the_last_one(house: House) -> None:
    cluster = services.create_cluster(house.ada, "far")
    first, second = (services.create_nodepool(house.ada, cluster, slug) for slug in ("one", "two"))
    row = services.create_deployment(house.ada, "work", house.model, nodepools=[first, second])
    Deployment.objects.filter(pk=row.pk).update(state="failed")
    row.refresh_from_db()
    assert move_on(row)
    assert (row.nodepool, row.state) == (second, "pending")
    assert not move_on(row)
    assert row.nodepool == second
    assert [placement.nodepool for placement in row.placements.order_by("position")] == [first, second]
