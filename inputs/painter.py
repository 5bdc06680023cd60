"""A process that looks into pictures, films and sounds, and makes small pictures of them. It knows no Django.

It is started as a script by ``inputs.pictures`` and reads jobs from standard input: four bytes of length, then JSON.
An answer is JSON likewise, then the picture that was made, likewise. It ends when its input does, or when nothing has
come for a while. What it opens may be anything: its memory is bounded, and whoever waits for it may end it.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import resource
import select
import signal
import struct
import warnings
import wave
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageOps, UnidentifiedImageError

try:
    import av
except ImportError:  # the extra for film and sound is not installed
    av = None  # type: ignore[assignment, unused-ignore]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
THUMBNAIL_EDGE = 320
PREVIEW_EDGE = 2048
PEAKS = 400
MAX_PAGES = 1000
IDLE_SECONDS = 120
_MEMORY = 4 * 2**30
_MOVING_PIXELS = 300 * 10**6
_STRIP_PIXELS = 4 * 10**6
_ANEW = "Fetch or save it anew, and add that."
_KNOWN = "Save it as JPEG or PNG, MP4 or WebM, WAV or MP3, and add that."
_ORIENTATION, _DATE, _EXIF, _TAKEN, _OFFSET = 0x0112, 0x0132, 0x8769, 0x9003, 0x9011
_MAX_PROFILE = 4096
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError, MemoryError),
    *(OverflowError, ZeroDivisionError, NotImplementedError, RuntimeError, struct.error, zlib.error, wave.Error),
)

Answer = tuple[dict[str, Any], bytes]


class Refused(Exception):
    """What is wrong with the file, in words for a person."""


# -- pictures --


def picture(job: dict[str, Any]) -> Answer:
    """Decode all of it; its facts, and a thumbnail turned upright."""
    with _opened(job) as image:
        facts = _facts(image, job["path"])
        upright = _upright(image)
    facts["width"], facts["height"] = upright.size
    small = _smaller(upright, THUMBNAIL_EDGE)
    facts["colours"] = _colours(small)
    return facts, _webp(small, quality=76)


def preview(job: dict[str, Any]) -> Answer:
    with _opened(job) as image:
        large = _smaller(_upright(image), PREVIEW_EDGE)
    return {"width": large.width, "height": large.height}, _webp(large, quality=82)


def mask_bounds(job: dict[str, Any]) -> Answer:
    """The box around what is inside a mask, as shares: what is light, or what is opaque where all of it is black."""
    with _opened(job) as image:
        rgba = _plain(image).convert("RGBA")
    red, green, blue, opacity = rgba.split()
    light = ImageChops.multiply(ImageChops.lighter(ImageChops.lighter(red, green), blue), opacity.point(_is_some))
    most, is_clear = int(np.asarray(light).max()), int(np.asarray(opacity).min()) < 250
    if is_clear and most < 8:
        inside = opacity
    else:
        gain = 255 / most if 0 < most < 32 else 1  # a mask of 0 and 1 counts too
        inside = ImageChops.multiply(light.point(lambda value: min(255, round(value * gain))), opacity)
    found = inside.point(_is_inside).getbbox()
    width, height = rgba.size
    return {"box": [found[0] / width, found[1] / height, found[2] / width, found[3] / height] if found else None}, b""


_is_some = [0] + [255] * 255
_is_inside = [0] * 128 + [255] * 128


@contextlib.contextmanager
def _opened(job: dict[str, Any]) -> Iterator[Image.Image]:
    """The picture, decoded. Whatever its decoder runs into is told as a refusal."""
    most = job["max_pixels"]
    Image.MAX_IMAGE_PIXELS = None  # measured below, by the same limit for all formats
    try:
        with Image.open(job["path"], formats=FORMATS) as image:
            width, height = image.size
            if width * height > most:
                millions = f"The picture has too many pixels: at most {most // 10**6} million are allowed."
                raise Refused(f"{millions} This one says {width:,} by {height:,}. Make it smaller, and add that.")
            image.load()
            yield image
    except Refused:
        raise
    except UnidentifiedImageError:
        raise Refused(f"The picture is damaged: it begins like one, but cannot be read. {_ANEW}") from None
    except _BROKEN:
        raise Refused(f"The picture is damaged or cut off: it cannot be decoded to its end. {_ANEW}") from None


def _facts(image: Image.Image, path: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"format": image.format or "", "mode": image.mode}
    exif = image.getexif()
    if (turn := exif.get(_ORIENTATION, 1)) in range(2, 9):
        facts["orientation"] = turn
    if taken := _taken(exif):
        facts["captured_at"] = taken
    if image.format != "MPO" and getattr(image, "is_animated", False):  # what phones put behind a still is no film
        facts["frames"] = _frames(path)
    return facts


def _frames(path: str) -> int:
    """How many there are. They are decoded too, so that what was cut off is told: as many as take no age."""
    with Image.open(path, formats=FORMATS) as image:
        count, left = int(getattr(image, "n_frames", 1)), _MOVING_PIXELS
        for number in range(1, count):
            image.seek(number)
            left -= image.width * image.height
            if left < 0:
                break
            image.load()
        return count


def _taken(exif: Image.Exif) -> str:
    """When the camera took it, in ISO's form; without a zone it is taken for UTC. "" where that makes no sense."""
    try:
        inner = exif.get_ifd(_EXIF)
        text = str(inner.get(_TAKEN) or exif.get(_DATE) or "").strip("\0 ")
        zone = str(inner.get(_OFFSET) or "").strip("\0 ")
        when = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        with contextlib.suppress(ValueError):
            when = datetime.fromisoformat(f"{when:%Y-%m-%dT%H:%M:%S}{zone}") if zone else when
        return when.astimezone(UTC).isoformat() if 1826 <= when.year <= 2200 else ""
    except _BROKEN:
        return ""


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its camera was held, in eight bits a channel."""
    try:
        turned = ImageOps.exif_transpose(image)
    except _BROKEN:  # its notes are damaged, not its pixels
        turned = image
    return _plain(turned)


def _plain(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _levelled(image)
    if image.mode in {"LA", "PA", "La", "RGBa"} or (image.mode != "RGBA" and "transparency" in image.info):
        return image.convert("RGBA")
    return image if image.mode in {"RGB", "RGBA"} else image.convert("RGB")


def _levelled(image: Image.Image) -> Image.Image:
    """Sixteen bits, or numbers without a bound, as eight: 16 bits by their upper half, all else from least to most."""
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else _range_of(image)
    if image.mode == "I" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    grey = Image.new("L", image.size)
    for top, values in _strips(image):
        scaled = np.nan_to_num((values - low) * (255.0 / ((high - low) or 1.0)), nan=0.0, posinf=255.0, neginf=0.0)
        grey.paste(Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8)), (0, top))
    return grey.convert("RGB")


def _range_of(image: Image.Image) -> tuple[float, float]:
    ends: list[float] = []
    for _, values in _strips(image):
        sane = values[np.isfinite(values)]
        ends += [float(sane.min()), float(sane.max())] if sane.size else []
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _strips(image: Image.Image) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """Its numbers from top to bottom, a few million at a time: all at once take many times what the picture does."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        yield top, np.asarray(strip).astype(np.float32)


