"""Addresses and requests that make no sense: each has its plain answer, none of them a failure of the server."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.live import Stack
from tests.stack.conftest import Person
from tests.stack.page import Page

ODD = [
    "/owner/main/models/%00",
    "/owner/main/models/%ff",
    "/owner/main/models/" + "x" * 5000,
    "/owner/main/models/troubled/versions/%00",
    "/%00/main/models/troubled",
    "/runs/nothing",
    "/media/%00",
    "/media/..%2f..%2fsecret_key",
    "/static/..%2fsecret_key",
    "/static/../secret_key",
    "/static/%00",
    "/deployments/99999999999999999999/state",
    "/no/such/page",
]
QUERIES = [
    "/models/?q=%00",
    "/models/?q=" + "x" * 4000,
    "/runs/?page=x&state=%00",
    "/runs/?page=99999999999999999999",
    "/owner/main/models/troubled?method=dance",
    "/owner/main/models/troubled?run=x",
    "/owner/main/models/troubled?run=00000000-0000-0000-0000-000000000000",
]


@pytest.mark.parametrize("address", ODD, ids=lambda address: address[:40])
def test_an_odd_address_leads_nowhere(owner: Person, address: str) -> None:
    answer = owner.browser.get(address)
    assert answer.status_code in {400, 404}
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("address", QUERIES, ids=lambda address: address[:40])
def test_an_odd_query_is_taken_as_none(owner: Person, address: str) -> None:
    assert owner.browser.get(address).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("POST", "/models/", 405),
        ("DELETE", "/owner/main/models/troubled", 405),
        ("GET", "/media/uploads/", 405),
        ("PUT", "/media/uploads/nothing/0", 404),
        ("PUT", "/media/uploads/nothing/99999999999999999999", 404),
        ("TRACE", "/models/", 405),
    ],
)
def test_an_odd_method_is_refused(owner: Person, method: str, address: str, status: int) -> None:
    assert owner.browser.request(method, address).status_code == status


@pytest.mark.parametrize("body", [b"", b"garbage", b"[]", b"{}", b'{"size": "1"}', b'{"size": -1}', b'{"size": 1e99}'])
def test_an_odd_announcement_of_an_upload_is_refused(owner: Person, body: bytes) -> None:
    answer = owner.browser.post("/media/uploads/", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_form_of_another_site_is_refused(owner: Person) -> None:
    answer = owner.browser.post("/media/uploads/", json={"size": 1}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    answer = owner.browser.post("/media/uploads/", json={"size": 1}, headers={"X-CSRFToken": ""})
    assert answer.status_code == 403


def test_a_strange_host_is_refused(stack: Stack) -> None:
    answer = httpx.get(f"{stack.web}/models/", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400


def test_a_refusal_is_found_in_the_log_by_its_id(stack: Stack, owner: Person, page: Page) -> None:
    page.start("dance")
    by_socket = page.refusal()["request_id"]
    by_page = owner.browser.post("/media/uploads/", json={"size": -1}).json()["error"]["request_id"]
    log = (Path(stack.environment["PLAYGROUND_DATA_DIR"]) / "logs" / "web-server.log").read_text()
    assert f"{by_socket}: NotFoundError: troubled has no method 'dance'" in log
    assert f"{by_page} playground.media.views: InputError" in log
