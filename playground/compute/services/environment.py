"""What a deployment's runners find in their environment: plain values, and secrets that nobody reads again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playground.compute.models import EnvironmentVariable
from playground.compute.secrets import open_sealed, seal
from playground.compute.services.checks import DEPLOYMENT, is_storable
from playground.protocol.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.catalog.models import User
    from playground.compute.models import Deployment

MAX_VARIABLES = 100
MAX_BYTES = 32 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_OURS = re.compile(r"PLAYGROUND_.*")
# What makes an interpreter or the linker run or read something else: whoever sets it decides what code runs.
_POWERFUL = re.compile(r"PATH|HOME|ENV|IFS|SHELL|TMPDIR|(?:PYTHON|LD_|DYLD_|BASH_|GCONV_|GLIBC_|MALLOC_|UV_|PIP_).*")


def environment_of(deployment: Deployment) -> dict[str, str]:
    """Everything its runners are given, secrets opened: for the controller alone. Raises ConfigError."""
    return {row.name: _value_of(row) for row in EnvironmentVariable.objects.filter(deployment=deployment)}


def set_environment(
    user: User,
    deployment: Deployment,
    environment: Mapping[str, str | None],
    secrets: Mapping[str, str | None],
) -> bool:
    """Put these in place, by name, beside those that are there; None removes one. Whether anything changed."""
    if both := sorted(environment.keys() & secrets.keys()):
        raise DEPLOYMENT.wrong("environment", f"{', '.join(both)}: given as a value and as a secret. Give one of them.")
    for name, value in {**environment, **secrets}.items():
        _check(user, name, value)
    wanted = [(name, value, False) for name, value in environment.items()]
    wanted += [(name, value, True) for name, value in secrets.items()]
    changed = [_put(deployment, name, value, is_secret=is_secret) for name, value, is_secret in wanted]
    if deployment.environment.count() > MAX_VARIABLES:
        raise DEPLOYMENT.wrong("environment", f"An environment has at most {MAX_VARIABLES} variables.")
    return any(changed)


def _put(deployment: Deployment, name: str, value: str | None, *, is_secret: bool) -> bool:
    row = EnvironmentVariable.objects.filter(deployment=deployment, name=name).first()
    if value is None:
        if row is not None:
            row.delete()
        return row is not None
    if row is not None and row.is_secret == is_secret and _holds(row, value):
        return False
    facts = {"value": "" if is_secret else value, "sealed": seal(value) if is_secret else b"", "is_secret": is_secret}
    EnvironmentVariable.objects.update_or_create(deployment=deployment, name=name, defaults=facts)
    return True


def _holds(row: EnvironmentVariable, value: str) -> bool:
    try:
        return _value_of(row) == value
    except ConfigError:
        return False  # sealed with a key that is gone: whatever is given replaces it


def _value_of(row: EnvironmentVariable) -> str:
    if not row.is_secret:
        return row.value
    try:
        return open_sealed(bytes(row.sealed))
    except ConfigError as error:
        raise ConfigError(f"{row.name}: {error.message}") from None


def _check(user: User, name: object, value: object) -> None:
    """Never says a value: it may be a secret."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DEPLOYMENT.wrong(
            "environment", f"{name!r} cannot be a variable: use letters, digits and '_', first no digit."
        )
    if _OURS.fullmatch(name):
        raise DEPLOYMENT.wrong("environment", f"{name}: names that begin with PLAYGROUND_ are our own.")
    if _POWERFUL.fullmatch(name) and not user.is_staff:
        raise DEPLOYMENT.wrong("environment", f"{name} decides which code runs: only administrators set it.")
    if value is None:
        return
    if not isinstance(value, str):
        raise DEPLOYMENT.wrong("environment", f"{name} is no text: put it in quotes.")
    if not is_storable(value) or len(value.encode()) > MAX_BYTES:
        raise DEPLOYMENT.wrong("environment", f"{name} is longer than {MAX_BYTES // 1024} KiB, or no plain text.")