def _smaller(image: Image.Image, edge: int) -> Image.Image:
    """At most ``edge`` wide and high, never larger than it was; neither side ever less than a pixel."""
    if max(image.size) <= edge:
        return image
    scale = edge / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info = dict(image.info)
    return small


def _webp(image: Image.Image, *, quality: int) -> bytes:
    stream = io.BytesIO()
    profile = image.info.get("icc_profile") or b""
    kept = profile if isinstance(profile, bytes) and len(profile) <= _MAX_PROFILE and profile[16:20] == b"RGB " else b""
    image.save(stream, "WEBP", quality=quality, method=2, icc_profile=kept, exif=b"")
    return stream.getvalue()


def _colours(image: Image.Image, count: int = 5) -> list[dict[str, Any]]:
    """Its main colours with their shares, the largest first; what is transparent counts as white."""
    tiny = image.resize((48, 48), Image.Resampling.BOX)
    if tiny.mode == "RGBA":
        ground = Image.new("RGBA", tiny.size, "white")
        tiny = Image.alpha_composite(ground, tiny)
    few = tiny.convert("RGB").quantize(count, method=Image.Quantize.MEDIANCUT)
    palette = few.getpalette() or []
    found = sorted(few.getcolors() or [], reverse=True)
    total = sum(share for share, _ in found) or 1
    return [
        {
            "hex": "#{:02x}{:02x}{:02x}".format(*palette[3 * int(number) : 3 * int(number) + 3]),
            "share": round(share / total, 3),
        }
        for share, number in found
        if isinstance(number, int)
    ]


