"""Inputs over the wire: upload, get, list, edit, delete; what is refused, and what came of each of several."""

from __future__ import annotations

import http.server
import io
import threading
import wave
from typing import TYPE_CHECKING, Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway import asking, live
from tests.gateway.asking import fine, new_id, refused
from tests.gateway.inputs_wire import (
    OWNER,
    concept,
    delete,
    get,
    ids,
    image,
    job,
    listed,
    patch,
    picture,
    post,
    region,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.live import Live


@pytest.fixture(scope="module")
def team(gateway: Live) -> Live:
    return asking.add_team(gateway)


def test_a_picture_lives_from_post_to_delete(gateway: Live) -> None:
    slug = new_id("cat")
    metadata = {"n": 3, "filename": "cat.png", "deep": {"a": [1.5, None, True]}}
    told = image(picture(64, 48), slug, dataset_ids=["pets"])
    told.data.concepts.extend([concept("cat"), concept("dog", 0.0)])
    told.data.regions.append(region("ear", 0.1, 0.2, 0.3, 0.4))
    told.data.metadata.update(metadata)
    told.data.geo.geo_point.longitude = 13.5
    told.data.geo.geo_point.latitude = 52.25
    made = fine(post(gateway, told)).inputs[0]
    assert (made.id, made.status.code) == (slug, StatusCode.INPUT_DOWNLOAD_SUCCESS)
    assert made.created_at.seconds
    got = fine(get(gateway, slug)).input
    assert got == made
    assert (got.data.image.image_info.width, got.data.image.image_info.height) == (64, 48)
    assert got.data.image.url.startswith("http://")
    assert got.data.image.base64 == b""
    assert {(one.id, one.value) for one in got.data.concepts} == {("cat", 1.0), ("dog", 0.0)}
    box = got.data.regions[0].region_info.bounding_box
    assert [round(edge, 3) for edge in (box.left_col, box.top_row, box.right_col, box.bottom_row)] == [
        0.1,
        0.2,
        0.3,
        0.4,
    ]
    assert got.data.regions[0].data.concepts[0].id == "ear"
    assert got.data.metadata["n"] == 3
    assert got.data.metadata["filename"] == "cat.png"
    assert list(got.dataset_ids) == ["pets"]
    assert (got.data.geo.geo_point.longitude, got.data.geo.geo_point.latitude) == (13.5, 52.25)
    fine(delete(gateway, slug))
    refused(get(gateway, slug), StatusCode.INPUT_DOES_NOT_EXIST)
    assert slug not in ids(listed(gateway))


def test_a_text_is_told_whole_when_it_is_asked_for(gateway: Live) -> None:
    slug, words = new_id("text"), "Grüße\n𝄞 " * 50
    made = fine(post(gateway, text(words, slug))).inputs[0]
    assert made.data.text.raw == ""
    got = fine(get(gateway, slug)).input
    assert got.data.text.raw == words
    assert got.data.text.text_info.char_count == len(words)
    assert fine(listed(gateway, ids=[slug])).inputs[0].data.text.raw == ""


def test_without_an_id_one_is_given(gateway: Live) -> None:
    message = text("no id")
    message.id = ""
    made = fine(post(gateway, message)).inputs[0]
    assert len(made.id) == 32
    assert fine(get(gateway, made.id)).input.id == made.id


def test_pages_go_newest_first_and_end(gateway: Live) -> None:
    slugs = [new_id(f"page{number}") for number in range(5)]
    for slug in slugs:
        fine(post(gateway, text(slug, slug)))
    first, second, third = (ids(fine(listed(gateway, page=page, per_page=2))) for page in (1, 2, 3))
    assert [*first, *second, *third[:1]] == slugs[::-1]
    reply = fine(listed(gateway, page=100, per_page=1000))
    assert [field.name for field, _ in reply.ListFields()] == ["status"]
    again = ids(fine(listed(gateway, page=1, per_page=2)))
    fine(delete(gateway, *again))
    assert list(ids(fine(listed(gateway, page=2, per_page=2)))) == list(second)
    assert sorted(ids(fine(listed(gateway, ids=slugs[:3])))) == sorted(slugs[:3])


def test_an_id_that_is_taken_is_told_of(gateway: Live) -> None:
    slug, other = new_id("twice"), new_id("other")
    fine(post(gateway, text("one", slug)))
    reply = post(gateway, text("two", slug))
    assert reply.status.code == StatusCode.INPUT_DUPLICATE
    assert reply.inputs[0].status.code == StatusCode.INPUT_DUPLICATE
    assert slug in reply.status.description
    mixed = post(gateway, text("three", slug), text("four", other))
    assert mixed.status.code == StatusCode.MIXED_STATUS
    assert [one.status.code for one in mixed.inputs] == [
        StatusCode.INPUT_DUPLICATE,
        StatusCode.INPUT_DOWNLOAD_SUCCESS,
    ]
    assert "1 of 2" in mixed.status.description
    assert fine(get(gateway, slug)).input.data.text.raw == "one"
    fine(get(gateway, other))
    same = post(gateway, text("a", both := new_id("same")), text("b", both))
    assert [one.status.code for one in same.inputs] == [StatusCode.INPUT_DOWNLOAD_SUCCESS, StatusCode.INPUT_DUPLICATE]


def test_a_taken_id_may_be_resolved(gateway: Live) -> None:
    resolve = resources_pb2.InputIDConflictResolution
    slug = new_id("again")
    fine(post(gateway, text("one", slug)))
    skipped = fine(post(gateway, text("two", slug), input_id_conflict_resolution=resolve.SKIP))
    assert ids(skipped) == [slug]
    assert fine(get(gateway, slug)).input.data.text.raw == "one"
    added = fine(post(gateway, text("three", slug), input_id_conflict_resolution=resolve.SUFFIX)).inputs[0]
    assert added.id != slug
    assert added.id.startswith(slug)
    assert fine(get(gateway, added.id)).input.data.text.raw == "three"


def test_a_deleted_id_is_free_again(gateway: Live) -> None:
    """Official bulk uploads delete what failed and send it again under the same id."""
    slug = new_id("again")
    fine(post(gateway, text("one", slug)))
    fine(delete(gateway, slug))
    fine(post(gateway, text("two", slug)))
    assert fine(get(gateway, slug)).input.data.text.raw == "two"


BROKEN = picture()[:200]


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        (image(BROKEN, "broken"), StatusCode.INPUT_UNSUPPORTED_FORMAT, "damaged"),
        (image(b"no picture", "no-picture"), StatusCode.INPUT_UNSUPPORTED_FORMAT, "image"),
        (image(b"\xff", "octets"), StatusCode.INPUT_UNSUPPORTED_FORMAT, "no kind"),
        (resources_pb2.Input(id="nothing"), StatusCode.INPUT_INVALID_ARGUMENT, "image, video, audio or text"),
        (text("x", "a/b"), StatusCode.INPUT_INVALID_ARGUMENT, "id"),
        (text("x", "x" * 200), StatusCode.INPUT_INVALID_ARGUMENT, "id"),
        (
            resources_pb2.Input(
                id="both", data=resources_pb2.Data(text={"raw": "a"}, image=resources_pb2.Image(base64=b"a"))
            ),
            StatusCode.INPUT_INVALID_ARGUMENT,
            "one of them",
        ),
        (
            resources_pb2.Input(
                id="file", data=resources_pb2.Data(image=resources_pb2.Image(url="file:///etc/passwd"))
            ),
            StatusCode.INPUT_INVALID_URL,
            "http",
        ),
    ],
    ids=["broken", "text-as-image", "octets", "nothing", "slash", "long-id", "both", "file-address"],
)
def test_what_cannot_be_kept_is_refused_in_words(gateway: Live, message: Any, code: int, words: str) -> None:
    reply = post(gateway, message)
    assert reply.status.code == code, reply.status
    assert words in reply.status.description
    assert (reply.inputs[0].id, reply.inputs[0].status.code) == (message.id, code)
    refused(get(gateway, message.id), StatusCode.INPUT_DOES_NOT_EXIST)


