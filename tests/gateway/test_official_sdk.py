"""The official SDK against our gateway: addresses, calls, selectors, streams and failures.

Each test begins with the lines of the wire contract that it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import asking
from tests.gateway.asking import deployment, fine, new_id
from tests.gateway.live import Live

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.client_process import Client


@pytest.fixture
def cold(official_gateway: Live) -> str:
    """A deployment of ``echo`` that has to be started by a call."""
    slug = new_id("cold")
    fine(asking.post_deployments(official_gateway, deployment(slug)))
    return slug


def test_ways_to_name_a_model(official: Client) -> None:
    """3.2: by URL of any host, with a version behind any word, or by ids; GetModel's status alone matters."""
    told = official.told("""
told["url"] = Model(URL).predict(text="a")
told["ids"] = Model(model_id="wire", user_id="owner", app_id="main").predict(text="b")
version = next(iter(Model(URL).list_versions())).model_version.id
told["version"] = Model(f"http://else:1/owner/main/models/wire/modelVersionID/{version}").predict(text="c")
told["by_id"] = Model(URL, model_version={"id": version}).predict(text="d")
told["absent"] = raised(lambda: Model("http://x/owner/main/models/absent"))
told["user"] = raised(lambda: Model("http://x/nobody/main/models/wire"))
told["bad version"] = raised(lambda: Model("http://x/owner/main/models/wire/versions/v9").predict(text="x"))
""")
    assert [told[name] for name in ("url", "ids", "version", "by_id")] == ["a", "b", "c", "d"]
    assert "absent" in told["absent"][1]
    assert "nobody" in told["user"][1]
    assert "v9" in told["bad version"][1]
    assert told["bad version"][2] < 4


def test_ways_to_name_the_gateway(official: Client) -> None:
    """1: ``base_url`` per object is enough for plain calls, and with deployment_user_id for deployments too."""
    official.extra = {"CLARIFAI_API_BASE": ""}
    told = official.told(f"""
base = "http://{official.gateway.address}"
told["plain"] = Model(URL, base_url=base).predict(text="a")
at = {{"deployment_id": "shared-wire", "deployment_user_id": "owner"}}
told["deployment"] = Model(URL, base_url=base, **at).predict(text="b")
""")
    assert told == {"plain": "a", "deployment": "b"}


def test_an_address_without_a_scheme(official: Client) -> None:
    """1: the client tries HTTPS first; our plaintext port makes that fail, and it goes on in plaintext."""
    official.extra = {"CLARIFAI_API_BASE": official.gateway.address}
    assert official.told("told['said'] = Model(URL).predict(text='a')") == {"said": "a"}


def test_a_session_token_is_refused_in_words(official: Client) -> None:
    """1: it comes as x-clarifai-session-token, without authorization; 2: 11102, in-band."""
    official.extra = {"CLARIFAI_PAT": "", "CLARIFAI_SESSION_TOKEN": "session"}
    told = official.told("told['raised'] = raised(lambda: Model(URL))")
    assert "no access token" in told["raised"][1]
    assert "CONN_INVALID_REQUEST" in told["raised"][1]


def test_an_unknown_token_is_refused_at_once(official: Client) -> None:
    """2: 11008, never a code that is polled."""
    official.extra = {"CLARIFAI_PAT": "pg_nobody"}
    told = official.told("told['raised'] = raised(lambda: Model(URL))")
    assert "CONN_KEY_INVALID" in told["raised"][1]
    assert told["raised"][2] < 4


def test_request_ids_begin_with_the_clients_prefix(official: Client) -> None:
    """1: ``<prefix>-<32 hex>``; 3.4: with_proto gives value and message."""
    told = official.told("""
value, message = Model(URL).predict(text="a", with_proto=True)
told.update(value=value, id=message.status.req_id, where=message.runner_selector.deployment.id)
""")
    prefix, _, tail = told["id"].rpartition("-")
    assert prefix.startswith("sdk-python-12.5")
    assert len(tail) == 32
    assert (told["value"], told["where"]) == ("a", "shared-wire")


def test_selectors(official: Client) -> None:
    """3.2 and 3.3: deployment, nodepool, half a pair, both kinds, and what does not exist."""
    told = official.told("""
def where(**selector):
    model = Model(URL, **selector)
    value, message = model.predict(text="a", with_proto=True)
    return message.runner_selector.deployment.id
told["deployment"] = where(deployment_id="shared-wire")
told["of user"] = where(deployment_id="shared-wire", deployment_user_id="owner")
told["nodepool"] = where(compute_cluster_id="local", nodepool_id="shared")
told["half"] = where(nodepool_id="shared")
told["both"] = raised(lambda: where(deployment_id="shared-wire", compute_cluster_id="local", nodepool_id="shared"))
told["unknown"] = raised(lambda: where(deployment_id="night"))
told["unknown pool"] = raised(lambda: where(compute_cluster_id="local", nodepool_id="night"))
told["other model"] = raised(lambda: where(deployment_id="shared-echo"))
""")
    assert [told[name] for name in ("deployment", "of user", "nodepool", "half")] == ["shared-wire"] * 4
    assert told["both"][0] == "UserError"
    assert told["unknown"][0] == "UserError"
    assert "night" in told["unknown"][1]
    assert "night" in told["unknown pool"][1]
    assert "echo" in told["other model"][1]
    assert all(told[name][2] < 4 for name in ("unknown", "unknown pool", "other model"))


