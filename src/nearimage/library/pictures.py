"""One collection of pictures, as the library call shows it.

    add      a picture and its properties -> Draft --service--> stored, embedded, durable
    search   a picture, words, keywords, a vector or a stored object, under a condition -> Search --service--> Match

May import numpy, pybase64, `domain`, `service` and `library`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pybase64

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionExists, CollectionNotFound, InvalidInput, NearimageError
from nearimage.domain.objects import Projection, PropertyValue
from nearimage.domain.query import AnyNear, Hybrid, NearMedia, NearObject, NearText, NearVector, Search, Targets, Words
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.library.conditions import Condition
from nearimage.service.names import collection_name
from nearimage.service.picture_choice import PICTURE_PROPERTY, picture_property, picture_vector, words_vector
from nearimage.service.services import Services

Image = str | bytes | PathLike[str]
"""A picture: a path, its bytes, base64, or whatever other text the settings let stand for one."""

PICTURES_AT_ONCE = 100
"""Objects that `add_many` stores in one durable commit: 10 MB of pictures of 0.1 MB, and a second of work on two cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An object that a search found.

    Attributes:
        properties: all but pictures.
        distance: in the metric of the vector searched; None where keywords took part.
        score: of a search by keywords, alone or beside a picture; higher is better.
    """

    id: UUID
    properties: Mapping[str, PropertyValue]
    distance: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class NotAdded:
    """An object of `add_many` that was not stored.

    Attributes:
        position: in what was given, from 0.
        reason: what was wrong, what was expected, what to do.
    """

    position: int
    reason: str


class Pictures:
    """A collection. For any thread."""

    def __init__(self, services: Services, collection: Collection) -> None:
        self._services = services
        self.name = collection.name

    def add(self, image: Image, *, id: UUID | None = None, **properties: object) -> UUID:  # noqa: A002 - the field's word
        """Store a picture with its properties, replacing the object of the same id; durable when it returns. New properties are made as they come.

        Returns:
            The object's id.

        Raises:
            InvalidInput: no picture, or a value of another type than the property has.
            Busy: try again, unchanged.
        """
        stored = self._services.objects.put_many(self.name, [self._draft(id, image, properties)])[0]
        if isinstance(stored, NearimageError):
            raise stored
        return stored.id

    def add_many(self, objects: Iterable[Mapping[str, object]]) -> list[NotAdded]:
        """Store many objects, a hundred to a commit; one that is wrong costs the others nothing.

        Args:
            objects: properties, each with the picture under the name of the collection's picture property (`image`), and with `id` where it has one.

        Returns:
            What was not stored, and why.
        """
        failed: list[NotAdded] = []
        drafts: list[tuple[int, Draft]] = []
        for position, given in enumerate(objects):
            try:
                drafts.append((position, self._draft_of(given)))
            except InvalidInput as wrong:
                failed.append(NotAdded(position, wrong.message))
            if len(drafts) == PICTURES_AT_ONCE:
                failed += self._store(drafts)
                drafts.clear()
        return sorted([*failed, *self._store(drafts)], key=lambda one: one.position)

    def search(
        self,
        image: Image | None = None,
        *,
        text: str | None = None,
        keywords: str | None = None,
        vector: Sequence[float] | npt.NDArray[np.floating] | None = None,
        like: UUID | None = None,
        where: Condition | None = None,
        limit: int = 10,
        offset: int = 0,
        max_distance: float | None = None,
        target: str | None = None,
    ) -> list[Match]:
        """Find objects: nearest first, or by keywords best first; without either, all in the order of ids, or those that pass the condition by age.

        Args:
            image, text, vector, like: what to be near to: a picture, words (where a vector understands them), a vector, a stored object. At most one of them.
            keywords: words that the object's texts must have, ranked by BM25; together with `image`, `text` or `vector` both rankings are fused.
            max_distance: only what is at most so far away.
            target: the named vector to search; by default the one that fits what is given.

        Raises:
            InvalidInput: two things to be near to, a text that is no picture, a property that is not there.
            NoVectorizer: words, and no vector understands them.
        """
        near = self._near({"image": image, "text": text, "vector": vector, "like": like}, target, max_distance)
        filter_ = where.filter if where is not None else None
        query = Search(collection=self.name, by=_ranking(near, keywords), where=filter_, limit=limit, offset=offset)
        hits = self._services.searches.run(query).hits
        return [Match(id=hit.record.id, properties=hit.record.properties, distance=hit.distance, score=hit.score) for hit in hits]

    def get(self, id: UUID) -> Match:  # noqa: A002
        """One object without its picture.

        Raises:
            ObjectNotFound: there is none.
        """
        record = self._services.objects.get(self.name, id, Projection())
        return Match(id=record.id, properties=record.properties)

    def picture(self, id: UUID, *, short_side: int | None = None) -> bytes:  # noqa: A002
        """The picture of an object as it was stored, or a small JPEG of it.

        Args:
            short_side: pixels of the small one's shorter side.

        Raises:
            ObjectNotFound: there is no such object.
            NotFound: it has no picture.
        """
        return self._services.pictures.get(self.name, id, picture_property(self._schema), short_side).data

    def update(self, id: UUID, **properties: object) -> None:  # noqa: A002
        """Change some properties; None takes one away. A changed picture gets a new vector.

        Raises:
            ObjectNotFound: there is none to change.
            InvalidInput: as for `add`.
        """
        name = picture_property(self._schema)
        if name in properties:
            properties[name] = _reference(properties[name])
        self._services.objects.merge(self.name, id, Draft(properties=properties))

    def delete(self, id: UUID) -> bool:  # noqa: A002
        """Delete an object; whether there was one."""
        return self._services.objects.delete(self.name, id)

    def delete_where(self, where: Condition) -> int:
        """Delete the objects that pass a condition; returns how many."""
        deleted = 0
        while found := self._services.deletions.delete(self.name, where.filter):  # no more at a time than a search may show
            deleted += len(found)
        return deleted

    def __len__(self) -> int:
        """How many objects there are."""
        return sum(shard.objects for shard in self._services.cluster.figures(self.name))

    @property
    def _schema(self) -> Collection:
        return self._services.collections.get(self.name)

    def _draft(self, id_: UUID | None, image: object, properties: Mapping[str, object]) -> Draft:
        return Draft(id=id_, properties={**properties, picture_property(self._schema): _reference(image)})

    def _draft_of(self, given: Mapping[str, object]) -> Draft:
        name = picture_property(self._schema)
        if name not in given:
            raise InvalidInput(f"an object needs its picture under {name!r}: a path, bytes or base64", property=name)
        id_ = given.get("id")
        if id_ is not None and not isinstance(id_, UUID):
            raise InvalidInput(f"id must be a UUID, got {id_!r}", property="id")
        return self._draft(id_, given[name], {key: value for key, value in given.items() if key not in ("id", name)})

    def _store(self, drafts: Sequence[tuple[int, Draft]]) -> Iterable[NotAdded]:
        outcomes = self._services.objects.put_many(self.name, [draft for _, draft in drafts]) if drafts else []
        return [NotAdded(position, why.message) for (position, _), why in zip(drafts, outcomes, strict=True) if isinstance(why, NearimageError)]

    def _near(self, asked: Mapping[str, object], target: str | None, max_distance: float | None) -> AnyNear | None:
        given = {name: value for name, value in asked.items() if value is not None}
        if len(given) > 1:
            raise InvalidInput(f"a search is near to one thing; got {' and '.join(given)}: leave out all but one")
        match given:
            case {"image": image}:
                vector = target or picture_vector(self._services.modalities, self._schema)
                return NearMedia(modality=Modality.IMAGE, data=_reference(image), targets=Targets.of(vector), max_distance=max_distance)
            case {"text": str(text)}:
                vector = target or words_vector(self._services.modalities, self._schema)
                return NearText(concepts=(text,), targets=Targets.of(vector), max_distance=max_distance)
            case {"vector": numbers}:
                return NearVector(vectors=(np.asarray(numbers, np.float32),), targets=Targets.of(target), max_distance=max_distance)
            case {"like": UUID() as like}:
                vector = target or picture_vector(self._services.modalities, self._schema)
                return NearObject(id=like, targets=Targets.of(vector), max_distance=max_distance)
            case _ if not given:
                return None
        name, value = next(iter(given.items()))
        raise InvalidInput(f"{name} must be {'a UUID' if name == 'like' else 'text'}, got {value!r}")


def find_or_make(services: Services, name: str, *, model: str | None, clip_model: str | None) -> Collection:
    """The collection of that name, made for pictures if it is not there; see `Library.collection`."""
    try:
        return services.collections.get(name)
    except CollectionNotFound:
        vectors = [_vector("words", "multi2vec-clip", clip_model)] if clip_model else []
        made = Collection(
            name=collection_name(name),
            properties=(Property(name=PICTURE_PROPERTY, data_type=DataType.BLOB, filterable=False),),
            vectors=(*vectors, _vector("picture", "img2vec-neural", model)),
        )
        try:
            return services.collections.create(made)
        except CollectionExists:  # another thread was quicker
            return services.collections.get(name)


def _vector(name: str, module: str, model: str | None) -> VectorConfig:
    settings: dict[str, object] = {"imageFields": [PICTURE_PROPERTY]}
    return VectorConfig(name=name, module=module, module_settings=settings | ({"model": model} if model else {}))


def _ranking(near: AnyNear | None, keywords: str | None) -> AnyNear | Words | Hybrid | None:
    if keywords is None:
        return near
    words = Words(text=keywords)
    return words if near is None else Hybrid(words=words, near=near, targets=near.targets)


def _reference(image: object) -> str:
    """A picture as a request carries it: the base64 of bytes or of a file, and any other text as it stands."""
    if isinstance(image, bytes):
        return pybase64.b64encode(image).decode("ascii")
    if not isinstance(image, str | PathLike):
        raise InvalidInput(f"a picture is a path, bytes or base64; got {type(image).__name__}")
    if isinstance(image, str) and not _is_file(image):
        return image
    try:
        return pybase64.b64encode(Path(image).read_bytes()).decode("ascii")
    except OSError as failed:
        raise InvalidInput(f"{os.fspath(image)} cannot be read: {failed.strerror}", path=os.fspath(image)) from failed


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a zero in it
        return False
