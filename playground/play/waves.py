"""The loudness of a sound over time as SVG, in the page's own colours, with its figures as a table."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from inputs.pictures import look_into
from playground.templatetags.ui import NO_BREAK, seconds

WIDTH, HEIGHT = 400, 48
STEPS = 12


@dataclass(frozen=True)
class Wave:
    """A drawing, and what it says, as (from when on, how loud at most)."""

    drawing: SafeString
    levels: Sequence[tuple[str, str]]


def wave_of(content: bytes, content_type: str, name: str) -> Wave | None:
    """None where the sound cannot be decoded here. Raises PlaygroundError where it is damaged."""
    with tempfile.NamedTemporaryFile(suffix=".sound") as file:
        file.write(content)
        file.flush()
        seen = look_into(Path(file.name), content_type)
    peaks = seen.facts.get("peaks")
    if not isinstance(peaks, list) or not peaks or seen.duration_s is None:
        return None
    return draw_wave([float(peak) for peak in peaks], seen.duration_s, name)


def draw_wave(peaks: Sequence[float], length: float, name: str) -> Wave:
    """``peaks`` are from 0 to 1, evenly over ``length`` seconds."""
    step = WIDTH / len(peaks)
    lines = "".join(
        f"M{number * step:.1f} {HEIGHT / 2 * (1 - max(peak, 0.02)):.1f}V{HEIGHT / 2 * (1 + max(peak, 0.02)):.1f}"
        for number, peak in enumerate(peaks)
    )
    count = min(STEPS, len(peaks))
    edges = [number * len(peaks) // count for number in range(count + 1)]
    parts = [(start * length / len(peaks), max(peaks[start:end])) for start, end in pairwise(edges)]
    levels = [(seconds(at), level(peak)) for at, peak in parts]
    readings = format_html_join(
        "",
        '<rect class="wave__reading" x="{}" y="0" width="{}" height="{}"><title>From {}: {}</title></rect>',
        (
            (round(start * step, 1), round((end - start) * step, 1), HEIGHT, *told)
            for (start, end), told in zip(pairwise(edges), levels, strict=True)
        ),
    )
    drawing = format_html(
        '<svg class="wave" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="wave__line" d="{}"/>{}</svg>',
        WIDTH,
        HEIGHT,
        f"{name}: {seconds(length)}, loudest {level(max(peaks))}",
        lines,
        readings,
    )
    return Wave(drawing, levels)


def level(peak: float) -> str:
    """A share of the loudest there can be, in decibels."""
    if peak <= 0:
        return "silence"
    return f"{20 * math.log10(peak):.1f}{NO_BREAK}dB".replace("-", "\u2212")
