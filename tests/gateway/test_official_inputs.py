"""The official SDK's ``Inputs``, ``Dataset`` and ``App`` with our gateway: uploads one by one and by folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway.asking import new_id
from tests.gateway.inputs_wire import get, picture

if TYPE_CHECKING:
    from tests.gateway.client_process import Client

PROLOGUE = """
import pathlib
from clarifai.client.app import App
from clarifai.client.dataset import Dataset
from clarifai.client.input import Inputs
from clarifai.client.user import User
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from google.protobuf.struct_pb2 import Struct
inputs = Inputs(user_id="owner", app_id="main")
def code(uploaded):
    return [uploaded[1].status.code, uploaded[1].inputs[0].status.code if uploaded[1].inputs else 0]
"""
OK = 10000
THERE, TWICE, NOT_THERE = 30000, 30100, 30102


def test_upload_list_get_and_delete(official: Client) -> None:
    (official.home / "cat.png").write_bytes(picture(40, 30))
    (official.home / "cat.txt").write_text("A cat.")
    tag = new_id("one")
    told = official.told(f"""{PROLOGUE}
tag = {tag!r}
metadata = Struct()
metadata.update({{"source": "test", "n": 3}})
content = pathlib.Path("cat.png").read_bytes()
told["bytes"] = code(inputs.upload_from_bytes(f"{{tag}}-bytes", image_bytes=content, labels=["cat", "pet"],
    metadata=metadata, geo_info=[13.5, 52.25], dataset_id=tag))
told["file"] = code(inputs.upload_from_file(f"{{tag}}-file", image_file="cat.png"))
told["text"] = code(inputs.upload_text(f"{{tag}}-text", raw_text="Some words."))
told["text file"] = code(inputs.upload_from_file(f"{{tag}}-text-file", text_file="cat.txt"))
told["again"] = code(inputs.upload_text(f"{{tag}}-text", raw_text="Other words."))
got = inputs.get_input(f"{{tag}}-bytes")
told["got"] = [got.id, sorted(one.name for one in got.data.concepts), dict(got.data.metadata),
    got.data.geo.geo_point.longitude, got.data.image.image_info.width, list(got.dataset_ids), got.status.code]
told["absent"] = inputs.get_input(f"{{tag}}-absent").id
all_of_them = [one for one in inputs.list_inputs() if one.id.startswith(tag)]
told["listed"] = [one.id for one in all_of_them]
told["urls"] = [bool(one.data.image.url or one.data.text.url) for one in all_of_them]
told["texts"] = [one.id for one in inputs.list_inputs(input_type="text") if one.id.startswith(tag)]
told["page"] = len(list(inputs.list_inputs(page_no=1, per_page=2)))
box = Inputs.get_bbox_proto(f"{{tag}}-bytes", "ear", [0.1, 0.2, 0.3, 0.4])
told["retry"] = len(inputs.upload_annotations([box]))
told["said"] = [[bool(one.data.regions), one.input_id] for one in inputs.list_annotations([got])]
told["concepts"] = sorted(one.id for one in App(user_id="owner", app_id="main").list_concepts() if one.id == "ear")
told["dataset"] = [one.id for one in inputs.list_inputs(dataset_id=tag)]
told["boxes"] = [len(one.data.regions) for one in inputs.list_inputs() if one.id == got.id]
inputs.delete_annotations([got.id])
told["unsaid"] = len(list(inputs.list_annotations([got])))
told["count"] = App(user_id="owner", app_id="main").get_input_count() >= 4
change = Inputs._get_proto(f"{{tag}}-text", labels=["words"])
inputs.patch_inputs([change], action="merge")
told["patched"] = [one.id for one in inputs.get_input(f"{{tag}}-text").data.concepts]
inputs.delete_inputs(all_of_them)
told["left"] = [one.id for one in inputs.list_inputs() if one.id.startswith(tag)]
told["gone"] = raised(lambda: inputs.delete_inputs(all_of_them))[1]
told["nothing"] = raised(lambda: inputs.delete_inputs([]))[1]
""")
    for name in ("bytes", "file", "text", "text file"):
        assert told[name] == [OK, THERE], name
    assert told["again"] == [TWICE, TWICE]
    metadata = {"source": "test", "n": 3}
    assert told["got"] == [f"{tag}-bytes", ["cat", "pet"], metadata, 13.5, 40, [tag], THERE]
    assert told["absent"] == ""
    assert told["listed"] == [f"{tag}-{what}" for what in ("text-file", "text", "file", "bytes")]
    assert all(told["urls"])
    assert told["texts"] == [f"{tag}-text-file", f"{tag}-text"]
    assert (told["page"], told["dataset"]) == (2, [f"{tag}-bytes"])
    assert told["count"]
    assert told["boxes"] == [1]
    assert (told["retry"], told["concepts"], told["unsaid"]) == (0, ["ear"], 0)
    assert sorted(told["said"]) == [[False, f"{tag}-bytes"]] * 2 + [[True, f"{tag}-bytes"]]
    assert told["patched"] == ["words"]
    assert told["left"] == []
    assert "INPUT_DOES_NOT_EXIST" in told["gone"]
    assert "INPUT_INVALID_REQUEST" in told["nothing"]


def test_a_folder_goes_up_in_bulk(official: Client) -> None:
    """Its batches are polled by GetInputsAddJob, then ListInputs says what went through; the rest, none, is deleted."""
    folder = official.home / "pets"
    folder.mkdir()
    tag = new_id("pet").replace("-", "")
    for number in range(20):
        (folder / f"{tag} {number}.png").write_bytes(picture(32, 24))
    (folder / "notes.md").write_text("no picture")
    bystander = new_id("by")
    told = official.told(f"""{PROLOGUE}