# -- film and sound --


def film(job: dict[str, Any]) -> Answer:
    """Its length, size and frame rate, and a frame from its beginning that is not black."""
    if av is None:
        return {"is_unread": True}, b""
    with _played(job["path"]) as container:
        moving = _moving(container)
        if not moving and not container.streams.audio:
            raise Refused(f"The film is damaged or cut off: it holds neither pictures nor sound. {_ANEW}")
        is_sound = not moving
    if is_sound:
        facts, drawn = sound(job)
        return {**facts, "has_video": False}, drawn
    with _played(job["path"]) as container:
        stream = _moving(container)[0]
        stream.thread_type = "NONE"
        if stream.width * stream.height > job["max_pixels"]:
            raise Refused(f"The film's frames have too many pixels: {stream.width:,} by {stream.height:,}.")
        frame = _poster(container)
    facts = {**_length_of(job["path"]), "has_video": True, "width": frame.width, "height": frame.height}
    rate = float(stream.average_rate or 0)
    facts |= {"frame_rate": round(rate, 3)} if math.isfinite(rate) and rate > 0 else {}
    small = _smaller(frame, THUMBNAIL_EDGE)
    return facts | {"colours": _colours(small)}, _webp(small, quality=76)


def film_preview(job: dict[str, Any]) -> Answer:
    if av is None:
        raise Refused("Films can be looked into where the extra for media is installed.")
    with _played(job["path"]) as container:
        large = _smaller(_poster(container), PREVIEW_EDGE)
    return {"width": large.width, "height": large.height}, _webp(large, quality=82)


def sound(job: dict[str, Any]) -> Answer:
    """Its length, the course of its loudness, and that drawn small."""
    if job.get("content_type") == "audio/wav" and (read := _wave(job["path"])) is not None:
        samples, duration = read
    elif av is None:
        return {"is_unread": True}, b""
    else:
        samples, duration = _samples(job["path"])
    peaks = _peaks(samples)
    return {"duration_s": round(duration, 3), "peaks": peaks}, _webp(_drawn(peaks), quality=76)


def _moving(container: Any) -> list[Any]:
    """Its streams of pictures, without the cover of a sound."""
    return [one for one in container.streams.video if not one.disposition & av.stream.Disposition.attached_pic]


@contextlib.contextmanager
def _played(path: str) -> Iterator[Any]:
    try:
        with av.open(path, metadata_errors="ignore", options={"protocol_whitelist": "file"}) as container:
            yield container
    except Refused:
        raise
    except (av.FFmpegError, *_BROKEN):
        raise Refused(f"It cannot be decoded: it is damaged, cut off, or of a kind not known here. {_KNOWN}") from None


def _length_of(path: str) -> dict[str, Any]:
    with _played(path) as container:
        return _length(container)


def _length(container: Any) -> dict[str, Any]:
    """From its head; where that says none (as in a recording of a browser), from its last packet."""
    if container.duration:
        return {"duration_s": round(container.duration / av.time_base, 3)}
    last = 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return {"duration_s": round(last, 3)} if last else {}


def _poster(container: Any) -> Image.Image:
    """The first of the first frames that is not all but black, else the first."""
    first: Image.Image | None = None
    streams = _moving(container)
    for number, frame in enumerate(container.decode(streams[0]) if streams else ()):
        image = _turned(frame)
        first = first or image
        if np.asarray(image.convert("L").resize((16, 16))).max() > 32:
            return image
        if number >= 90:
            break
    if first is None:
        raise Refused(f"The film has no frame that can be decoded. {_ANEW}")
    return first


