"""``models add``: copied, built, loaded once, signatures stored; with a gateway and without one."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from playground.catalog.models import App, Model, User
from playground.compute.models import Deployment
from playground.management.watching import follow_log
from playground.protocol.errors import ConfigError, InputError, PlaygroundError
from tests.gateway import live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import SettingsWrapper

    from tests.management.conftest import Run

MODEL = """
import os
from clarifai.runners.models.model_class import ModelClass

class Mine(ModelClass):
    @ModelClass.method
    def {method}(self, text: str) -> str:
        return text + os.environ.get("GREETING", "") + os.environ.get("KEY", "")
"""


def write_model(folder: Path, method: str = "predict", *, config: str = "", requirements: str = "") -> Path:
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "1" / "model.py").write_text(MODEL.format(method=method))
    (folder / "config.yaml").write_text(f"model: {{id: other, user_id: someone, app_id: elsewhere}}\n{config}")
    (folder / "requirements.txt").write_text(requirements)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "mine")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> live.Live:
    """A data folder without a gateway."""
    return live.make(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    running = live.make(tmp_path_factory.mktemp("served"))
    running.start()
    yield running
    running.stop()


def manage(house: live.Live, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    environment = {**house.environment, **environ}
    return subprocess.run(command, env=environment, cwd=live.ROOT, capture_output=True, text=True, timeout=100)


def add(house: live.Live, folder: Path, model_id: str, *more: str) -> subprocess.CompletedProcess[str]:
    return manage(house, "models", "add", str(folder), "--id", model_id, "--type", "text-to-text", *more)


def facts(house: live.Live, model_id: str) -> Any:
    return house.django(FACTS, model_id)


FACTS = """
from playground.catalog.models import Model
model = Model.objects.get(slug=sys.argv[1])
shared = model.deployments.get(is_shared=True)
print(json.dumps({
    "name": str(model), "type": model.type_id, "enabled": shared.is_enabled, "state": shared.state,
    "folders": [version.folder for version in model.versions.order_by("pk")],
    "methods": [[one.name for one in version.signatures] for version in model.versions.order_by("pk")],
}))
"""


def test_without_a_gateway_it_is_loaded_here(house: live.Live, folder: Path) -> None:
    done = add(house, folder, "alone")
    assert done.returncode == 0, done.stderr
    assert "No gateway is running" in done.stdout
    assert "methods: predict" in done.stdout
    assert "python manage.py playground" in done.stdout
    assert facts(house, "alone")["methods"] == [["predict"]]


def test_what_is_edited_later_changes_no_version(house: live.Live, folder: Path) -> None:
    add(house, folder, "edited")
    write_model(folder, "greet")
    kept = Path(facts(house, "edited")["folders"][0])
    assert kept.parent == house.data / "models"
    assert "def predict" in (kept / "1" / "model.py").read_text()
    add(house, folder, "edited")
    assert "there already" in add(house, folder, "edited").stdout
    now = facts(house, "edited")
    assert now["methods"] == [["predict"], ["greet"]]
    assert len(set(now["folders"])) == 2


def test_user_and_app_are_the_caller_s(house: live.Live, folder: Path) -> None:
    manage(house, "users", "add", "ada")
    done = add(house, folder, "named", "--user", "ada", "--no-wait")
    assert done.returncode == 0, done.stderr
    assert facts(house, "named")["name"] == "ada/main/models/named"
    refused = add(house, folder, "named", "--app", "gone")
    assert (refused.returncode, refused.stderr) == (1, "owner has no app gone. There are: main.\n")


def test_a_folder_that_cannot_be_loaded_says_so_with_its_log(house: live.Live, folder: Path) -> None:
    (folder / "1" / "model.py").write_text("raise RuntimeError('no weights here')\n")
    done = add(house, folder, "broken")
    assert done.returncode == 1
    assert "no weights here" in done.stderr
    assert "broken failed:" in done.stderr.splitlines()[-1]
    assert facts(house, "broken")["methods"] == [[]]


def test_with_a_gateway_it_is_watched_until_it_is_ready(served: live.Live, folder: Path) -> None:
    done = add(served, folder, "mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["ready", "methods: predict"]
    assert served.predict(live.ask(model="mine", text="good")).status.code == live.OK
    write_model(folder, "greet")
    again = add(served, folder, "mine")
    assert again.stdout.splitlines()[-1] == "methods: greet"
    assert facts(served, "mine")["methods"] == [["predict"], ["greet"]]


def test_where_the_shared_deployment_stays_behind_it_is_loaded_here(served: live.Live, folder: Path) -> None:
    add(served, folder, "pinned")
    version = Path(facts(served, "pinned")["folders"][0])
    pin = ("deployments", "edit", "shared-pinned", "--version", served.django(FIRST_VERSION, "pinned"))
    assert manage(served, *pin).returncode == 0
    done = add(served, write_model(folder, "greet"), "pinned")
    assert "shared-pinned does not run this version: it is built and loaded here, once." in done.stdout
    assert done.stdout.splitlines()[-1] == "methods: greet"
    assert version.is_dir()


FIRST_VERSION = """
from playground.catalog.models import Model
print(json.dumps(Model.objects.get(slug=sys.argv[1]).versions.order_by("pk").first().slug))
"""


def test_no_wait_returns_at_once_and_the_gateway_goes_on(served: live.Live, folder: Path) -> None:
    assert "methods" not in add(served, folder, "later", "--no-wait").stdout
    live.wait_for(lambda: facts(served, "later")["methods"] == [["predict"]], "the signatures", 30)


def test_an_environment_that_will_not_build_fails_with_its_log(served: live.Live, folder: Path) -> None:
    write_model(folder, requirements="./no-such-package\n")
    done = add(served, folder, "unbuilt")
    assert done.returncode == 1
    assert "no-such-package" in done.stderr
    write_model(folder)  # and is tried again with the next version
    assert add(served, folder, "unbuilt").returncode == 0


def test_a_deployment_gets_its_environment_and_tells_no_secret(served: live.Live, folder: Path) -> None:
    add(served, folder, "secretive")
    create = ("deployments", "create", "told", "--model", "secretive", "--nodepool", "local/shared")
    assert manage(served, *create, "--env", "GREETING=Hi", "--secret", "KEY", KEY="hushhush").returncode == 0
    request = live.ask(model="secretive", text="", runner_selector=live.by_deployment("told"))
    live.wait_for(lambda: served.predict(request).status.code == live.OK, "the deployment", 30)
    assert served.predict(request).outputs[0].data.parts[0].data.string_value == "Hihushhush"
    said = [manage(served, "deployments", act, *more).stdout for act, more in (("list", ()), ("logs", ("told",)))]
    assert "hushhush" not in "".join(said)
    kept = [path for path in served.data.rglob("*") if path.is_file()]
    assert [path for path in kept if b"hushhush" in path.read_bytes()] == []


def test_logs_follow_across_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("before\n")
    lines: list[str] = []
    heard = threading.Event()

    def follow() -> None:
        for line in follow_log(path):
            lines.append(line)
            heard.set()
            if line == "end":
                return

    thread = threading.Thread(target=follow)
    thread.start()
    while not heard.wait(0.1):
        with path.open("a") as file:
            file.write("one\n")
    path.rename(tmp_path / "a.log.1")
    path.write_text("two\nend\n")
    thread.join(10)
    assert "before" not in lines
    assert lines[-2:] == ["two", "end"]


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ("inference_compute_info: {cpu_limit: '4000'}", "4000 processors, where there are"),
            ("inference_compute_info: {cpu_memory: 900Ti}", "of memory, where there are"),
            ("inference_compute_info: {num_accelerators: 64}", "64 accelerators, where there are"),
            ("inference_compute_info: {cpu_memory: much}", "cpu_memory is no amount of memory"),
        ],
    )
    def test_a_size_that_the_machine_lacks(self, run: Run, folder: Path, config: str, words: str) -> None:
        write_model(folder, config=config)
        with pytest.raises(Exception, match=words):
            run("models", "add", str(folder), "--id", "big", "--type", "any-to-any")
        assert not Model.objects.exists()

    def test_with_elsewhere_it_is_added_and_not_run_here(self, run: Run, folder: Path) -> None:
        write_model(folder, config="inference_compute_info: {num_accelerators: 64}")
        run("models", "add", str(folder), "--id", "big", "--type", "any-to-any", "--elsewhere")
        assert Deployment.objects.get().is_enabled is False

    @pytest.mark.parametrize("arguments", [("--id", "a b", "--type", "x"), ("--id", "a", "--type", "x/y")])
    def test_an_id_that_is_none(self, run: Run, folder: Path, arguments: tuple[str, ...]) -> None:
        with pytest.raises(InputError, match="cannot be an id"):
            run("models", "add", str(folder), *arguments)

    def test_a_folder_that_is_none(self, run: Run, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"Cannot read"):
            run("models", "add", str(tmp_path), "--id", "a", "--type", "x")

    def test_a_folder_around_the_data_folder(self, run: Run, folder: Path, settings: SettingsWrapper) -> None:
        settings.MODELS_DIR = folder / "data" / "models"
        with pytest.raises(ConfigError, match="holds the data folder too"):
            run("models", "add", str(folder), "--id", "a", "--type", "x")

    def test_models_are_listed_and_deleted(self, run: Run, folder: Path) -> None:
        run("models", "add", str(folder), "--id", "mine", "--type", "text-to-text", "--no-wait")
        kept = Path(Model.objects.get().versions.get().folder)
        assert "owner/main/models/mine  text-to-text" in run("models", "list")
        run("deployments", "create", "used", "--model", "mine", "--nodepool", "local/shared")
        with pytest.raises(PlaygroundError, match="in use by the deployments owner/used"):
            run("models", "delete", "mine")
        run("deployments", "delete", "used")
        assert kept.is_dir()
        assert run("models", "delete", "mine") == "mine deleted\n"
        assert not Model.objects.exists()

    def test_a_user_without_apps_gets_main(self, run: Run, folder: Path) -> None:
        User.objects.create(username="ada")
        run("models", "add", str(folder), "--id", "mine", "--type", "x", "--user", "ada", "--no-wait")
        assert str(App.objects.get(owner__username="ada")) == "ada/main"
