"""What a collection is: its properties and its named vectors.

Frozen values, checked where they are made (`nearimage.service.collections`), stored by the engine, rendered by the doors. A setting that
nothing below the doors reads (replication, sharding ...) rides along in `settings`, so that clients get back what they sent.

May import the standard library and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LEGACY_VECTOR = "default"
"""The name under which the one vector of a collection without named vectors is kept (and what clients may call it)."""

NO_MODULE = "none"
"""The vectorizer of vectors that the user supplies."""


class DataType(StrEnum):
    """The data types a property can have, under the names clients send; of references they send the names of the collections instead."""

    TEXT = "text"
    INT = "int"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    UUID = "uuid"
    BLOB = "blob"
    BLOB_HASH = "blobHash"
    GEO_COORDINATES = "geoCoordinates"
    PHONE_NUMBER = "phoneNumber"
    OBJECT = "object"
    REFERENCE = "cref"
    TEXT_ARRAY = "text[]"
    INT_ARRAY = "int[]"
    NUMBER_ARRAY = "number[]"
    BOOLEAN_ARRAY = "boolean[]"
    DATE_ARRAY = "date[]"
    UUID_ARRAY = "uuid[]"
    OBJECT_ARRAY = "object[]"

    @property
    def is_array(self) -> bool:
        """Whether a value is a list and the type says so; references are lists too."""
        return self in _ARRAYS

    @property
    def is_list(self) -> bool:
        """Whether a value is a list: an array's, or references."""
        return self in _LISTS

    @property
    def element(self) -> "DataType":
        """The type of one entry: `int` for `int[]` and for `int`."""
        return _ELEMENTS[self]


_ELEMENTS = {kind: DataType(kind.value.removesuffix("[]")) for kind in DataType}
_ARRAYS = frozenset(kind for kind in DataType if kind.value.endswith("[]"))
_LISTS = _ARRAYS | {DataType.REFERENCE}
"""Looked up, because imports and replies ask for it of every value."""


class Tokenization(StrEnum):
    """How a text property is cut into the tokens that filters and keyword search compare."""

    WORD = "word"
    LOWERCASE = "lowercase"
    WHITESPACE = "whitespace"
    FIELD = "field"
    TRIGRAM = "trigram"


@dataclass(frozen=True, slots=True)
class AsciiFold:
    """Letters lose their marks before a text is cut into tokens: é and e are the same then, and ß is ss.

    Attributes:
        ignore: letters that stay as they are, in both cases.
    """

    ignore: tuple[str, ...] = ()


class Metric(StrEnum):
    """How two vectors are compared; smaller is nearer."""

    COSINE = "cosine"
    DOT = "dot"
    L2_SQUARED = "l2-squared"
    MANHATTAN = "manhattan"
    HAMMING = "hamming"


class TenantState(StrEnum):
    """Whether a tenant's objects can be reached, under the names that clients send today (older ones say HOT, COLD and FROZEN)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    OFFLOADED = "OFFLOADED"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant of a collection, as callers name it."""

    name: str
    state: TenantState = TenantState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """Whether a collection keeps its objects apart by tenant, and what happens by itself.

    Attributes:
        enabled: fixed when the collection is made.
        auto_create: writing to a tenant that is not there makes it.
        auto_activate: reading or writing an inactive tenant activates it.
    """

    enabled: bool = False
    auto_create: bool = False
    auto_activate: bool = False


@dataclass(frozen=True, slots=True)
class Expiry:
    """For how long objects live.

    Attributes:
        field: the time that counts: of creation, of the last change (under the names of `domain.filters`), or a date property.
        after_s: how many seconds later an object expires; of a date property it may be negative.
        hide: whether searches leave out what has expired and is not deleted yet.
    """

    field: str
    after_s: int
    hide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a collection's objects.

    Attributes:
        nested: the properties of a nested object.
        targets: the collections that a reference may lead to.
        fold: of text: whether letters lose their marks in its tokens.
        stopwords: of text: a preset in the place of the collection's stopwords; empty for these.
    """

    name: str
    data_type: DataType
    tokenization: Tokenization | None = None
    filterable: bool = True
    searchable: bool = False
    range_filters: bool = False
    description: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    nested: "tuple[Property, ...]" = ()
    targets: tuple[str, ...] = ()
    fold: AsciiFold | None = None
    stopwords: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorConfig:
    """One named vector: who makes it, how it is compared, which index was asked for.

    `model` is the module's model that was chosen when the collection was made, also where its settings name none: a server started with another
    default must not mix the vectors of two models. `configured` is false where the schema named the module and said nothing else about it: then no property
    feeds the vector.

    With `is_multi` an object has several vectors of one length under the name, such as one a word or one a patch of a picture (late interaction); they are
    compared by MaxSim (`domain.vectors`).
    """

    name: str
    module: str = NO_MODULE
    module_settings: Mapping[str, object] = field(default_factory=dict)
    model: str = ""
    metric: Metric = Metric.COSINE
    index_type: str = "hnsw"
    index_settings: Mapping[str, object] = field(default_factory=dict)
    configured: bool = True
    is_multi: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordSettings:
    """How a collection's keyword search is tuned; the defaults are Weaviate's.

    Attributes:
        k1: how soon repeats of a word stop counting, 0 or more.
        b: how much long texts are held back, 0 to 1.
        stopwords: the preset's name: `en`, `none`, or one of `presets`.
        additions, removals: words added to the preset and taken out of it.
        presets: the collection's own ones, names with words; they go before the ones that every collection has.
    """

    k1: float = 1.2
    b: float = 0.75
    stopwords: str = "en"
    additions: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    presets: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A named set of objects that share properties and named vectors.

    `legacy_vector` says that the first vector was declared without a name; it is then called `LEGACY_VECTOR` here. Named ones may have been added later.
    """

    name: str
    properties: tuple[Property, ...] = ()
    vectors: tuple[VectorConfig, ...] = ()
    legacy_vector: bool = False
    description: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    tenancy: Tenancy = field(default_factory=Tenancy)
    keywords: KeywordSettings = KeywordSettings()
    expiry: Expiry | None = None

    def property(self, name: str) -> Property | None:
        """The property of that name, or None."""
        return next((p for p in self.properties if p.name == name), None)

    def vector(self, name: str) -> VectorConfig | None:
        """The named vector of that name, or None."""
        return next((v for v in self.vectors if v.name == name), None)