def _turned(frame: Any) -> Image.Image:
    """Upright, as players show it."""
    image: Image.Image = frame.to_image()
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return image.rotate(90 * turns, expand=True) if turns else image


def _samples(path: str) -> tuple[np.ndarray[Any, Any], float]:
    """One loudness for each hundredth of a second: a long sound is never whole in memory."""
    rate = 8000
    kept: list[float] = []
    with _played(path) as container:
        if not container.streams.audio:
            raise Refused("There is no sound in it that can be decoded.")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        count, rest = 0, np.empty(0, np.float32)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                rest = np.concatenate([rest, part.to_ndarray().reshape(-1)])
                count += part.samples
            whole = len(rest) // 80 * 80
            kept += np.abs(rest[:whole]).reshape(-1, 80).max(axis=1).tolist() if whole else []
            rest = rest[whole:]
    return np.array(kept or [0.0], np.float32), count / rate


def _wave(path: str) -> tuple[np.ndarray[Any, Any], float] | None:
    """A plain WAV without PyAV's help; None for the kinds that need it."""
    try:
        with wave.open(path, "rb") as file:
            width, rate, frames = file.getsampwidth(), file.getframerate(), file.getnframes()
            if width not in (1, 2, 4) or not rate:
                return None
            data = np.frombuffer(file.readframes(frames), {1: np.uint8, 2: np.int16, 4: np.int32}[width])
            channels = file.getnchannels()
    except _BROKEN as error:
        if "unknown format" in str(error):
            return None
        raise Refused(f"The sound is damaged or cut off: it cannot be decoded. {_ANEW}") from None
    middle, most = (128.0, 128.0) if width == 1 else (0.0, float(2 ** (8 * width - 1)))
    return np.abs((data.astype(np.float32) - middle) / most), len(data) / (channels or 1) / rate


def _peaks(samples: np.ndarray[Any, Any]) -> list[float]:
    parts = np.array_split(samples, min(PEAKS, max(1, len(samples))))
    loud = np.array([float(part.max()) if part.size else 0.0 for part in parts])
    return [round(float(value), 3) for value in np.clip(np.nan_to_num(loud), 0, 1)]


def _drawn(peaks: list[float]) -> Image.Image:
    """The course of loudness in the middle grey that both themes can bear, on nothing."""
    width, height = THUMBNAIL_EDGE, THUMBNAIL_EDGE * 3 // 4
    image = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(image)
    bars = 80
    for number in range(bars):
        part = peaks[
            number * len(peaks) // bars : max((number + 1) * len(peaks) // bars, number * len(peaks) // bars + 1)
        ]
        half = max(1.0, max(part, default=0.0) * height * 0.4)
        left = number * width / bars
        draw.rectangle((left + 1, height / 2 - half, left + 2.6, height / 2 + half), fill=(128, 134, 148, 255))
    return image


# -- the process --

JOBS: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "picture": picture,
    "preview": preview,
    "mask_bounds": mask_bounds,
    "film": film,
    "film_preview": film_preview,
    "sound": sound,
}


def answer(job: dict[str, Any]) -> Answer:
    """Do a job; a refusal is an answer too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            return JOBS[job["job"]](job)
    except Refused as error:
        return {"refused": str(error)}, b""
    except MemoryError:
        return {"refused": "It needs more memory to be opened than there is for it."}, b""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the servers, who close our input
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with contextlib.suppress(OSError):
        os.nice(5)  # whoever answers people goes first
    asked, told = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints gets between the answers
    if av is not None:
        av.logging.set_level(av.logging.PANIC)
    while select.select([asked], [], [], IDLE_SECONDS)[0]:
        head = _read(asked, 4)
        if head is None:
            return
        content = _read(asked, int.from_bytes(head))
        if content is None:
            return
        facts, made = answer(json.loads(content))
        said = json.dumps(facts).encode()
        told.write(len(said).to_bytes(4) + said + len(made).to_bytes(4) + made)
        told.flush()


def _read(file: FileIO, size: int) -> bytes | None:
    content = b""
    while len(content) < size:
        piece = file.read(size - len(content))
        if not piece:
            return None
        content += piece
    return content


if __name__ == "__main__":
    main()