def test_a_selector_of_a_deployment_that_is_gone_is_an_error(official: Client) -> None:
    """3.3: old clients keep selectors of deleted deployments; never a silent default."""
    told = official.told("""
model = Model(URL, deployment_id="shared-wire")
model.predict(text="a")
model.client.request_template.runner_selector.deployment.id = "gone"
for name, call in {
    "predict": lambda: model.predict(text="a"),
    "generate": lambda: list(model.generate(text="a")),
    "stream": lambda: list(model.stream(text=iter(["a"]))),
}.items():
    told[name] = raised(call)
""")
    for _, words, seconds in told.values():
        assert "gone" in words
        assert seconds < 4


def test_streams_are_live_both_ways(official: Client) -> None:
    """3.4: outputs arrive as soon as they are yielded; requests and replies are counted apart; extra arguments once."""
    told = official.told("""
model = Model(URL)
sent, arrived = [], []
def inputs():
    for number in range(4):
        sent.append(time.monotonic())
        yield str(number)
        deadline = time.monotonic() + 5
        while len(arrived) <= number and time.monotonic() < deadline:
            time.sleep(0.005)
for piece in model.stream(text=inputs(), mark="!"):
    arrived.append((piece.partition("@")[0], time.monotonic()))
told["pieces"] = [piece for piece, _ in arrived]
told["live"] = all(came < later for (_, came), later in zip(arrived, sent[1:]))
told["empty"] = raised(lambda: list(model.stream(text=iter(()))))
told["after"] = model.predict(text="still there")
""")
    assert told["pieces"] == ["!0", "!1", "!2", "!3"]
    assert told["live"]
    assert "ended before" in told["empty"][1]  # 2: where others leave the client with a riddle
    assert told["after"] == "still there"


def test_dropping_a_generator_stops_the_model(official: Client, tmp_path: Path) -> None:
    """3.4: closing or dropping it cancels the call, the whole way down."""
    note = tmp_path / "note"
    told = official.told(f"""
pieces = Model(URL).endless(path={str(note)!r})
told["first"] = next(pieces)
pieces.close()
deadline = time.monotonic() + 10
while not __import__("os").path.exists({str(note)!r}) and time.monotonic() < deadline:
    time.sleep(0.02)
""")
    assert told["first"] == "again"
    assert note.read_text() == "stopped"


def test_failures_of_the_model(official: Client) -> None:
    """2: in-band, with the exception's text; in the middle of an answer after what came before; none is repeated."""
    told = official.told("""
model = Model(URL)
told["fail"] = raised(lambda: model.fail(text="seven"))
pieces = []
def walk():
    for piece in model.fail_midway(text="one"):
        pieces.append(piece)
told["midway"] = raised(walk)
told["pieces"] = pieces
told["unknown method"] = raised(lambda: model.smell(text="x"))
told["wrong argument"] = raised(lambda: model.predict(words="x"))
""")
    assert "no luck with seven" in told["fail"][1]
    assert "no more luck" in told["midway"][1]
    assert told["pieces"] == ["one"]
    assert "smell" in told["unknown method"][1]
    assert told["wrong argument"][0]
    assert all(told[name][2] < 5 for name in ("fail", "midway", "unknown method", "wrong argument"))
    assert "model.py" in told["fail"][1]  # its owner's; nobody else's
    official.user = "viewer"
    told = official.told('told["fail"] = raised(lambda: Model(URL).fail(text="seven"))')
    assert "no luck with seven" in told["fail"][1]
    assert "model.py" not in told["fail"][1]


def test_a_cold_deployment_is_waited_for(official: Client, cold: str) -> None:
    """2: unary and generate poll on MODEL_DEPLOYING."""
    told = official.told(f"""
model = Model(URL.replace("wire", "echo"), deployment_id={cold!r})
began = time.monotonic()
told["predict"] = model.predict(text="a")
told["generate"] = "".join(model.generate(text="b", count=2))
told["seconds"] = time.monotonic() - began
""")
    assert told["predict"] == "echo a"
    assert told["generate"] == "0 b 1 b "


