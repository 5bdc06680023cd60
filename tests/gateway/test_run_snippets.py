"""Every snippet of every kind of call runs as it is written, against a live gateway, and gets what the page gets.

The programs of one language share a process, and the commands are taken apart by a real shell.
"""

from __future__ import annotations

import ast
import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from playground.protocol.plain import from_plain
from playground.protocol.signatures import MethodKind, kind_of
from playground.sdk import Client, Model
from playground.sdk.calls import ModelAddress, Selector
from playground.sdk.snippets import Ask, Snippet, prepare, write_snippets
from tests.gateway import live
from tests.gateway.live import ROOT, Live
from tests.media.conftest import picture

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = ROOT / "tests" / "browser" / "everything"
HELLO = ROOT / "playground" / "runner" / "examples" / "hello"
PICTURE, SOUND, FILM, ARRAY = ({"media": name} for name in ("p1", "s1", "f1", "a1"))
NAMES = {"p1": "a cup.png", "s1": "sound.wav", "f1": "film.mp4", "a1": "numbers.npy"}
ODD = 'Say "hi" to O\'Brien, $HOME, `date` & \\n {x} <b>é\u202e</b>!\nThen go on: a second line, and more of it.\n'
REGION = {
    "region": {
        "box": [0.1, 0.2, 0.8, 0.9],
        "point": [0.5, 0.5, 0.0],
        "mask": PICTURE,
        "concepts": [{"id": "c1", "name": "a cup", "value": 0.875}],
        "text": "here",
        "track_id": "7",
        "id": "r1",
    }
}
GIVEN: list[tuple[str, str, dict[str, Any]]] = [
    ("hello", "predict", {"text": ODD}),
    ("hello", "predict", {"text": "@home"}),
    ("hello", "predict", {"text": "--help"}),
    ("hello", "generate", {"text": "one two three", "delay": 0.0}),
    ("hello", "generate", {"text": "four five", "delay": 0.01}),
    ("hello", "stream", {"text": ["a", "b c", "@d"]}),
    ("hello", "compose", {"name": "Ada", "shout": True, "friends": ["Grace", "O'Neil"], "extra": {"a": [None]}}),
    ("hello", "compose", {"name": "Ada", "times": 2, "language": "Deutsch", "warmth": 1}),
    ("everything", "take_str", {"value": ""}),
    ("everything", "take_text", {"value": {"text": ODD}}),
    ("everything", "take_text", {"value": {"text": "http://as.text/"}}),
    ("everything", "take_bytes", {"value": FILM}),
    ("everything", "take_int", {"value": {"number": str(2**60)}}),
    ("everything", "take_int", {"value": -3}),
    ("everything", "take_float", {"value": 3}),
    ("everything", "take_float", {"value": 0.1}),
    ("everything", "take_bool", {"value": False}),
    ("everything", "take_array", {"value": [[1, 2.5], [3, 4]]}),
    ("everything", "take_array", {"value": ARRAY}),
    ("everything", "take_json", {"value": {"a": [True, None, {"b": 'x"\n'}], "é": 1.5, "big": {"number": str(2**70)}}}),
    ("everything", "take_image", {"value": PICTURE}),
    ("everything", "take_audio", {"value": SOUND}),
    ("everything", "take_video", {"value": FILM}),
    ("everything", "take_concept", {"value": {"concept": {"name": "a cup", "value": 1.0}}}),
    ("everything", "take_concept", {"value": {"concept": {"id": "c", "name": "a cup", "value": 0.25}}}),
    ("everything", "take_region", {"value": REGION}),
    (
        "everything",
        "take_frame",
        {"value": {"frame": {"image": PICTURE, "regions": [REGION], "time": 1.5, "index": 3}}},
    ),
    ("everything", "take_fields", {"value": {"fields": {"name": ODD, "size": {"tuple": [1, 2.5]}, "tags": []}}}),
    ("everything", "take_tuple", {"value": {"tuple": ["a", 1, True]}}),
    ("everything", "take_list", {"value": [{"fields": {"label": "x", "points": [{"tuple": [0.5, 1]}]}}]}),
    ("everything", "take_images", {"value": [PICTURE, PICTURE]}),
    ("everything", "take_regions", {"value": [REGION]}),
    (
        "everything",
        "take_defaults",
        {"prompt": "p", "note": "n", "pair": {"tuple": [3, 4]}, "picture": PICTURE, "api_key": ""},
    ),
    (
        "everything",
        "take_defaults",
        {"prompt": "p", "flag": True, "words": [], "extra": {}, "seed": 0, "parts": ["foot"]},
    ),
    ("everything", "take_pairs", {"value": [{"tuple": ["a", 1]}, {"tuple": ["b", 2]}]}),
]
SELECTORS = [
    Selector(),
    Selector("shared-{model}"),
    Selector("shared-{model}", "owner"),
    Selector("", "", "local", "shared"),
]
KEY = "sesame"


