"""Files of a comparison for each kind of output: a page to send needs nothing else and has what the page shows."""

from __future__ import annotations

import csv
import io
import math
import re
import struct
import uuid
import wave
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from PIL import Image

from playground.catalog.models import Model, User
from playground.media.services import store_answer
from playground.play.waves import draw_wave
from playground.runs.models import EventBlock, Run, RunMedia
from tests.play.conftest import browser
from tests.play.test_compare import body, keep

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def sound(hertz: int) -> bytes:
    with io.BytesIO() as file:
        with wave.open(file, "wb") as written:
            written.setparams((1, 2, 8000, 0, "NONE", ""))
            tones = [int(9000 * math.sin(at * hertz / 1273)) for at in range(4000)]
            written.writeframes(struct.pack(f"<{len(tones)}h", *tones))
        return file.getvalue()


def picture(colour: str) -> bytes:
    with io.BytesIO() as file:
        Image.new("RGB", (64, 48), colour).save(file, "PNG")
        return file.getvalue()


def answered(owner: User, model: Model, value: Any, state: str = "finished") -> dict[str, Any]:
    run = Run.objects.create(id=uuid.uuid4(), user=owner, model=model, method="predict", state=state, output_count=1)
    if isinstance(value, bytes):
        kind = "audio/wav" if value.startswith(b"RIFF") else "image/png"
        reference = store_answer(value, owner, content_type=kind)
        RunMedia.objects.create(run=run, reference=reference)
        value = {"media": reference.pk, "content_type": kind}
    events = [{"n": 1, "kind": "output", "t": 5, "i": 0, "value": value}]
    if state == "stopped":
        events.append({"n": 2, "kind": "stopped", "t": 9, "fate": "stopped"})
    EventBlock.objects.create(run=run, first=1, last=len(events), events=orjson.dumps(events))
    return {"turn": 1, "run": str(run.pk)}


def compared(owner: User, model: Model, *values: Any, state: str = "finished") -> tuple[Client, str]:
    client = browser(owner)
    runs = [answered(owner, model, value, state) | {"pane": f"p{n}"} for n, value in enumerate(values, start=1)]
    return client, str(keep(client, body(runs=runs)).json()["url"])


CONCEPTS = [{"concept": {"name": "cup", "value": 0.9}}, {"concept": {"name": "cat", "value": {"number": "nan"}}}]
REGIONS = [{"region": {"box": [0.1, 0.1, 0.5, 0.5], "concepts": CONCEPTS[:1]}}]
LARGE = {"oversize": {"media": "gone", "content_type": "application/json", "size": 13_000_000}}
KINDS = {
    "sounds": (sound(440), sound(880), ('<svg class="wave"', "Loudest", "data:audio/wav;base64,")),
    "pictures": (picture("teal"), picture("red"), ("data:image/jpeg;base64,", "SSIM")),
    "concepts": (CONCEPTS, CONCEPTS[:1], ("cup", "no value")),
    "regions": (REGIONS, [], ("only in A",)),
    "values": ({"a": [1, {"number": "nan"}]}, {"a": [2, {"number": "nan"}]}, ("a[0]", "1 places are the same")),
    "strange": ("words", {"a": 1}, ("B gives other values, the others text",)),
    "oversize": (LARGE, LARGE, ("too large to be held against one another",)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_as_files(owner: User, model: Model, kind: str) -> None:
    one, other, told = KINDS[kind]
    client, url = compared(owner, model, one, other)
    found = client.get(f"{url}export?format=json").json()
    assert [pane["letter"] for pane in found["panes"]] == ["A", "B"]
    assert found["differences"]["kind"] == ("text" if kind == "strange" else kind)
    assert len(found["panes"][0]["outputs"]) == 1
    rows = list(csv.reader(io.StringIO(client.get(f"{url}export?format=csv").content.decode())))
    assert len(rows) == 3
    page = client.get(f"{url}export?format=html").content.decode()
    for words in told:
        assert words in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "<script" not in page
    status = client.get(f"{url}export?format=png", headers={"Accept": "application/json"}).status_code
    assert status == (200 if kind == "pictures" else 400)  # the regions' picture is not there


def test_the_picture_that_was_asked_about_is_in_the_page(owner: User, model: Model) -> None:
    client, url = compared(owner, model, CONCEPTS, CONCEPTS)
    given = store_answer(picture("navy"), owner, content_type="image/png")
    asked = {"media": given.pk, "content_type": "image/png", "name": "navy.png"}
    keep(client, body(id=url.rstrip("/").rpartition("/")[2], kind="image", given=asked))
    page = client.get(f"{url}export?format=html").content.decode()
    assert "data:image/jpeg;base64," in page
    assert 'alt="Picture that was asked about"' in page


def test_what_was_stopped_says_so_for_ever(owner: User, model: Model) -> None:
    client, url = compared(owner, model, "half an", state="stopped")
    assert client.get(f"{url}results").json()["panes"]["p1"]["figures"]["fate"] == "stopped"


def test_a_wave_reads_its_figures_and_says_silence() -> None:
    made = draw_wave([0.0, 0.0, 1.0, 0.5], 2.0, "Sound 1 of A")
    assert made.levels == [
        *(("0.0\u00a0s", "silence"), ("0.5\u00a0s", "silence")),
        *(("1.0\u00a0s", "0.0\u00a0dB"), ("1.5\u00a0s", "\u22126.0\u00a0dB")),
    ]
    assert 'aria-label="Sound 1 of A: 2.0\u00a0s, loudest 0.0\u00a0dB"' in made.drawing
    assert made.drawing.count("<title>") == 4
