"""What a page shows of an array without its numbers: statistics over all of it, and a small picture of one plane."""

from __future__ import annotations

import base64
import math
from typing import Any

from playground.protocol.values import _numpy

_CHUNK = 2**18
_SIDE = 64  # of the picture; a single row may be longer
_ROW = 256
_NO_VALUE = 255


def statistics_of(array: Any) -> dict[str, float | int | None]:
    """Least, greatest, mean and standard deviation of the finite values, None where there are none to compare, and
    how many are not finite, if any. In pieces: a large array is never copied whole.
    """
    numpy = _numpy()
    found: dict[str, float | int | None] = {"min": None, "max": None, "mean": None, "std": None}
    if not array.size or array.dtype.kind not in "biuf":
        return found
    count, mean, squares, low, high = 0, 0.0, 0.0, math.inf, -math.inf
    flat = array.reshape(-1)
    with numpy.errstate(all="ignore"):
        for start in range(0, flat.size, _CHUNK):
            piece = flat[start : start + _CHUNK].astype(numpy.float64)
            piece = piece[numpy.isfinite(piece)]
            if not piece.size:
                continue
            low, high = min(low, float(piece.min())), max(high, float(piece.max()))
            inner = float(piece.mean())
            apart, total = inner - mean, count + piece.size
            squares += float(((piece - inner) ** 2).sum()) + apart * apart * count * piece.size / total
            mean += apart * piece.size / total
            count = total
    if count:
        found |= {"min": low, "max": high, "mean": mean, "std": math.sqrt(squares / count)}
    return found | ({"not_finite": flat.size - count} if count < flat.size else {})


def picture_of(array: Any, low: float | None, high: float | None) -> dict[str, Any] | None:
    """One plane of an array, thinned to what fits into a small picture: bytes from 0 (``low``) to 254 (``high``), 255
    for no value. ``plane`` names which of several it is.
    """
    numpy = _numpy()
    if array.ndim == 0 or not array.size or low is None or high is None:
        return None
    plane, name = _plane(array)
    steps = [math.ceil(size / (_SIDE if plane.shape[0] > 1 else _ROW)) for size in plane.shape]
    if min(plane.shape) // max(steps) > _SIDE // 8:
        steps = [max(steps)] * 2  # its proportions are kept, where nothing is lost by that
    with numpy.errstate(all="ignore"):
        thin = plane[:: steps[0], :: steps[1]].astype(numpy.float64)
        span = high / 2 - low / 2 or 1.0  # halves: the whole could be more than a float holds
        codes = numpy.rint((thin / 2 - low / 2) / span * (_NO_VALUE - 1))
        codes = numpy.where(numpy.isfinite(thin), codes.clip(0, _NO_VALUE - 1), _NO_VALUE).astype(numpy.uint8)
    made: dict[str, Any] = {"size": list(codes.shape), "data": base64.b64encode(codes.tobytes()).decode()}
    return made | ({"plane": name} if name else {})


def _plane(array: Any) -> tuple[Any, str]:
    """Rows and columns, and where in the array they are: of pictures the first channel, else the last two axes."""
    if array.ndim < 3:
        return array.reshape(-1, array.shape[-1]), ""
    is_picture = array.ndim == 3 and array.shape[-1] <= 4 < array.shape[1]
    if is_picture:
        return array[..., 0], "[:, :, 0]"
    return array[(0,) * (array.ndim - 2)], f"[{'0, ' * (array.ndim - 2)}:, :]"
