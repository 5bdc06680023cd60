"""What cannot be started says why in one line, and exits with 1."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.starting import ROOT, manage


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAYGROUND_PORT", "eighty"),
        ("PLAYGROUND_GATEWAY_PORT", "70000"),
        ("PLAYGROUND_DEMO", "perhaps"),
        ("PLAYGROUND_PUBLIC_URL", "models.example"),
        ("PLAYGROUND_TRUSTED_PROXIES", "everyone"),
        ("PLAYGROUND_FETCH_ALLOW", "10.0.0.0/99"),
        ("PLAYGROUND_PORT_FILE", "/no/such/file"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    refused = manage("link", **{name: value})
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
    assert name in refused.stderr


def test_a_folder_that_cannot_be_written() -> None:
    refused = manage("playground", "--data-dir", "/proc/playground")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "Cannot use the data folder /proc/playground" in refused.stderr
    assert "--data-dir" in refused.stderr


def test_a_flag_without_its_value() -> None:
    refused = manage("playground", "--port")
    assert (refused.returncode, refused.stderr) == (1, "--port needs a value.\n")


def test_flags_win_over_the_environment(tmp_path: Path) -> None:
    refused = manage("link", "--data-dir", str(tmp_path / "flag"), PLAYGROUND_DATA_DIR=str(tmp_path / "variable"))
    assert "No server was started on this data folder yet" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["flag"]


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    refused = manage("playground", "--data-dir", str(tmp_path), "--host", "192.0.2.1", "--port", "18769")
    assert refused.stderr.startswith("Port 18769 on 192.0.2.1 is not an address of this machine.")


def test_an_old_python_can_read_the_command() -> None:
    ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 4))


def test_an_old_python_is_told_so() -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = ['manage.py', 'playground'];"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    refused = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "needs Python 3.11 or newer; this is 3.9.2" in refused.stderr
