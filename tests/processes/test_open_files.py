"""Our processes may have many files open, though the shell they come from lets others have few."""

from __future__ import annotations

import resource
import subprocess
import sys

SAY = """
import resource
from playground.processes.files import raise_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
raise_open_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_the_limit_goes_up_to_what_the_system_allows() -> None:
    said = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True).stdout
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(said) == min(hard if hard != resource.RLIM_INFINITY else 65_536, 65_536)