def test_metadata_may_be_deep_but_not_bottomless(gateway: Live) -> None:
    def nested(levels: int) -> Any:
        return {"in": nested(levels - 1)} if levels else 1

    slug = new_id("deep")
    message = text("x", slug)
    message.data.metadata.update(nested(25))
    assert "20 levels" in post(gateway, message).status.description
    message.data.metadata.Clear()
    message.data.metadata.update(nested(20))
    fine(post(gateway, message))
    assert fine(get(gateway, slug)).input.data.metadata == message.data.metadata


def test_a_sound_is_kept(gateway: Live) -> None:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    slug = new_id("sound")
    told = resources_pb2.Data(audio=resources_pb2.Audio(base64=stream.getvalue()))
    fine(post(gateway, resources_pb2.Input(id=slug, data=told)))
    got = fine(get(gateway, slug)).input.data
    assert got.audio.url.endswith("/original")
    assert got.audio.audio_info.duration_seconds in (0, 1)  # without what reads films and sounds, nobody knows
    as_image = resources_pb2.Data(image=resources_pb2.Image(base64=stream.getvalue()))
    refusal = post(gateway, resources_pb2.Input(data=as_image)).status
    assert refusal.code == StatusCode.INPUT_UNSUPPORTED_FORMAT
    assert "audio/wav" in refusal.description


