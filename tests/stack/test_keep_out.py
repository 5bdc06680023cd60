"""Who is not signed in, not known any more, or simply somebody else: kept out by pages, sockets and API in the same
words as where there is nothing."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import httpx
import pytest
import websockets

from playground.sdk import AccessError, Client, NotFoundError
from tests.live import Stack
from tests.stack.conftest import Person, arrive
from tests.stack.page import Page
from tests.stack.test_refuse_calls import troubled
from tests.stack.test_refuse_files import png, upload

REVOKE = """
from playground.catalog.models import AccessToken
from playground.catalog.tokens import digest, revoke_token
revoke_token(AccessToken.objects.get(digest=digest({token!r})))
"""


@pytest.mark.parametrize("token", ["pg_wrong", "", "Key", "x" * 5000, "odd:1:x"])
def test_a_wrong_or_missing_token_is_refused(stack: Stack, token: str) -> None:
    with (
        Client(f"http://{stack.api}", lambda: token) as client,
        pytest.raises(AccessError, match=r"manage\.py token|authorization"),
    ):
        client.model("owner/main/models/hello").predict("x")


def test_a_revoked_token_is_refused_within_a_second_wherever_it_is(stack: Stack) -> None:
    token = stack.manage("token", "--name", "short").splitlines()[-1]
    with Client(f"http://{stack.api}", token) as client:
        hello = client.model("owner/main/models/hello")
        assert hello.predict("x")
        stack.manage("shell", "--no-imports", "-c", REVOKE.format(token=token))
        time.sleep(1)
        with pytest.raises(AccessError, match="revoked"):
            hello.predict("x")
    with httpx.Client(base_url=stack.web, trust_env=False) as browser:
        browser.get("/", params={"token": token})
        assert browser.get("/models/").status_code == 302


def test_who_is_shut_out_is_out_everywhere_at_once(stack: Stack) -> None:
    said = stack.manage("users", "add", "guest").split()
    for guest in arrive(stack, "guest", said[2], said[4]):
        with guest.open_page() as page:
            assert guest.browser.get("/models/").status_code == 200
            stack.manage("users", "shut-out", "guest")
            with pytest.raises(websockets.ConnectionClosed):
                page.hear(5)
            assert page.socket.close_code == 4401
        assert guest.browser.get("/models/").status_code == 302
        with pytest.raises(AccessError):
            guest.client.model("owner/main/models/hello").predict("x")


def test_a_private_model_is_not_there_for_others_by_api(stranger: Person) -> None:
    hidden, absent = (refusal(stranger, model) for model in ("troubled", "nobody"))
    assert hidden.replace("troubled", "nobody") == absent


def refusal(person: Person, model: str) -> str:
    with pytest.raises(NotFoundError) as caught:
        person.client.model(f"owner/main/models/{model}").predict(text="x")
    return caught.value.message


def test_a_private_model_is_not_there_for_others_by_socket(stranger: Person) -> None:
    with stranger.open_page() as page:
        said = []
        for model in ["troubled", "nobody"]:
            page.start("predict", text="x", model=f"owner/main/models/{model}")
            said.append(page.refusal()["message"].replace(model, "MODEL"))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("hidden", "absent"),
    [
        ("/owner/main/models/troubled", "/owner/main/models/nobody"),
        ("/owner/main/models/troubled/runs", "/owner/main/models/nobody/runs"),
        ("/owner/main/models/troubled/runs/recent", "/owner/main/models/nobody/runs/recent"),
        ("/deployments/1/state", "/deployments/999/state"),
    ],
)
def test_a_private_model_is_not_there_for_others_on_pages(stranger: Person, hidden: str, absent: str) -> None:
    assert look(stranger, hidden) == look(stranger, absent)


def look(person: Person, address: str) -> tuple[int, str]:
    """What a page that is not there says, as JSON so that nothing else is on it."""
    answer = person.browser.get(address, headers={"Accept": "application/json"})
    return answer.status_code, answer.json()["error"]["message"]


def test_no_list_shows_what_is_anothers(stranger: Person) -> None:
    for address in ["/models/", "/models/?q=troubled", "/runs/"]:
        answer = stranger.browser.get(address)
        assert answer.status_code == 200
        assert "models/troubled" not in answer.text


def test_anothers_run_and_its_media_are_not_there(owner: Person, stranger: Person, page: Page) -> None:
    _, media = upload(owner, png())
    run = page.start("look", image={"media": media})
    page.events(run)
    assert owner.browser.get(f"/runs/{run}").status_code == 200
    assert owner.browser.get(f"/media/{media}").status_code == 200
    assert look(stranger, f"/runs/{run}") == look(stranger, f"/runs/{uuid.uuid4()}")
    assert look(stranger, f"/media/{media}") == look(stranger, "/media/nothing")


def test_anothers_media_cannot_be_used(stack: Stack, owner: Person, stranger: Person, tmp_path: Path) -> None:
    """The second user has a model of their own, and tries it on the first one's picture."""
    _, media = upload(owner, png())
    folder = copy_of_troubled(tmp_path)
    stack.manage("shell", "--no-imports", "-c", GIVE.format(folder=str(folder)))
    stack.wait_ready("mine")
    with stranger.open_page() as page:
        page.start("look", image={"media": media}, model="stranger/main/models/mine")
        hidden = page.refusal()["message"]
        page.start("look", image={"media": "nothing"}, model="stranger/main/models/mine")
        assert hidden.replace(media, "nothing") == page.refusal()["message"]


