"""Make the vectors of objects: each named vector's module sees the properties it was told to.

    record --fields--> pictures, texts ... --each vector's model--> rows --weighted mean--> one vector per name

A batch is embedded together, in slices, so that decoding and running keep every core busy while memory holds one slice of pixels. A picture is decoded
once for all the vectors that see it. One unreadable picture fails its own object only. Where an object replaces another, a vector whose properties are as
they were is kept.

The vectors of an object's fields are combined as Weaviate combines them (wire facts, 2.2): without weights the mean; with weights scaled to sum 1, the
sum of weight x vector, divided by the number of vectors. A weight belongs to its property, so a missing property takes its weight along.

May import `domain` and `ports` only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from nearimage.domain.errors import NearimageError, NotSupported
from nearimage.domain.objects import Matrix, PropertyValue, Record, Vector
from nearimage.domain.schema import NO_MODULE, Collection, DataType, VectorConfig
from nearimage.domain.values import BlobToHash
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.domain.vectors import check_vector
from nearimage.ports.media import Media
from nearimage.ports.vectorizer import VectorizerModule
from nearimage.service.embedding import Order, Value, embed, succeeded
from nearimage.service.operators import cannot_be_searched

PICTURES_AT_ONCE = 64
"""Pictures decoded before the models run: 64 x about 1 MB of pixels bound the memory of an import; both cores stay busy from 16 on."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value of an object that feeds a vector.

    Attributes:
        weight: None where the settings give no weights.
    """

    value: Value
    weight: float | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A vector to be made of a record's fields, at least one."""

    record: int
    fields: Sequence[Field]

    @property
    def values(self) -> Sequence[Value]:
        """What is to be embedded together."""
        return [field.value for field in self.fields]


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How one named vector is made."""

    config: VectorConfig
    module: VectorizerModule
    settings: ModuleSettings

    @property
    def name(self) -> str:
        """The vector's."""
        return self.config.name

    def checked(self, vector: Vector) -> Vector:
        """A vector that was made, if it can be compared.

        Raises:
            InvalidVector: the fields of an object, or the concepts of a query, cancelled each other out, or their model gave nothing.
        """
        check_vector(vector, name=self.name, metric=self.config.metric, is_multi=self.config.is_multi)
        return vector

    def order(self, bundles: Sequence[Sequence[Value]]) -> Order:
        """What its model is to embed; the first order loads it."""
        return Order(self.module.open(self.settings), self.settings.exact, bundles)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVectorizer:
    """Adds the vectors that modules make to records."""

    media: Media
    modules: Mapping[str, VectorizerModule]

    def recipe(self, config: VectorConfig) -> Recipe | None:
        """How a named vector is made, or None where users supply it.

        Raises:
            NotSupported: the stored schema names a module that this server does not have.
            ModelMissing: it names a model that is not installed, or a container whose address is not known.
        """
        if config.module == NO_MODULE:
            return None
        module = self.modules.get(config.module)
        if module is None:
            raise NotSupported(f"vector {config.name!r} is made by module {config.module!r}, which this server does not have", feature=config.module)
        settings = module.check({**config.module_settings, "model": config.model}) if config.configured else module.unconfigured(config.model)
        return Recipe(config, module, settings)

    def asked(self, collection: Collection, target: VectorConfig, modality: Modality) -> Recipe:
        """How a query by such input gets its vector.

        Raises:
            NoVectorizer: the vector's module does not understand it, or there is none.
        """
        recipe = self.recipe(target)
        if recipe is None or modality not in recipe.module.modalities:
            raise cannot_be_searched(collection, target, modality, self.modules)
        return recipe

    def load_models(self, collection: Collection) -> None:
        """Load the models of a collection's vectors.

        Raises:
            NearimageError: a module or a model is missing.
        """
        for config in collection.vectors:
            if recipe := self.recipe(config):
                recipe.module.open(recipe.settings)

    def are_plain(self, collection: Collection, names: Set[str]) -> bool:
        """Whether properties of these names are no blobs and no vector is made of them, so that changing them changes nothing else.

        Raises:
            NotSupported, ModelMissing: as for `recipe`.
        """
        heavy = {p.name for p in collection.properties if p.data_type in (DataType.BLOB, DataType.BLOB_HASH)}
        recipes = [recipe for recipe in map(self.recipe, collection.vectors) if recipe]
        return heavy.isdisjoint(names) and not any(set(fields).intersection(names) for one in recipes for fields in one.settings.fields.values())

    def add_vectors(self, collection: Collection, records: Sequence[Record], previous: Sequence[Record | None]) -> list[Record | NearimageError]:
        """Make what is missing of each record's vectors.

        Args:
            records: a vector that is there already was supplied by the user and wins.
            previous: for each record the stored object it replaces, with its vectors and vectorized properties, or None.
                Where no property of a vector changed, its stored vector is kept.

        Returns:
            For each record, in order: the record with its vectors, or why they could not be made.
        """
        recipes = [recipe for recipe in map(self.recipe, collection.vectors) if recipe]
        hashes = any(prop.data_type is DataType.BLOB_HASH for prop in collection.properties)
        if not recipes and not hashes and not any(record.revision for record in records):
            return list(records)  # as they are
        vectors = [dict(record.vectors) for record in records]
        wanted: dict[Recipe, list[Wanted]] = {}
        for recipe in recipes:
            for number, record in enumerate(records):
                if recipe.name in vectors[number]:
                    continue
                if unchanged(recipe.settings, record, old := previous[number]):
                    vectors[number].update(_kept(recipe.name, old))
                    continue
                fields = list(fields_of(recipe.settings, record.properties))
                if any(field.weight != 0 for field in fields):  # what weighs nothing makes no vector
                    wanted.setdefault(recipe, []).append(Wanted(number, fields))
        failed = self._make(wanted, vectors)
        return [
            failed.get(number) or replace(record, properties=_hashed(record.properties), vectors=vectors[number], revision=0)
            for number, record in enumerate(records)
        ]

    def _make(self, wanted: Mapping[Recipe, Sequence[Wanted]], vectors: Sequence[dict[str, Vector]]) -> dict[int, NearimageError]:
        """Embed what is wanted and put it among the records' vectors; returns which records failed, and why."""
        failed: dict[int, NearimageError] = {}
        for some in _slices(wanted):
            made = embed(self.media, [recipe.order([one.values for one in ones]) for recipe, ones in some.items()])
            for (recipe, ones), outcomes in zip(some.items(), made, strict=True):
                for one, outcome in zip(ones, outcomes, strict=True):
                    try:
                        vectors[one.record][recipe.name] = recipe.checked(combine(succeeded(outcome), [field.weight for field in one.fields]))
                    except NearimageError as error:
                        failed.setdefault(one.record, error)
        return failed


