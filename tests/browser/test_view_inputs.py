"""The Input-Viewer in Chromium: predict on a picture in place, page on, accept; draw and name boxes by keys alone."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from playground.sdk import Client
from tests.browser.conftest import BENCH
from tests.browser.film import make_steps
from tests.browser.test_be_open_to_all import check

if TYPE_CHECKING:
    from tests.live import Stack

SLOW = 60_000
ADD = """
from inputs.services import add_input
from playground.catalog.models import App
from playground.media.services import SAMPLES
app = App.objects.get(owner__username="owner", slug="main")
for name in ("coffee", "chelsea", "astronaut"):
    data = (SAMPLES / f"{name}.jpg").read_bytes()
    add_input(app.owner, app, slug=f"viewed-{name}", data=data, name=f"{name}.jpg", datasets=["viewed"],
              on_duplicate="keep")
add_input(app.owner, app, slug="viewed-words", text="Good morning, harbour.", name="words.txt", datasets=["viewed"])
"""
ADD_FILM = """
from pathlib import Path
from django.db import transaction
from inputs.services import add_input
from playground.catalog.models import App
from playground.catalog.workflows import add_workflow
from playground.compute.models import Nodepool
from playground.compute.services import create_deployment, delete_deployments
app = App.objects.select_related("owner").get(owner__username="owner", slug="main")
add_input(app.owner, app, slug="viewed-film", data=Path({path!r}).read_bytes(), name="film.webm", on_duplicate="keep")
with transaction.atomic():
    hello, shared = app.models.get(slug="hello"), Nodepool.objects.get(is_shared=True)
    create_deployment(app.owner, "night-shift", hello, nodepools=[shared])
    add_workflow(app.owner, app, {workflow!r})
    delete_deployments(app.owner, ["night-shift"])
"""
ADD_DOOMED = """
from pathlib import Path
from inputs.services import add_input
from playground.catalog.services import add_model, ensure_owner
from playground.compute.services import ensure_shared_deployment
user, app = ensure_owner()
ensure_shared_deployment(add_model(app, Path({bench!r}), model_id="doomed-{name}").model)
for number in range(3):
    add_input(app.owner, app, slug=f"viewed-{name}{{number}}", text=f"{name} {{number}}", name=f"{name}{{number}}.txt")
"""
HALF = """\
workflow:
  id: half-seen
  nodes:
    - id: find
      model: {model_id: everything}
      method: give_regions
    - id: count
      model: {model_id: hello}
      deployment: night-shift
      prompt: "How many are {find}?"
      node_inputs: [{node_id: find}]
"""
# Which of the film's pictures is on screen, by its brightness, and what is drawn over it.
LOOK = """(film) => {
  const pen = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d");
  pen.drawImage(film, 0, 0, 8, 8);
  const picture = Math.round((pen.getImageData(4, 4, 1, 1).data[0] - 10) / 12);
  const box = document.querySelector(".overlay rect.box:not(.box--under)");
  return [picture, document.querySelector(".overlay .box__label")?.textContent ?? "", Number(box?.getAttribute("x"))];
}"""
# What is drawn as each picture comes, with the time of that; on a busy machine another is on screen by then.
PLAY = f"""async (film) => {{
  const look = {LOOK};
  const seen = [];
  const ended = new Promise((on) => film.addEventListener("ended", () => on(null)));
  film.muted = true;
  film.play();
  const next = () => new Promise((on) => film.requestVideoFrameCallback((_, {{ mediaTime }}) => on(mediaTime)));
  for (let at; (at = await Promise.race([ended, next()])) !== null; ) seen.push([at * 10, ...look(film).slice(1)]);
  return seen;
}}"""
SEEK = f"""async (film, time) => {{
  const shown = new Promise((on) => film.requestVideoFrameCallback(() => on(({LOOK})(film))));
  film.currentTime = time;
  return shown;
}}"""
OVERLAY = ".overlay rect.box:not(.box--under)"
METHODS = {"clocked": "→ text", "give_film": "→ frames", "give_regions": "→ regions"}
FACTS = "document.querySelector('input-viewer').input"
UNSAY = """async () => {
  const viewer = document.querySelector("input-viewer");
  const ids = viewer.input.annotations.map(({ id }) => id);
  if (ids.length) await viewer.unannotate(viewer.input, ids);
}"""


@pytest.fixture(scope="module")
def inputs(stack: Stack) -> str:
    """Three pictures and a text in a dataset of their own; the newest is the text. Gives the filter."""
    stack.manage("shell", "--no-imports", "-c", ADD)
    stack.wait_ready("nanodet", patience=200)
    return "?dataset=viewed"


@pytest.fixture(scope="module")
def film(stack: Stack, everything: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A film, and a workflow of which one node has no deployment."""
    path = tmp_path_factory.mktemp("film") / "film.webm"
    path.write_bytes(make_steps())
    stack.manage("shell", "--no-imports", "-c", ADD_FILM.format(path=str(path), workflow=HALF))
    return "film"