GIVE = """
from pathlib import Path
from playground.catalog.models import App, User
from playground.catalog.services import add_model
from playground.compute.services import ensure_shared_deployment
app, _ = App.objects.get_or_create(owner=User.objects.get(username="stranger"), slug="main")
ensure_shared_deployment(add_model(app, Path({folder!r})).model)
"""


def copy_of_troubled(place: Path) -> Path:
    source = Path(__file__).parent / "troubled"
    (place / "mine" / "1").mkdir(parents=True)
    (place / "mine" / "1" / "model.py").write_text((source / "1" / "model.py").read_text())
    (place / "mine" / "config.yaml").write_text("model: {id: mine}\n")
    return place / "mine"


def test_a_traceback_is_for_the_models_owner_alone(stack: Stack, stranger: Person) -> None:
    """To whom a model was opened its failures are told, and not the lines of its code."""
    stack.manage("shell", "--no-imports", "-c", OPEN.format(visibility=50))
    try:
        with pytest.raises(Exception, match="no luck with x") as caught:
            troubled(stranger).fail("x")
        assert not caught.value.traceback  # type: ignore[attr-defined]
        with stranger.open_page() as page:
            event = page.events(page.start("fail", text="x"))[-1]
        assert event["error"]["message"] == "The model failed: LookupError: no luck with x"
        assert "traceback" not in event["error"]
        assert str(Path(__file__).parent) not in str(event)
    finally:
        stack.manage("shell", "--no-imports", "-c", OPEN.format(visibility=10))


OPEN = """
from django.db import transaction
from playground.catalog.models import Model, note_change
with transaction.atomic():
    Model.objects.filter(slug="troubled").update(visibility={visibility})
    note_change("model", Model.objects.get(slug="troubled").pk)
"""


def test_nobody_sees_a_page(stack: Stack) -> None:
    with httpx.Client(base_url=stack.web, trust_env=False) as browser:
        for address in ["/", "/models/", "/runs/", "/owner/main/models/hello", f"/runs/{uuid.uuid4()}"]:
            answer = browser.get(address, follow_redirects=True)
            assert answer.url.path == "/sign-in/"
        assert browser.get("/media/nothing").status_code == 404


def test_no_log_holds_a_token(stack: Stack, owner: Person, stranger: Person) -> None:
    """After everything above: neither tokens nor sign-in links nor cookies stand in any log."""
    secrets = [owner.token, stranger.token, stack.link.partition("token=")[2]]
    secrets += [cookie.value or "-" for person in (owner, stranger) for cookie in person.browser.cookies.jar]
    for log in (Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log.name
