"""The tab Versions: methods and requirements for who sees the model, build log and source for the app's owners."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.catalog.folders import keep_folder, read_folder
from playground.catalog.models import Model, ModelVersion, User
from playground.catalog.services import add_model
from playground.catalog.sources import LONGEST, list_files
from playground.compute.builds.environments import Environments
from playground.compute.builds.installer import Installer
from playground.compute.models import Deployment
from playground.compute.services import read_build_log
from playground.play.queries.versions import HIDDEN_LINE
from playground.protocol.signatures import Param
from tests.play.conftest import browser, signatures_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

SECRET = "pg_1234567890"


class Wordy:
    """A method with an argument of each look."""

    def predict(
        self,
        text: str,
        count: int = Param(default=3, min_value=1, max_value=10, description="How many `lines`."),
        style: str = Param(default="plain", choices=["plain", "loud"]),
        api_key: str = Param(default="hunter2", description="Yours."),
        extra: dict = Param(default=None),  # noqa: B008 - as an author writes it
    ) -> list[str]:
        """Says it <b>back</b>.

        And more.
        """
        return [text]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """A model folder with files of every look."""
    settings.ENVIRONMENTS_DIR = tmp_path / "environments"
    settings.MODELS_DIR = tmp_path / "models"
    root = tmp_path / "wordy"
    (root / "1").mkdir(parents=True)
    (root / "1" / "model.py").write_text("# <script>the model</script>\n")
    (root / "1" / "weights.bin").write_bytes(b"\0\1\2")
    (root / "long.txt").write_text("x" * (LONGEST + 1))
    (root / "config.yaml").write_text(
        "model: {id: wordy, model_type_id: text-to-text}\ninference_compute_info: {cpu_limit: '2', cpu_memory: 1Gi}\n"
    )
    (root / "requirements.txt").write_text(f"numpy==1.0\n\n--extra-index-url https://me:{SECRET}@index.example/x\n")
    return root


@pytest.fixture
def version(model: Model, folder: Path) -> ModelVersion:
    made = add_model(model.app, keep_folder(read_folder(folder), folder.parent / "models").path)
    made.signatures = signatures_of(Wordy)
    made.save()
    return made


@pytest.fixture
def address(version: ModelVersion) -> str:
    return reverse("play:model_versions", args=["olive", "main", "wordy"])


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_it_tells_each_method_in_words(owner: User, address: str) -> None:
    page = text_of(browser(owner), address)
    assert "Says it &lt;b&gt;back&lt;/b&gt;." in page
    assert "<code>lines</code>" in page
    for words in ("1 to 10", "plain, loud", "required", "List[str]", "null", "2 CPU, 1Gi memory"):
        assert words in page, words


def test_it_tells_no_secret(owner: User, address: str) -> None:
    assert "hunter2" not in text_of(browser(owner), address)


def test_owners_see_requirements_log_and_source(owner: User, address: str, version: ModelVersion) -> None:
    page = text_of(browser(owner), address)
    assert SECRET in page
    assert "# &lt;script&gt;the model&lt;/script&gt;" in page, "1/model.py is the file that is open at first"
    assert "<script>the" not in page
    assert "1/weights.bin" in page
    assert browser(owner).get(f"{address}/{version.slug}/log").status_code == 200


def test_others_see_methods_and_plain_requirements_alone(mate: User, address: str, version: ModelVersion) -> None:
    page = text_of(browser(mate), f"{address}?file=config.yaml")
    assert "numpy==1.0" in page
    assert SECRET not in page
    assert HIDDEN_LINE in page
    assert "Build log" not in page
    assert "config.yaml" not in page
    assert browser(mate).get(f"{address}/{version.slug}/log").status_code == 403


def test_strangers_see_nothing(stranger: User, address: str, version: ModelVersion) -> None:
    assert browser(stranger).get(address).status_code == 404
    assert browser(stranger).get(f"{address}/{version.slug}/log").status_code == 404


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("config.yaml", "model_type_id: text-to-text"),
        ("1/weights.bin", "This file is no text."),
        ("long.txt", "Too large to be shown here."),
        ("../../../etc/passwd", "the model"),
        ("/etc/passwd", "the model"),
        ("none", "the model"),
    ],
)
def test_the_open_file_stands_in_the_address(owner: User, address: str, file: str, words: str) -> None:
    page = text_of(browser(owner), f"{address}?file={file}")
    assert words in page
    assert "root:" not in page


def test_a_link_out_of_the_folder_is_no_file(model: Model, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("no")
    (folder / "link").symlink_to(tmp_path / "secret")
    names = [file.name for file in list_files(add_model(model.app, folder))]
    assert names == ["1/model.py", "1/weights.bin", "config.yaml", "long.txt", "requirements.txt"]


@pytest.mark.parametrize("change", [lambda file: file.write_text("other"), lambda file: file.unlink()])
def test_a_folder_that_changed_since_is_not_shown(
    owner: User, model: Model, folder: Path, change: Callable[[Path], object]
) -> None:
    add_model(model.app, folder)
    address = reverse("play:model_versions", args=["olive", "main", "wordy"])
    assert "The files of this version" in text_of(browser(owner), address)
    change(folder / "config.yaml")
    page = text_of(browser(owner), address)
    assert "has changed since" in page
    assert "other" not in page.split("Source</h2>")[1]


def test_older_versions_stay(
    owner: User, address: str, version: ModelVersion, folder: Path, model: Model, deployment: Deployment
) -> None:
    (folder / "1" / "model.py").write_text("# newer\n")
    newer = add_model(model.app, folder)
    page = text_of(browser(owner), address)
    assert page.index(newer.slug[:7]) < page.index(version.slug[:7]), "the newest first"
    assert "# newer" in page
    older = text_of(browser(owner), f"{address}?version={version.slug}")
    assert "the model" in older
    assert "Open in playground" not in older, "nothing serves it"
    assert f"model=olive/main/models/wordy&version={version.slug}" in older, "but it can be deployed"
    pinned = {"model": version.model, "version": version, "nodepool": deployment.nodepool}
    Deployment.objects.create(owner=owner, slug="night", **pinned)
    older = browser(owner).get(f"{address}?version={version.slug}").context["detail"]
    assert older.play_url == f"{address}/{version.slug}?deployment=night&owner=olive"
    assert browser(owner).get(older.play_url).context["choice"].deployment == older.deployments[0]
    assert browser(owner).get(f"{address}?version=none").status_code == 404


def test_it_says_who_serves_it(
    owner: User, mate: User, address: str, version: ModelVersion, deployment: Deployment
) -> None:
    for slug, pinned in (("follows", None), ("pinned", version)):
        Deployment.objects.create(
            owner=owner, slug=slug, model=version.model, version=pinned, nodepool=deployment.nodepool
        )
    served = browser(owner).get(address).context["detail"].deployments
    assert [row.slug for row in served] == ["follows", "pinned"]
    assert browser(mate).get(address).context["detail"].deployments == [], "a private one is not told of"


def test_the_build_log_is_that_of_the_requirements(
    owner: User, address: str, version: ModelVersion, settings: Any
) -> None:
    assert read_build_log(version) == []
    log_address = f"{address}/{version.slug}/log"
    assert "Nothing had to be built" in text_of(browser(owner), log_address)
    installer = Installer(environment={}, cache=settings.PACKAGE_CACHE_DIR)
    environments = Environments(settings.ENVIRONMENTS_DIR, settings.BASE_DIR, installer)
    log = environments.log(version.requirements, Path(version.folder))
    log.parent.mkdir()
    log.write_text("12:00:00 <i>built</i>\n")
    answer = browser(owner).get(log_address)
    assert "12:00:00 &lt;i&gt;built&lt;/i&gt;" in answer.content.decode()
    assert browser(owner).get(f"{log_address}?seen={answer.context['seen']}").status_code == 204


def test_a_model_without_a_version_says_so(owner: User, model: Model) -> None:
    empty = Model.objects.create(app=model.app, slug="empty")
    page = text_of(browser(owner), f"{empty.get_absolute_url()}/versions")
    assert "No version yet" in page
