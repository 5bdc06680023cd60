"""What differs between two answers as a picture of its own: boxes drawn in, or picture beside picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image, ImageChops, ImageDraw, ImageFont

from playground.play.differences.pictures import open_picture
from playground.play.differences.regions import Box

EDGE = 2048
HUES = ("#f5a648", "#3fd3d3", "#e58fd3", "#9fdc6a", "#8fa6f2", "#f58b86", "#e8ce4f", "#b79af0")  # of --concept-1 to -8
_INK, _PAPER, _OUTLINE = "#17181a", "#ffffff", (0, 0, 0, 130)
_LABELLED = 120
_MANY = 8  # tints over tints hide the picture


@dataclass(frozen=True)
class Side:
    """A pane as it is drawn: its letter, its name, and its place among the panes, which gives its colour."""

    letter: str
    name: str
    number: int

    @property
    def hue(self) -> str:
        return HUES[self.number % len(HUES)]


def draw_matches(source: BinaryIO, found: dict[str, Any], one: Side, other: Side) -> bytes:
    """The picture as a PNG, with both panes' boxes: same once in white, moved in both colours, only here tinted.

    ``found`` is as ``describe_matches`` has it. Raises InputError where it is no picture.
    """
    picture = open_picture(source)
    picture.thumbnail((EDGE, EDGE))
    sheet = _Sheet(picture)
    if len(found["only_one"]) + len(found["only_other"]) > _MANY:
        sheet.tint = 16
    for pair in found["same"]:
        sheet.box(pair["one"]["box"], "#ffffff", 1.0, f"{one.letter} {other.letter} {pair['one']['name']}")
    for pair in found["moved"]:
        sheet.line(pair["one"]["box"], pair["other"]["box"])
        sheet.box(pair["one"]["box"], one.hue, 1.0, one.letter)
        sheet.box(pair["other"]["box"], other.hue, 2.0, _label(other, pair["other"]))
    for side, regions in ((one, found["only_one"]), (other, found["only_other"])):
        for region in regions:
            sheet.box(region["box"], side.hue, 2.0, _label(side, region), is_filled=True)
    counts = (
        f"{len(found['same'])} same, {len(found['moved'])} moved, "
        f"{len(found['only_one'])} only in {one.letter}, {len(found['only_other'])} only in {other.letter}"
    )
    return _png(_with_legend(sheet.finished, [one, other], counts))


def _label(side: Side, region: dict[str, Any]) -> str:
    value = "" if region["value"] is None else f" {region['value']:.2f}"
    return f"{side.letter} {region['name']}{value}"


class _Sheet:
    """A picture that is drawn on; lines are as thick as its size asks for."""

    def __init__(self, picture: Image.Image) -> None:
        self._picture = picture
        self._unit = max(picture.size) / 700
        self._over = Image.new("RGBA", picture.size)
        self._draw = ImageDraw.Draw(self._over)
        self.tint = 80
        self._labels: list[tuple[tuple[float, float], str, str]] = []

    @property
    def finished(self) -> Image.Image:
        font = _font(11 * self._unit)
        for (x, y), words, hue in self._labels[:_LABELLED]:
            _, _, width, height = self._draw.textbbox((0, 0), words, font=font)
            pad = 3 * self._unit
            top = y - height - 2 * pad if y > height + 2 * pad else y
            left = max(min(x, self._picture.width - width - 2 * pad), 0)
            self._draw.rectangle((left, top, left + width + 2 * pad, top + height + 2 * pad), fill=hue)
            self._draw.text((left + pad, top + pad), words, fill=_INK, font=font)
        return Image.alpha_composite(self._picture, self._over)

    def box(self, box: Box, hue: str, thickness: float, words: str, *, is_filled: bool = False) -> None:
        left, top, right, bottom = self._corners(box)
        if is_filled and right > left and bottom > top:
            tint = Image.new("RGBA", (int(right - left) + 1, int(bottom - top) + 1), hue)
            tint.putalpha(self.tint)
            self._over.alpha_composite(tint, (int(left), int(top)))
        width = max(round(1.5 * thickness * self._unit), 1)
        self._draw.rectangle((left, top, right, bottom), outline=_OUTLINE, width=width + 2)
        self._draw.rectangle((left, top, right, bottom), outline=hue, width=width)
        self._labels.append(((left, top), words[:60], hue))

    def line(self, one: Box, other: Box) -> None:
        ends = [
            ((left + right) / 2, (top + bottom) / 2) for left, top, right, bottom in map(self._corners, (one, other))
        ]
        self._draw.line(ends, fill="#ffffff", width=max(round(2 * self._unit), 1))

    def _corners(self, box: Box) -> Box:
        """In pixels, within the picture."""
        width, height = self._picture.size
        left, top, right, bottom = (min(max(edge, 0.0), 1.0) for edge in box)
        return left * (width - 1), top * (height - 1), max(left, right) * (width - 1), max(top, bottom) * (height - 1)


def draw_pictures(sources: Sequence[BinaryIO], one: Side, other: Side, words: str) -> bytes:
    """Two pictures and their difference side by side, as a PNG. The other is scaled to the first's size."""
    pictures = [open_picture(source) for source in sources]
    pictures[0].thumbnail((EDGE // 2, EDGE // 2))
    pictures[1] = pictures[1].resize(pictures[0].size)
    width, height = pictures[0].size
    flat = [Image.alpha_composite(Image.new("RGBA", picture.size, _PAPER), picture) for picture in pictures]
    apart = ImageChops.difference(*(picture.convert("RGB") for picture in flat)).point(
        [min(level * 3, 255) for level in range(256)] * 3
    )
    gap = max(width // 60, 4)
    row = Image.new("RGBA", (3 * width + 2 * gap, height), _PAPER)
    for number, picture in enumerate((*flat, apart.convert("RGBA"))):
        row.paste(picture, (number * (width + gap), 0))
    return _png(_with_legend(row, [one, other], f"third: what differs, three times as bright. {words}"))


def _with_legend(picture: Image.Image, sides: Sequence[Side], words: str) -> Image.Image:
    """The picture, and below it which colour is which pane, and what is to be said."""
    unit = max(picture.width / 700, 0.6)
    font, step = _font(12 * unit), round(20 * unit)
    lines = [*((side.hue, f"{side.letter}   {side.name}") for side in sides), (_PAPER, words)]
    whole = Image.new("RGBA", (picture.width, picture.height + step * len(lines) + step // 2), _PAPER)
    whole.paste(picture, (0, 0))
    draw = ImageDraw.Draw(whole)
    for number, (hue, text) in enumerate(lines):
        top = picture.height + step // 4 + number * step
        draw.rectangle((step // 4, top + step // 6, step, top + step - step // 6), fill=hue)
        draw.text((step * 1.4 if hue != _PAPER else step // 4, top + step // 6), text[:160], fill=_INK, font=font)
    return whole


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(size, 8))


def _png(picture: Image.Image) -> bytes:
    with io.BytesIO() as file:
        picture.convert("RGB").save(file, "PNG")
        return file.getvalue()


def small_jpeg(source: BinaryIO, edge: int = 1280) -> bytes:
    """A picture to be put into a page. Raises InputError where it is none."""
    picture = open_picture(source)
    picture.thumbnail((edge, edge))
    with io.BytesIO() as file:
        Image.alpha_composite(Image.new("RGBA", picture.size, _PAPER), picture).convert("RGB").save(
            file, "JPEG", quality=85
        )
        return file.getvalue()