def open_input(page: Page, slug: str, query: str) -> None:
    page.goto(f"/inputs/viewed-{slug}/{query}")
    page.wait_for_selector("input-viewer[data-begun]")


def choose(page: Page, name: str, method: str = "", other: str = "") -> None:
    """By keys alone; ``other`` is the tab that it is found in where that is not the one which is open."""
    page.keyboard.press("c")
    expect(page.get_by_role("searchbox", name="Search models and workflows")).to_be_focused()
    page.keyboard.type(name)
    if other:
        expect(page.get_by_role("button", name=f"Show 1 {other}")).to_be_visible()
        page.keyboard.press("Enter")
    expect(page.locator("[data-entry]")).to_have_count(1)
    expect(page.locator("[data-entry]")).to_have_attribute("data-name", name)
    page.keyboard.press("Enter")
    use = page.get_by_role("button", name=f"Use {name}")
    expect(use).to_be_enabled()
    if method:
        page.get_by_label("Method", exact=True).select_option(method)
        expect(page.locator("model-chooser .field__hint").first).to_contain_text(METHODS[method])
        expect(use).to_be_enabled()
    use.press("Enter")
    expect(page.locator("model-chooser")).to_have_count(0)


def test_a_picture_is_predicted_on_in_place(page: Page, inputs: str) -> None:
    open_input(page, "chelsea", inputs)
    expect(page.locator("[data-position]")).to_have_text(re.compile("3 of 4"))
    page.get_by_role("switch", name="Predict mode").check()
    choose(page, "nanodet")
    predict = page.get_by_role("button", name="Predict", exact=False).last
    expect(predict).to_be_focused()
    page.keyboard.press("p")
    rows = page.locator("[data-region-rows] .region")
    expect(page.locator("[data-region-rows]")).to_contain_text("cat", timeout=SLOW)
    expect(page.locator("[data-route]")).to_contain_text("Served by Shared")
    expect(page.locator(OVERLAY).first).to_have_class(re.compile("box--model"))
    drawn = page.locator(OVERLAY).count()
    rows.first.locator(".region__main").hover()
    expect(page.locator(".overlay .box--hot")).to_have_count(1)
    rows.first.get_by_role("button", name="Hide").click()
    expect(page.locator(OVERLAY)).to_have_count(drawn - 1)
    rows.first.get_by_role("button", name="Show").click()
    page.keyboard.press("h")
    expect(page.locator(OVERLAY)).to_have_count(0)
    page.keyboard.press("h")
    page.get_by_label("Threshold", exact=True).fill("1")
    page.get_by_label("Threshold", exact=True).press("Enter")
    expect(page.locator("[data-count]")).to_have_text(re.compile(f"0 of {drawn} region"))
    expect(page.locator(OVERLAY)).to_have_count(0)
    page.get_by_label("Threshold", exact=True).fill("0.2")
    page.get_by_label("Threshold", exact=True).press("Enter")
    page.get_by_role("switch", name="Auto: predict as I browse").check()
    page.keyboard.press("ArrowRight")  # by which one comes to the next, and it is predicted on by itself
    expect(page.locator("h1")).to_have_text("coffee.jpg")
    assert page.url.endswith(f"/inputs/viewed-coffee/{inputs}")
    expect(rows.first).to_contain_text("cup", timeout=SLOW)
    page.get_by_role("switch", name="Auto: predict as I browse").uncheck()
    expect(page.locator("[data-accept-all]")).to_be_visible()  # it is kept
    page.reload()
    expect(rows.first).to_contain_text("cup")  # kept beside the input
    check(page)