@dataclass(frozen=True)
class Case:
    """A call of each language, and what it must give."""

    name: str
    snippets: dict[str, Snippet]
    expected: Any
    kind: MethodKind


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    running = live.make(tmp_path_factory.mktemp("snippets"), HELLO, EVERYTHING)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs run, with their files beside them; the shell's odd characters are out of the names."""
    made = tmp_path_factory.mktemp("programs")
    (made / "a-cup.png").write_bytes(picture())
    (made / "sound.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    (made / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    np.save(made / "numbers.npy", np.arange(6, dtype=np.int16).reshape(2, 3))
    return made


@pytest.fixture(scope="module")
def cases(gateway: Live, folder: Path) -> list[Case]:
    with Client(f"http://{gateway.address}", gateway.tokens["owner"]) as client:
        models = {name: client.model(f"owner/main/models/{name}") for name in ("hello", "everything")}
        return [_case(number, gateway, folder, models) for number in range(len(GIVEN))]


def _case(number: int, gateway: Live, folder: Path, models: dict[str, Model]) -> Case:
    slug, method, given = GIVEN[number]
    signature = models[slug].signatures()[method]
    selector = SELECTORS[number % len(SELECTORS)]
    ask = Ask(
        ModelAddress(slug, "owner", "main"),
        signature,
        given,
        f"http://{gateway.address}",
        Selector(selector.deployment_id.format(model=slug), *vars_of(selector)),
        "owner",
        NAMES.__getitem__,
    )
    call = prepare(ask)
    assert not call.wrong
    snippets = {snippet.slug: snippet for snippet in write_snippets(call)}
    expected = _ask_plainly(models[slug], method, given, folder)
    return Case(f"{number} {slug}.{method}", snippets, expected, kind_of(signature))


def vars_of(selector: Selector) -> tuple[str, str, str]:
    return selector.deployment_user_id, selector.compute_cluster_id, selector.nodepool_id


def _ask_plainly(model: Model, method: str, given: dict[str, Any], folder: Path) -> Any:
    """What comes of the call as a run makes it."""
    signature = model.signatures()[method]
    values = {}
    for field in signature.input_fields:
        if field.name in given:
            items = given[field.name] if field.iterator else [given[field.name]]
            read = [from_plain(item, field, lambda name: (folder / _file(name)).read_bytes()) for item in items]
            values[field.name] = read if field.iterator else read[0]
    values |= {"api_key": KEY} if "api_key" in given else {}
    if kind_of(signature) is MethodKind.UNARY:
        return model.call(method, values).value
    with model.open_stream(method, values) as stream:
        return [answer.value for answer in stream]


def _file(name: str) -> str:
    return NAMES[name].replace(" ", "-")


PROGRAMS = """
import contextlib, io, json, sys, traceback
told = {}
for name, code in json.load(sys.stdin).items():
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(code, name, "exec"), {"__name__": "__main__"})
    except Exception:
        out.write(traceback.format_exc())
    told[name] = out.getvalue()
print("TOLD " + json.dumps(told))
"""
COMMANDS = """
import contextlib, io, json, runpy, sys, traceback
sys.path.insert(0, ROOT)
told = {}
for name, words in json.load(sys.stdin).items():
    out = io.StringIO()
    sys.argv = words[1:] if words[0] == "python" else words
    try:
        with contextlib.redirect_stdout(out):
            START()
    except SystemExit as end:
        out.write(f"exit {end.code}" if end.code else "")
    except Exception:
        out.write(traceback.format_exc())
    told[name] = out.getvalue()
print("TOLD " + json.dumps(told))
"""
SPLIT = """
python() { printf '%s\\0' python "$@" $'\\x01'; }
clarifai() { printf '%s\\0' clarifai "$@" $'\\x01'; }
API_KEY=sesame
"""


def _run(gateway: Live, folder: Path, code: str, given: dict[str, Any], **variables: str) -> dict[str, str]:
    environment = {**gateway.environment, "HOME": str(folder), "API_KEY": KEY, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(given),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1].removeprefix("TOLD "))
    return told


