"""What making a version ready to run wrote: its requirements being installed, its checkpoint being fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from playground.compute.builds.checkpoints import Checkpoints, read_checkpoint
from playground.compute.builds.environments import Environments
from playground.compute.builds.installer import BuildError, Installer
from playground.compute.services.logs import read_tail

if TYPE_CHECKING:
    from playground.catalog.models import ModelVersion

_LINES = 2000


def read_build_log(version: ModelVersion) -> list[str]:
    """The last lines of each step, oldest first; none where nothing had to be built here.

    Versions with the same requirements share an environment, and so its log.
    """
    installer = Installer(environment={}, cache=settings.PACKAGE_CACHE_DIR)
    environments = Environments(settings.ENVIRONMENTS_DIR, settings.BASE_DIR, installer)
    steps = [environments.log(version.requirements, Path(version.folder))]
    try:
        checkpoint = read_checkpoint(version.config)
    except BuildError as error:
        return [*read_tail(steps[0], _LINES), str(error)]
    if checkpoint is not None:
        steps.append(Checkpoints(settings.CHECKPOINTS_DIR, installer).log(checkpoint))
    return [line for step in steps for line in read_tail(step, _LINES)]
