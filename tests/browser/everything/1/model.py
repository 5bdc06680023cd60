"""A method for each type that a form can ask for, which says what arrived, as JSON; and for each kind of output."""
# ruff: noqa: RUF013, B006 - defaults and annotations as model authors write them

import io
import time
import wave
from typing import Iterator

import numpy as np
import PIL.Image
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Audio, Concept, Frame, Image, NamedFields, Region, Text, Video
from clarifai.runners.utils.data_utils import Param


def facts(value):
    """What arrived, as plain JSON."""
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "sum": float(value.sum())}
    if isinstance(value, bytes):
        return {"bytes": len(value), "head": value[:4].hex()}
    if isinstance(value, Text):
        return {"text": value.text, "url": value.url or ""}
    if isinstance(value, (Image, Audio, Video)):
        return {"bytes": len(value.bytes), "head": value.bytes[:4].hex(), "url": value.url}
    if isinstance(value, Concept):
        return {"id": value.id, "name": value.name, "value": round(value.value, 4)}
    if isinstance(value, Region):
        found = {"box": [round(edge, 4) for edge in value.box], "point": list(value.point), "text": value.text}
        return {**found, "track_id": value.track_id, "concepts": facts(value.concepts), "mask": len(value.mask.bytes)}
    if isinstance(value, Frame):
        found = {"image": len(value.image.bytes), "regions": facts(value.regions)}
        return {**found, "time": value.time, "index": value.index}
    if isinstance(value, NamedFields):
        return {name: facts(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [facts(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    return value


EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title = 'owned'</script>"
MARKDOWN = (
    """# Rivers

Three of *many*, by **length**:

| river | km |
|:------|---:|
| Nile  | 6650 |
| Elbe  | 1094 |

1. first
2. second

```python
print("a < b")
```

A picture: ![map](https://tracker.example/map.png), a [link](https://rivers.example), and """
    + EVIL
)
BROKEN = b"\x89PNG\r\n\x1a\n" + bytes(40)


def picture(colour="teal", size=(320, 240)):
    return Image.from_pil(PIL.Image.new("RGB", size, colour))


def mask(inside, size=(64, 48)):
    """White within some fractions of a picture."""
    made = PIL.Image.new("L", size)
    left, top, right, bottom = (int(part * size[i % 2]) for i, part in enumerate(inside))
    made.paste(255, (left, top, right, bottom))
    return made


def sound(hertz, seconds=0.3):
    with io.BytesIO() as file:
        with wave.open(file, "wb") as written:
            written.setnchannels(1)
            written.setsampwidth(2)
            written.setframerate(8000)
            times = np.arange(int(8000 * seconds)) / 8000
            written.writeframes((np.sin(times * hertz * 6.283) * 8000).astype("<i2").tobytes())
        return Audio(bytes=file.getvalue())


def outline(corners, concept):
    region = Region(concepts=[concept])
    for x, y in corners:
        region.proto.region_info.polygon.points.add(col=x, row=y)
    return region


class Everything(ModelClass):
    @ModelClass.method
    def take_str(self, value: str) -> dict:
        """A text."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_text(self, value: Text) -> dict:
        """A text, or the address of one."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_bytes(self, value: bytes) -> dict:
        """Any file."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_int(self, value: int) -> dict:
        """A whole number of at most 64 bits."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_float(self, value: float) -> dict:
        """A number."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_bool(self, value: bool) -> dict:
        """Yes or no."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_array(self, value: np.ndarray) -> dict:
        """An array of numbers."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_json(self, value: dict) -> dict:
        """Any JSON."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_image(self, value: Image) -> dict:
        """A picture."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_audio(self, value: Audio) -> dict:
        """A sound."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_video(self, value: Video) -> dict:
        """A film."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_concept(self, value: Concept) -> dict:
        """A label with a value."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_region(self, value: Region) -> dict:
        """A place in a picture."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_frame(self, value: Frame) -> dict:
        """A picture of a film."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_fields(self, value: NamedFields(name=str, size=tuple[int, float], tags=list[str])) -> dict:
        """Several values by name."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_tuple(self, value: tuple[str, int, bool]) -> dict:
        """Three values in order."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_list(self, value: list[NamedFields(label=str, points=list[tuple[float, float]])]) -> dict:
        """Lists in records in a list."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_images(self, value: list[Image]) -> dict:
        """Pictures."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_regions(self, value: list[Region]) -> dict:
        """Places in a picture."""
        return {"got": facts(value)}

    @ModelClass.method
    def take_defaults(
        self,
        prompt: str,
        note: str = None,
        count: int = None,
        flag: bool = None,
        pair: tuple[int, int] = (1, 2),
        words: list[str] = ["a", "b"],
        extra: dict = None,
        region: Region = None,
        picture: Image = None,
        scale: float = Param(default=0.5, min_value=0.0, max_value=2.0, description="How large."),
        steps: int = Param(default=20, min_value=1, max_value=50, description="How many steps."),
        seed: int = Param(default=None, description="For the same answer again."),
        style: str = Param(default="plain", choices=["plain", "loud", "soft"], description="How it sounds."),
        parts: list[str] = Param(default=["head"], choices=["head", "body", "foot"], description="Which parts."),
        stops: list[str] = Param(default=[], description="Where it ends."),
        is_short: bool = Param(default=False, description="In a few words."),
        api_key: str = Param(default="", description="The key of the other service."),
    ) -> dict:
        """A value for each kind of default, and settings of each kind."""
        given = {"note": note, "count": count, "flag": flag, "pair": pair, "words": words, "extra": extra}
        given |= {"region": region, "picture": picture, "scale": scale, "steps": steps, "seed": seed, "style": style}
        given |= {"parts": parts, "stops": stops, "is_short": is_short, "key_length": len(api_key)}
        return {"got": {"prompt": prompt} | {name: facts(value) for name, value in given.items()}}

    @ModelClass.method
    def take_pairs(self, value: Iterator[tuple[str, int]]) -> Iterator[dict]:
        """Pairs, one after another."""
        for item in value:
            yield {"got": facts(item)}

    @ModelClass.method
    def echo_lines(
        self, line: Iterator[str], before: str, times: int = Param(default=1, is_param=True)
    ) -> Iterator[str]:
        """Each line again, one or more times; "break" breaks it."""
        for text in line:
            if text == "break":
                raise ValueError("a line broke it")
            time.sleep(0.01)
            for _ in range(times):
                yield before + text

    @ModelClass.method
    def time_sounds(self, sound: Iterator[Audio]) -> Iterator[float]:
        """How many seconds each sound takes."""
        for piece in sound:
            with wave.open(io.BytesIO(piece.bytes)) as file:
                yield file.getnframes() / file.getframerate()

    @ModelClass.method
    def give_text(self, length: int = 0) -> str:
        """Markdown with a table, code, and what a page must not run; or a text of some length."""
        return ("many words " * (length // 11 + 1))[:length] if length else MARKDOWN

    @ModelClass.method
    def give_pieces(self) -> Iterator[str]:
        """The same, piece by piece."""
        for start in range(0, len(MARKDOWN), 40):
            yield MARKDOWN[start : start + 40]

    @ModelClass.method
    def give_words(self) -> list[str]:
        """Texts that look like HTML."""
        return ["plain", EVIL]

    @ModelClass.method
    def give_json(self) -> dict:
        """JSON that looks like other outputs, and like HTML."""
        return {
            "region": {"box": "none"},
            EVIL: EVIL,
            "long": "x" * 5000,
            "many": list(range(300)),
            "nan": float("nan"),
        }

    @ModelClass.method
    def give_concepts(self) -> list[Concept]:
        """Many labels."""
        return [Concept(f"label {n}", 1 / (n + 1)) for n in range(40)]

    @ModelClass.method
    def give_regions(self, image: Image, name: str = "cup") -> list[Region]:
        """A box, an outline, a mask, a point, a line of text, and one that is nowhere."""
        return [
            Region(box=[0.1, 0.2, 0.5, 0.7], concepts=[Concept(name, 0.9), Concept("mug", 0.6)], track_id="7"),
            outline([(0.6, 0.1), (0.9, 0.3), (0.7, 0.5)], Concept("kite", 0.7)),
            Region(mask=mask((0.5, 0.5, 1.0, 1.0)), concepts=[Concept("table", 0.5)]),
            Region(point=(0.3, 0.3, 0.0), concepts=[Concept("handle", 0.4)]),
            Region(box=[0.55, 0.8, 0.95, 0.95], text="NO <b>SMOKING</b>", concepts=[Concept("sign", 0.3)]),
            Region(box=[float("nan"), 0, 9, -9], text=EVIL),
        ]

    @ModelClass.method
    def give_many(self, count: int = 100000) -> list[Region]:
        """Very many boxes."""
        return [
            Region(
                box=[n % 100 / 100, n / count, (n % 100 + 1) / 100, 1.0],
                concepts=[Concept("dot", n / count)],
                id=str(n),
            )
            for n in range(count)
        ]

    @ModelClass.method
    def give_found(self, names: Iterator[str]) -> Iterator[list[Region]]:
        """Two regions for each name that is sent."""
        for name in names:
            yield [Region(box=[0.1, 0.1, 0.5, 0.5], concepts=[Concept(name, value)]) for value in (0.9, 0.2)]

    @ModelClass.method
    def give_frames(self) -> Iterator[Frame]:
        """Pictures of a film, each with a box."""
        for n in range(6):
            box = Region(box=[n / 10, 0.2, n / 10 + 0.3, 0.6], concepts=[Concept("ball", 0.9 - n / 10)], track_id="b")
            yield Frame(image=picture((n * 40, 120, 120)), regions=[box], time=n / 5, index=n)

    @ModelClass.method
    def give_film(self, film: Video) -> list[Frame]:
        """What is found in a film, five times a second: something that goes to the right."""
        concepts = [[Concept(f"second {n / 5:.1f}", 0.8)] for n in range(10)]
        boxes = [[n / 20, 0.1, n / 20 + 0.4, 0.5] for n in range(10)]
        return [
            Frame(regions=[Region(box=boxes[n], concepts=concepts[n], track_id="7")], time=n / 5, index=n)
            for n in range(10)
        ]

    @ModelClass.method
    def give_cut(self, film: Video) -> NamedFields(film=Video, frames=list[Frame]):
        """The film again, and what is found in it beside."""
        return NamedFields(film=film, frames=[Frame(regions=[Region(box=[0.1, 0.1, 0.5, 0.5])], time=0.0)])

    @ModelClass.method
    def give_sounds(self) -> Iterator[Audio]:
        """A tune, tone by tone."""
        for hertz in (440, 550, 660):
            yield sound(hertz)

    @ModelClass.method
    def give_array(self, shape: str = "plane") -> np.ndarray:
        """A plane, a row, a stack of planes, or one with numbers that are none."""
        rows = np.linspace(-1, 1, 60)
        plane = np.sin(rows[:, None] * 5) * np.cos(rows[None, :] * 7)
        made = {"plane": plane, "row": np.sin(rows * 9), "stack": np.stack([plane, plane]), "one": np.array(3.0)}
        made["none"] = np.array([[1.0, float("nan")], [float("inf"), 2.0]])
        return made[shape]

    @ModelClass.method
    def give_images(self) -> list[Image]:
        """Three pictures."""
        return [picture(colour) for colour in ("teal", "orange", "purple")]

    @ModelClass.method
    def give_parts(self, image: Image) -> NamedFields(
        words=str, count=int, pair=tuple[float, bool], found=list[Region], shade=Image, facts=dict, rows=list[list[int]]
    ):
        """Values of many kinds by name."""
        found = [Region(box=[0.2, 0.2, 0.6, 0.6], concepts=[Concept("cup", 0.8)])]
        facts_given = {"a": 1, "b": [True, None]}
        return NamedFields(
            words=EVIL, count=3, pair=(0.5, True), found=found, shade=picture(), facts=facts_given, rows=[[1, 2], [3]]
        )

    @ModelClass.method
    def give_lies(self) -> list[Image]:
        """Pictures that are none: a page, a broken one, a sound, an address."""
        html = Image(bytes=b"<!doctype html><script>document.title = 'owned'</script>")
        return [html, Image(bytes=BROKEN), Image(bytes=sound(440).bytes), Image(url="javascript:alert(1)")]

    @ModelClass.method
    def openai_transport(self, msg: str) -> str:
        """Another protocol: no form."""
        return msg
