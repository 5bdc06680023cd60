"""Pages, filters, search, counts and neighbours: the same inputs in the same order, however they are looked up."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.http import QueryDict

from inputs import services
from inputs.models import Input
from inputs.queries import ORDERS, Filter, around, conditions, count, facets, find_app, find_input, ids, narrowed, page
from inputs.services import Given
from playground.protocol.errors import InputError, NotFoundError
from tests.inputs.making import jpeg

if TYPE_CHECKING:
    from playground.catalog.models import App, User

COUNT = 30


@pytest.fixture
def shelf(ada: User, app: App) -> App:
    """Thirty inputs: two of three are texts; every second one is a cup, every third one red, but for 6."""
    given = []
    for number in range(COUNT):
        concepts = [("cup", 1.0)] if number % 2 == 0 else []
        concepts += [("red", 0.9 if number != 6 else 0.0)] if number % 3 == 0 else []
        kept = (
            {"data": jpeg(number, 16, 12)}
            if number % 3 == 0
            else {"text": f"Note {number} about harbours\nand Ähren, harbingers"}
        )
        given.append(
            Given(
                **kept,  # type: ignore[arg-type]
                slug=f"n{number:02}",
                name=f"{chr(97 + number % 5)}_IMG-{number:04}.{'jpg' if number % 3 == 0 else 'txt'}",
                concepts=concepts,
                datasets=["even"] if number % 2 == 0 else ["odd"],
                metadata={"camera": {"iso": 100 * (number % 4)}, "tags": ["a", f"t{number % 2}"]},
            )
        )
    services.add_inputs(ada, app, given)
    for row in Input.objects.filter(app=app):
        day = 1 + int(row.slug[1:])
        Input.objects.filter(pk=row.pk).update(created_at=datetime(2026, 1, day, 12, tzinfo=UTC))
    return app


def wanted(query: str) -> Filter:
    return Filter.from_query(QueryDict(query))


def numbers(rows: list[Input]) -> list[int]:
    return [int(row.slug[1:]) for row in rows]


FILTERS = {
    "": range(30),
    "type=image": range(0, 30, 3),
    "type=image&type=text": range(30),
    "type=video": [],
    "concept=cup": range(0, 30, 2),
    "concept=cup&concept=red": [0, 12, 18, 24],  # 6 is said not to be red
    "any=cup&any=red": sorted({*range(0, 30, 2), *range(0, 30, 3)}),
    "not=cup": range(1, 30, 2),
    "concept=red&not=cup": [3, 9, 15, 21, 27],
    "not=unheard-of": range(30),
    "concept=unheard-of": [],
    "dataset=odd": range(1, 30, 2),
    "dataset=odd&dataset=even": range(30),
    "dataset=none": [],
    "metadata=camera.iso%3D300": range(3, 30, 4),
    "metadata=tags%3Dt1": range(1, 30, 2),
    "metadata=tags%3Dt1&metadata=camera.iso%3D100": range(1, 30, 4),
    "metadata=camera.iso%3D999": [],
    "from=2026-01-29": [28, 29],
    "to=2026-01-02": [0, 1],
    "from=2026-01-10&to=2026-01-12": [9, 10, 11],
    "q=harbour": [n for n in range(30) if n % 3],
    "q=about&metadata=tags%3Dt0": [n for n in range(0, 30, 2) if n % 3],
    "q=HARB+note": [n for n in range(30) if n % 3],
    "q=ahren": [n for n in range(30) if n % 3],
    "q=%22about+harb%22": [n for n in range(30) if n % 3],
    "q=%22harbours+about%22": [],
    "q=img-0007": [7],
    "q=n07": [7],
    "q=0007.txt": [7],
    "q=unheard": [],
    "q=%C2%A7%25": [],
    "q=%22%22+OR+NEAR(+%2A": [],
    "q=harbour&concept=cup&dataset=even&type=text": [n for n in range(0, 30, 2) if n % 3],
    "q=note&metadata=tags%3Dt0&from=2026-01-20": [20, 22, 26, 28],
}


@pytest.fixture(params=[True, False], ids=["narrow", "broad"])
def _breadth(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How narrow the parts of a filter are taken to be: all of them, or none."""
    if not request.param:
        monkeypatch.setattr(conditions, "FEW", 3)
        monkeypatch.setattr("inputs.search._MAX_ENDINGS", 0)
        monkeypatch.setattr("inputs.nearest.NEAR", 4)


