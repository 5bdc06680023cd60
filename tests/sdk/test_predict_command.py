"""``manage.py predict`` against the small V2 server."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from playground.catalog.services import ensure_owner
from playground.catalog.tokens import read_gateway_token
from playground.management.commands import predict as command
from playground.sdk import DeployingError, InputError, ModelError, NotFoundError, UnavailableError
from tests.sdk.v2_server import V2Server


@pytest.fixture
def ask(server: V2Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    host, _, port = server.target.rpartition(":")
    settings.GATEWAY_HOST, settings.GATEWAY_PORT = host, int(port)
    monkeypatch.setenv("PLAYGROUND_PAT", "secret")

    def ask(*arguments: str, stdin: bytes = b"", errors: io.StringIO | None = None) -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        out = io.StringIO()
        call_command("predict", *arguments, stdout=out, stderr=errors or io.StringIO())
        return out.getvalue()

    return ask


def test_the_first_streamed_method_answers(ask: Any, server: V2Server) -> None:
    assert ask("echo", "one two") == "one two \n"
    assert server.calls[-1] == "GenerateModelOutputs"
    assert (server.requests[-1].user_app_id.app_id, server.requests[-1].model_id) == ("main", "echo")


def test_a_method_and_its_arguments_are_named(ask: Any) -> None:
    assert ask("echo", "a", "--method", "predict", "-i", "times=3", "-i", "sep=,") == "a,a,a\n"
    assert ask("echo", "-i", "times=2", "--method", "predict", "a") == "a a\n"
    assert '"degrees": 4.5' in ask("echo", "--method", "rotate", "-i", "degrees=4.5")


def test_text_is_piped(ask: Any) -> None:
    assert ask("echo", stdin=b"from a pipe\n") == "from a pipe \n"
    assert ask("echo", "--method", "stream", stdin=b"a\nb\n") == "a!\nb!\n"
    assert ask("echo", "--method", "stream", "-i", "text=a", "-i", "text=b", "-i", "prefix=>") == ">a!\n>b!\n"


def test_a_picture_is_piped(ask: Any) -> None:
    assert ask("echo", "--method", "weigh", stdin=b"\xff\xd8\xff picture") == "11\n"
    assert '"bytes": 11' in ask("echo", "--method", "rotate", "--file", "-", stdin=b"\xff\xd8\xff picture")
    assert ask("echo", "--file", "-", stdin=b"words") == "words \n"


def test_a_file_and_an_address_are_taken_where_they_fit(ask: Any, tmp_path: Path, server: V2Server) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff picture")
    assert '"bytes": 11' in ask("echo", "--method", "rotate", "--file", str(tmp_path / "a.jpg"))
    assert '"bytes": 11' in ask("echo", "--method", "rotate", "-i", f"picture=@{tmp_path / 'a.jpg'}")
    (tmp_path / "a.txt").write_text("words in a file")
    assert ask("echo", "--file", str(tmp_path / "a.txt")) == "words in a file \n"
    assert ask("echo", "--method", "read", "--url", "http://box/a.txt") == "<http://box/a.txt>\n"
    assert ask("echo", "--method", "predict", "--url", "http://box/a.txt") == "<http://box/a.txt>\n"
    assert server.requests[-1].inputs[0].data.text.url == "http://box/a.txt"


def test_selectors_are_passed_on(ask: Any, server: V2Server) -> None:
    ask("main/echo", "a", "--deployment", "fast")
    assert server.selector.deployment.id == "fast"
    ask("owner/main/models/echo/versions/v1", "a", "--cluster", "local", "--nodepool", "big")
    assert (server.selector.nodepool.id, server.requests[-1].version_id) == ("big", "v1")
    with pytest.raises(InputError, match="nodepool_id is missing"):
        ask("echo", "a", "--cluster", "local")


def test_what_is_wrong_is_said_in_one_line(ask: Any, server: V2Server) -> None:
    for arguments, error, words in [
        (("echo", "a", "--method", "sing"), CommandError, "There is no method sing. There are: predict, generate"),
        (("echo", "a", "-i", "tone=1"), CommandError, r"It takes: text \(str\), pause \(float\)"),
        (("echo", "a", "-i", "pause=soon"), InputError, "pause='soon' does not read as a number"),
        (("echo", "a", "-i", "pause"), CommandError, "NAME=VALUE"),
        (("echo",), InputError, "text"),
        (("echo", "a", "--method", "fail"), ModelError, "a"),
        (("unknown", "a"), NotFoundError, "no such model"),
        (("echo", "--file", "/none.txt"), InputError, "Cannot read /none.txt"),
        (("echo", "--method", "rotate", "--url", "box"), InputError, "no http address"),
    ]:
        with pytest.raises(error, match=words):
            ask(*arguments)


def test_nobody_there_is_said(ask: Any, settings: Any) -> None:
    settings.GATEWAY_PORT = 1
    with pytest.raises(UnavailableError, match=r"Nobody answers at 127\.0\.0\.1:1"):
        ask("echo", "a")


def test_progress_is_shown_while_it_is_deployed(ask: Any, server: V2Server) -> None:
    server.refusals.extend([DeployingError("building: installing numpy")] * 2)
    errors = io.StringIO()
    assert ask("echo", "a", errors=errors) == "a \n"
    assert errors.getvalue() == "building: installing numpy (0 s)\n"


@pytest.mark.django_db
def test_without_a_token_it_asks_as_the_owner(ask: Any, server: V2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYGROUND_PAT")
    owner, _ = ensure_owner()
    ask("echo", "a")
    assert read_gateway_token(server.metadata["authorization"].removeprefix("Key ")) == owner


def test_media_that_came_back_lie_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.keep_file(b"\xff\xd8\xff picture", "image") == "image-1.jpeg"
    assert command.keep_file(b"\xff\xd8\xff other", "image") == "image-2.jpeg"
    assert (tmp_path / "image-1.jpeg").read_bytes() == b"\xff\xd8\xff picture"
