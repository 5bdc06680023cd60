"""What is given is kept once, looked into wholly, counted, and found again; what cannot be is refused in words."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from inputs import services
from inputs.models import AddJob, Input, Status, Tally
from inputs.queries import Filter, count, page, total
from inputs.services import DuplicateError, Given, Label
from playground.media import blobs
from playground.media import services as media
from playground.media.models import Blob, Reference, Upload
from playground.protocol.errors import AccessError, ConflictError, InputError, PlaygroundError
from tests.inputs.making import encoded, film, image, jpeg, sound, stored, turned

if TYPE_CHECKING:
    from pathlib import Path

    from playground.catalog.models import App, User


def test_a_picture_is_kept_with_what_is_in_it(ada: User, app: App) -> None:
    data = encoded(image(640, 480), "JPEG")
    row = services.add_input(
        ada,
        app,
        slug="cup-1",
        data=data,
        name="holiday/Cup of tea.jpg",
        metadata={"camera": {"iso": 200}},
        concepts=[("cup", 1.0), Label("tea", 0.8, "Tea", (0.1, 0.2, 0.5, 0.9))],
        datasets=["kitchen"],
    )
    row.refresh_from_db()
    assert (row.slug, row.kind, row.name, row.status) == ("cup-1", "image", "Cup of tea.jpg", Status.READY)
    assert (row.width, row.height, row.has_thumbnail) == (640, 480, True)
    assert [colour["hex"] for colour in row.facts["colours"][:2]] != []
    assert row.reference is not None
    assert stored(row) == data
    assert (row.reference.is_kept, row.reference.is_held) == (True, True)
    said = [(one.concept.slug, one.concept.name, one.box) for one in row.annotations.order_by("pk") if one.concept]
    assert said == [("cup", "cup", None), ("tea", "Tea", (0.1, 0.2, 0.5, 0.9))]
    assert [one.slug for one in row.datasets.all()] == ["kitchen"]
    assert total(app) == 1
    assert row.get_absolute_url() == "/inputs/cup-1/?app=ada/main"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_was_held(ada: User, app: App, orientation: int) -> None:
    data = turned(orientation)
    row = services.add_input(ada, app, data=data)
    assert (row.width, row.height) == ((60, 40) if orientation < 5 else (40, 60))
    assert row.reference is not None
    assert (row.reference.width, row.reference.height) == (row.width, row.height)
    assert stored(row) == data
    small = Image.open(io.BytesIO(stored(row, "thumbnail"))).convert("RGB")
    assert small.size == (row.width, row.height)
    # The red half lies where the camera saw it.
    where = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}[orientation]
    spot = {"left": (3, 20), "right": (small.width - 4, 20), "top": (20, 3), "bottom": (20, small.height - 4)}[where]
    red, _, blue = small.getpixel(spot)  # type: ignore[misc]
    assert red > 150 > blue
    assert row.captured_at is not None
    assert row.captured_at.isoformat() == "2019-05-01T10:30:00+00:00"


ODD = {
    "16 bits grey": lambda: encoded(image(mode="L").convert("I;16")),
    "numbers without a bound": lambda: encoded(image(mode="F"), "TIFF"),
    "32 bits": lambda: encoded(image(mode="I"), "TIFF"),
    "four inks": lambda: encoded(image(mode="CMYK"), "JPEG"),
    "a palette": lambda: encoded(image(mode="P")),
    "a palette with a hole": lambda: encoded(image(mode="P"), transparency=0),
    "grey with a hole": lambda: encoded(image(mode="LA")),
    "one bit": lambda: encoded(image(mode="1")),
    "see-through": lambda: encoded(image(mode="RGBA"), "WEBP"),
    "one pixel": lambda: encoded(image(1, 1)),
    "very long": lambda: encoded(image(9000, 2)),
    "a bitmap": lambda: encoded(image(), "BMP"),
    "luminance and colour": lambda: encoded(image(mode="YCbCr"), "JPEG"),
    "lab": lambda: encoded(image(mode="LAB"), "TIFF"),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD.keys())
def test_pictures_of_every_sort_get_small_ones(ada: User, app: App, make: Any) -> None:
    row = services.add_input(ada, app, data=make())
    assert (row.kind, row.has_thumbnail) == ("image", True)
    assert row.width
    assert stored(row, "thumbnail")[8:12] == b"WEBP"


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_a_hole_stays_a_hole(ada: User, app: App, mode: str) -> None:
    made = Image.new(mode, (20, 20), 0)
    row = services.add_input(ada, app, data=encoded(made, transparency=(0, 0, 0) if mode == "RGB" else 0))
    assert Image.open(io.BytesIO(stored(row, "thumbnail"))).convert("RGBA").getpixel((9, 9))[3] == 0  # type: ignore[index]


def test_a_moving_picture_tells_its_frames(ada: User, app: App) -> None:
    frames = [image(30, 20), image(30, 20, "L").convert("RGB"), image(30, 20)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    row = services.add_input(ada, app, data=data)
    assert (row.kind, row.facts["frames"], row.facts["format"]) == ("image", 3, "GIF")


def huge() -> bytes:
    """What says it has 400 million pixels, in some hundred bytes."""
    data = bytearray(encoded(image(8, 8)))
    data[16:24] = (20_000).to_bytes(4) + (20_000).to_bytes(4)
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    return bytes(data)


def moving() -> bytes:
    frames = [Image.effect_noise((60, 40), 90) for _ in range(3)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


BAD = {
    "nothing": (lambda: b"", "empty"),
    "cut off": (lambda: jpeg(1, 400, 300)[:2000], "cut off"),
    "only a beginning": (lambda: b"\x89PNG\r\n\x1a\n", "damaged"),
    "noise after the head": (lambda: jpeg()[:20] + bytes(range(256)) * 8, "damaged"),
    "huge": (huge, "too many pixels"),
    "another thing by its name": (lambda: b"%PDF-1.7 \x00\x01", "no picture, film, sound or text"),
    "noise": (lambda: bytes(range(256)) * 20, "no picture, film, sound or text"),
    "a program": (lambda: b"\x7fELF\x02\x01\x01\x00" + bytes(200), "no picture, film, sound or text"),
    "a film of pictures that was cut off": (lambda: moving()[:-2000], "cut off"),
    "nothing but a mark": (lambda: b"\xef\xbb\xbf", "empty but for"),
    "a broken film": (lambda: b"\x00\x00\x00\x18ftypmp42" + bytes(300), "damaged"),
    "a picture that nothing here opens": (lambda: encoded(image(8, 8), "AVIF"), "image/avif, which cannot be opened"),
    "a broken sound": (lambda: b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(6), "damaged"),
    "an archive": (lambda: b"PK\x03\x04" + bytes(100), "no picture, film, sound or text"),
}


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_opened_is_refused_and_leaves_nothing(ada: User, app: App, make: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as raised:
        services.add_input(ada, app, data=make(), name="photo.jpg")
    assert "photo.jpg" in raised.value.message
    assert not Input.objects.exists()
    assert not Blob.objects.exists()
    assert total(app) == 0
    gathered = blobs.upload_path("x").parent
    assert not gathered.exists() or list(gathered.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\u202eb.jpg", "\0\x07", "ключ 🔑.png", "x" * 400, "<b>.svg", "CON", "  ", "..", ""]
)
def test_names_of_every_character_are_kept_plain(ada: User, app: App, name: str) -> None:
    row = services.add_input(ada, app, data=jpeg(), name=name)
    row.refresh_from_db()
    assert "/" not in row.name
    assert row.name.isprintable()
    assert len(row.name) <= 255
    assert row.title.strip(" .")


def test_a_name_that_is_too_long_keeps_its_ending(ada: User, app: App) -> None:
    name = services.add_input(ada, app, data=jpeg(), name="x" * 300 + ".jpg").name
    assert (len(name), name[-5:]) == (255, "x.jpg")


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("Grüße, 世界".encode(), "Grüße, 世界", None),
        ("Grüße, 世界".encode("utf-8-sig"), "Grüße, 世界", "utf-8"),
        ("Grüße, 世界".encode("utf-16"), "Grüße, 世界", "utf-16"),
        ("Grüße, 世界".encode("utf-32"), "Grüße, 世界", "utf-32"),
        ("Grüße ohne Zeichen".encode("utf-16-be"), "Grüße ohne Zeichen", "utf-16-be"),
        ("Smiling \U0001f600 here".encode("utf-16-le"), "Smiling \U0001f600 here", "utf-16-le"),
        ("Grüße aus Köln".encode("latin-1"), "Grüße aus Köln", "windows-1252"),
        (b"<svg onload=alert(1)/>", "<svg onload=alert(1)/>", None),
    ],
    ids=["utf-8", "with a mark", "utf-16", "utf-32", "utf-16 unmarked", "with a smile", "latin", "svg"],
)
def test_texts_are_read_whatever_they_came_in(
    ada: User, app: App, data: bytes, text: str, encoding: str | None
) -> None:
    row = services.add_input(ada, app, data=data, name="words.txt")
    assert row.reference is not None
    assert (row.kind, stored(row).decode()) == ("text", text)
    assert (row.facts.get("encoding"), row.facts["excerpt"]) == (encoding if encoding != "utf-8" else None, text)


def test_a_text_that_is_given_as_one_is_kept_without_what_no_text_holds(ada: User, app: App) -> None:
    assert stored(services.add_input(ada, app, text="one\0 two")) == b"one two"


@pytest.mark.parametrize("encoding", ["koi8-r", "windows-1251", "gb18030", "shift-jis", "euc-kr"])
def test_no_nonsense_is_kept_of_other_alphabets_encodings(ada: User, app: App, encoding: str) -> None:
    words = {"gb18030": "今天天气很好", "shift-jis": "吾輩は猫である", "euc-kr": "오늘은 날씨가 좋아서"}
    with pytest.raises(InputError, match="as text in UTF-8, and add that"):
        services.add_input(ada, app, data=words.get(encoding, "Добрый день").encode(encoding), name="words.txt")
    assert total(app) == 0


def test_a_sound_has_a_length_and_a_course(ada: User, app: App) -> None:
    row = services.add_input(ada, app, data=sound(1.5), name="tone.wav")
    assert (row.kind, row.duration_s, row.has_thumbnail) == ("audio", 1.5, True)
    assert len(row.facts["peaks"]) == 400
    assert 0.5 < max(row.facts["peaks"]) <= 1


def test_a_film_has_a_length_a_size_and_a_frame_that_is_not_black(ada: User, app: App, tmp_path: Path) -> None:
    row = services.add_input(ada, app, data=film(tmp_path / "film.mp4"), name="film.mp4")
    assert (row.kind, row.width, row.height, row.has_thumbnail) == ("video", 64, 48, True)
    assert row.duration_s == pytest.approx(2.0, abs=0.2)
    assert row.facts["colours"][0]["hex"] > "#a0a0a0"


def test_a_film_without_pictures_is_a_sound(ada: User, app: App, tmp_path: Path) -> None:
    row = services.add_input(ada, app, data=film(tmp_path / "voice.mp4", with_picture=False))
    assert (row.kind, row.reference and row.reference.content_type) == ("audio", "audio/mp4")
    assert row.has_thumbnail
    assert row.facts["peaks"]


def test_a_sound_with_a_cover_is_a_sound(ada: User, app: App, tmp_path: Path) -> None:
    row = services.add_input(ada, app, data=film(tmp_path / "voice.mp4", with_picture=False, cover=jpeg()))
    assert (row.kind, row.reference and row.reference.content_type) == ("audio", "audio/mp4")
    assert (row.width, row.duration_s) == (None, pytest.approx(1.3, abs=0.2))


@pytest.mark.parametrize("setting", ["MAX_IMAGE_BYTES", "MAX_INPUT_AUDIO_BYTES", "MAX_INPUT_TEXT_BYTES"])
def test_what_is_too_large_is_refused_with_both_sizes(ada: User, app: App, settings: Any, setting: str) -> None:
    setattr(settings, setting, 100)
    data = {"MAX_IMAGE_BYTES": jpeg(), "MAX_INPUT_AUDIO_BYTES": sound(), "MAX_INPUT_TEXT_BYTES": b"word " * 99}[setting]
    with pytest.raises(InputError, match=r"large.dat: a .* may have at most 100 bytes; this one has \d") as raised:
        services.add_input(ada, app, data=data, name="large.dat")
    assert "Make it smaller" in raised.value.message


# -- twice --


def test_the_same_bytes_are_refused_by_name(ada: User, app: App, mate: User) -> None:
    first = services.add_input(ada, app, data=jpeg(), name="cup.jpg", slug="one")
    with pytest.raises(DuplicateError, match=r"cup.jpg has the same bytes already: input one") as raised:
        services.add_input(mate, app, data=jpeg(), name="copy.jpg")
    assert raised.value.existing == first
    assert total(app) == 1


def test_or_the_one_that_is_there_is_offered_or_both_are_kept_with_bytes_once(ada: User, app: App) -> None:
    first = services.add_input(ada, app, data=jpeg())
    assert services.add_input(ada, app, data=jpeg(), on_duplicate="offer") == first
    second = services.add_input(ada, app, data=jpeg(), on_duplicate="keep")
    assert second != first
    assert (total(app), Blob.objects.count()) == (2, 1)


def test_within_one_upload_too(ada: User, app: App) -> None:
    made = services.add_inputs(ada, app, [Given(data=jpeg(), name="a.jpg"), Given(data=jpeg(), name="b.jpg")])
    assert isinstance(made[0], Input)
    assert isinstance(made[1], DuplicateError)


def test_an_id_is_there_once(ada: User, app: App) -> None:
    services.add_input(ada, app, data=jpeg(1), slug="photo 1.final")
    with pytest.raises(DuplicateError, match=r"has an input photo 1\.final already"):
        services.add_input(ada, app, data=jpeg(2), slug="photo 1.final", on_duplicate="keep")
    with pytest.raises(InputError, match="cannot be an id"):
        services.add_input(ada, app, data=jpeg(3), slug="a/b")


def test_of_what_is_refused_no_bytes_stay(ada: User, app: App) -> None:
    services.add_input(ada, app, data=jpeg(1), slug="one")
    there = files()
    with pytest.raises(DuplicateError):
        services.add_input(ada, app, data=jpeg(2), slug="one")
    assert files() == there


def test_another_app_may_have_the_same(ada: User, app: App, stranger: User) -> None:
    services.add_input(ada, app, data=jpeg(), slug="one")
    other = services.add_input(stranger, stranger.apps.get(), data=jpeg(), slug="one")
    assert other.owner == stranger
    assert Blob.objects.count() == 1
    assert Reference.objects.count() == 2


# -- many, by whom, from where --


def test_many_are_kept_in_their_order_beside_those_that_are_not(ada: User, app: App) -> None:
    given = [Given(data=jpeg(number), name=f"{number}.jpg") for number in range(12)]
    given[5] = Given(data=b"\xff\xd8\xff broken", name="5.jpg")
    made = services.add_inputs(ada, app, given, job="batch")
    assert [one.name if isinstance(one, Input) else "refused" for one in made] == [
        *(f"{number}.jpg" for number in range(5)),
        "refused",
        *(f"{number}.jpg" for number in range(6, 12)),
    ]
    assert isinstance(made[5], InputError)
    job = AddJob.objects.get(app=app, slug="batch")
    assert (job.pending, job.succeeded, job.failed) == (0, 11, 1)
    newest = page(ada, app, Filter()).rows
    assert [row.name for row in newest][:3] == ["11.jpg", "10.jpg", "9.jpg"]
    assert Tally.objects.get(app=app, kind="image").count == 11


def test_members_add_and_viewers_and_strangers_do_not(app: App, mate: User, viewer: User, stranger: User) -> None:
    assert services.add_input(mate, app, data=jpeg()).owner == mate
    for user in (viewer, stranger):
        with pytest.raises(AccessError, match="needs a member"):
            services.add_input(user, app, text="hello")
        assert count(user, app, Filter()) == (1 if user == viewer else 0)


def test_an_upload_becomes_an_input_without_being_read_into_memory(ada: User, app: App) -> None:
    data = jpeg(7, 300, 200)
    upload = media.begin_upload(ada, name="whole.jpg", size=len(data))
    media.append_part(upload, 0, data)
    row = services.add_input(ada, app, upload=upload)
    assert (row.name, row.width) == ("whole.jpg", 300)
    assert not Upload.objects.exists()
    assert not blobs.upload_path(upload.pk).exists()


def test_an_upload_that_is_not_whole_can_go_on(ada: User, app: App) -> None:
    data = jpeg(8)
    upload = media.begin_upload(ada, name="whole.jpg", size=len(data))
    media.append_part(upload, 0, data[:100])
    with pytest.raises(ConflictError, match="100 of"):
        services.add_input(ada, app, upload=upload)
    media.append_part(upload, 100, data[100:])
    assert stored(services.add_input(ada, app, upload=upload)) == data


def test_an_upload_that_is_refused_is_gone(ada: User, app: App) -> None:
    upload = media.begin_upload(ada, name="half.jpg", size=3)
    media.append_part(upload, 0, b"\xff\xd8\xff")
    with pytest.raises(InputError):
        services.add_input(ada, app, upload=upload)
    assert not Upload.objects.exists()


def test_a_stored_file_becomes_an_input(ada: User, app: App, mate: User) -> None:
    reference = media.store(jpeg(), ada, "stored.jpg")
    row = services.add_input(ada, app, reference=reference.pk)
    reference.refresh_from_db()
    assert (row.reference, reference.is_held, row.name) == (reference, True, "stored.jpg")
    with pytest.raises(PlaygroundError, match="not yours"):
        services.add_input(mate, app, reference=reference.pk)


def test_exactly_one_thing_is_given(ada: User, app: App) -> None:
    with pytest.raises(InputError, match="one of"):
        services.add_input(ada, app)
    with pytest.raises(InputError, match="one of"):
        services.add_input(ada, app, text="a", data=b"b")


def test_metadata_is_plain_json_of_a_bounded_size(ada: User, app: App) -> None:
    for metadata in ({"a": object()}, {"a": "x" * 200_000}):
        with pytest.raises(InputError, match="Metadata"):
            services.add_input(ada, app, text="hello", metadata=metadata)
    row = services.add_input(ada, app, text="hello", metadata={"a": float("nan"), "b": "x\0y"})
    row.refresh_from_db()
    assert row.metadata == {"a": None, "b": "xy"}


def test_a_full_disk_is_told_and_leaves_nothing(ada: User, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.media.storage.shutil.copyfileobj", full)
    with pytest.raises(PlaygroundError, match="disk is full"):
        services.add_input(ada, app, data=io.BytesIO(jpeg()))
    assert not Input.objects.exists()
    assert files() == []


def files() -> list[str]:
    """All that lies in the folder for media."""
    paths = blobs.upload_path("x").parents[1].rglob("*")
    return sorted(path.name for path in paths if path.is_file() and path.name != ".lock")


def test_samples_are_put_once(ada: User, app: App) -> None:
    assert services.ensure_samples(app) == 6
    names = [row.name for row in page(ada, app, Filter()).rows]
    assert names == ["astronaut.jpg", "camera.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg", "playground.txt"]
    services.delete_inputs(ada, list(Input.objects.all()))
    services.purge(at_once=True)
    assert services.ensure_samples(app) == 0
    assert Reference.objects.filter(is_sample=True).count() == 5