def test_calls_that_name_too_much_or_nothing(gateway: Live) -> None:
    refused(post(gateway), StatusCode.INPUT_INVALID_REQUEST)
    assert "128" in refused(post(gateway, *[text("x")] * 129), StatusCode.INPUT_INVALID_REQUEST)
    fine(post(gateway, text("kept", slug := new_id("kept"))))
    refused(delete(gateway), StatusCode.INPUT_INVALID_REQUEST)
    assert "gone-away" in refused(delete(gateway, slug, "gone-away"), StatusCode.INPUT_DOES_NOT_EXIST)
    fine(get(gateway, slug))  # all of them or none
    refused(patch(gateway), StatusCode.INPUT_INVALID_REQUEST)
    refused(patch(gateway, text("", slug), action="mend"), StatusCode.INPUT_INVALID_REQUEST)


def test_edits_merge_overwrite_and_remove(gateway: Live) -> None:
    slug = new_id("edit")
    fine(post(gateway, text("x", slug, data={"concepts": [concept("a"), concept("b")]}, dataset_ids=["one"])))

    def said(reply: Any) -> tuple[dict[str, float], dict[str, Any], set[str]]:
        (found,) = fine(reply).inputs
        concepts = {one.id: round(one.value, 3) for one in found.data.concepts}
        return concepts, dict(found.data.metadata), set(found.dataset_ids)

    def change(**fields: Any) -> Any:
        message = resources_pb2.Input(id=slug, dataset_ids=fields.pop("datasets", ()))
        message.data.concepts.extend(fields.pop("concepts", ()))
        message.data.metadata.update(fields)
        return message

    assert said(patch(gateway, change(concepts=[concept("b", 0.5), concept("c")], x=1, datasets=["two"]))) == (
        {"a": 1.0, "b": 0.5, "c": 1.0},
        {"x": 1},
        {"one", "two"},
    )
    assert said(patch(gateway, change(y=2))) == ({"a": 1.0, "b": 0.5, "c": 1.0}, {"x": 1, "y": 2}, {"one", "two"})
    assert said(patch(gateway, change(concepts=[concept("a")], x=0, datasets=["two"]), action="remove")) == (
        {"b": 0.5, "c": 1.0},
        {"y": 2},
        {"one"},
    )
    assert said(patch(gateway, change(concepts=[concept("d")]), action="overwrite")) == ({"d": 1.0}, {"y": 2}, {"one"})
    assert said(patch(gateway, change(z=3, datasets=["three"]), action="overwrite")) == (
        {"d": 1.0},
        {"z": 3},
        {"three"},
    )
    missing = patch(gateway, change(q=1), resources_pb2.Input(id="gone-away"))
    assert "gone-away" in refused(missing, StatusCode.INPUT_DOES_NOT_EXIST)
    assert "q" not in fine(get(gateway, slug)).input.data.metadata


def test_edits_reach_regions_and_the_place(gateway: Live) -> None:
    slug = new_id("boxes")
    fine(post(gateway, image(slug=slug)))

    def change(*regions: resources_pb2.Region, action: str = "merge", **data: Any) -> list[tuple[str, str]]:
        message = resources_pb2.Input(id=slug, data=resources_pb2.Data(regions=regions, **data))
        fine(patch(gateway, message, action=action))
        found = fine(get(gateway, slug)).input.data
        place.CopyFrom(found.geo)
        return [(one.id, one.data.concepts[0].id) for one in found.regions]

    place, here = resources_pb2.Geo(), resources_pb2.Geo(geo_point={"longitude": -30, "latitude": 40})
    (ear, _), (eye, _) = change(region("ear", 0.1, 0.1, 0.2, 0.2), region("eye", 0.3, 0.1, 0.4, 0.2), geo=here)
    assert place == here
    nose = region("nose", 0.3, 0.1, 0.4, 0.2)
    nose.id = eye
    first, second, (other, name) = change(nose, region("chin", 0.5, 0.5, 0.6, 0.6))
    assert (first, second, name) == ((ear, "ear"), (eye, "nose"), "chin")
    assert change(resources_pb2.Region(id=other), action="remove") == [(ear, "ear"), (eye, "nose")]
    assert change(nose, action="overwrite") == [(eye, "nose")]
    assert (change(geo=here, action="remove"), place) == ([(eye, "nose")], resources_pb2.Geo())


