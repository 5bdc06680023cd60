"""What every page carries, how errors look, and what stays out of the log."""

from __future__ import annotations

import re

import httpx
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from playground import urls
from playground.middleware import server_error
from playground.protocol import errors
from tests.doors.web_process import WebProcess

RAISED: dict[str, errors.PlaygroundError] = {error.__name__: error("What happened.") for error in errors.CLASSES}


def fail(request: HttpRequest, name: str) -> HttpResponse:
    raise RAISED[name]


urlpatterns = [*urls.urlpatterns, path("fail/<name>", fail)]
handler404, handler500 = urls.handler404, urls.handler500


def test_a_page_loads_from_here_alone(client: Client) -> None:
    headers = client.get("/healthz").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-ID"])


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("InputError", 400),
        ("AccessError", 403),
        ("NotFoundError", 404),
        ("ConflictError", 409),
        ("OverloadedError", 429),
        ("ModelError", 502),
        ("UnavailableError", 503),
        ("DeadlineError", 504),
        ("ServerError", 500),
    ],
)
def test_our_errors_become_pages(client: Client, name: str, status: int) -> None:
    answer = client.get(f"/fail/{name}")
    assert answer.status_code == status
    assert "What happened." in answer.content.decode()
    assert answer["X-Request-ID"] in answer.content.decode()


@override_settings(ROOT_URLCONF=__name__)
def test_htmx_gets_a_partial(client: Client) -> None:
    text = client.get("/fail/InputError", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert "What happened." in text


@override_settings(ROOT_URLCONF=__name__)
def test_modules_get_json(client: Client) -> None:
    answer = client.get("/fail/InputError", headers={"Accept": "application/json"})
    error = answer.json()["error"]
    assert (error["name"], error["message"]) == ("InputError", "What happened.")
    assert error["request_id"] == answer["X-Request-ID"]


@pytest.mark.django_db
def test_a_page_that_is_not_there(client: Client) -> None:
    answer = client.get("/no/such/page/at/all")
    assert answer.status_code == 404
    assert "<html" in answer.content.decode()


def test_the_last_resort_needs_nothing(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.request_id = "abc"  # type: ignore[attr-defined]
    answer = server_error(request)
    assert answer.status_code == 500
    assert "abc" in answer.content.decode()


def test_htmx_is_sent_to_the_sign_in_page_whole(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/runs/?model=x"}
    answer = client.get("/models/", headers=headers)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/sign-in/?next=/runs/%3Fmodel%3Dx"


def test_ready_needs_a_gateway(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "gateway" in answer.content.decode()


def test_the_access_log_has_no_query_strings(web: WebProcess) -> None:
    httpx.get(f"{web.address}/healthz?token=very-secret", trust_env=False)
    log = (web.folder / "logs" / "web.log").read_text()
    assert "/healthz" in log
    for file in (web.folder / "logs").iterdir():
        assert "very-secret" not in file.read_text()


def test_static_files_keep_for_ever_under_their_hash(web: WebProcess) -> None:
    page = httpx.get(f"{web.address}/sign-in/", trust_env=False).text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    assert addresses
    for address in addresses:
        answer = httpx.get(f"{web.address}{address}", trust_env=False)
        assert answer.status_code == 200
        assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", address)
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_modules_import_each_other_by_their_hashed_names(web: WebProcess) -> None:
    page = httpx.get(f"{web.address}/sign-in/", trust_env=False).text
    waiting = re.findall(r'<script type="module" src="([^"]+)"', page)
    seen: set[str] = set()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = httpx.get(f"{web.address}{address}", trust_env=False)
        assert answer.status_code == 200, address
        for imported in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""", answer.text):
            assert re.search(r"\.[0-9a-f]{12}\.js$", imported), f"{address} imports {imported}"
            waiting.append(str(httpx.URL(f"{web.address}{address}").join(imported).path))
    assert any("play-page" in address for address in seen), "what is imported later counts too"


def test_what_readers_of_the_source_need_is_left_out(web: WebProcess) -> None:
    page = httpx.get(f"{web.address}/sign-in/", trust_env=False).text
    own = [one for one in re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page) if "htmx" not in one]
    for address in own:
        assert "/*" not in httpx.get(f"{web.address}{address}", trust_env=False).text, address
