"""Behind a sub-path, and on another server than Daphne."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.doors.web_process import WebProcess, running_web

PUBLIC = "https://models.example/base"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def hidden(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """A web process behind a proxy that strips the sub-path."""
    folder = tmp_path_factory.mktemp("hidden")
    with running_web(folder, server=request.param, public_url=PUBLIC, trusted_proxies="127.0.0.1") as process:
        yield process


def get(web: WebProcess, path: str, **options: object) -> httpx.Response:
    headers = {"Host": "models.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    return httpx.get(f"{web.address}{path}", headers=headers, trust_env=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("prefix", ["", "/base"])
def test_pages_and_static_files_name_the_sub_path(hidden: WebProcess, prefix: str) -> None:
    page = get(hidden, f"{prefix}/sign-in/")
    assert page.status_code == 200
    assert 'action="/base/sign-in/"' in page.text
    assert 'src="/base/static/' in page.text
    address = page.text.partition('src="/base/static/')[2].partition('"')[0]
    assert get(hidden, f"{prefix}/static/{address}").status_code == 200


def test_cookies_are_for_the_sub_path_and_tls_alone(hidden: WebProcess) -> None:
    secret = (hidden.folder / "link").read_text()
    answer = get(hidden, f"/sign-in/?token={secret}")
    assert answer.headers["Location"] == "/base/sign-in/"
    cookie = answer.headers["Set-Cookie"]
    assert "Path=/base/" in cookie
    assert "Secure" in cookie
    assert "HttpOnly" in cookie


@pytest.mark.parametrize("prefix", ["", "/base"])
async def test_sockets_take_the_public_origin(hidden: WebProcess, prefix: str) -> None:
    secret = (hidden.folder / "link").read_text()
    cookie = get(hidden, f"/sign-in/?token={secret}").headers["Set-Cookie"].partition(";")[0]
    address = f"ws://127.0.0.1:{hidden.port}{prefix}/ws/runs/"
    headers = {"Cookie": cookie}
    async with connect(address, origin="https://models.example", additional_headers=headers, proxy=None):  # type: ignore[arg-type]
        pass


def test_it_ends_when_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_web(tmp_path_factory.mktemp("ended"), server="uvicorn") as process:
        process.process.terminate()
        assert process.process.wait(5) in {0, -15}