def test_an_upload_tells_what_came_of_it(gateway: Live) -> None:
    slug = new_id("job")
    reply = post(gateway, text("a"), text("b"), image(BROKEN), inputs_add_job_id=slug)
    assert reply.inputs_add_job.id == slug
    progress = fine(job(gateway, slug)).inputs_add_job.progress
    assert (progress.success_count, progress.failed_count) == (2, 1)
    assert progress.pending_count == progress.in_progress_count == 0
    refused(job(gateway, "never-begun"), StatusCode.CONN_DOES_NOT_EXIST)


def test_lists_by_status(gateway: Live) -> None:
    slug = new_id("fine")
    fine(post(gateway, text("a", slug)))
    good = resources_pb2.Input().status
    good.code = StatusCode.INPUT_DOWNLOAD_SUCCESS
    assert slug in ids(fine(listed(gateway, status=good)))
    good.code = StatusCode.INPUT_DOWNLOAD_FAILED
    assert slug not in ids(fine(listed(gateway, status=good)))


def test_by_dataset_and_count(gateway: Live) -> None:
    slug, dataset = new_id("in"), new_id("set")
    before = fine(gateway.call("GetInputCount", service_pb2.GetInputCountRequest(user_app_id=OWNER))).counts.processed
    fine(post(gateway, text("a", slug, dataset_ids=[dataset])))
    after = fine(gateway.call("GetInputCount", service_pb2.GetInputCountRequest(user_app_id=OWNER))).counts.processed
    assert after == before + 1
    request = service_pb2.ListDatasetInputsRequest(user_app_id=OWNER, dataset_id=dataset)
    reply = fine(gateway.call("ListDatasetInputs", request))
    assert [one.input.id for one in reply.dataset_inputs] == [slug]
    request.dataset_id = "nothing-such"
    refused(gateway.call("ListDatasetInputs", request), StatusCode.CONN_DOES_NOT_EXIST)


def test_annotations_are_listed_added_and_deleted(gateway: Live) -> None:
    slug, other = new_id("in"), new_id("in")
    fine(post(gateway, image(None, slug), text("x", other)))
    said = resources_pb2.Data(concepts=[concept("cat")], regions=[region("ear", 0.1, 0.2, 0.3, 0.4)])
    request = service_pb2.PostAnnotationsRequest(
        user_app_id=OWNER, annotations=[resources_pb2.Annotation(input_id=slug, data=said)]
    )
    made = fine(gateway.call("PostAnnotations", request)).annotations
    assert [(one.input_id, one.user_id, one.input_level) for one in made] == [
        (slug, "owner", True),
        (slug, "owner", False),
    ]
    assert made[1].data.regions[0].data.concepts[0].id == "ear"
    asked = service_pb2.ListAnnotationsRequest(user_app_id=OWNER, input_ids=[slug])
    assert list(fine(gateway.call("ListAnnotations", asked)).annotations) == list(made)
    assert fine(get(gateway, slug)).input.data.regions[0].id == made[1].id
    moved = resources_pb2.Annotation(input_id=slug, id=made[1].id)
    moved.data.regions.append(region("nose", 0.2, 0.2, 0.6, 0.6))
    patch = service_pb2.PatchAnnotationsRequest(user_app_id=OWNER, annotations=[moved], action="merge")
    now = fine(gateway.call("PatchAnnotations", patch)).annotations[0]
    assert (now.id, now.data.regions[0].data.concepts[0].id) == (made[1].id, "nose")
    assert list(fine(gateway.call("ListAnnotations", asked)).annotations) == [made[0], now]
    patch.annotations[0].input_id = other
    refused(gateway.call("PatchAnnotations", patch), StatusCode.CONN_DOES_NOT_EXIST)
    request.annotations[0].input_id = "gone-away"
    refused(gateway.call("PostAnnotations", request), StatusCode.INPUT_DOES_NOT_EXIST)
    request.annotations[0].CopyFrom(resources_pb2.Annotation(input_id=slug))
    refused(gateway.call("PostAnnotations", request), StatusCode.ANNOTATION_INVALID_ARGUMENT)

    def delete_some(**fields: Any) -> Any:
        return gateway.call("DeleteAnnotations", service_pb2.DeleteAnnotationsRequest(user_app_id=OWNER, **fields))

    refused(delete_some(), StatusCode.INPUT_INVALID_REQUEST)
    refused(delete_some(input_ids=[other], ids=[made[0].id]), StatusCode.CONN_DOES_NOT_EXIST)
    fine(delete_some(input_ids=[slug], ids=[made[0].id]))
    assert [one.id for one in fine(gateway.call("ListAnnotations", asked)).annotations] == [made[1].id]
    fine(delete_some(input_ids=[slug]))
    assert list(fine(gateway.call("ListAnnotations", asked)).annotations) == []