def test_a_stream_to_a_cold_deployment_loses_no_input(official: Client, cold: str) -> None:
    """2: it is held until ready: its inputs cannot be sent twice."""
    told = official.told(f"""
model = Model(URL.replace("wire", "echo"), deployment_id={cold!r})
told["pieces"] = list(model.stream(text=iter(["a", "b", "c"])))
""")
    assert told["pieces"] == ["echo a", "echo b", "echo c"]


def test_many_threads_on_one_connection(official: Client) -> None:
    """1: 400 calls from 24 threads arrive on one connection."""
    told = official.told("""
from concurrent.futures import ThreadPoolExecutor
model = Model(URL)
model.predict(text="warm")
with ThreadPoolExecutor(24) as pool:
    told["all"] = sorted(pool.map(lambda n: int(model.predict(text=str(n))), range(400))) == list(range(400))
""")
    assert told["all"]


def test_large_messages(official: Client) -> None:
    """1: 70 MiB each way; what is larger than passes is refused in words."""
    told = official.told("""
content = bytes(70 * 2**20)
told["same"] = Model(URL).octets(content=content) == content
""")
    assert told["same"]


def test_what_a_model_tells_of_itself(official: Client) -> None:
    """3.2 and 5: methods in order of declaration, signatures, a script that calls them, load_info, versions."""
    told = official.told("""
model = Model(URL)
told["methods"] = list(model.available_methods())[:4]
told["signature"] = model.method_signature("optional")
told["script"] = model.generate_client_script()
versions = list(model.list_versions())
told["versions"] = [version.model_version.id for version in versions]
told["by version"] = versions[0].predict(text="v")
model.load_info()
told["info"] = [model.model_info.id, model.model_info.model_type_id, model.model_version.id]
told["after"] = model.predict(text="still")
""")
    assert told["methods"] == ["predict", "generate", "stream", "whole"]
    assert "def optional(" in told["signature"]
    assert "64" in told["signature"]
    assert "wire" in told["script"]
    assert told["by version"] == "v"
    assert told["info"] == ["wire", "any-to-any", told["versions"][0]]
    assert told["after"] == "still"


def test_arguments(official: Client) -> None:
    """3.4: by position and name, defaults of each kind, batches, and answers of nothing."""
    told = official.told("""
model = Model(URL)
told["positional"] = model.optional("x", 3)
told["defaults"] = model.optional()
told["given defaults"] = model.optional(text="some", number=64)
told["none"] = model.optional(names=None)
told["zero"] = [model.predict(text=""), model.whole(number=0), model.real(number=0.0), model.truth(is_so=False)]
told["zero bytes"] = model.octets(content=b"") == b""
told["nothing"] = model.nothing()
told["batch"] = model.whole([{"number": 1}, {"number": 2}, {"number": 3}])
told["advertised"] = model.advertised(ratio=0.25, colour="blue")
told["advertised defaults"] = model.advertised()
value, message = model.counted(text="x", with_proto=True)
told["tokens"] = [message.outputs[0].prompt_tokens, message.outputs[0].completion_tokens]
""")
    assert told["positional"] == {"text": "x", "number": 3, "names": None}
    assert told["defaults"] == told["given defaults"] == told["none"] == {"text": "some", "number": 64, "names": None}
    assert told["zero"] == ["", 0, 0.0, False]
    assert told["zero bytes"]
    assert told["nothing"] == 0
    assert told["batch"] == [1, 2, 3]
    assert told["advertised"] == {"ratio": 0.25, "colour": "blue"}
    assert told["advertised defaults"] == {"ratio": 0.7, "colour": "red"}
    assert told["tokens"] == [3, 5]


def test_oddities_of_inputs(official: Client) -> None:
    """2 and 4: a batch where one fails, a batch to a streaming method, a list for a stream, an empty array."""
    told = official.told("""
import numpy
model = Model(URL)
told["batch"] = raised(lambda: model.fail([{"text": "one"}, {"text": "two"}]))[1]
told["pieces"] = raised(lambda: list(model.generate([{"text": "one"}, {"text": "two"}])))[1]
told["list"] = raised(lambda: list(model.stream(text=["one"])))[1]
value, message = model.array(values=numpy.zeros((0, 3)), with_proto=True)
told["empty"] = list(message.outputs[0].data.parts[0].data.ndarray.shape)
""")
    assert "input 1 of 2" in told["batch"]
    assert "one input" in told["pieces"]
    assert "ended before" in told["list"]  # the client swallows its own error, and waits 5 s
    assert told["empty"] == [0, 3]  # which the client reads as None


