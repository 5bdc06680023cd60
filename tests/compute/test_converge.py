"""Whatever happens, in whatever order: in the end what runs is what the rows say, and no call was dropped on the way.

A state machine over the real controller, the real local engine and real rows; time and processes are made up.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from playground.catalog.models import Model, ModelVersion, User
from playground.catalog.services import ensure_owner
from playground.compute import services, traffic
from playground.compute.builds.lines import LogFile
from playground.compute.models import Deployment, Lease, Nodepool, Replica
from playground.compute.setup import ensure_shared_nodepool
from tests.compute.virtual import World

if TYPE_CHECKING:
    from playground.compute.engines.base import Endpoint
    from tests.compute.virtual import FakeRunner, Leader

pytestmark = pytest.mark.django_db(transaction=True)
State = Deployment.State
LIMIT = "100Mi"
DELAYS = {"scale_up_delay_seconds": 2, "scale_down_delay_seconds": 5, "traffic_history_seconds": 5}


class Plane(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World(Path(tempfile.mkdtemp(prefix="plane-")))
        self.jump = timedelta()
        self.names = 0
        self.calls: list[tuple[Leader, int, Endpoint]] = []
        now = timezone.now
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(timezone, "now", lambda: now() + self.jump)
        self.patched.setattr(traffic, "time", SimpleNamespace(monotonic=lambda: self.world.now))
        self.patched.setattr(django_settings, "LOG_DIR", self.world.folder / "logs")
        append = LogFile._append
        self.patched.setattr(LogFile, "_append", lambda *given: self.write_line(append, *given))
        for kind in (Deployment, Lease, Nodepool, Model, User):
            kind.objects.all().delete()
        self.owner, app = ensure_owner()
        self.nodepool = ensure_shared_nodepool(self.owner)
        self.model = Model.objects.create(app=app, slug="tiny")
        self.add_version(is_broken=False)

    def write_line(self, append: Any, *given: Any) -> None:
        if self.world.is_disk_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(*given)

    def teardown(self) -> None:
        self.world.is_disk_full = False
        is_led = any(self.leads(leader) for leader in self.world.leaders)
        for leader in list(self.world.leaders):
            self.world.end(leader, cleanly=True)
        assert not self.world.alive()
        assert not (is_led and Replica.objects.exists())
        self.world.close()
        self.patched.undo()
        shutil.rmtree(self.world.folder, ignore_errors=True)

    # Gateways.

    @initialize()
    def begin(self) -> None:
        self.begin_gateway()

    @precondition(lambda self: len(self.world.leaders) < 2 and not self.world.is_disk_full)
    @rule()
    def begin_gateway(self) -> None:
        self.names += 1
        self.world.begin(f"elsewhere:{self.names}:1")

    @precondition(lambda self: self.world.leaders)
    @rule(which=st.integers(0, 1), cleanly=st.booleans())
    def end_gateway(self, which: int, cleanly: bool) -> None:
        leader = self.world.leaders[which % len(self.world.leaders)]
        self.calls = [call for call in self.calls if call[0] is not leader]
        if cleanly:
            self.drop_traffic(leader)
        self.world.end(leader, cleanly=cleanly)

    def drop_traffic(self, leader: Leader) -> None:
        leader.traffic._in_flight.clear()
        leader.traffic._of_deployment.clear()

    # People.

    @rule(low=st.integers(0, 2), more=st.integers(0, 2), zero_delay=st.sampled_from([0, 3]))
    def create(self, low: int, more: int, zero_delay: int) -> None:
        if Deployment.objects.count() < 3:
            self.names += 1
            services.create_deployment(
                self.owner,
                f"d{self.names}",
                self.model,
                nodepools=[self.nodepool],
                min_replicas=low,
                max_replicas=max(1, low + more),
                scale_to_zero_delay_seconds=zero_delay,
                **DELAYS,
            )
            self.tell()

    @rule(which=st.integers(0, 2), low=st.integers(0, 3), more=st.integers(0, 2))
    def scale(self, which: int, low: int, more: int) -> None:
        if row := self.pick(which):
            services.scale(self.owner, row, low, max(1, low + more))
            self.tell()

    @rule(which=st.integers(0, 2), is_enabled=st.booleans())
    def switch(self, which: int, is_enabled: bool) -> None:
        if row := self.pick(which):
            services.set_enabled(self.owner, row, is_enabled)
            self.tell()

    @rule(which=st.integers(0, 2))
    def retry(self, which: int) -> None:
        if row := self.pick(which):
            services.retry(self.owner, row)
            self.tell()

    @rule(which=st.integers(0, 2), value=st.sampled_from("abc"))
    def set_environment(self, which: int, value: str) -> None:
        if row := self.pick(which):
            services.edit_deployment(self.owner, row, environment={"COLOUR": value})
            self.tell()

    @rule(which=st.integers(0, 2))
    def delete(self, which: int) -> None:
        if row := self.pick(which):
            services.delete_deployments(self.owner, [row.slug])
            self.tell()

    @rule(is_broken=st.booleans())
    def add_version(self, is_broken: bool) -> None:
        self.names += 1
        ModelVersion.objects.create(
            model=self.model,
            slug=f"v{self.names}",
            folder=str(self.world.folder / (f"broken{self.names}" if is_broken else f"fine{self.names}")),
            digest=str(self.names),
            config={"inference_compute_info": {"cpu_memory": LIMIT}, "num_threads": 2},
        )
        self.tell()

    def tell(self) -> None:
        for leader in self.world.leaders:
            leader.controller.wake()

    def pick(self, which: int) -> Deployment | None:
        rows = list(Deployment.objects.order_by("pk"))
        return rows[which % len(rows)] if rows else None

    # Calls.

    @rule(which=st.integers(0, 2))
    def call(self, which: int) -> None:
        """As the relay does it: the least busy ready replica, else a place among those who wait for a moment."""
        row = self.pick(which)
        if row is None or not row.is_enabled:
            return
        for leader in self.world.leaders:
            endpoints = leader.controller.observe(row.pk).endpoints
            if endpoints:
                endpoint = min(endpoints, key=leader.traffic.at)
                leader.traffic.begin(row.pk, endpoint)
                self.calls.append((leader, row.pk, endpoint))
            else:
                leader.loop.run_until_complete(self.wait_a_moment(leader, row.pk))

    async def wait_a_moment(self, leader: Leader, pk: int) -> None:
        leader.traffic.begin_waiting(pk)
        leader.traffic.end_waiting(pk)

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 50))
    def end_call(self, which: int) -> None:
        leader, pk, endpoint = self.calls.pop(which % len(self.calls))
        leader.traffic.end(pk, endpoint)

    @rule(which=st.integers(0, 2), change=st.sampled_from(["environment", "switch", "delete", "version"]))
    def change_under_calls(self, which: int, change: str) -> None:
        """Each replica has a call when what it runs changes, and time to go too soon."""
        self.world.advance(3)
        for _ in range(3):
            self.call(which)
        if change == "environment":
            self.set_environment(which, value=str(self.names))
        elif change == "switch":
            self.switch(which, is_enabled=False)
        elif change == "delete":
            self.delete(which)
        else:
            self.add_version(is_broken=False)
        self.world.advance(12)

    # Trouble.

    @rule(which=st.integers(0, 5))
    def kill_runner(self, which: int) -> None:
        if alive := self.world.alive():
            alive[which % len(alive)].die("the runner was ended by SIGKILL")

    @rule(which=st.integers(0, 5))
    def grow(self, which: int) -> None:
        if alive := self.world.alive():
            alive[which % len(alive)].memory = 200 * 2**20

    @rule(is_full=st.booleans())
    def fill_the_disk(self, is_full: bool) -> None:
        self.world.is_disk_full = is_full

    @rule(is_so=st.booleans())
    def run_out_of_processes(self, is_so: bool) -> None:
        self.world.has_no_processes = is_so

    @rule(days=st.integers(-400, 400))
    def set_the_clock(self, days: int) -> None:
        self.jump = timedelta(days=days)

    @rule(seconds=st.sampled_from([0.5, 1, 3, 12, 70]), load=st.sampled_from([0.1, 2.5]))
    def wait(self, seconds: float, load: float) -> None:
        self.world.load_seconds = load
        self.world.advance(seconds, step=0.5)

    # What holds always, and in the end.

    @invariant()
    def no_call_was_dropped(self) -> None:
        """A replica that nobody killed ends when its calls have, or the time for that has passed."""
        assert not [runner for runner in self.world.runners if runner.lost_calls and self.was_early(runner)]

    def was_early(self, runner: FakeRunner) -> bool:
        return runner.owner in self.world.leaders and runner.memory < 100 * 2**20 and self.leads(runner.owner)

    def leads(self, leader: Leader) -> bool:
        return leader.controller._leads

    @invariant()
    def nobody_is_left_behind(self) -> None:
        """Each process is a replica that its controller knows."""
        known = {endpoint for leader in self.world.leaders for endpoint in leader.controller.endpoints()}
        ready = {runner.endpoint for runner in self.world.alive() if runner.calls}
        assert ready <= known

    @rule()
    def settle(self) -> None:
        """No more trouble, and time: then what runs is what should."""
        self.world.is_disk_full = self.world.has_no_processes = False
        self.world.load_seconds = 0.4
        for leader, pk, endpoint in self.calls:
            leader.traffic.end(pk, endpoint)
        self.calls.clear()
        if not self.world.leaders:
            self.begin_gateway()
        self.world.advance(30)
        for row in Deployment.objects.filter(state=State.FAILED):
            services.retry(self.owner, row)
        self.tell()
        self.world.advance(90)
        rows = list(Deployment.objects.all())
        for row in rows:
            self.check(row)
        assert len(self.world.alive()) == sum(row.ready_replicas for row in rows)
        assert Lease.objects.count() == 1
        assert len([leader for leader in self.world.leaders if self.leads(leader)]) == 1

    def check(self, row: Deployment) -> None:
        version = row.served_version
        assert version is not None
        replicas = list(Replica.objects.filter(deployment=row))
        if not row.is_enabled:
            assert (row.state, row.reason, replicas) == (State.ZERO, "It is switched off.", [])
        elif "broken" in version.folder:
            assert row.state == State.FAILED
            assert "it cannot be loaded" in row.reason
        elif not row.min_replicas:
            assert (row.state, replicas) == (State.ZERO, [])
        else:
            self.check_ready(row, version, replicas)

    def check_ready(self, row: Deployment, version: ModelVersion, replicas: list[Replica]) -> None:
        assert (row.state, row.reason, row.ready_replicas) == (State.READY, "", row.min_replicas)
        assert [(one.version, one.state) for one in replicas] == [(version, State.READY)] * row.min_replicas
        [leader] = [leader for leader in self.world.leaders if self.leads(leader)]
        observed = leader.controller.observe(row.pk)
        assert {one.runner_id for one in observed.replicas} == {one.slug for one in replicas}
        serving = [runner for runner in self.world.alive() if runner.endpoint in observed.endpoints]
        colour = services.environment_of(row).get("COLOUR")
        assert [(str(one.folder), one.environment.get("COLOUR")) for one in serving] == [
            (version.folder, colour)
        ] * row.min_replicas


@pytest.mark.timeout(300)
def test_it_converges() -> None:
    run_state_machine_as_test(
        Plane,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