def test_datasets_are_made_listed_and_deleted(gateway: Live) -> None:
    name, slug = new_id("set"), new_id("in")
    request = service_pb2.PostDatasetsRequest(user_app_id=OWNER, datasets=[resources_pb2.Dataset(id=name)])
    made = fine(gateway.call("PostDatasets", request)).datasets[0]
    assert (made.id, made.user_id, made.app_id) == (name, "owner", "main")
    assert name in refused(gateway.call("PostDatasets", request), StatusCode.DATABASE_DUPLICATE_KEY)
    asked = service_pb2.GetDatasetRequest(user_app_id=OWNER, dataset_id=name)
    assert fine(gateway.call("GetDataset", asked)).dataset == made
    listed_ones = service_pb2.ListDatasetsRequest(user_app_id=OWNER, search=name)
    assert list(fine(gateway.call("ListDatasets", listed_ones)).datasets) == [made]
    fine(post(gateway, text("x", slug, dataset_ids=[name], data={"concepts": [concept(name)]})))
    concepts = service_pb2.ListConceptsRequest(user_app_id=OWNER, id=name)
    assert [one.name for one in fine(gateway.call("ListConcepts", concepts)).concepts] == [name]
    renamed = service_pb2.PatchConceptsRequest(
        user_app_id=OWNER, action="overwrite", concepts=[resources_pb2.Concept(id=name, name="New name")]
    )
    assert [one.name for one in fine(gateway.call("PatchConcepts", renamed)).concepts] == ["New name"]
    assert fine(get(gateway, slug)).input.data.concepts[0].name == "New name"
    renamed.concepts.add(id="absent", name="x")
    assert "absent" in refused(gateway.call("PatchConcepts", renamed), StatusCode.CONN_DOES_NOT_EXIST)
    renamed.concepts[1].CopyFrom(resources_pb2.Concept(id=name))
    refused(gateway.call("PatchConcepts", renamed), StatusCode.INPUT_INVALID_ARGUMENT)
    gone = service_pb2.DeleteDatasetsRequest(user_app_id=OWNER, dataset_ids=[name])
    fine(gateway.call("DeleteDatasets", gone))
    refused(gateway.call("GetDataset", asked), StatusCode.CONN_DOES_NOT_EXIST)
    assert name in refused(gateway.call("DeleteDatasets", gone), StatusCode.CONN_DOES_NOT_EXIST)
    assert list(fine(get(gateway, slug)).input.dataset_ids) == []


def test_the_members_add_and_the_viewers_see(team: Live) -> None:
    slug = new_id("seen")
    fine(post(team, text("a", slug), user="member"))
    assert fine(get(team, slug, user="viewer")).input.id == slug
    refused(post(team, text("b"), user="viewer"), StatusCode.CONN_INSUFFICIENT_SCOPES)
    refused(delete(team, slug, user="viewer"), StatusCode.CONN_INSUFFICIENT_SCOPES)
    for user in ("stranger",):
        refused(get(team, slug, user=user), StatusCode.CONN_DOES_NOT_EXIST)
        refused(listed(team, user=user), StatusCode.CONN_DOES_NOT_EXIST)
        refused(post(team, text("c"), user=user), StatusCode.CONN_DOES_NOT_EXIST)


class Pictures(http.server.BaseHTTPRequestHandler):
    CONTENT = picture()

    def do_GET(self) -> None:
        is_there = self.path.startswith("/cat")
        self.send_response(200 if is_there else 404)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        if is_there:
            self.wfile.write(self.CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def by_url(url: str, slug: str, **how: Any) -> resources_pb2.Input:
    return resources_pb2.Input(id=slug, data=resources_pb2.Data(image=resources_pb2.Image(url=url, **how)))


def test_an_address_inside_our_network_is_not_fetched(gateway: Live, elsewhere: str) -> None:
    slug, upload = new_id("inside"), new_id("job")
    post(gateway, by_url(f"{elsewhere}/cat", slug), inputs_add_job_id=upload)
    live.wait_for(lambda: not job(gateway, upload).inputs_add_job.progress.pending_count, "the address to be refused")
    progress = job(gateway, upload).inputs_add_job.progress
    assert (progress.success_count, progress.failed_count) == (0, 1)
    reply = get(gateway, slug)
    if reply.status.code == live.OK:  # kept, to say why
        assert reply.input.status.code == StatusCode.INPUT_DOWNLOAD_FAILED
        assert "private" in reply.input.status.details