def test_signatures_as_a_method(official: Client) -> None:
    """5: where a catalog lists none, the client asks the model itself; both statuses are good."""
    told = official.told("""
from clarifai_grpc.grpc.api import resources_pb2
one = resources_pb2.Input(data=resources_pb2.Data(parts=[resources_pb2.Part()]))
one.data.metadata.update({"_method_name": "_GET_SIGNATURES"})
reply = Model(URL).client._predict_by_proto([one], "_GET_SIGNATURES")
told["names"] = list(json.loads(reply.outputs[0].data.text.raw))[:3]
told["codes"] = [reply.status.code, reply.outputs[0].status.code]
""")
    assert told["codes"] == [10000, 10000]
    assert sorted(told["names"]) == told["names"] or told["names"] == ["predict", "generate", "stream"]


def test_values_of_each_kind(official: Client) -> None:
    """4: every data type there and back, in the official classes."""
    told: dict[str, Any] = official.told("""
import io
import numpy as np
import PIL.Image
from clarifai.runners.utils.data_types import *
model = Model(URL)
picture = PIL.Image.new("RGB", (3, 2), (9, 8, 7))
told["int"] = model.whole(number=-(2**62)) == -(2**62)
told["too large"] = raised(lambda: model.whole(number=2**70))[0]
told["float"] = [model.real(number=1), str(model.real(number=float("nan"))), model.real(number=float("inf")) > 1e300]
array = np.arange(6, dtype="float32").reshape(2, 3)
back = model.array(values=array)
told["array"] = back.dtype == array.dtype and (back == array).all().item()
told["dict"] = model.plain(value={"a": [1, {"b": None}], "c": "d"})
told["list"] = model.plain_list(value=[1, "two", {"three": 3}])
told["json"] = model.plain_json(value={"a": 1})
told["counts"] = model.counts(value={"a": 1})
told["text"] = model.text(value="plain") == "plain" and model.text(value=Text("made")) == "made"
image = Image.from_pil(picture)
told["image"] = model.picture(value=image).to_pil().size
told["pil"] = list(model.drawn(value=picture).to_pil().getpixel((0, 0)))
told["audio"] = model.sound(value=Audio(bytes=b"RIFF....")).bytes == b"RIFF...."
told["video"] = model.film(value=Video(bytes=b"film")).bytes == b"film"
concept = model.concept(value=Concept("a cat", 0.5))
told["concept"] = [concept.id, concept.name, concept.value]
region = model.region(value=Region(box=[0.1, 0.2, 0.3, 0.4], concepts=[Concept("x")], text="said", track_id="t1"))
told["region"] = [[round(number, 5) for number in region.box], region.concepts[0].name, region.text, region.track_id]
frame = model.frame(value=Frame(image=image, time=1.5, index=3))
told["frame"] = [frame.time, frame.index, list(frame.image.to_pil().size)]
fields = model.fields(value=NamedFields(name="n", size=2))
told["fields"] = [fields.name, fields["size"]]
told["fields by dict"] = model.fields(value={"name": "n", "size": 2}).size
told["pair"] = list(model.pair(value=("a", 1)))
told["words"] = [model.words(values=["a", "", "c"]), model.words(values=[]), model.words(values="ab")]
told["concepts"] = [one.name for one in model.concepts(values=[Concept("a"), Concept("b")])]
told["regions"] = len(model.regions(values=[Region(box=[0, 0, 1, 1]), Region(box=[0, 0, 1, 1])]))
nested = model.nested(values=[NamedFields(words=["a", "b"]), NamedFields(words=[])])
told["nested"] = [list(one.words) for one in nested]
told["dicts"] = model.dicts(values=[{"a": 1}, {"b": [2]}])
told["bare bytes"] = raised(lambda: model.picture(value=b"no image"))[0]
""")
    same = "int", "array", "text", "audio", "video"
    assert {name: told[name] for name in same} == dict.fromkeys(same, True)
    assert told["too large"] == "ValueError"
    assert told["float"] == [1.0, "nan", True]
    assert told["dict"] == {"a": [1, {"b": None}], "c": "d"}
    assert told["list"] == [1, "two", {"three": 3}]
    assert (told["json"], told["counts"]) == ({"a": 1}, {"a": 1})
    assert (told["image"], told["pil"]) == ([3, 2], [9, 8, 7])
    assert told["concept"] == ["a-cat", "a cat", 0.5]
    assert told["region"] == [[0.1, 0.2, 0.3, 0.4], "x", "said", "t1"]
    assert told["frame"] == [1.5, 3, [3, 2]]
    assert (told["fields"], told["fields by dict"], told["pair"]) == (["n", 2], 2, ["a", 1])
    assert told["words"] == [["a", "", "c"], [], ["a", "b"]]
    assert (told["concepts"], told["regions"]) == (["a", "b"], 2)
    assert told["nested"] == [["a", "b"], []]
    assert told["dicts"] == [{"a": 1}, {"b": [2]}]
    assert told["bare bytes"]
