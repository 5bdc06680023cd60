"""Two pictures: how alike they are by structure, and how much of them differs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image, ImageOps

from playground.protocol.errors import InputError

EDGE = 640  # of what is compared: finer costs time and says no more
MOST_PIXELS = 25_000_000  # several copies of each are held at once, in the server
WINDOW = 7
SEEN = 6 / 255  # smaller differences are not seen
_STEADY = (0.01**2, 0.03**2)  # the method's own, for values from 0 to 1
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, Image.DecompressionBombError)

Size = tuple[int, int]
Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """``ssim`` is 1 for the same picture, about 0 for others; None where the shapes differ. ``words`` say what else."""

    ssim: float | None
    differing: float | None  # the share of places where a difference can be seen
    sizes: tuple[Size, Size]
    words: str = ""


def compare_pictures(one: BinaryIO, other: BinaryIO) -> Likeness:
    """Of different sizes the larger is made smaller. Raises InputError for what is no picture or too large."""
    pictures = [open_picture(file) for file in (one, other)]
    sizes = (pictures[0].size, pictures[1].size)
    if sizes[0] == sizes[1]:
        words = ""
    else:
        words = "The sizes differ: {} × {} and {} × {}.".format(*sizes[0], *sizes[1])  # noqa: RUF001 - a true times sign
        shapes = [width / height for width, height in sizes]
        if abs(shapes[0] / shapes[1] - 1) > 0.02:
            return Likeness(None, None, sizes, f"{words} So do the shapes: one would have to be stretched.")
    size = _small(min(sizes))
    scaled = [picture.resize(size, Image.Resampling.BOX) if picture.size != size else picture for picture in pictures]
    planes = [[_plane(picture, ground) for ground in (0, 255)] for picture in scaled]
    ssim = min(structural_similarity(a, b) for a, b in zip(*planes, strict=True))
    apart = np.maximum(*(np.abs(a - b).max(axis=2) for a, b in zip(*map(_colours, scaled), strict=True)))
    return Likeness(ssim, float((apart > SEEN).mean()), sizes, words)


def open_picture(file: BinaryIO) -> Image.Image:
    """In colours with transparency, upright."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file)
            if picture.width * picture.height > min(MOST_PIXELS, settings.MAX_IMAGE_PIXELS):
                raise InputError(
                    f"The picture has {picture.width:,} by {picture.height:,} pixels: too many to compare."
                )
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except _BROKEN:
        raise InputError("One of the two cannot be read as a picture.") from None


def _small(size: Size) -> Size:
    scale = min(1.0, EDGE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _colours(picture: Image.Image) -> list[Plane]:
    """Over black and over white, from 0 to 1."""
    return [np.asarray(_over(picture, ground), float) / 255 for ground in (0, 255)]


def _plane(picture: Image.Image, ground: int) -> Plane:
    return np.asarray(_over(picture, ground).convert("L"), float) / 255


def _over(picture: Image.Image, ground: int) -> Image.Image:
    flat = Image.new("RGBA", picture.size, (ground, ground, ground, 255))
    return Image.alpha_composite(flat, picture).convert("RGB")


def structural_similarity(one: Plane, other: Plane) -> float:
    """The mean SSIM of two planes of one size, in windows of 7 by 7, for values from 0 to 1."""
    side = min(WINDOW, *one.shape)
    a, b = _means(one, side), _means(other, side)
    variance_a, variance_b = _means(one * one, side) - a * a, _means(other * other, side) - b * b
    shared = _means(one * other, side) - a * b
    light, structure = _STEADY
    above = (2 * a * b + light) * (2 * shared + structure)
    below = (a * a + b * b + light) * (variance_a + variance_b + structure)
    return float((above / below).mean())


def _means(plane: Plane, side: int) -> Plane:
    """The mean of each window, by sums of sums."""
    sums: Any = np.pad(plane.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    found: Plane = (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]) / side**2
    return found
