"""What journeys through forms share: a model that takes every type, a form filled by name, and what the model got."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

FOLDER = Path(__file__).parent / "everything"


def picture(kind: str = "PNG") -> bytes:
    with io.BytesIO() as file:
        Image.new("RGB", (8, 6), "teal").save(file, kind)
        return file.getvalue()


def npy(array: Any) -> bytes:
    with io.BytesIO() as file:
        np.save(file, array)
        return file.getvalue()


# A sound and a film of a few bytes each: their first bytes say what they are.
WAV = b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + bytes([16, 0, 0, 0, 1, 0, 1, 0]) + bytes(20)
WEBM = bytes.fromhex("1a45dfa3") + bytes(60)
HOLD = """([name, type, bytes]) => {
  const held = new DataTransfer();
  held.items.add(new File([new Uint8Array(bytes)], name, { type }));
  return held;
}"""


def given(name: str, kind: str, content: bytes) -> Any:
    """A file as a chooser takes it."""
    return {"name": name, "mimeType": kind, "buffer": content}


def field(page: Page, name: str) -> Locator:
    """A method's field, by its name."""
    return page.locator("play-field", has=page.locator(f":scope > .field__head [data-label]:text-is('{name}')")).first


def run(page: Page) -> Any:
    """Run the form, and give what the model says that it got."""
    before = page.evaluate("document.querySelector('run-view').run?.id")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "(before) => { const { run } = document.querySelector('run-view'); return run?.isOver && run.id !== before; }",
        arg=before,
    )
    state, outputs, error = page.evaluate(
        "(({ run }) => [run.state, run.outputs, run.error])(document.querySelector('run-view'))"
    )
    assert state == "finished", error
    return outputs[-1]["got"]


def error_of(page: Page, name: str) -> Locator:
    return field(page, name).locator(":scope > [data-error]")
