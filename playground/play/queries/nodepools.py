"""Nodepools as places for a model: what each has, what of it is free, and how many replicas fit."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.machine import RUNNER_BYTES, free_memory, in_words, this_machine
from playground.compute.models import Nodepool, Replica
from playground.compute.prices import price_of
from playground.compute.services import need_of, why_not
from playground.play.queries.starts import Usual, usual_starts


@dataclass(frozen=True)
class Offer:
    """A nodepool that a model may be put on; ``refusal`` says why it cannot. ``tone`` is good, wait or bad."""

    row: Nodepool
    meta: str
    verdict: str
    tone: str
    usual: Usual
    refusal: str = ""

    @property
    def label(self) -> str:
        return f"{self.row.cluster.slug} / {self.row.slug}"


def replica_bytes(model: Model, version: ModelVersion | None) -> int:
    """What a replica takes: as measured, where one runs; else as its folder asks for."""
    measured = Replica.objects.filter(deployment__model=model).aggregate(most=Max("memory_bytes"))["most"] or 0
    return max(measured, need_of(version).memory, RUNNER_BYTES)


def list_offers(user: User, model: Model, version: ModelVersion | None, min_replicas: int = 1) -> list[Offer]:
    """The nodepools that ``user`` may deploy on: one's own first, and last those that are too small."""
    rows = Nodepool.objects.visible_to(user).select_related("cluster__owner").order_by("cluster__slug", "slug")
    usual = usual_starts(user, model)
    each, free = replica_bytes(model, version), free_memory()
    offers = [_offer(row, version, min_replicas, each, free, usual.get(row.pk, Usual())) for row in rows]
    return sorted(offers, key=lambda offer: (bool(offer.refusal), offer.row.cluster.owner_id != user.pk))


def _offer(row: Nodepool, version: ModelVersion | None, min_replicas: int, each: int, free: int, usual: Usual) -> Offer:
    price = price_of(row)
    cost = f"${price:g} an hour" if price else ""
    where = " · ".join(filter(None, [row.cluster.cloud_provider, row.cluster.region, cost]))
    if row.engine == Nodepool.Engine.REMOTE:
        count = len(row.addresses)
        words = f"{count} address{'' if count == 1 else 'es'}"
        return Offer(row, _joined(where, "kept by someone else"), words, "good", usual)
    machine = this_machine()
    size = f"{machine.cpus:g} core{'' if machine.cpus == 1 else 's'}, {in_words(machine.memory)}"
    meta = _joined(where, size, f"{in_words(free)} free")
    if lacking := why_not(row, need_of(version), max(1, min_replicas)):
        more = "more: " if lacking.startswith("on ") else ""  # what it lacks on each of its instance types
        return Offer(row, meta, "too small", "bad", usual, refusal=f"It needs {more}{lacking}.")
    fits = free // each
    if not fits:
        return Offer(row, _joined(meta, f"it takes about {in_words(each)}"), "full now", "wait", usual)
    return Offer(row, meta, f"fits {min(fits, 1000)}", "good", usual)


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))