def _split(commands: dict[str, str]) -> dict[str, list[str]]:
    """The words of each command, as bash reads it."""
    done = subprocess.run(["bash", "-c", SPLIT + "\n".join(commands.values())], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    groups = done.stdout.split("\x01\0")[:-1]
    return {name: group.split("\0")[:-1] for name, group in zip(commands, groups, strict=True)}


def _codes(cases: list[Case], slug: str) -> dict[str, str]:
    return {case.name: case.snippets[slug].code for case in cases if not case.snippets[slug].refusal}


def _compare(cases: list[Case], told: dict[str, str]) -> None:
    asked = [case for case in cases if case.name in told]
    differing = {case.name: told[case.name] for case in asked if _read(told[case.name], case) != _plain(case.expected)}
    assert not differing


def _plain(expected: Any) -> Any:
    if isinstance(expected, str):
        return expected.rstrip("\n")
    return json.loads(json.dumps(expected))


def _read(text: str, case: Case) -> Any:
    """What a program printed, as the value that it was; text as it is, where that cannot be told."""
    if isinstance(case.expected, str):
        return text.rstrip("\n")
    if case.kind is MethodKind.GENERATE:
        return case.expected if "".join(case.expected) == text.rstrip("\n") else text
    if case.kind is MethodKind.STREAM and isinstance(case.expected[0], str):
        return text.splitlines()
    if case.kind is MethodKind.STREAM:
        return [_value(part) for part in text.strip().replace("}\n{", "}\0{").split("\0")]
    return _value(text)


def _value(text: str) -> Any:
    """JSON, or what Python prints of a dict."""
    for read in (json.loads, lambda printed: json.loads(json.dumps(ast.literal_eval(printed.strip())))):
        with contextlib.suppress(ValueError, SyntaxError):
            return read(text)
    return text


@pytest.mark.parametrize("slug", ["python", "async"])
def test_programs_with_our_sdk(gateway: Live, folder: Path, cases: list[Case], slug: str) -> None:
    codes = _codes(cases, slug)
    assert len(codes) == len(GIVEN)
    _compare(cases, _run(gateway, folder, PROGRAMS, codes, PLAYGROUND_PAT=gateway.tokens["owner"]))


def test_programs_with_the_official_sdk(gateway: Live, folder: Path, cases: list[Case]) -> None:
    codes = _codes(cases, "clarifai")
    assert len(codes) == len(GIVEN)
    _compare(cases, _run(gateway, folder, PROGRAMS, codes, CLARIFAI_PAT=gateway.tokens["owner"]))


def test_commands_of_ours(gateway: Live, folder: Path, cases: list[Case]) -> None:
    words = _split(_codes(cases, "cli"))
    start = f"runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')"
    code = COMMANDS.replace("ROOT", repr(str(ROOT))).replace("START()", start)
    told = _run(gateway, folder, code, words, PLAYGROUND_PAT=gateway.tokens["owner"])
    _compare(cases, told)
    refused = {case.name.split(".")[1] for case in cases if case.snippets["cli"].refusal}
    assert refused == {"take_text", "take_concept", "take_region", "take_frame", "take_images", "take_regions"}


def test_commands_of_the_official_client(gateway: Live, folder: Path, cases: list[Case]) -> None:
    words = _split(_codes(cases, "clarifai-cli"))
    code = COMMANDS.replace("ROOT", repr(str(ROOT))).replace("START()", "main()")
    variables = dict(cases[0].snippets["clarifai-cli"].variables) | {"CLARIFAI_PAT": gateway.tokens["owner"]}
    told = _run(gateway, folder, "from clarifai.cli.__main__ import main\n" + code, words, **variables)
    _compare(cases, told)
    refused = {case.name.split(".")[1] for case in cases if case.snippets["clarifai-cli"].refusal}
    assert {"stream", "take_pairs", "take_region", "take_bytes", "take_array"} <= refused


GIVE = ("text", "pieces", "words", "concepts", "regions", "found", "frames", "sounds", "array", "images", "parts")


@pytest.fixture(scope="module")
def outputs(gateway: Live) -> dict[str, dict[str, Snippet]]:
    """A call for each kind of output."""
    given = {"image": PICTURE, "names": ["cup", "pen"], "length": 100}
    found = {}
    with Client(f"http://{gateway.address}", gateway.tokens["owner"]) as client:
        known = client.model("owner/main/models/everything").signatures()
    for name in GIVE:
        signature = known[f"give_{name}"]
        taken = {field.name: given[field.name] for field in signature.input_fields if field.name in given}
        address = ModelAddress("everything", "owner", "main")
        call = prepare(Ask(address, signature, taken, f"http://{gateway.address}", name_of=NAMES.__getitem__))
        found[name] = {snippet.slug: snippet for snippet in write_snippets(call)}
    return found


@pytest.mark.parametrize("slug", ["async", "clarifai"])
def test_programs_show_every_kind_of_output(
    gateway: Live, folder: Path, outputs: dict[str, dict[str, Snippet]], slug: str
) -> None:
    codes = {name: snippets[slug].code for name, snippets in outputs.items()}
    token = gateway.tokens["owner"]
    told = _run(gateway, folder, PROGRAMS, codes, PLAYGROUND_PAT=token, CLARIFAI_PAT=token)
    assert not {name: said for name, said in told.items() if "Traceback" in said}
    assert [name for name, said in told.items() if not said] == ["sounds"]  # they are in files
    for number in range(2):
        file = folder / f"answer-{number}.wav"
        assert file.read_bytes().startswith(b"RIFF")
        file.unlink()
