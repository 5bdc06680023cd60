"""The house itself: rooms, lint, types, templates, static imports, and that README names each setting and command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text()
TOP_LEVEL = {
    "README.md",
    "LICENSE",
    "manage.py",
    "pyproject.toml",
    "playground",
    "inputs",
    "templates",
    "static",
    "tests",
}


def passes(*command: str) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode or not (ROOT / ".git").exists():
        return [path for pattern in patterns for path in ROOT.glob(pattern)]
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_rooms_import_downwards() -> None:
    passes("lint-imports", "--no-cache")


def test_ruff_finds_nothing() -> None:
    passes("ruff", "check", ".")


def test_it_is_formatted() -> None:
    passes("ruff", "format", "--check", ".")


@pytest.mark.timeout(400)
def test_types_hold() -> None:
    passes("mypy")


@pytest.mark.timeout(200)
def test_templates_are_in_order() -> None:
    passes("djlint", "--lint", "--check", "templates")


def test_migrations_are_written() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_top_level_is_as_its_owner_drew_it() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked("*")}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_each_setting_is_in_the_readme() -> None:
    source = (ROOT / "playground" / "settings.py").read_text()
    names = set(re.findall(r'read_\w+\("(PLAYGROUND_\w+)"', source))
    assert names
    assert [name for name in sorted(names) if f"`{name}`" not in README] == []


def test_each_flag_is_in_the_readme() -> None:
    source = (ROOT / "manage.py").read_text()
    flags = set(re.findall(r'"(--[a-z-]+)"', source)) - {"--help"}
    assert [flag for flag in sorted(flags) if f"`{flag}`" not in README] == []


def test_each_command_is_in_the_readme() -> None:
    names = {path.stem for path in (ROOT / "playground" / "management" / "commands").glob("[a-z]*.py")}
    assert [name for name in sorted(names) if f"| `{name}` |" not in README] == []


def test_the_readme_begins_with_two_commands_to_copy() -> None:
    assert re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)[:2] == [
        "pip install -e . && python manage.py playground",
        'pip install -e ".[test]" && pytest',
    ]


IMPORT = re.compile(
    r"""^\s*(?:import|}\s*from|import\s.*?\sfrom)\s*["'](?P<path>[^"']+)["'](?P<end>;?)""", re.MULTILINE
)


def test_static_modules_import_what_is_there() -> None:
    """Static hashing rewrites only relative imports that end in ``.js`` and a semicolon."""
    wrong = []
    for module in (ROOT / "static").rglob("*.js"):
        text = module.read_text()
        wrong += [f"{module.name}: export … from" for _ in re.findall(r"^export\b.*\bfrom\b", text, re.MULTILINE)]
        for found in IMPORT.finditer(text):
            path = found["path"]
            target = module.parent / path
            if not (path.startswith(".") and path.endswith(".js") and found["end"] and target.is_file()):
                wrong.append(f"{module.relative_to(ROOT)}: {found[0].strip()}")
    assert wrong == []


def test_public_names_exist() -> None:
    from playground import sdk

    assert [name for name in sdk.__all__ if not hasattr(sdk, name)] == []


def test_python_files_begin_with_their_place() -> None:
    """Each module of ours opens with its place in the house."""
    rooms = [path for path in tracked("playground/**/*.py", "playground/*.py") if path.stat().st_size]
    rooms = [path for path in rooms if not {"migrations", "examples"} & set(path.parts) and path.name != "apps.py"]
    assert [str(path.relative_to(ROOT)) for path in rooms if not path.read_text().lstrip().startswith('"""')] == []