def test_a_selection_is_predicted_on_one_by_one(page: Page, inputs: str) -> None:
    page.goto(f"/inputs/{inputs}")
    page.wait_for_selector("inputs-manager[data-live]")
    for name in ("coffee", "astronaut"):
        page.get_by_role("checkbox", name=f"Choose {name}.jpg").check()
    page.get_by_role("button", name="Predict", exact=True).click()
    page.wait_for_selector("input-viewer[data-begun]")
    expect(page.locator("h1")).to_have_text("astronaut.jpg")
    expect(page.get_by_role("switch", name="Predict mode")).to_be_checked()
    expect(page.locator("[data-position]")).to_contain_text("1 of 2 selected")
    expect(page.locator("[data-film] a")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("coffee.jpg")
    expect(page.locator("[data-position]")).to_contain_text("2 of 2 selected")
    expect(page.locator("[data-go=next]").first).to_be_disabled()
    page.reload()
    expect(page.locator("[data-position]")).to_contain_text("2 of 2 selected")


def test_what_is_right_is_accepted_and_can_be_taken_back(page: Page, inputs: str) -> None:
    open_input(page, "coffee", inputs)
    if not page.get_by_role("switch", name="Predict mode").is_checked():
        page.keyboard.press("t")
    choose(page, "nanodet")
    page.keyboard.press("p")
    accept = page.locator("[data-accept-all]")
    expect(accept).to_be_visible(timeout=SLOW)
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Accepted")
    page.keyboard.press("t")
    own = page.locator("[data-own-rows] .region")
    expect(own.first).to_contain_text("cup")
    expect(page.locator(OVERLAY).first).not_to_have_class(re.compile("box--model"))
    page.get_by_role("button", name="More", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Export as COCO")).click()
    coco = json.loads(download.value.path().read_text())
    assert coco["annotations"][0]["bbox"]
    assert "cup" in {one["name"] for one in coco["categories"]}
    page.get_by_role("button", name="Undo").click()
    expect(own).to_have_count(0)


def test_boxes_are_drawn_and_named_by_hand_and_by_keys(page: Page, inputs: str) -> None:
    open_input(page, "astronaut", inputs)
    own = page.locator("[data-own-rows] .region")
    page.evaluate(UNSAY)
    expect(own).to_have_count(0)
    page.keyboard.press("b")
    frame = page.locator(".viewer__frame").bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + 100, frame["y"] + 100)
    page.mouse.down()
    page.mouse.move(frame["x"] + 300, frame["y"] + 260, steps=3)
    page.mouse.up()
    page.keyboard.type("person")
    page.keyboard.press("Enter")
    expect(own).to_have_count(1)
    page.reload()
    page.wait_for_selector("input-viewer[data-begun]")
    page.mouse.move(frame["x"] + 101, frame["y"] + 160)
    expect(own).to_have_class(re.compile("region--hot"))  # the list and the picture speak of the same
    page.mouse.click(frame["x"] + 101, frame["y"] + 160)
    expect(page.get_by_role("application", name="Box of person")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Place").press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("helmet")
    page.keyboard.press("Enter")
    expect(own).to_have_count(2)
    placed = page.evaluate(f"{FACTS}.annotations.at(-1).box.map((edge) => Math.round(edge * 100))")
    assert placed == [34, 35, 64, 66]
    page.get_by_label("Concept of the whole").fill("portrait")
    page.get_by_label("Concept of the whole").press("Enter")
    expect(page.locator("[data-own-concepts]")).to_contain_text("portrait")
    check(page, is_idle=True)
    own.last.get_by_role("button", name="Remove").press("Enter")
    expect(own).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(own).to_have_count(2)


def test_a_text_is_read_and_spoken_about(page: Page, inputs: str) -> None:
    open_input(page, "words", inputs)
    expect(page.get_by_role("region", name="Text of words.txt")).to_contain_text("harbour")
    page.keyboard.press("t")
    page.keyboard.press("c")
    page.wait_for_selector("model-chooser [data-use]:not([disabled])")
    dim = page.locator("[data-entry][data-name=nanodet]")
    expect(dim).to_contain_text("Takes a picture; this input is text")
    expect(dim).to_have_attribute("aria-disabled", "true")
    check(page, is_idle=True)
    page.keyboard.press("Escape")
    choose(page, "hello")
    page.keyboard.press("p")
    expect(page.locator("[data-rest]")).to_contain_text("harbour", timeout=SLOW)


def test_a_failure_is_told_where_one_looks(page: Page, stack: Stack, inputs: str) -> None:
    open_input(page, "words", inputs)
    page.keyboard.press("t")
    choose(page, "hello")
    page.evaluate(f"{FACTS}.original = '/inputs/files/nothing/original'")
    page.keyboard.press("p")
    expect(page.locator("[data-outcome]")).to_contain_text("The text cannot be read now")
    check(page, is_idle=True)


def test_a_films_regions_lie_on_the_picture_that_is_on_screen(page: Page, inputs: str, film: str) -> None:
    open_input(page, film, "")
    page.keyboard.press("t")
    choose(page, "everything", "give_film")
    page.keyboard.press("p")
    row = page.locator("[data-region-rows] .region")
    expect(row).to_contain_text("second 0.0", timeout=SLOW)
    expect(row).to_contain_text("#7")
    expect(page.locator("[data-accept-hint]")).to_contain_text("an annotation speaks of the whole film")
    player = page.locator("video.viewer__picture")
    seen = player.evaluate(PLAY)
    assert len({round(picture) for picture, _, _ in seen}) > 2, seen
    seen += [player.evaluate(SEEK, second) for second in (0.05, 1.05, 0.65, 1.85)]
    for picture, label, left in seen:
        second = round(picture) // 2 / 5
        assert label.startswith(f"second {second:.1f} #7"), seen
        assert abs(left - second / 4) < 0.001, seen
    page.locator("h1").click()
    row.get_by_role("button", name="Hide").press("Enter")
    player.evaluate(SEEK, 0.45)
    expect(row).to_contain_text("second 0.4")
    expect(page.locator(OVERLAY)).to_have_count(0)  # the same thing is hidden on each of its frames


def test_outlines_and_masks_are_accepted_and_half_a_workflow_is_kept(page: Page, inputs: str, film: str) -> None:
    open_input(page, "astronaut", inputs)
    own = page.evaluate(f"{FACTS}.annotations.length")
    page.keyboard.press("t")
    choose(page, "everything", "give_regions")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Accept 4")).to_be_visible(timeout=SLOW)
    expect(page.locator("[data-accept-hint]")).to_contain_text("Points are not accepted")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Accepted 4 annotations")
    boxes = page.evaluate(f"{FACTS}.annotations.slice({own}).map((one) => one.box)")
    assert boxes == [[0.1, 0.2, 0.5, 0.7], [0.6, 0.1, 0.9, 0.5], [0.5, 0.5, 1, 1], [0.55, 0.8, 0.95, 0.95]]
    page.get_by_role("button", name="Undo").click()

    choose(page, "half-seen", other="workflow")
    page.keyboard.press("p")
    told = page.locator("[data-outcome]")
    expect(told).to_contain_text("Partly failed: 1 of 2 nodes answered.", timeout=SLOW)
    expect(page.get_by_role("button", name="Accept 4")).to_be_visible()  # it is kept
    page.reload()
    expect(told).to_contain_text("count failed: No deployment night-shift for you.")
    expect(told).to_contain_text("What find gave is shown and kept.")
    page.get_by_label("Threshold", exact=True).fill("0.6")
    page.get_by_label("Threshold", exact=True).press("Enter")
    expect(page.locator("[data-count]")).to_have_text("3 of 6 regions")
    check(page)


@pytest.fixture
def doomed(stack: Stack) -> str:
    """Three texts, the newest the last, and a model, by a name of their own: they are deleted."""
    name = secrets.token_hex(4)
    stack.manage("shell", "--no-imports", "-c", ADD_DOOMED.format(bench=str(BENCH), name=name))
    return name


class Keeping:
    """What asks to keep what was found is held back until ``let_go``."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._held: list[Route] = []
        self._is_open = False
        page.route("**/predictions*", self._hold)

    def _hold(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self._held.append(route)

    def let_go(self) -> None:
        expect(self._page.locator("[data-predict-words]")).to_have_text("Predict", timeout=SLOW)  # the run has ended
        self._is_open = True
        for route in self._held:
            route.continue_()


def predict_slowly(page: Page, name: str) -> Keeping:
    keeping = Keeping(page)
    page.keyboard.press("t")
    choose(page, name, "clocked")
    page.keyboard.press("p")
    expect(page.locator("[data-rest]")).to_contain_text(re.compile("[0-9]{6}"), timeout=SLOW)
    return keeping


def test_an_input_is_deleted_while_it_is_predicted_on(page: Page, stack: Stack, doomed: str) -> None:
    open_input(page, f"{doomed}2", "")
    keeping = predict_slowly(page, "bench")
    with Client(f"http://{stack.api}", stack.token) as client:
        client.inputs.delete(f"viewed-{doomed}2")
    keeping.let_go()
    told = page.locator("[data-outcome]")
    expect(told).to_contain_text(f"{doomed}2.txt was deleted meanwhile.", timeout=SLOW)
    expect(page.locator("[data-rest]")).to_contain_text(re.compile("([0-9]{6,} ){50}"))  # all of it stays on the page
    check(page, is_idle=True)
    page.keyboard.press("p")
    expect(told).to_contain_text("Nothing was run.")
    told.get_by_role("button", name="Next input").click()
    expect(page.locator("h1")).to_have_text(f"{doomed}1.txt")
    expect(told).to_be_empty()


def test_what_was_loaded_ahead_is_deleted_before_its_turn(page: Page, stack: Stack, doomed: str) -> None:
    with page.expect_response(re.compile(f"viewed-{doomed}1/")):
        open_input(page, f"{doomed}2", "")
    with Client(f"http://{stack.api}", stack.token) as client:
        client.inputs.delete(f"viewed-{doomed}1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text(f"{doomed}1.txt")
    expect(page.locator("[data-overlay-words]")).to_contain_text("This input was deleted meanwhile")
    check(page, is_idle=True)
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text(f"{doomed}0.txt")
    expect(page.locator("[data-overlay-words]")).to_be_hidden()
    expect(page.locator(f"[data-film] a[title='{doomed}1.txt']")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_have_text(f"{doomed}2.txt")


def test_a_model_is_deleted_while_it_answers(page: Page, stack: Stack, doomed: str) -> None:
    stack.wait_ready(f"doomed-{doomed}")
    open_input(page, f"{doomed}0", "")
    keeping = predict_slowly(page, f"doomed-{doomed}")
    with Client(f"http://{stack.api}", stack.token) as client:
        client.models.delete(f"owner/main/models/doomed-{doomed}")
    keeping.let_go()
    told = page.locator("[data-outcome]")
    expect(told).to_contain_text(f"doomed-{doomed} was deleted meanwhile.", timeout=SLOW)
    expect(page.locator("[data-place-slot]")).to_contain_text("Choose another.")
    expect(page.locator("[data-rest]")).to_contain_text(re.compile("([0-9]{6,} ){50}"))
    page.locator("h1").click()
    page.keyboard.press("p")
    expect(told).to_contain_text(f"No model owner/main/models/doomed-{doomed} for you.")
    told.get_by_role("button", name="Choose another").click()
    expect(page.get_by_role("searchbox", name="Search models and workflows")).to_be_focused()