def _slices(wanted: Mapping[Recipe, Sequence[Wanted]]) -> Iterator[dict[Recipe, list[Wanted]]]:
    """What is wanted, record by record, cut where the pictures become too many to hold decoded."""
    by_record: dict[int, list[tuple[Recipe, Wanted]]] = {}
    for recipe, ones in wanted.items():
        for one in ones:
            by_record.setdefault(one.record, []).append((recipe, one))
    some: dict[Recipe, list[Wanted]] = {}
    pictures = 0
    for number in sorted(by_record):
        for recipe, one in by_record[number]:
            some.setdefault(recipe, []).append(one)
        pictures += len({id(field.value.content) for _, one in by_record[number] for field in one.fields if field.value.modality is not Modality.TEXT})
        if pictures >= PICTURES_AT_ONCE:
            yield some
            some, pictures = {}, 0
    if some:
        yield some


def fields_of(settings: ModuleSettings, properties: Mapping[str, PropertyValue]) -> Iterable[Field]:
    """What of an object's properties feeds one vector: files from blobs, words from text and each entry of a text array; by kind, then by name."""
    for modality, names in settings.fields.items():
        weights = dict(zip(names, settings.weights.get(modality, ()), strict=False))
        for name in sorted(set(names)):
            weight = weights.get(name, 1.0) if settings.weights else None
            for content in _contents(modality, properties.get(name)):
                yield Field(Value(modality, content), weight)


def _contents(modality: Modality, value: PropertyValue | None) -> Sequence[str | bytes]:
    if modality is not Modality.TEXT:
        return (value,) if isinstance(value, bytes) else ()
    if isinstance(value, tuple):
        return [entry for entry in value if isinstance(entry, str)]
    return (value,) if isinstance(value, str) else ()


def combine(rows: Matrix, weights: Sequence[float | None]) -> Vector:
    """One vector of the vectors of an object's fields.

    Args:
        rows: at least one.
        weights: for each row; all None, or all numbers, not all 0.

    Returns:
        (dims,) float32.
    """
    factors = np.array([1.0 if weight is None else weight for weight in weights])
    if weights[0] is not None:
        factors = factors / factors.sum()
    return np.asarray((rows.astype(np.float64) * factors[:, None]).mean(axis=0), np.float32)


def unchanged(settings: ModuleSettings, record: Record, previous: Record | None) -> bool:
    """Whether every property that feeds the vector is as it was."""
    names = {name for fields in settings.fields.values() for name in fields}
    if previous is None:
        return False
    stored = _hashed(record.properties)
    return all(stored.get(n) == previous.properties.get(n) for n in names)


def _hashed(properties: Mapping[str, PropertyValue]) -> Mapping[str, PropertyValue]:
    """What is stored: of a blobHash its hash."""
    if BlobToHash not in map(type, properties.values()):
        return properties
    return {name: value.digest if isinstance(value, BlobToHash) else value for name, value in properties.items()}


def _kept(name: str, previous: Record | None) -> dict[str, Vector]:
    return {name: previous.vectors[name]} if previous is not None and name in previous.vectors else {}
