"""What a search prints, and pictures in characters."""

import io
from uuid import UUID

import pytest
from PIL import Image
from rich.console import Console

from nearimage.cli.hits import Answer, as_lines, print_table
from nearimage.cli.thumbnails import UPPER_HALF, shows_thumbnails, thumbnail_of
from nearimage.domain.objects import Hit, PropertyValue, Record
from nearimage.domain.schema import Collection

ID = UUID(int=1)


def answer(**properties: PropertyValue) -> Answer:
    hit = Hit(record=Record(id=ID, properties=properties), distance=0.25, certainty=0.875)
    return Answer(collection=Collection(name="Pictures"), target="picture", place="the fake", took_ms=1.5, hits=[hit])


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (255, 0, 0)).save(out, "PNG")
    return out.getvalue()


def terminal(system: str) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=True, color_system=system, width=80, legacy_windows=False), out  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("properties", "shown"),
    [({"path": "/a/b.jpg", "name": "b.jpg"}, "/a/b.jpg"), ({"name": "b"}, "b"), ({}, str(ID)), ({"path": "/a\tb\n.jpg"}, "/a b .jpg")],
)
def test_a_pipe_gets_one_line_a_hit(properties: dict[str, PropertyValue], shown: str) -> None:
    """`cut -f3` must give the file, whatever its name has in it."""
    assert as_lines(answer(**properties)) == f"1\t0.2500\t{shown}"


def test_a_table_shows_other_texts_where_there_is_no_path() -> None:
    """Collections made by clients have captions instead."""
    console, out = terminal("standard")
    print_table(console, answer(caption="a cat", name="Tom", weight=3), {})

    assert "Tom" in out.getvalue()
    assert "a cat" in out.getvalue()


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    """A file called [red].jpg must not turn the terminal red, nor raise."""
    console, out = terminal("standard")
    print_table(console, answer(name="[/bold] [red].jpg"), {})

    assert "[/bold] [red].jpg" in out.getvalue()


@pytest.mark.parametrize(("size", "expected"), [((300, 200), (24, 8)), ((200, 300), (11, 8)), ((1000, 1), (24, 1)), ((1, 1000), (1, 8)), ((1, 1), (16, 8))])
def test_a_thumbnail_keeps_its_shape_within_the_box(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Two pixels a character; a panorama has at least one line."""
    rows = thumbnail_of(jpeg(*size)).rows

    assert (len(rows[0]), len(rows) // 2) == expected
    assert {colour for row in rows for colour in row} == {(255, 0, 0)}


def test_a_thumbnail_is_printed_as_half_blocks_in_colour() -> None:
    """Front and ground colour carry a pixel each."""
    console, out = terminal("truecolor")
    console.print(thumbnail_of(jpeg(4, 4), width=2, height=1))

    assert out.getvalue().splitlines()[0].count(UPPER_HALF) == 2
    assert "38;2;255;0;0;48;2;255;0;0" in out.getvalue()


@pytest.mark.parametrize(("system", "shown"), [("truecolor", True), ("256", True), ("standard", False)])
def test_thumbnails_need_colours(system: str, shown: bool) -> None:
    """With sixteen colours a face is a blot."""
    assert shows_thumbnails(terminal(system)[0]) is shown
