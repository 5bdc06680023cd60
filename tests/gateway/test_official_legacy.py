"""The official SDK's older forms against our gateway: one medium in, the wire's own reply out. Contract 3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway.asking import new_id

if TYPE_CHECKING:
    from tests.gateway.client_process import Client

ADD_MODEL = """
from playground.catalog.models import App, Model, ModelVersion
app = App.objects.get(owner__username="owner", slug="main")
model = Model.objects.create(app=app, slug=sys.argv[1], type_id=sys.argv[2])
ModelVersion.objects.create(model=model, folder="/nowhere")
"""


def test_text_by_bytes_and_file(official: Client) -> None:
    """Replies are in the old form, with ``string_value`` copied to ``text.raw``; params are taken and ignored."""
    (official.home / "asked.txt").write_text("from a file")
    told = official.told("""
model = Model(URL)
def said(reply):
    data = reply.outputs[0].data
    return [data.text.raw, data.string_value]
told["bytes"] = said(model.predict_by_bytes(b"a", input_type="text"))
told["untyped"] = said(model.predict_by_bytes(b"b"))
told["file"] = said(model.predict_by_filepath("asked.txt", input_type="text"))
told["params"] = said(model.predict_by_bytes(b"c", input_type="text", inference_params={"warmth": 0.5}))
told["config"] = said(model.predict_by_bytes(b"d", input_type="text", output_config={"max_concepts": 3}))
""")
    assert told["bytes"] == ["a", "a"]
    assert told["untyped"] == ["b", "b"]
    assert told["file"][0] == "from a file"
    assert (told["params"][0], told["config"][0]) == ("c", "d")


def test_in_pieces(official: Client) -> None:
    told = official.told("""
model = Model(URL)
replies = model.generate_by_bytes(b"a", input_type="text")
told["generate"] = [reply.outputs[0].data.text.raw for reply in replies]
""")
    assert told["generate"] == ["0a", "1a", "2a"]


def test_streams_in_old_form_go_on_past_the_first_message(official: Client) -> None:
    """Official runners fail at the second message: ours convert each."""
    told = official.told("""
replies = Model(URL).stream_by_bytes(iter([b"a", b"b", b"c"]), input_type="text")
told["stream"] = [reply.outputs[0].data.text.raw.partition("@")[0] for reply in replies]
""")
    assert told["stream"] == [">a", ">b", ">c"]


def test_with_selectors(official: Client) -> None:
    told = official.told("""
def where(**selector):
    reply = Model(URL, **selector).predict_by_bytes(b"a", input_type="text")
    return reply.runner_selector.deployment.id
told["deployment"] = where(deployment_id="shared-wire")
told["nodepool"] = where(compute_cluster_id="local", nodepool_id="shared")
told["unknown"] = raised(lambda: where(deployment_id="night"))
""")
    assert told["deployment"] == told["nodepool"] == "shared-wire"
    assert "night" in told["unknown"][1]


def test_an_address_that_may_not_be_followed_is_refused_in_words(official: Client) -> None:
    """10: official runners read local files and any internal address."""
    told = official.told("""
model = Model(URL)
for name, url in {"file": "file:///etc/hostname", "private": "http://127.0.0.1:9/x.txt"}.items():
    told[name] = raised(lambda: model.predict_by_url(url, input_type="text"))
""")
    for kind, words, seconds in told.values():
        assert kind
        assert "fetch" in words
        assert seconds < 10


def test_types_of_models_say_what_they_take(official: Client) -> None:
    """3.2: without input_type the client asks GetModelType; more than one kind is its UserError."""
    several, pictures = new_id("several"), new_id("pictures")
    official.gateway.django(ADD_MODEL, several, "multimodal-to-text")
    official.gateway.django(ADD_MODEL, pictures, "visual-detector")
    told = official.told(f"""
told["several"] = raised(lambda: Model(URL.replace("wire", {several!r})).predict_by_bytes(b"a"))
model = Model(URL.replace("wire", {pictures!r}))
model.load_info()
told["type"] = model.model_info.model_type_id
told["listed"] = sorted(Model.list_model_types(model)) if hasattr(Model, "list_model_types") else []
""")
    assert told["several"][0] == "UserError"
    assert told["type"] == "visual-detector"


def test_after_load_info_the_whole_model_goes_along(official: Client) -> None:
    """3.1: the client puts back the whole model that it got into every request."""
    told = official.told("""
model = Model(URL)
model.load_info()
told["said"] = model.predict_by_bytes(b"a").outputs[0].data.text.raw
told["size"] = model.model_info.ByteSize()
""")
    assert told["said"] == "a"
    assert told["size"] < 500
