"""Inputs as tiles and rows of a list: what each shows of itself, looked up for all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from inputs import addresses
from inputs.models import Annotation, Dataset, Input, Kind, Status
from playground.templatetags.ui import age, icon

if TYPE_CHECKING:
    from playground.catalog.models import User

ICONS = {Kind.IMAGE: "image", Kind.VIDEO: "film", Kind.AUDIO: "sound", Kind.TEXT: "file"}
SHOWN_CONCEPTS = 3
EXCERPT = 220
BARS = 40
NO_BREAK = "\u00a0"
_HERE = "HERE"  # where an input's id stands in an address


@dataclass(frozen=True)
class Label:
    """A concept as it stands on a tile: its name, and the number of its colour."""

    name: str
    hue: int


@dataclass(frozen=True)
class Tile:
    """One input as the page shows it. ``mark`` stands in its corner; ``size`` in the list."""

    key: str
    name: str
    kind: str
    url: str
    icon: str
    created_at: str
    age: str
    picture: str
    wave: SafeString | str
    excerpt: str
    mark: str
    size: str
    problem: str
    is_waiting: bool
    concepts: Sequence[Label]
    datasets: str

    def drawn(self) -> SafeString:
        """Drawn in one go: a template takes several times as long for a page of them."""
        name, waits = escape(self.name), " data-waiting" if self.is_waiting else ""
        note, tone = self.mark, ""
        if self.problem:
            note, tone = self.problem, " thumb__kind--bad"
        elif self.is_waiting:
            note = "On its way"
        kind = f'<span class="thumb__kind{tone}">{escape(note)}</span>' if note else ""
        tags = "".join(
            f'<span class="tag"><span class="swatch swatch--{one.hue}"></span>{escape(one.name)}</span>'
            for one in self.concepts
        )
        return mark_safe(
            f'<li class="thumb thumb--{self.kind}" data-key="{escape(self.key)}"{waits}>'
            f'<input class="check thumb__check" type="checkbox" tabindex="-1" data-choose aria-label="Choose {name}">'
            f'<a class="thumb__link" href="{escape(self.url)}" title="{name}">{name}</a>'
            f'<span class="thumb__picture">{self._picture()}</span>{kind}'
            f'<span class="thumb__facts"><span class="thumb__fact thumb__concepts">{tags}</span>'
            f'<span class="thumb__fact">{escape(self.datasets)}</span>'
            f'<span class="thumb__fact">{escape(self.size)}</span>'
            f'<time class="thumb__fact" datetime="{self.created_at}">{escape(self.age)}</time></span></li>'
        )

    def _picture(self) -> str:
        if self.picture:
            return f'<img src="{escape(self.picture)}" alt="" decoding="async" draggable="false">'
        if self.wave:
            return self.wave
        return f'<span class="thumb__words">{escape(self.excerpt)}</span>' if self.excerpt else icon(self.icon)


def tiles_of(user: User, rows: Sequence[Input], query: str) -> list[Tile]:
    """The tiles of these inputs; ``query`` is what their addresses carry on: app, filter and order."""
    concepts, datasets = _concepts(rows), _datasets(rows)
    before, _, after = reverse("inputs:viewer", args=[_HERE]).rpartition(_HERE)
    addresses_of = (f"{before}{quote(row.slug, safe='')}{after}" for row in rows)
    return [
        _tile(user, row, address, query, concepts[row.pk], datasets[row.pk])
        for row, address in zip(rows, addresses_of, strict=True)
    ]


def _tile(user: User, row: Input, address: str, query: str, concepts: list[Label], datasets: list[str]) -> Tile:
    facts: dict[str, Any] = row.facts or {}
    return Tile(
        key=row.slug,
        name=row.title,
        kind=row.kind,
        url=f"{address}?{query}" if query else address,
        icon=ICONS.get(Kind(row.kind), "file"),
        created_at=row.created_at.isoformat(timespec="seconds"),
        age=age(row.created_at),
        picture=addresses.thumbnail(user, row),
        wave=_wave(facts.get("peaks")) if row.kind == Kind.AUDIO else "",
        excerpt=str(facts.get("excerpt") or "")[:EXCERPT],
        mark=_mark(row),
        size=_size(row),
        problem="Not fetched" if row.status == Status.FAILED else "",
        is_waiting=row.is_under_way,
        concepts=concepts[:SHOWN_CONCEPTS],
        datasets=", ".join(datasets),
    )


def _mark(row: Input) -> str:
    if row.kind == Kind.TEXT:
        return "text"
    if row.kind == Kind.IMAGE:
        return "moving" if (row.facts or {}).get("frames", 1) > 1 else ""
    words = _clock(row.duration_s) or ("film" if row.kind == Kind.VIDEO else "sound")
    return f"▸ {words}" if row.kind == Kind.VIDEO else words


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _size(row: Input) -> str:
    parts = [f"{row.width}{NO_BREAK}×{NO_BREAK}{row.height}"] if row.width and row.height else []  # noqa: RUF001
    if row.reference is not None:
        parts.append(_bytes(row.reference.blob.size))
    return " · ".join(parts)


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size}{NO_BREAK}B"
    if size < 999_500:
        return f"{round(size / 1000)}{NO_BREAK}kB"
    return f"{size / 1e6:.1f}{NO_BREAK}MB" if size < 9_950_000 else f"{round(size / 1e6)}{NO_BREAK}MB"


def _wave(peaks: object) -> SafeString | str:
    """The loudness of a sound as bars around a line."""
    if not isinstance(peaks, list) or not peaks:
        return ""
    step = max(1, len(peaks) // BARS)
    heights = [max(map(abs, map(float, peaks[at : at + step]))) for at in range(0, len(peaks), step)][:BARS]
    top = max(heights) or 1.0
    lines = "".join(
        f"M{3 * at + 1.5} {20 - 19 * height / top:.1f}V{20 + 19 * height / top:.1f}"
        for at, height in enumerate(heights)
    )
    return format_html(
        '<svg class="thumb__wave" viewBox="0 0 {} 40" aria-hidden="true"><path d="{}"/></svg>',
        3 * len(heights),
        lines,
    )


def _concepts(rows: Sequence[Input]) -> dict[int, list[Label]]:
    found: dict[int, list[Label]] = defaultdict(list)
    said = Annotation.objects.filter(input__in=[row.pk for row in rows], concept__isnull=False, value__gt=0)
    for input_id, slug, name in said.values_list("input_id", "concept__slug", "concept__name").order_by("pk"):
        label = Label(str(name), hue_of(str(slug)))
        if label not in found[input_id]:
            found[input_id].append(label)
    return found


def _datasets(rows: Sequence[Input]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    piles = Dataset.inputs.through.objects.filter(input__in=[row.pk for row in rows])
    for input_id, slug in piles.values_list("input_id", "dataset__slug").order_by("pk"):
        found[input_id].append(slug)
    return found


def hue_of(concept_id: str) -> int:
    """The number of a concept's colour, 1 to 8; the pages' modules count the same."""
    value = 0x811C9DC5
    units = concept_id.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(units), 2):
        value = (value ^ int.from_bytes(units[at : at + 2], "little")) * 0x01000193 & 0xFFFFFFFF
    return value % 8 + 1
