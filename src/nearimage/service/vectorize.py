"""Make the vectors of objects: each named vector's module sees the properties it was told to.

    record --fields--> pictures, texts --module's model--> vectors --weighted mean--> one vector per name

A batch is embedded together: all pictures of all objects for one model go through it in slices, so that decoding and running keep every core
busy while memory holds one slice of pixels. One unreadable picture fails its own object only.

The vectors of an object's fields are combined as Weaviate combines them (wire facts, 2.2): without weights the mean; with weights scaled to sum 1, the
sum of weight x vector, divided by the number of vectors. A weight belongs to its property, so a missing property takes its weight along.

May import `domain` and `ports` only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nearimage.domain.errors import InvalidInput, NearimageError, NotSupported
from nearimage.domain.objects import PropertyValue, Record, Vector
from nearimage.domain.schema import NO_MODULE, Collection, VectorConfig
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.ports.media import Media
from nearimage.ports.vectorizer import Vectorizer, VectorizerModule

PICTURES_AT_ONCE = 64
"""Pictures decoded before the model runs: 64 x about 1 MB of pixels bound the memory of an import; both cores stay busy from 16 on."""


@dataclass(frozen=True, slots=True)
class Input:
    """One field of one object, to be embedded.

    Attributes:
        owner: the position of the object in the batch.
        weight: None where the settings give no weights.
    """

    owner: int
    modality: Modality
    value: PropertyValue
    weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVectorizer:
    """Adds the vectors that modules make to records."""

    media: Media
    modules: Mapping[str, VectorizerModule]

    def module(self, config: VectorConfig) -> tuple[VectorizerModule, ModuleSettings] | None:
        """The module of a named vector with its settings, or None where users supply the vectors.

        Raises:
            NotSupported: the stored schema names a module that this server does not have.
        """
        if config.module == NO_MODULE:
            return None
        module = self.modules.get(config.module)
        if module is None:
            raise NotSupported(f"vector {config.name!r} is made by module {config.module!r}, which this server does not have", feature=config.module)
        if not config.configured:
            return module, ModuleSettings(fields={}, model=config.model)
        return module, module.check({**config.module_settings, "model": config.model})

    def load_models(self, collection: Collection) -> None:
        """Load the models of a collection's vectors.

        Raises:
            NearimageError: a module or a model is missing.
        """
        for config in collection.vectors:
            found = self.module(config)
            if found:
                found[0].open(found[1])

    def add_vectors(self, collection: Collection, records: Sequence[Record], previous: Sequence[Record | None]) -> list[Record | NearimageError]:
        """Make what is missing of each record's vectors.

        Args:
            records: a vector that is there already was supplied by the user and wins.
            previous: for each record the stored object it replaces, with its vectors and vectorized properties, or None.
                Where no property of a vector changed, its stored vector is kept.

        Returns:
            For each record, in order: the record with its vectors, or why they could not be made.
        """
        vectors = [dict(record.vectors) for record in records]
        failed: dict[int, NearimageError] = {}
        for config in collection.vectors:
            found = self.module(config)
            if found is None:
                continue
            settings, missing = found[1], [n for n, known in enumerate(vectors) if config.name not in known and n not in failed]
            for n in [n for n in missing if unchanged(settings, records[n], previous[n])]:
                vectors[n].update(_kept(config.name, previous[n]))
                missing.remove(n)
            inputs = [found for n in missing for found in inputs_of(n, settings, records[n].properties)]
            if not inputs:
                continue
            made, errors = self._embed_all(found[0].open(settings), inputs)
            failed.update(errors)
            for n, vector in made.items():
                vectors[n][config.name] = vector
        return [failed.get(n) or _with_vectors(record, vectors[n]) for n, record in enumerate(records)]

    def _embed_all(self, vectorizer: Vectorizer, inputs: Sequence[Input]) -> tuple[dict[int, Vector], dict[int, NearimageError]]:
        parts: dict[int, list[tuple[Vector, float | None]]] = {}
        failed: dict[int, NearimageError] = {}
        for modality in Modality:
            of_kind = [i for i in inputs if i.modality is modality]
            for start in range(0, len(of_kind), PICTURES_AT_ONCE):
                some = of_kind[start : start + PICTURES_AT_ONCE]
                for entry, made in zip(some, self.embed(vectorizer, modality, [i.value for i in some]), strict=True):
                    if isinstance(made, NearimageError):
                        failed[entry.owner] = made
                    else:
                        parts.setdefault(entry.owner, []).append((made, entry.weight))
        return {owner: combine(vectors) for owner, vectors in parts.items() if owner not in failed}, failed

    def embed(self, vectorizer: Vectorizer, modality: Modality, values: Sequence[PropertyValue]) -> list[Vector | InvalidInput]:
        """Embed values of one kind; an unreadable picture gives its error in its place."""
        if modality is Modality.TEXT:
            return list(vectorizer.embed_texts([str(v) for v in values]))
        decoded = self.media.decode([v for v in values if isinstance(v, bytes)], short_side=vectorizer.short_side)
        rows = iter(vectorizer.embed_images([d for d in decoded if not isinstance(d, InvalidInput)]))
        return [d if isinstance(d, InvalidInput) else next(rows) for d in decoded]


def inputs_of(owner: int, settings: ModuleSettings, properties: Mapping[str, PropertyValue]) -> Iterable[Input]:
    """What of an object's properties feeds one named vector: pictures from blobs, words from text and each entry of a text array."""
    for modality, fields in settings.fields.items():
        weights = settings.weights.get(modality)
        for position, name in enumerate(fields):
            weight = (weights[position] if weights else 1.0) if settings.weights else None
            for value in _values(modality, properties.get(name)):
                yield Input(owner, modality, value, weight)


def _values(modality: Modality, value: PropertyValue | None) -> tuple[PropertyValue, ...]:
    if modality is Modality.IMAGE:
        return (value,) if isinstance(value, bytes) else ()
    if isinstance(value, tuple):
        return tuple(v for v in value if isinstance(v, str))
    return (value,) if isinstance(value, str) else ()


def combine(parts: Sequence[tuple[Vector, float | None]]) -> Vector:
    """One vector of the vectors of an object's fields.

    Args:
        parts: at least one; weights are all None, or all numbers.

    Returns:
        (dims,) float32.
    """
    matrix = np.stack([vector for vector, _ in parts]).astype(np.float64)
    weights = np.array([1.0 if weight is None else weight for _, weight in parts])
    if parts[0][1] is not None and weights.sum() > 0:
        weights = weights / weights.sum()
    return np.asarray((matrix * weights[:, None]).mean(axis=0), np.float32)


def unchanged(settings: ModuleSettings, record: Record, previous: Record | None) -> bool:
    """Whether every property that feeds the vector is as it was."""
    names = {name for fields in settings.fields.values() for name in fields}
    return previous is not None and all(record.properties.get(n) == previous.properties.get(n) for n in names)


def _kept(name: str, previous: Record | None) -> dict[str, Vector]:
    return {name: previous.vectors[name]} if previous is not None and name in previous.vectors else {}


def _with_vectors(record: Record, vectors: Mapping[str, Vector]) -> Record:
    return Record(id=record.id, properties=record.properties, vectors=vectors, created_ms=record.created_ms, updated_ms=record.updated_ms)