inputs.upload_text({bystander!r}, raw_text="stays")
app = App(user_id="owner", app_id="main")
dataset = app.create_dataset({tag!r})
told["datasets"] = [one.id for one in app.list_datasets() if one.id == {tag!r}]
dataset.upload_from_folder("pets", input_type="image", labels=True, batch_size=8)
told["there"] = sorted(one.id for one in inputs.list_inputs(dataset_id={tag!r}))
told["labels"] = sorted({{one.name for one in inputs.get_input(told["there"][0]).data.concepts}})
""")
    assert told["there"] == sorted(f"{tag}_{number}" for number in range(20))
    assert (told["labels"], told["datasets"]) == (["pets"], [tag])
    assert get(official.gateway, bystander).status.code == OK


def test_what_fails_in_bulk_fails_alone(official: Client) -> None:
    """A broken picture, and an address that leads nowhere, are tried again and given up; the others stay."""
    folder = official.home / "mixed"
    folder.mkdir()
    tag = new_id("mix").replace("-", "")
    for number in range(3):
        (folder / f"{tag}_{number}.png").write_bytes(picture(32, 24))
    (folder / f"{tag}_broken.png").write_bytes(picture(32, 24)[:300])
    told = official.told(f"""{PROLOGUE}
protos = inputs.get_image_inputs_from_folder("mixed")
protos.append(Inputs.get_input_from_url({tag!r} + "_url", image_url="http://127.0.0.1:9/cat.jpg"))
inputs._bulk_upload(protos)
told["there"] = sorted(one.id for one in inputs.list_inputs() if one.id.startswith({tag!r}))
""")
    assert told["there"] == [f"{tag}_{number}" for number in range(3)]


def test_a_data_set_tells_what_was_there_before(official: Client) -> None:
    """By the words of the refusal alone; those are not tried again, unless the log of it is handed in."""
    tag = new_id("set")
    told = official.told(f"""{PROLOGUE}
from clarifai.datasets.upload.base import ClarifaiDataLoader
from clarifai.datasets.upload.features import TextFeatures
class Loader(ClarifaiDataLoader):
    task = "text_classification"
    def __init__(self, *rows):
        self.rows = rows
    def load_data(self):
        pass
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, number):
        return self.rows[number]
dataset = App(user_id="owner", app_id="main").create_dataset({tag!r})
old, new = TextFeatures("old", ["lorry/truck"], id=1), TextFeatures("new", None, id=2)
dataset.upload_dataset(Loader(old))
dataset.upload_dataset(Loader(old, new), log_warnings=True)
told["there"] = sorted(one.id for one in dataset.list_inputs())
(log,) = pathlib.Path().glob("Dataset_Upload*.log")
dataset.retry_upload_from_logs(str(log), Loader(old, new), retry_duplicates=True)
told["again"] = len(list(dataset.list_inputs()))
told["label"] = [[one.id, one.name] for one in inputs.get_input(told["there"][0]).data.concepts]
inputs.patch_inputs([Inputs._get_proto(told["there"][0], labels=["lorry/truck"])], action="remove")
told["removed"] = len(inputs.get_input(told["there"][0]).data.concepts)
""")
    assert told["there"] == [f"{tag}-1", f"{tag}-2"]
    assert (told["again"], told["label"], told["removed"]) == (3, [["lorry-truck", "lorry/truck"]], 0)


def test_what_a_csv_file_names(official: Client) -> None:
    tag = new_id("csv")
    rows = [f'{tag}-{number},text {number},"a,b","{{\'n\': {number}}}"' for number in range(3)]
    (official.home / "rows.csv").write_text("\n".join(["inputid,input,concepts,metadata", *rows]))
    told = official.told(f"""{PROLOGUE}
protos = inputs.get_inputs_from_csv("rows.csv", input_type="text", csv_type="raw")
inputs._bulk_upload(protos)
got = inputs.get_input("{tag}-1")
told["got"] = [got.data.text.raw, sorted(one.id for one in got.data.concepts), dict(got.data.metadata)]
""")
    assert told["got"] == ["text 1", ["a", "b"], {"n": 1}]


def test_another_users_inputs_are_hidden(official: Client) -> None:
    slug = new_id("mine")
    told = official.told(f"{PROLOGUE}\ntold['mine'] = code(inputs.upload_text({slug!r}, raw_text='mine'))")
    assert told["mine"] == [OK, THERE]
    official.user = "stranger"
    told = official.told(f"""{PROLOGUE}
told["got"] = inputs.get_input({slug!r}).id
told["list"] = raised(lambda: list(inputs.list_inputs()))[1]
told["delete"] = raised(lambda: inputs.delete_inputs([Inputs.get_text_input({slug!r}, raw_text="")]))[1]
""")
    assert told["got"] == ""
    assert "CONN_DOES_NOT_EXIST" in told["list"]
    assert "CONN_DOES_NOT_EXIST" in told["delete"]
