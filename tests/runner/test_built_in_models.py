"""The built-in vision models on the sample pictures, and SmolLM2's folder with a stand-in for llama.cpp."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import PIL.Image
import pytest

from playground.media import samples
from playground.protocol.values import Image
from playground.runner import examples
from playground.runner.testing import running
from tests.runner.calling import Caller, calling, request

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
