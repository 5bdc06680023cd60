"""The unmodified official package as our client, in a process of its own with its settings in the environment.

Section numbers in the tests are those of the wire contract: what the official client does, and expects.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gateway.live import Live

URL = "https://anywhere.example/owner/main/models/wire"
# Results travel as one line of JSON after a mark: the package logs to both outputs.
PROLOGUE = f"""
import json, sys, time
from clarifai.client import Model
URL = {URL!r}
told = {{}}
def raised(call):
    began = time.monotonic()
    try:
        call()
    except BaseException as error:
        return [type(error).__name__, str(error), time.monotonic() - began]
    return ["", "", time.monotonic() - began]
"""
EPILOGUE = """
print("TOLD " + json.dumps(told))
"""


@dataclass
class Client:
    """Somebody with the official package, a home folder and a token."""

    gateway: Live
    home: Path
    user: str = "owner"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.gateway.environment,
            "CLARIFAI_API_BASE": f"http://{self.gateway.address}",
            "CLARIFAI_PAT": self.gateway.tokens[self.user],
            "CLARIFAI_USER_ID": self.user,
            "HOME": str(self.home),
            **self.extra,
        }

    def told(self, code: str) -> dict[str, Any]:
        """What a script puts into ``told``."""
        done = self._run(sys.executable, "-c", PROLOGUE + code + EPILOGUE)
        assert done.returncode == 0, done.stderr
        last = next(line for line in done.stdout.splitlines() if line.startswith("TOLD "))
        found: dict[str, Any] = json.loads(last.removeprefix("TOLD "))
        return found

    def command(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """The ``clarifai`` command."""
        return self._run(str(Path(sys.executable).with_name("clarifai")), *arguments, given=given)

    def says(self, *arguments: str, given: str | None = None) -> str:
        done = self.command(*arguments, given=given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        done = self.command(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def _run(self, *command: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in self.environment.items() if value}
        return subprocess.run(
            command,
            env=environment,
            cwd=self.home,
            **({"stdin": subprocess.DEVNULL} if given is None else {"input": given}),
            capture_output=True,
            text=True,
            timeout=100,
        )