@pytest.mark.usefixtures("_breadth")
def test_each_filter_gives_its_inputs_in_order(ada: User, shelf: App) -> None:
    for order, (query, expected) in itertools.product(ORDERS, FILTERS.items()):
        asked = wanted(f"{query}&order={order}")
        found = list(expected)
        if order == "newest":
            found.reverse()
        elif order == "name":
            found.sort(key=lambda number: (chr(97 + number % 5), number))
        assert numbers(page(ada, shelf, asked).rows) == found, query
        assert numbers([Input.objects.get(pk=pk) for pk in ids(ada, shelf, asked)]) == found, query
        assert count(ada, shelf, asked) == len(found), query
        assert wanted(asked.to_query()) == asked


PAGED = ("", "concept=cup", "q=note", "order=name", "q=harbour&order=name", "q=note&order=oldest", "not=cup&type=text")


@pytest.mark.usefixtures("_breadth")
def test_pages_follow_one_another_both_ways(ada: User, shelf: App) -> None:
    for query in PAGED:
        check_pages(ada, shelf, wanted(query))


def check_pages(ada: User, shelf: App, asked: Filter) -> None:
    whole = numbers(page(ada, shelf, asked).rows)
    there, after, pages = [], "", []
    while True:
        one = page(ada, shelf, asked, after=after, limit=4)
        pages.append(one)
        there += numbers(one.rows)
        if not one.next:
            break
        after = one.next
    assert there == whole
    assert pages[0].previous == ""
    back, before = numbers(pages[-1].rows), pages[-1].previous
    while before:
        one = page(ada, shelf, asked, before=before, limit=4)
        back = numbers(one.rows) + back
        before = one.previous
    assert back == whole
    assert numbers(page(ada, shelf, asked, skip=5, limit=3).rows) == whole[5:8]


def test_an_input_has_its_neighbours_and_its_place(ada: User, shelf: App) -> None:
    for query in ("", "concept=cup", "q=note", "order=name"):
        check_neighbours(ada, shelf, wanted(query))
    first = page(ada, shelf, wanted("")).rows[0]
    assert around(ada, first, wanted("")).previous is None
    outside = Input.objects.get(slug="n03")
    assert around(ada, outside, wanted("concept=cup")).place is None


def check_neighbours(ada: User, shelf: App, asked: Filter) -> None:
    rows = page(ada, shelf, asked).rows
    for place in (0, 1, 9, len(rows) - 1):
        beside = around(ada, rows[place], asked, reach=2)
        assert numbers(beside.before) == numbers(rows[max(0, place - 2) : place][::-1])
        assert numbers(beside.after) == numbers(rows[place + 1 : place + 3])
        assert beside.place == place + 1


def test_what_is_said_in_an_address_must_make_sense() -> None:
    for query, words in {
        "type=smell": "type: one of image",
        "order=random": "order: one of newest",
        "from=yesterday": "from: a day like",
        "to=0001-01-01": "to: a day like",
        "metadata=iso": "metadata: key=value",
        "&".join(f"concept={n}" for n in range(30)): "concept: at most 20",
    }.items():
        with pytest.raises(InputError, match=words):
            wanted(query)


def test_a_cursor_is_one_of_ours(ada: User, app: App) -> None:
    for cursor in ("x", "W10", "bnVsbA", "WzEsMl0x", "WyJhIiwiYiJd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LDFd"):
        with pytest.raises(InputError, match="no place in a list"):
            page(ada, app, wanted(""), after=cursor)


