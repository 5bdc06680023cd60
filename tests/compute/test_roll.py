"""Changes of what runs, under calls: not one fails, and what ran before goes only when its calls have."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from tests.compute.plane import WORKER
from tests.gateway import live

if TYPE_CHECKING:
    from pathlib import Path

    from tests.compute.plane import Plane

EACH_SECOND = 20


def copy_of_worker(place: Path, *, added: str = "") -> Path:
    shutil.copytree(WORKER, place)
    with (place / "1" / "model.py").open("a") as file:
        file.write(added)
    return place


def test_a_new_version_takes_over_without_a_failed_call(plane: Plane, tmp_path: Path) -> None:
    plane.make(min_replicas=2, max_replicas=2)
    plane.live.start()
    plane.wait_for("two", state="ready", ready=2, reason="")
    with plane.calling() as caller, caller.keep_calling(each_second=EACH_SECOND, method="work", text="0.05"):
        time.sleep(1)
        slug = plane.add_version(copy_of_worker(tmp_path / "worker", added="# changed\n"))
        seen = plane.wait_for("the change", state="ready", ready=2, reason="")
        while {version for _, _, version in seen["replicas"]} != {slug} or len(seen["replicas"]) != 2:
            time.sleep(0.2)
            seen = plane.look()
        time.sleep(1)
    assert not caller.failures
    assert len(caller.answers) > 3 * EACH_SECOND
    assert len(set(caller.answers)) == 4
    assert set(seen["states"]) == {"pending", "starting", "ready"}


def test_a_stream_outlives_the_change_and_a_variable_arrives(plane: Plane) -> None:
    plane.make(environment={"COLOUR": "blue"}, secrets={"SECRET": "hush"})
    plane.live.start()
    plane.wait_for("ready", state="ready", ready=1)
    with plane.calling() as caller:
        assert [caller.answer("variable", name) for name in ("COLOUR", "SECRET", "OMP_NUM_THREADS")] == [
            "blue",
            "hush",
            "1",
        ]
        with caller.hold() as release:
            with caller.keep_calling(each_second=EACH_SECOND, method="variable", text="COLOUR"):
                plane.edit(environment={"COLOUR": "red"})
                live.wait_for(lambda: "red" in caller.answers, "the change")
            assert not caller.failures
            assert any(state == "draining" for _, state, _ in plane.look()["replicas"])
            release()
        plane.wait_for("one", state="ready", ready=1, reason="")
        assert caller.answer("variable", "COLOUR") == "red"
    assert "hush" not in (plane.live.data / "gateway.out").read_text()


def test_a_version_that_cannot_load_leaves_the_former_one_serving(plane: Plane, tmp_path: Path) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready", ready=1)
    with plane.calling() as caller, caller.keep_calling(each_second=5):
        plane.add_version(copy_of_worker(tmp_path / "broken", added="raise RuntimeError('no weights')\n"))
        seen = plane.wait_for("the failure", 60, state="failed")
        time.sleep(0.5)
    assert not caller.failures
    assert len(set(caller.answers)) == 1
    assert "no weights" in seen["reason"]
    assert seen["reason"].endswith("What ran before still answers.")
    slug = plane.add_version(copy_of_worker(tmp_path / "mended", added="# mended\n"))
    seen = plane.wait_for("the mended one", state="ready", ready=1, reason="")
    assert slug in {version for _, _, version in seen["replicas"]}


def test_off_and_deleted_it_finishes_what_it_has_begun(plane: Plane) -> None:
    plane.make()
    plane.live.start()
    plane.wait_for("ready", state="ready", ready=1)
    with plane.calling() as caller:
        with caller.hold() as release:
            plane.edit(is_enabled=False)
            plane.wait_for("draining", state="draining", ready=0)
            assert caller.ask().status.description.endswith("is switched off. Nothing was run.")
            release()
        seen = plane.wait_for("its end", state="scaled to zero")
        assert (seen["reason"], seen["replicas"]) == ("It is switched off.", [])
        plane.edit(is_enabled=True)
        plane.wait_for("ready again", state="ready", ready=1)
        with caller.hold() as release:
            plane.do("services.delete_deployments(owner, ['work'])")
            release()
    live.wait_for(lambda: not plane.live.runners(), "its end")
