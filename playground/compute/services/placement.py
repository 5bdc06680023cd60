"""Which nodepool a deployment goes to: the first, in order of preference, that has room for what the model needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from playground.compute.machine import RUNNER_BYTES, Size, in_words, read_size, this_machine
from playground.compute.models import Nodepool
from playground.compute.services.checks import DEPLOYMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.catalog.models import ModelVersion


def need_of(version: ModelVersion | None) -> Size:
    """What one replica needs, as the folder's ``inference_compute_info`` says. Raises InputError where it lies."""
    info = version.config.get("inference_compute_info") if version is not None else None
    return read_size(info, "inference_compute_info")


def place(nodepools: Sequence[Nodepool], need: Size, min_replicas: int) -> Nodepool:
    """The first of them that fits. Raises InputError with what each one lacks, and what there is."""
    reasons = []
    for nodepool in nodepools:
        reason = why_not(nodepool, need, min_replicas)
        if not reason:
            return nodepool
        reasons.append(f"{nodepool}: it needs {reason}")
    raise DEPLOYMENT.wrong("nodepools", f"The model fits on none of these nodepools. {'; '.join(reasons)}.")


def why_not(nodepool: Nodepool, need: Size, min_replicas: int) -> str:
    """In words what lacks for so many replicas on ``nodepool``, with what there is; "" when they fit."""
    if nodepool.engine == Nodepool.Engine.REMOTE:
        return ""  # somebody else's machines: they run already
    if lacking := this_machine().lacks(need):
        return lacking
    each = max(need.memory, RUNNER_BYTES)
    if lacking := this_machine().lacks(replace(need, memory=each * min_replicas)):
        return f"{min_replicas} times {in_words(each)}, so {lacking}"
    offers = [(kind["id"], need.within(read_size(kind["compute_info"]))) for kind in nodepool.instance_types]
    if offers and all(reason for _, reason in offers):
        return "; ".join(f"on {name} {reason}" for name, reason in offers)
    return ""