def test_counts_past_ten_thousand_say_so(ada: User, shelf: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inputs.queries.pages.COUNTED", 10)
    monkeypatch.setattr(conditions, "FEW", 3)
    assert count(ada, shelf, wanted("concept=cup")) == "10,000+"
    assert count(ada, shelf, wanted("q=note")) == "10,000+"
    assert count(ada, shelf, wanted("type=image")) == 10
    assert count(ada, shelf, wanted("")) == 30


def test_facets_count_what_is_there(ada: User, shelf: App, stranger: User) -> None:
    services.delete_inputs(ada, Input.objects.filter(slug__in=["n00", "n01"]))
    found = facets(ada, shelf)
    assert {one.id: one.count for one in found.types} == {"image": 9, "text": 19, "video": 0, "audio": 0}
    assert {one.id: one.count for one in found.concepts} == {"cup": 14, "red": 8}
    assert {one.id: one.count for one in found.datasets} == {"even": 14, "odd": 14}
    assert facets(stranger, shelf).types == []


@pytest.mark.parametrize(
    ("query", "types", "concepts", "datasets"),
    [
        ("type=image", (10, 20), (5, 9), (5, 5)),
        ("q=note", (0, 20), (10, 0), (10, 10)),
        ("concept=cup", (5, 10), (15, 4), (15, 0)),
        ("any=red", (9, 0), (15, 9), (4, 5)),
        ("dataset=odd&type=image", (5, 10), (0, 5), (5, 5)),
        ("q=unheard", (0, 0), (0, 0), (0, 0)),
    ],
)
def test_facets_are_counted_within_the_filter(
    ada: User,
    shelf: App,
    query: str,
    types: tuple[int, int],
    concepts: tuple[int, int],
    datasets: tuple[int, int],
) -> None:
    """What was chosen of a facet of which one is enough leaves its other counts as they are."""
    found = narrowed(ada, shelf, wanted(query), facets(ada, shelf))
    counts = [{one.id: one.count for one in facet} for facet in (found.types, found.concepts, found.datasets)]
    assert counts[0] == dict(zip(("image", "text"), types, strict=True)) | {"video": 0, "audio": 0}
    assert counts[1] == dict(zip(("cup", "red"), concepts, strict=True))
    assert counts[2] == dict(zip(("even", "odd"), datasets, strict=True))


def test_facets_among_very_many_say_the_least(ada: User, shelf: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inputs.queries.narrowing.FEW", 12)
    found = narrowed(ada, shelf, wanted("q=note"), facets(ada, shelf))
    assert {one.id: one.count for one in found.datasets} == {"even": "6+", "odd": "6+"}
    assert {one.id: one.count for one in found.concepts} == {"cup": "6+", "red": ""}


def test_only_who_has_a_role_sees_anything(ada: User, shelf: App, viewer: User, stranger: User) -> None:
    shelf.visibility = 50
    shelf.save()
    assert len(page(viewer, shelf, wanted("")).rows) == COUNT
    assert page(stranger, shelf, wanted("")).rows == []
    assert page(stranger, shelf, wanted("q=note")).rows == []
    assert count(stranger, shelf, wanted("")) == 0
    with pytest.raises(NotFoundError, match="No app ada/main for you"):
        find_app(stranger, "ada/main")
    with pytest.raises(NotFoundError, match="No input n00 for you"):
        find_input(stranger, "n00")


def test_an_input_is_looked_for_in_ones_own_app_first(ada: User, shelf: App, viewer: User, stranger: User) -> None:
    own = services.add_input(stranger, stranger.apps.get(), text="mine", slug="n00")
    assert find_input(stranger, "n00") == own
    assert find_input(viewer, "n00").app == shelf
    assert find_input(ada, "n00", "ada/main").app == shelf
    assert find_app(viewer) == shelf
    assert find_app(stranger).owner == stranger
    with pytest.raises(NotFoundError):
        find_input(viewer, "n00", "stranger/main")
