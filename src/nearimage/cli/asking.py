"""Ask a database what the user wants to find.

    the path of a file --bytes--> NearMedia --.
                                              +--> Search --connection--> Answer
    anything else ---------------> NearText --'

May import click, pybase64, `domain`, `service.picture_choice` and `cli`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click
import pybase64

from nearimage.cli.connection import Connection
from nearimage.cli.hits import Answer
from nearimage.cli.picture_files import EXTENSIONS
from nearimage.cli.thumbnails import SHORT_SIDE, Thumbnail, thumbnail_of
from nearimage.domain.errors import InvalidInput, NotFound, NoVectorizer
from nearimage.domain.objects import Hit
from nearimage.domain.query import NearMedia, NearText, Search, Targets
from nearimage.domain.schema import Collection
from nearimage.domain.vectorizing import Modality
from nearimage.service.picture_choice import picture_properties, picture_vector, words_vector

_STARTER_HINT = (
    "`nearimage index FOLDER --collection OTHER --clip-model starter` makes a collection that can be, with the starter model: it needs no download and knows "
    "common things only."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the user wants.

    Attributes:
        wanted: a file's path, a URL that the database fetches, or words.
        target: the named vector; None leaves the choice to `service.picture_choice`.
        distance: how far away a hit may be.
    """

    wanted: str
    target: str | None
    limit: int
    distance: float | None


def ask(connection: Connection, collection: str, question: Question) -> Answer:
    """Search.

    Raises:
        CollectionNotFound, VectorNameUnknown: as they say.
        NoVectorizer: no vector can be searched so; for words the message says how to have one.
        UnreadablePicture, PictureTooLarge: the file is no picture.
    """
    schema = connection.collection(collection)
    near = _near(connection, schema, question)
    started = time.perf_counter()
    hits = _hits(connection, schema, Search(collection=schema.name, by=near, limit=question.limit))
    took_ms = (time.perf_counter() - started) * 1000
    return Answer(collection=schema, target=near.targets.names[0] if near.targets.names else None, place=connection.place, took_ms=took_ms, hits=hits)


def thumbnails(connection: Connection, answer: Answer) -> dict[UUID, Thumbnail]:
    """A small picture of each hit that has one."""
    found = {}
    for name in picture_properties(answer.collection)[:1]:
        for hit in answer.hits:
            try:
                found[hit.record.id] = thumbnail_of(connection.thumbnail(answer.collection.name, hit.record.id, name, short_side=SHORT_SIDE))
            except (NotFound, InvalidInput):  # an object without a picture is a hit all the same
                continue
    return found


def _near(connection: Connection, schema: Collection, question: Question) -> NearMedia | NearText:
    first = schema.vectors[0].name if schema.vectors else None  # where no vector fits, the database says why, of this one
    is_url = question.wanted.lower().startswith(("http://", "https://"))
    if is_url or _is_file(question.wanted):
        target = question.target or picture_vector(connection.modules, schema) or first
        data = question.wanted if is_url else _read(Path(question.wanted))
        return NearMedia(modality=Modality.IMAGE, data=data, targets=Targets.of(target), max_distance=question.distance)
    if Path(question.wanted).suffix.lower() in EXTENSIONS:
        click.echo(f"There is no file {question.wanted!r}, so this is taken as words", err=True)
    target = question.target or words_vector(connection.modules, schema) or first
    return NearText(concepts=(question.wanted,), targets=Targets.of(target), max_distance=question.distance)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a zero in it: words, then
        return False


def _read(file: Path) -> str:
    try:
        return pybase64.b64encode(file.read_bytes()).decode("ascii")
    except OSError as failed:
        raise InvalidInput(f"{file} cannot be read: {failed.strerror}", path=str(file)) from failed


def _hits(connection: Connection, schema: Collection, query: Search) -> Sequence[Hit]:
    try:
        return connection.near(query)
    except NoVectorizer as refused:
        if isinstance(query.by, NearText) and words_vector(connection.modules, schema) is None:
            raise NoVectorizer(f"{refused.message}. {_STARTER_HINT}", **refused.detail) from refused
        raise
