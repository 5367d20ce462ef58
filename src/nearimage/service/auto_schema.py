"""Make the collections and properties that objects need and nobody described: the schema follows the first object.

    {"word": "x", "when": "2024-01-01T00:00:00Z", "at": {"latitude": 1, "longitude": 2}}   ->   word: text, when: date, at: geoCoordinates

What a value is taken for (the rules are Weaviate's):

    text           date if it is RFC 3339 with a zone, uuid if it is one, else text
    number         number, also without a fraction: the next object may have one
    true, false    boolean
    an object      geoCoordinates if it has latitude and longitude only, phoneNumber if it has an input (and a defaultCountry), else object
    a list         references if its entries have beacons, else an array of what its entries are, of objects also where they are places; text[] where it is
                   empty, or of dates, uuids and other text together; nothing where they are not alike
    null           text

Two writers that meet the same unknown property end with one: whoever comes second finds it there. May import `domain` and `ports` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from nearimage.domain.dates import date_text
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import CollectionExists, CollectionNotFound, InvalidSchema
from nearimage.domain.schema import LEGACY_VECTOR, NO_MODULE, Collection, DataType, Property, Tokenization, VectorConfig
from nearimage.ports.clock import Clock
from nearimage.service.beacons import beacon_target, id_alone
from nearimage.service.collection_defaults import BLOCKS, DEFAULT_INDEX, INDEX_SETTINGS, NO_PROPERTIES
from nearimage.service.collections import Collections
from nearimage.service.names import PROPERTY, RESERVED, collection_name, property_name
from nearimage.service.properties import with_others
from nearimage.service.whereabouts import Whereabouts

MAX_LEVELS = 20
"""Objects in objects that are described; `service.properties` takes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSettings:
    """What the schema may do by itself.

    Attributes:
        enabled: without it, what is unknown is refused.
        text, number, date: the types of what is text, a number, a date.
        vectorizer: the module of collections made so.
        index: the type of their vectors' index.
    """

    enabled: bool = True
    text: DataType = DataType.TEXT
    number: DataType = DataType.NUMBER
    date: DataType = DataType.DATE
    vectorizer: str = NO_MODULE
    index: str = DEFAULT_INDEX


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSchema:
    """Lets the schema of one database follow its objects."""

    collections: Collections
    whereabouts: Whereabouts
    clock: Clock
    settings: AutoSettings = field(default_factory=AutoSettings)

    def fit(self, collection: str, drafts: Sequence[Draft]) -> Collection:
        """The collection, with every property that the drafts have and that can be made.

        Raises:
            CollectionNotFound: there is none, and none is made by itself.
            InvalidSchema: the name cannot name a collection.
        """
        schema = self._collection(collection)
        if not self.settings.enabled:
            return schema
        missing = self._missing(schema, drafts)
        return self.collections.add_properties(schema.name, missing) if missing else schema

    def grows(self, schema: Collection, drafts: Sequence[Draft]) -> bool:
        """Whether `fit` would add to a collection."""
        return self.settings.enabled and bool(self._missing(schema, drafts))

    def _collection(self, name: str) -> Collection:
        try:
            return self.collections.get(name)
        except CollectionNotFound:
            if not self.settings.enabled:
                raise
        module, index = self.settings.vectorizer, self.settings.index
        vector = VectorConfig(name=LEGACY_VECTOR, module=module, index_type=index, index_settings=INDEX_SETTINGS[index], configured=False)
        try:
            settings = {**BLOCKS, **NO_PROPERTIES}
            return self.collections.create(Collection(name=collection_name(name), description=self._description(), vectors=(vector,), settings=settings))
        except CollectionExists:
            return self.collections.get(name)  # another writer was quicker, unless the names differ in case

    def _missing(self, schema: Collection, drafts: Sequence[Draft]) -> tuple[Property, ...]:
        """In the order in which they are met; names that cannot be are left to the check of the values."""
        known = {prop.name.lower(): prop for prop in schema.properties}
        given = {name.lower() for name in set().union(*[draft.properties for draft in drafts])}
        if all(name in known and known[name].data_type.element is not DataType.OBJECT for name in given):
            return ()
        grown: dict[str, Property] = {}
        for draft in drafts:
            for name, value in draft.properties.items():
                have = grown.get(name.lower()) or known.get(name.lower())
                if (have and _holds(have, value)) or not PROPERTY.fullmatch(name) or name in RESERVED:
                    continue
                prop = self._property(property_name(name), value)
                if prop is not None:
                    (grown[name.lower()],) = with_others((have or prop,), (prop,))
        return tuple(grown.values())

    def _property(self, name: str, value: object, level: int = 0) -> Property | None:
        """The property that would hold a value; None where the value says nothing, or what no property can be."""
        if not isinstance(value, list | tuple):
            kind = DataType.TEXT if value is None else self._kind(value, level)
            return self._described(name, kind, self._nested((value,), level)) if kind else None
        first: object = value[0] if value else ""
        if isinstance(first, Mapping) and "beacon" in first:
            return self._reference(name, value)
        kind = _array_of(self._kind_of_all(value, max(level, 1)))
        return self._described(name, kind, self._nested(value, level)) if kind else None

    def _described(self, name: str, kind: DataType, nested: tuple[Property, ...]) -> Property | None:
        if kind.element is not DataType.OBJECT:
            nested = ()
        elif not nested:
            return None  # an empty object says nothing about what it may hold
        is_text = kind.element is DataType.TEXT
        tokenization = Tokenization.WORD if is_text else None
        return Property(name=name, data_type=kind, tokenization=tokenization, searchable=is_text, description=self._description(), nested=nested)

    def _kind(self, value: object, level: int) -> DataType | None:
        if isinstance(value, bool):
            return DataType.BOOLEAN
        if isinstance(value, int | float):
            return self.settings.number
        if isinstance(value, str):
            return self._kind_of_text(value)
        return _kind_of_object(value, level) if isinstance(value, Mapping) and level < MAX_LEVELS else None

    def _kind_of_text(self, value: str) -> DataType:
        try:
            date_text(value)
            return self.settings.date
        except ValueError:
            pass
        try:
            UUID(value)
            return DataType.UUID
        except ValueError:
            return self.settings.text

    def _kind_of_all(self, values: Sequence[object], level: int) -> DataType | None:
        """What all entries of a list are: text where there is none, or of dates, uuids and other text together; None where they are not alike."""
        kinds = {self._kind(value, level) for value in values}
        if len(kinds) == 1:
            return kinds.pop()
        return self.settings.text if kinds <= {self.settings.text, self.settings.date, DataType.UUID} else None

    def _nested(self, values: Sequence[object], level: int) -> tuple[Property, ...]:
        """The properties of objects, of all entries of a list together."""
        fields = ((name, inner) for value in values if isinstance(value, Mapping) for name, inner in value.items() if PROPERTY.fullmatch(name))
        return with_others((), (prop for name, inner in fields if (prop := self._property(name, inner, level + 1))))

    def _reference(self, name: str, value: Sequence[object]) -> Property | None:
        targets = [target for entry in value if isinstance(entry, Mapping) and (target := self._target(entry.get("beacon")))]
        known = {collection.name for collection in self.collections.all()}
        wanted = tuple(dict.fromkeys(target for target in targets if target in known))
        return Property(name=name, data_type=DataType.REFERENCE, targets=wanted, description=self._description()) if wanted else None

    def _target(self, beacon: object) -> str | None:
        """The collection that a beacon names, or that has the object."""
        object_id = id_alone(beacon)
        return next(self.whereabouts.homes(object_id), None) if object_id else beacon_target(beacon)

    def _description(self) -> str:
        return f"made by the auto-schema on {datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _holds(prop: Property, value: object) -> bool:
    """Whether a property has a field for whatever is in an object; of no other value it is asked."""
    if prop.data_type.element is not DataType.OBJECT:
        return True
    known = {inner.name.lower(): inner for inner in prop.nested}
    objects = [one for one in (value if isinstance(value, list | tuple) else (value,)) if isinstance(one, Mapping)]
    fields = ((known.get(str(name).lower()), inner) for one in objects for name, inner in one.items())
    return all(field is not None and _holds(field, inner) for field, inner in fields)


def _kind_of_object(value: Mapping[object, object], level: int) -> DataType:
    """Places and telephone numbers only outside of other objects, which cannot hold them."""
    if level == 0 and set(value) == {"latitude", "longitude"} and None not in value.values():
        return DataType.GEO_COORDINATES
    if level == 0 and value.get("input") is not None and set(value) <= {"input", "defaultCountry"}:
        return DataType.PHONE_NUMBER
    return DataType.OBJECT


def _array_of(kind: DataType | None) -> DataType | None:
    """None where there are no arrays of the type, such as of places."""
    try:
        return DataType(f"{kind}[]")
    except ValueError:
        return None


def data_type_setting(text: str, allowed: Sequence[DataType], setting: str) -> DataType:
    """The data type that a setting names.

    Raises:
        InvalidSchema: it is none of those allowed; detail has "setting".
    """
    try:
        chosen = DataType(text)
    except ValueError:
        chosen = None
    if chosen is None or chosen not in allowed:
        raise InvalidSchema(f"{setting} is one of {[str(kind) for kind in allowed]}, got {text!r}", setting=setting)
    return chosen
