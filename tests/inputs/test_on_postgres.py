"""Inputs are kept, found and counted on Postgres as on SQLite: the same tests, over a private server of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from playground.settings import read_database

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TESTS = ("tests/inputs/test_find_inputs.py", "tests/inputs/test_change_inputs.py", "tests/catalog/test_hear_changes.py")


def programs() -> Path | None:
    """The folder of an installed Postgres: Debian has its server beside the path."""
    there = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    there += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((path for path in there if (path / "initdb").exists()), None)


class Server:
    """A cluster in a folder, reached through a socket in it alone; nothing of it outlives the folder."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self.user = "nobody" if os.geteuid() == 0 else None  # Postgres refuses to run as root
        if self.user:
            shutil.chown(folder, self.user)  # the folder is ours alone, and now its own

    @property
    def url(self) -> str:
        return f"postgresql://playground@/postgres?host={self.folder}"

    def make(self) -> None:
        command = ["initdb", "--pgdata=data", "--username=playground", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        with self._start([*command, "--locale=C", "--no-instructions"], out=subprocess.PIPE) as making:
            output, _ = making.communicate(timeout=60)
        assert making.returncode == 0, output

    def run(self) -> subprocess.Popen[str]:
        options = [f"-k{self.folder}", "-h", "", "-F", "-c", "shared_buffers=32MB", "-c", "autovacuum=off"]
        return self._start(["postgres", "-D", "data", *options])

    def wait(self, patience: float = 60) -> None:
        end = time.monotonic() + patience
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return

    def _start(self, command: list[str], out: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.programs / command[0]), *command[1:]],
            cwd=self.folder,
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if (found := programs()) is None:
        pytest.skip("no Postgres is installed here: on Debian, apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        made = Server(found, Path(folder))
        made.make()
        with made.run() as process:
            try:
                made.wait()
                yield made
            finally:
                process.send_signal(signal.SIGINT)  # at once, whoever is connected
                process.wait(30)


def test_the_same_questions_have_the_same_answers(server: Server) -> None:
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *TESTS]
    environment = {**os.environ, "TEST_DATABASE_URL": server.url}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///there.db", "DATABASE_URL names no database of a Postgres"),
        ("postgresql://host", "DATABASE_URL names no database of a Postgres"),
        ("postgresql://host:many/name", "DATABASE_URL: Port could not be cast"),
        ("postgresql://host/name?sslmode", "DATABASE_URL: bad query field"),
    ],
)
def test_an_address_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=words):
        read_database({})


def test_an_address_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://ada:a%2Fb%40c@db.example:5433/my%20inputs?sslmode=require")
    assert read_database({}) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "my inputs",
        "USER": "ada",
        "PASSWORD": "a/b@c",
        "HOST": "db.example",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require"},
    }
    monkeypatch.delenv("DATABASE_URL")
    assert read_database({"NAME": "a file"}) == {"NAME": "a file"}
