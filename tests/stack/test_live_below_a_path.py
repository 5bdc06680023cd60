"""One setting, the public address, and everything lives below its path: link, cookies, pages, sockets, runs, media."""

from __future__ import annotations

import json
import re
import uuid
from socket import create_connection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from websockets.sync.client import connect

from tests.live import Stack, product

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC = "http://models.example/lab"


@pytest.fixture(scope="module")
def lab() -> Iterator[Stack]:
    with product(public_url=PUBLIC) as running:
        yield running


@pytest.fixture(scope="module")
def browser(lab: Stack) -> Iterator[httpx.Client]:
    """Signed in, behind a proxy that passes host and path on."""
    with httpx.Client(base_url=lab.web, headers={"Host": "models.example"}, trust_env=False) as client:
        answer = client.get("/lab/?" + urlsplit(lab.link).query)
        cookies = answer.headers.get_list("Set-Cookie")
        client.headers["Cookie"] = "; ".join(cookie.partition(";")[0] for cookie in cookies)
        assert all("Path=/lab/" in cookie for cookie in cookies)
        yield client


def test_the_link_is_of_the_public_address(lab: Stack) -> None:
    assert lab.link.startswith(f"{PUBLIC}/?token=")


@pytest.mark.parametrize(
    "path",
    [
        "/models/",
        "/runs/",
        "/owner/main/models/hello",
        "/owner/main/models/nobody",
        "/compute/",
        "/compute/deployments/owner/shared-hello",
        "/apps/",
        "/owner/main/settings",
        "/admin/",
        "/admin/compute/deployment/",
        "/admin/compute/deployment/1/change/",
    ],
)
def test_no_page_leads_out_of_the_path(browser: httpx.Client, path: str) -> None:
    answer = browser.get(f"/lab{path}")
    assert answer.status_code == (404 if "nobody" in path else 200)
    addresses = re.findall(r'(?:href|src|action|hx-get|hx-post|socket|data-\w+)="(/[^"]*)"', answer.text)
    assert addresses
    assert not [address for address in addresses if not address.startswith("/lab/")]
    assert browser.get(path).text.count("/lab/") == answer.text.count("/lab/")  # as from a proxy that strips it


def test_signing_out_and_in_again_stays_below_the_path(lab: Stack) -> None:
    with httpx.Client(base_url=lab.web, headers={"Host": "models.example"}, trust_env=False) as visitor:

        def post(path: str, **fields: str) -> httpx.Response:
            page = visitor.get("/lab/sign-in/")
            jar = page.headers.get_list("Set-Cookie") or [visitor.headers.get("Cookie", "")]
            kept = dict(part.partition(";")[0].split("=", 1) for part in jar if "=" in part)
            visitor.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            token = found[1] if found else ""
            return visitor.post(path, data={"csrfmiddlewaretoken": token, **fields})

        assert visitor.get("/lab/compute/").headers["Location"] == "/lab/sign-in/?next=/lab/compute/"
        refused = post("/lab/sign-in/", token="nonsense", next="/lab/compute/")
        assert refused.status_code == 403
        assert "does not sign anyone in" in refused.text
        answer = post("/lab/sign-in/", token=lab.token, next="/lab/compute/")
        assert answer.headers["Location"] == "/lab/compute/"


@pytest.mark.parametrize("prefix", ["/lab", ""])
def test_a_run_goes_through_a_socket_below_the_path(lab: Stack, browser: httpx.Client, prefix: str) -> None:
    run = str(uuid.uuid4())
    start = {"type": "start", "run": run, "model": "owner/main/models/hello", "method": "predict"}
    with open_socket(lab, browser, prefix, "http://models.example") as socket:
        socket.send(json.dumps({**start, "arguments": {"text": "x"}}))
        heard = ""
        while '"finished"' not in heard:
            heard = str(socket.recv(10))
            assert '"refused"' not in heard
    assert browser.get(f"/lab/runs/{run}").status_code == 200


def test_a_page_of_another_host_gets_no_socket(lab: Stack, browser: httpx.Client) -> None:
    with (
        pytest.raises(websockets.InvalidStatus, match="403"),
        open_socket(lab, browser, "/lab", "http://evil.example"),
    ):
        pass


def open_socket(lab: Stack, browser: httpx.Client, prefix: str, origin: str) -> connect:
    return connect(
        f"ws://models.example{prefix}/ws/runs/",
        sock=create_connection(("127.0.0.1", urlsplit(lab.web).port or 80)),
        origin=origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": browser.headers["Cookie"]},
        proxy=None,
    )
