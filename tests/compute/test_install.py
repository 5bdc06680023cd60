"""What uv is told, what is built from a broken start, and what a checkpoint must be."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground.compute.builds.checkpoints import Checkpoint, Checkpoints, read_checkpoint
from playground.compute.builds.environments import WIRE_PACKAGES, Environments, has_requirements, wire_constraints
from playground.compute.builds.installer import BuildError, Installer, index_settings

if TYPE_CHECKING:
    from collections.abc import Callable


class RecordingInstaller(Installer):
    """Writes down each run of uv, and makes the few files that the real one would."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, ...]] = []
        self.fails_at = ""

    async def run(self, *arguments: str, say: Callable[[str], None], folder: Path | None = None) -> None:
        self.runs.append(arguments)
        say(f"$ uv {arguments[0]}")
        if self.fails_at and self.fails_at in arguments:
            raise BuildError("uv failed")
        if arguments[0] == "venv":
            (Path(arguments[-1]) / "lib" / "python3" / "site-packages").mkdir(parents=True)
        elif "--target" in arguments:
            file = Path(arguments[arguments.index("--target") + 1]) / "weights" / "w.bin"
            file.parent.mkdir(parents=True)
            file.write_bytes(b"weights")


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


@pytest.fixture
def installer() -> RecordingInstaller:
    return RecordingInstaller()


def test_uvs_own_settings_win() -> None:
    assert index_settings({"UV_DEFAULT_INDEX": "https://a", "PIP_INDEX_URL": "https://b"}) == {}


def test_pips_settings_are_passed_on_as_far_as_they_exist(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(
        f"[global]\nindex-url = https://index.example/simple\n"
        f"extra-index-url = file://{tmp_path} file:///not/there\nfind-links = /not/there\ncert = /not/there.pem\n"
    )
    assert index_settings({}, [conf, tmp_path / "absent.conf"]) == {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "UV_EXTRA_INDEX_URL": f"file://{tmp_path}",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_pips_variables_win_over_its_files(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nindex-url = https://file.example\n")
    found = index_settings({"PIP_INDEX_URL": "https://variable.example"}, [conf])
    assert found["UV_DEFAULT_INDEX"] == "https://variable.example"


def test_an_unreadable_configuration_is_passed_over(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text("no section = 1\n")
    assert index_settings({}, [conf]) == {}


@pytest.mark.parametrize(("text", "has"), [("", False), ("# nothing\n\n", False), ("numpy\n", True)])
def test_comments_are_no_requirements(text: str, has: bool) -> None:
    assert has_requirements(text) is has


async def test_an_environment_is_built_once(tmp_path: Path, installer: RecordingInstaller) -> None:
    environments = Environments(tmp_path / "environments", tmp_path, installer)
    python = await environments.make("numpy\n", tmp_path, print)
    assert await environments.make("numpy\n", tmp_path, print) == python
    assert [run[0] for run in installer.runs] == ["venv", "pip"]
    assert set(WIRE_PACKAGES) <= set(installer.runs[1])
    constraints = python.parents[1] / "constraints.txt"
    assert constraints.read_text().split() == wire_constraints()
    [source] = python.parents[1].rglob("*.pth")
    assert source.read_text().strip() == str(tmp_path)


async def test_one_left_half_made_is_made_again(tmp_path: Path, installer: RecordingInstaller) -> None:
    environments = Environments(tmp_path / "environments", tmp_path, installer)
    installer.fails_at = "pip"
    with pytest.raises(BuildError):
        await environments.make("numpy\n", tmp_path, print)
    assert environments.find("numpy\n", tmp_path) is None
    installer.fails_at = ""
    assert await environments.make("numpy\n", tmp_path, print)


def test_requirements_that_name_files_count_for_their_folder_alone(
    tmp_path: Path, installer: RecordingInstaller
) -> None:
    environments = Environments(tmp_path, tmp_path, installer)
    one, two = tmp_path / "one", tmp_path / "two"
    assert environments._place("./package", one) != environments._place("./package", two)
    assert environments._place("numpy", one) == environments._place("numpy", two)


async def test_a_checkpoint_is_checked_and_kept(tmp_path: Path, installer: RecordingInstaller) -> None:
    checkpoints = Checkpoints(tmp_path, installer)
    checkpoint = Checkpoint("w==1", "weights/w.bin", hashlib.sha256(b"weights").hexdigest())
    path = await checkpoints.fetch(checkpoint, print)
    assert path.read_bytes() == b"weights"
    assert await checkpoints.fetch(checkpoint, print) == path
    assert len(installer.runs) == 1
    assert sorted(names_in(tmp_path)) == [checkpoint.sha256, f"{checkpoint.sha256}.log"]


@pytest.mark.parametrize(("file", "words"), [("weights/w.bin", "has sha256"), ("weights/other.bin", "has no file")])
async def test_a_wrong_checkpoint_is_refused(
    tmp_path: Path, installer: RecordingInstaller, file: str, words: str
) -> None:
    with pytest.raises(BuildError, match=words):
        await Checkpoints(tmp_path, installer).fetch(Checkpoint("w==1", file, "0" * 64), print)
    assert names_in(tmp_path) == [f"{'0' * 64}.log"], "its log is all that is left"
    assert re.search(f"It failed: .*{words}", (tmp_path / f"{'0' * 64}.log").read_text())


async def test_each_build_keeps_its_lines_and_begins_anew(tmp_path: Path, installer: RecordingInstaller) -> None:
    environments = Environments(tmp_path / "environments", tmp_path, installer)
    said: list[str] = []
    installer.fails_at = "install"
    with pytest.raises(BuildError):
        await environments.make("numpy\n", tmp_path, said.append)
    log = environments.log("numpy\n", tmp_path)
    assert [line[9:] for line in log.read_text().splitlines()] == [*said, "It failed: uv failed"]
    installer.fails_at = ""
    await environments.make("numpy\n", tmp_path, said.append)
    assert [line[9:] for line in log.read_text().splitlines()] == ["$ uv venv", "$ uv pip"]
    await environments.make("numpy\n", tmp_path, said.append)
    assert len(log.read_text().splitlines()) == 2, "what is there is not built again"


def test_only_our_kind_of_checkpoint_is_read() -> None:
    assert read_checkpoint({}) is None
    assert read_checkpoint({"checkpoints": {"type": "huggingface", "repo_id": "x/y"}}) is None
    with pytest.raises(BuildError, match="file and sha256"):
        read_checkpoint({"checkpoints": {"type": "package", "package": "w"}})
    entry = {"type": "package", "package": "w", "file": "../w", "sha256": "a"}
    with pytest.raises(BuildError, match="inside the package"):
        read_checkpoint({"checkpoints": entry})
