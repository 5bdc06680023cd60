"""The newcomer's command: what it shows, and how it ends."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes.starting import Started, is_gone, manage, started, until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(tmp_path_factory.mktemp("running"), "--no-demo") as command:
        yield command.ready()


def test_it_shows_where_to_go_on_plain_lines(running: Started) -> None:
    link = running.line("Open ")
    api = running.line("API  ")
    assert re.fullmatch(rf"Open http://127\.0\.0\.1:{running.port}/\?token=[\w-]{{20,}}", link)
    assert api == f"API  127.0.0.1:{running.gateway_port}"
    assert "\x1b" not in "".join(running.seen)
    answer = httpx.get(link.removeprefix("Open "), trust_env=False)
    assert answer.status_code == 302
    assert "session" in answer.headers["Set-Cookie"]


def test_the_link_can_be_shown_again(running: Started) -> None:
    shown = manage("link", "--data-dir", str(running.folder), "--port", str(running.port))
    assert httpx.get(shown.stdout.strip(), trust_env=False).status_code == 302


def test_a_token_stands_alone_on_the_last_line(running: Started) -> None:
    made = manage("token", "--name", "mine", PLAYGROUND_DATA_DIR=str(running.folder))
    assert re.fullmatch(r"pg_[\w-]{40}", made.stdout.splitlines()[-1])


def test_users_get_a_link_and_a_token(running: Started) -> None:
    made = manage("users", "add", "maria", "--data-dir", str(running.folder), "--port", str(running.port))
    link = re.search(r"^Sign in\s+(\S+)$", made.stdout, re.MULTILINE)
    assert link
    assert httpx.get(link[1], trust_env=False).status_code == 302
    again = manage("users", "add", "maria", "--data-dir", str(running.folder))
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)


def test_a_second_one_on_the_same_folder_is_refused(running: Started) -> None:
    second = manage("playground", "--data-dir", str(running.folder), "--port", "18765", "--gateway-port", "18766")
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert "in use by another playground" in second.stderr


@pytest.mark.parametrize("flag", ["--port", "--gateway-port"])
def test_a_taken_port_is_one_line(running: Started, tmp_path: Path, flag: str) -> None:
    free = {"--port": "18767", "--gateway-port": "18768"} | {flag: str(running.port)}
    refused = manage("playground", "--data-dir", str(tmp_path), *[word for pair in free.items() for word in pair])
    assert refused.returncode == 1
    variable = f"PLAYGROUND_{flag[2:].upper().replace('-', '_')}"
    line = f"Port {running.port} on 127.0.0.1 is taken. Choose another with {flag} or {variable}."
    assert refused.stderr.splitlines() == [line]


def test_what_crashes_comes_back_on_the_same_port(running: Started) -> None:
    for name in ("web", "gateway"):
        crashed = running.one(name)
        crashed.kill()
        until(lambda crashed=crashed: is_gone(crashed))  # type: ignore[misc]
        running.line(f"{name} was ended by signal 9")
        running.ready()
        assert running.one(name).pid != crashed.pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_five_seconds(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path, "--no-demo") as command:
        processes = command.ready().all_processes()
        command.process.send_signal(number)
        assert command.process.wait(5) == 0
        assert all(map(is_gone, processes))


def test_killed_it_leaves_nobody(tmp_path: Path) -> None:
    with started(tmp_path) as command:
        command.ready()
        until(lambda: len(command.all_processes()) >= 5, seconds=60)  # hello's runner too
        processes = command.all_processes()
        command.process.kill()
        until(lambda: all(map(is_gone, processes)), seconds=6)


def test_without_its_guard_it_ends_everything(tmp_path: Path) -> None:
    with started(tmp_path, "--no-demo") as command:
        processes = command.ready().all_processes()
        processes[1].kill()
        assert command.process.wait(5) == 1
        until(lambda: all(map(is_gone, processes)), seconds=5)


def test_killed_while_it_starts_it_leaves_nobody(tmp_path: Path) -> None:
    with started(tmp_path, "--no-demo") as command:
        command.line("Open ")
        processes = command.all_processes()
        command.process.kill()
        until(lambda: all(map(is_gone, processes)), seconds=6)


@pytest.mark.parametrize(
    ("moment", "number"),
    [("Model Playground", signal.SIGINT), ("Preparing", signal.SIGTERM), ("API  ", signal.SIGTERM)],
)
def test_stopped_while_it_starts_it_ends_cleanly(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    with started(tmp_path, "--no-demo") as command:
        command.line(moment)
        processes = command.all_processes()
        command.process.send_signal(number)
        assert command.process.wait(20) == 0
        until(lambda: all(map(is_gone, processes)), seconds=5)
        assert "Traceback" not in "".join(command.seen + command.rest())


def test_the_next_start_keeps_everything_but_the_link(tmp_path: Path) -> None:
    with started(tmp_path, "--no-demo") as command:
        first = command.line("Open ")
        manage("users", "add", "maria", "--data-dir", str(tmp_path))
    with started(tmp_path, "--no-demo") as command:
        assert command.line("Open ").partition("token=")[2] != first.partition("token=")[2]
        assert "Preparing the database" not in command.seen
        assert "maria" in manage("users", "list", "--data-dir", str(tmp_path)).stdout.split()


@pytest.mark.parametrize("flag", ["--host", "--gateway-host"])
def test_an_open_address_without_tls_is_warned_of(tmp_path: Path, flag: str) -> None:
    with started(tmp_path, "--no-demo", flag, "0.0.0.0") as command:
        command.line("API  ")
        assert [line for line in command.seen if line.startswith("Warning:") and "0.0.0.0 without TLS" in line]
