"""The built-in models on the samples and a few sentences, and SmolLM2's folder with a stand-in for llama.cpp."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import PIL.Image
import psutil
import pytest

from playground.media import samples
from playground.protocol.values import Audio, Image
from playground.runner import examples
from playground.runner.testing import running
from tests.runner.calling import Caller, Conversation, calling, request

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(next(iter(examples.__path__)))
SAMPLES = Path(next(iter(samples.__path__)))
STAND_IN = Path(__file__).parent / "standin"


def sample(name: str) -> Image:
    return Image(bytes=(SAMPLES / f"{name}.jpg").read_bytes())


@pytest.fixture(scope="module")
def nanodet() -> Iterator[Caller]:
    with running(EXAMPLES / "nanodet") as address, calling(address) as caller:
        yield caller


@pytest.fixture(scope="module")
def efficientnet() -> Iterator[Caller]:
    with running(EXAMPLES / "efficientnet") as address, calling(address) as caller:
        yield caller


@pytest.mark.parametrize(("name", "label", "score"), [("astronaut", "person", 0.73), ("coffee", "cup", 0.53)])
def test_nanodet_boxes_what_is_there(nanodet: Caller, name: str, label: str, score: float) -> None:
    region = nanodet.predict("predict", image=sample(name))[0]
    assert region.concepts[0].name == label
    assert region.concepts[0].value == pytest.approx(score, abs=0.05)
    left, top, right, bottom = region.box
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1


def test_nanodet_boxes_one_picture_after_another(nanodet: Caller) -> None:
    talk = Conversation(nanodet, "stream", threshold=0.45)
    for name, label in (("astronaut", "person"), ("coffee", "cup")):
        talk.say(sample(name))
        assert talk.hear()[0].concepts[0].name == label
    talk.end()


def test_a_threshold_of_one_leaves_nothing(nanodet: Caller) -> None:
    assert nanodet.predict("predict", image=sample("astronaut"), threshold=1.0) == []


def test_a_picture_lying_on_its_side_is_turned(nanodet: Caller) -> None:
    with PIL.Image.open(SAMPLES / "astronaut.jpg") as upright, io.BytesIO() as file:
        exif = upright.getexif()
        exif[0x0112] = 6  # to be shown turned clockwise
        upright.rotate(90, expand=True).save(file, "JPEG", exif=exif)
        turned = Image(bytes=file.getvalue())
    assert nanodet.predict("predict", image=turned)[0].concepts[0].value == pytest.approx(0.73, abs=0.05)


@pytest.mark.parametrize(
    ("name", "label", "value"),
    [("chelsea", "tiger cat", 0.38), ("coffee", "espresso", 0.95), ("camera", "tripod", 0.94)],
)
def test_efficientnet_names_what_is_there(efficientnet: Caller, name: str, label: str, value: float) -> None:
    concepts = efficientnet.predict("predict", image=sample(name), top_k=3)
    assert [len(concepts), concepts[0].name] == [3, label]
    assert concepts[0].value == pytest.approx(value, abs=0.03)
    assert len({concept.id for concept in concepts}) == 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_pictures_of_every_mode_are_taken(efficientnet: Caller, mode: str) -> None:
    with io.BytesIO() as file:
        PIL.Image.new(mode, (9, 300)).save(file, "TIFF" if mode == "CMYK" else "PNG")
        assert efficientnet.predict("predict", image=Image(bytes=file.getvalue()), top_k=1)


def test_similar_pictures_have_similar_numbers(efficientnet: Caller) -> None:
    assert efficientnet.predict("embed", image=sample("chelsea")).shape == (1280,)


@pytest.fixture(scope="module")
def movenet() -> Iterator[Caller]:
    with running(EXAMPLES / "movenet") as address, calling(address) as caller:
        yield caller


@pytest.fixture(scope="module")
def blazeface() -> Iterator[Caller]:
    with running(EXAMPLES / "blazeface") as address, calling(address) as caller:
        yield caller


@pytest.fixture(scope="module")
def selfie() -> Iterator[Caller]:
    with running(EXAMPLES / "selfie") as address, calling(address) as caller:
        yield caller


@pytest.fixture(scope="module")
def speak() -> Iterator[Caller]:
    with running(EXAMPLES / "speak") as address, calling(address) as caller:
        yield caller


def padded(name: str, size: tuple[int, int], at: tuple[int, int]) -> Image:
    """A sample somewhere in a larger picture."""
    with PIL.Image.open(SAMPLES / f"{name}.jpg") as opened, io.BytesIO() as file:
        larger = PIL.Image.new("RGB", size, "gray")
        larger.paste(opened, at)
        larger.save(file, "JPEG")
        return Image(bytes=file.getvalue())


def points_of(regions: list[Any]) -> dict[str, tuple[float, float]]:
    return {region.concepts[0].name: region.point[:2] for region in regions if region.has_point}


def test_movenet_finds_the_joints(movenet: Caller) -> None:
    points = points_of(movenet.predict("predict", image=sample("astronaut")))
    assert points["nose"] == pytest.approx((0.43, 0.24), abs=0.03)
    assert points["left shoulder"] == pytest.approx((0.62, 0.53), abs=0.03)
    assert points["right shoulder"][0] < points["left shoulder"][0], "left and right are the person's own"
    assert "left ankle" not in points, "it is not in the picture"


def test_movenet_finds_nobody_in_a_cup(movenet: Caller) -> None:
    assert movenet.predict("predict", image=sample("coffee")) == []
    assert movenet.predict("pose", image=sample("coffee")).shape == (17, 3)


def test_movenet_takes_pictures_that_are_no_squares(movenet: Caller) -> None:
    points = points_of(movenet.predict("predict", image=padded("astronaut", (512, 1024), (0, 512))))
    assert points["nose"] == pytest.approx((0.43, 0.5 + 0.24 / 2), abs=0.03)


def test_blazeface_boxes_a_face_with_its_points(blazeface: Caller) -> None:
    face, *others = blazeface.predict("predict", image=sample("astronaut"))
    assert (face.concepts[0].name, face.track_id) == ("face", "face-1")
    assert face.concepts[0].value == pytest.approx(0.88, abs=0.05)
    assert face.box == pytest.approx([0.33, 0.14, 0.54, 0.35], abs=0.03)
    assert {region.track_id for region in others} == {"face-1"}
    points = points_of(others)
    assert list(points) == ["right eye", "left eye", "nose", "mouth", "right ear", "left ear"]
    assert points["nose"] == pytest.approx((0.44, 0.25), abs=0.02)


def test_blazeface_tells_two_faces_apart(blazeface: Caller) -> None:
    with PIL.Image.open(SAMPLES / "astronaut.jpg") as opened, io.BytesIO() as file:
        twice = PIL.Image.new("RGB", (1024, 512))
        twice.paste(opened, (0, 0))
        twice.paste(opened, (512, 0))
        twice.save(file, "JPEG")
        faces = blazeface.predict("predict", image=Image(bytes=file.getvalue()), points=False)
    assert [face.track_id for face in faces] == ["face-1", "face-2"]
    middles = sorted((face.box[0] + face.box[2]) / 2 for face in faces)
    assert middles == pytest.approx([0.22, 0.72], abs=0.02)
    assert all(face.box[1] == pytest.approx(0.14, abs=0.03) for face in faces)


def test_blazeface_finds_no_face_in_a_rocket(blazeface: Caller) -> None:
    assert blazeface.predict("predict", image=sample("rocket")) == []


def test_selfie_masks_a_person(selfie: Caller) -> None:
    (person,) = selfie.predict("predict", image=sample("camera"))
    assert person.concepts[0].name == "person"
    mask = person.mask.to_pil()
    assert (mask.size, mask.mode) == ((512, 512), "L")
    light = mask.histogram()
    assert sum(light[128:]) / sum(light) == pytest.approx(0.33, abs=0.05)
    assert mask.getpixel((150, 300)) > 250, "the photographer's coat"
    assert mask.getpixel((450, 100)) < 5, "the sky"
    assert person.box[0] < 0.05
    assert person.box[2] < 0.75


@pytest.mark.parametrize("name", ["movenet", "blazeface", "selfie"])
def test_people_are_followed_from_one_picture_to_the_next(request: pytest.FixtureRequest, name: str) -> None:
    model: Caller = request.getfixturevalue(name)
    alone = len(model.predict("predict", image=sample("astronaut")))
    talk = Conversation(model, "stream")
    for subject, found in (("astronaut", alone), ("rocket", 0), ("astronaut", alone)):
        talk.say(sample(subject))
        assert len(talk.hear()) == found
    talk.end()
    assert alone


@pytest.mark.parametrize("name", ["movenet", "blazeface", "selfie", "nanodet", "efficientnet"])
def test_a_huge_picture_takes_little_more_than_its_pixels(request: pytest.FixtureRequest, name: str) -> None:
    model: Caller = request.getfixturevalue(name)
    with io.BytesIO() as file:
        PIL.Image.new("RGB", (9_200, 9_200), "teal").save(file, "PNG")
        model.predict("predict", image=Image(bytes=file.getvalue()))
    children = psutil.Process().children(recursive=True)
    (runner,) = [child for child in children if f"examples/{name}" in " ".join(child.cmdline())]
    peak = next(
        line for line in Path(f"/proc/{runner.pid}/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    assert int(peak.split()[1]) < 640 * 1024, peak


def test_selfie_finds_nobody_in_a_rocket(selfie: Caller) -> None:
    assert selfie.predict("predict", image=sample("rocket")) == []


def test_selfie_cuts_people_out(selfie: Caller) -> None:
    cut = selfie.predict("cut_out", image=padded("astronaut", (3000, 512), (0, 0))).to_pil()
    assert cut.mode == "RGBA"
    assert cut.size == (1024, 175), "no larger than a mask is"
    assert cut.getpixel((1000, 80))[3] == 0, "there is nobody"


def test_selfie_gives_what_it_thinks_of_each_place(selfie: Caller) -> None:
    places = selfie.predict("probabilities", image=sample("camera"))
    assert (places.shape, str(places.dtype)) == ((256, 256), "float32")
    assert 0 <= places.min() < 0.1 < 0.9 < places.max() <= 1


def seconds(sound: Any) -> float:
    with wave.open(io.BytesIO(sound.bytes)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, 2, 24_000)
        return reader.getnframes() / reader.getframerate()


def test_speak_says_sentence_by_sentence(speak: Caller) -> None:
    text = "Hello there. This is a model playground! Does it speak?"
    pieces = [seconds(sound) for sound in speak.pieces("generate", text=text)]
    assert len(pieces) == 3
    assert all(0.5 < piece < 4 for piece in pieces)
    whole = seconds(speak.predict("predict", text=text))
    assert whole == pytest.approx(sum(pieces) + 0.4, abs=0.01), "with a pause after each but the last"


def test_speak_says_the_same_the_same_way_and_quicker_when_told(speak: Caller) -> None:
    once, again = (speak.predict("predict", text="One two three four five.").bytes for _ in range(2))
    assert once == again
    quick = speak.predict("predict", text="One two three four five.", speed=2.0)
    assert seconds(quick) < 0.7 * seconds(Audio(bytes=once))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" \n", "The text is empty"),
        ("日本", "nothing in the text that can be said"),
        ("word " * 1001, "5,005 characters"),
    ],
)
def test_speak_says_what_it_cannot_say(speak: Caller, text: str, reason: str) -> None:
    assert reason in speak.status("predict", text=text).description
    assert reason in next(speak.generate(request(speak.arguments("generate", text=text)))).status.description


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """The folder with a stand-in for llama.cpp that repeats the conversation word by word, and notes its end."""
    notes = tmp_path_factory.mktemp("notes") / "ended"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(STAND_IN), str(Path.cwd())]),
        "PLAYGROUND_CHECKPOINT": str(notes),
    }
    command = [sys.executable, "-m", "playground.runner", str(EXAMPLES / "smollm2")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        with calling(process.stdout.readline().split()[-1]) as caller:
            caller.notes = notes  # type: ignore[attr-defined]
            yield caller
        process.terminate()


def test_smollm2_streams_with_token_counts(smollm2: Caller) -> None:
    replies = list(smollm2.generate(request(smollm2.arguments("generate", prompt="one two three", system_prompt=""))))
    assert "".join(smollm2.value("generate", reply) for reply in replies) == "user: one two three"
    last = replies[-1].outputs[0]
    assert (last.prompt_tokens, last.completion_tokens, last.cached_tokens) == (12, len(replies), 2)


def test_smollm2_is_told_the_whole_chat(smollm2: Caller) -> None:
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    answer = smollm2.predict("predict", prompt="c", chat=chat, system_prompt="s")
    assert answer == "system: s user: a assistant: b user: c"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"prompt": " "}, "The prompt is empty"),
        ({"prompt": "x", "chat": [{"role": "robot", "content": "y"}]}, "Turn 1 of chat"),
        ({"prompt": "too long"}, "3,000 tokens together; this model takes at most 2,048"),
    ],
)
def test_smollm2_says_what_it_cannot_take(smollm2: Caller, arguments: dict[str, Any], reason: str) -> None:
    assert reason in smollm2.status("predict", **arguments).description
    assert reason in next(smollm2.generate(request(smollm2.arguments("generate", **arguments)))).status.description


def test_leaving_smollm2_stops_its_computation(smollm2: Caller) -> None:
    replies = smollm2.generate(request(smollm2.arguments("generate", prompt="forever")))
    next(replies)
    notes: Path = smollm2.notes  # type: ignore[attr-defined]
    notes.unlink(missing_ok=True)
    replies.cancel()
    end = time.monotonic() + 10
    while not notes.exists():
        assert time.monotonic() < end, "it computes on for nobody"
        time.sleep(0.02)
