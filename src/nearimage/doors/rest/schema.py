"""A collection as JSON: what clients send to /v1/schema and what they read back.

    {"class": "Dog", "vectorizer": "img2vec-neural", "moduleConfig": {...}, "properties": [...]}      one vector without a name
    {"class": "Dog", "vectorConfig": {"title": {"vectorizer": {"img2vec-neural": {...}}}}, ...}       named vectors

May import msgspec and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from nearimage.domain.errors import InvalidParameter, InvalidSchema
from nearimage.domain.schema import (
    LEGACY_VECTOR,
    NO_MODULE,
    AsciiFold,
    Collection,
    DataType,
    Expiry,
    Metric,
    Property,
    Tenancy,
    Tokenization,
    VectorConfig,
)
from nearimage.doors.rest.call import NOT_ONE_OF
from nearimage.doors.rest.collection_blocks import (
    NO_SHARDS,
    InvertedIndexBody,
    ReplicationBody,
    TenancyBody,
    TtlBody,
    expiry_of,
    inverted_index,
    keyword_settings,
    multi_tenancy,
    replication,
    sharding,
    tenancy,
    time_to_live,
)
from nearimage.doors.rest.sent import Sent
from nearimage.service.collection_defaults import BLOCKS, DEFAULT_INDEX, INDEX_SETTINGS, NO_PROPERTIES, SHARDING, Json, index_settings, with_defaults
from nearimage.service.names import property_name
from nearimage.service.properties import check_preset

_DATA_TYPES = {str(t): t for t in DataType if t is not DataType.REFERENCE}
_OLD_DATA_TYPES = {"string": "text", "string[]": "text[]"}
_TOKENIZATIONS_NOT_YET = {"gse", "gse_ch", "kagome_ja", "kagome_kr"}
"""Dictionaries of Chinese, Japanese and Korean words; Weaviate refuses them too unless they are switched on."""
_TOKENIZATION_OF_OLD = {None: Tokenization.WHITESPACE, "word": Tokenization.WHITESPACE, "field": Tokenization.FIELD}


class AnalyzerBody(Sent, rename="camel"):
    """How letters and stopwords of a text are treated, as clients send it."""

    ascii_fold: bool | None = None
    ascii_fold_ignore: list[str] | None = None
    stopword_preset: str | None = None


class PropertyBody(Sent, rename="camel"):
    """A property as clients send it.

    Attributes:
        index_inverted: how old clients say both `index_filterable` and `index_searchable`; it is never told back.
    """

    name: str | None = None
    data_type: list[str] | None = None
    description: str | None = None
    tokenization: str | None = None
    index_filterable: bool | None = None
    index_searchable: bool | None = None
    index_range_filters: bool | None = None
    index_inverted: bool | None = None
    module_config: dict[str, Any] | None = None
    text_analyzer: AnalyzerBody | None = None
    nested_properties: "list[PropertyBody] | None" = None


class VectorBody(Sent, rename="camel"):
    """A named vector as clients send it."""

    vectorizer: Any = None
    vector_index_type: str | None = None
    vector_index_config: Any = None


class ClassBody(Sent, rename="camel"):
    """A collection as clients send it."""

    name: str | None = msgspec.field(name="class", default=None)
    description: str | None = None
    properties: list[PropertyBody] | None = None
    vectorizer: str | None = None
    module_config: dict[str, Any] | None = None
    vector_config: dict[str, VectorBody] | None = None
    vector_index_type: str | None = None
    vector_index_config: Any = None
    inverted_index_config: InvertedIndexBody | None = None
    multi_tenancy_config: TenancyBody | None = None
    replication_config: ReplicationBody | None = None
    sharding_config: Any = None
    object_ttl_config: TtlBody | None = None
    object_ttl_changes: TtlBody | None = msgspec.field(name="objectTTLConfig", default=None)


def read_class(body: ClassBody, *, default_module: str = NO_MODULE, default_index: str = DEFAULT_INDEX, known: Collection | None = None) -> Collection:
    """The collection that a client asks for; its name's first letter is upper-cased.

    Args:
        known: the collection as it is, where the body is to take its place: then a vector without a name may have got named ones beside it.

    Raises:
        InvalidSchema: it cannot be; detail has "setting".
    """
    named = body.vector_config
    legacy = not named or (known is not None and known.legacy_vector)
    if named and not legacy and (body.vectorizer or body.vector_index_type or body.vector_index_config):
        raise InvalidSchema("a collection has either one vector (vectorizer, vectorIndexConfig) or named ones (vectorConfig), not both", setting="vectorConfig")
    unnamed = (_legacy_vector(body, default_module, default_index),) if legacy else ()
    vectors = (*unnamed, *(_named_vector(name, vector, default_index) for name, vector in (named or {}).items()))
    name, ttl = body.name or "", time_to_live(body.object_ttl_config, body.object_ttl_changes)
    expiry = expiry_of(ttl)
    keywords = keyword_settings(body.inverted_index_config)
    check_preset(keywords.stopwords, keywords, "invertedIndexConfig.stopwords.preset")
    return Collection(
        name=name[:1].upper() + name[1:],
        description=body.description or "",
        properties=tuple(read_property(p) for p in body.properties or ()),
        vectors=vectors,
        legacy_vector=legacy,
        settings=_settings(body, ttl, expiry, known),
        expiry=expiry,
        tenancy=tenancy(body.multi_tenancy_config),
        keywords=keywords,
    )


def _settings(body: ClassBody, ttl: Json | None, expiry: Expiry | None, known: Collection | None) -> Json:
    """What is told of the collection as a whole; a definition that takes another's place says nothing of what the request leaves out of tenants and copies.

    A time to live that is switched off rides along, for it is told; one that is never spoken of is not.
    """
    tenants, copies = tenancy(body.multi_tenancy_config), replication(body.replication_config)
    settings: Json = {
        "invertedIndexConfig": inverted_index(body.inverted_index_config, expiry),
        "multiTenancyConfig": multi_tenancy(tenants),
        "replicationConfig": copies,
        "shardingConfig": _sharding(body.sharding_config, tenants, known),
        "moduleConfig": body.module_config,
    }
    if ttl and not expiry:
        settings["objectTtlConfig"] = ttl
    if body.properties == []:
        settings |= NO_PROPERTIES
    if known and body.multi_tenancy_config is None:
        settings["multiTenancyConfig"] = None
    if known and not (body.replication_config and body.replication_config.deletion_strategy):
        del copies["deletionStrategy"]
    return settings


def _sharding(given: Any, tenants: Tenancy, known: Collection | None) -> Json:
    """What was asked for of shards is not looked at where there are tenants, or where it is what is told of them already."""
    block = known.settings.get("shardingConfig") if known else None
    if isinstance(block, dict) and (tenants.enabled or with_defaults(given, SHARDING) == block):
        return block
    return sharding(None if tenants.enabled else given)


_JSON_KINDS = {str: "string", list: "array", int: "number", float: "number", bool: "boolean", type(None): "null"}


def _legacy_vector(body: ClassBody, default_module: str, default_index: str) -> VectorConfig:
    module = body.vectorizer or default_module
    several = sorted(name for name in body.module_config or {} if "2vec-" in name or "2multivec-" in name)  # others generate, rerank ...
    if len(several) > 1:
        message = f"multiple vectorizers configured in class's moduleConfig: {several}. class.vectorizer is set to {module!r}; give each a named vector"
        raise InvalidSchema(message, setting="moduleConfig")
    settings = (body.module_config or {}).get(module)
    return _vector(LEGACY_VECTOR, module, settings, body.vector_index_type or default_index, body.vector_index_config)


def _named_vector(name: str, body: VectorBody, default_index: str) -> VectorConfig:
    where, setting = f"vector {name!r}: class.VectorConfig.Vectorizer", "vectorConfig.vectorizer"
    if not isinstance(body.vectorizer, dict):
        raise InvalidSchema(f"{where} must be an object, got {_JSON_KINDS[type(body.vectorizer)]}", setting=setting)
    if len(body.vectorizer) != 1:
        raise InvalidSchema(f"{where} must consist only 1 configuration, got: {len(body.vectorizer)}", setting=setting)
    module, settings = next(iter(body.vectorizer.items()))
    return _vector(name, module, settings, body.vector_index_type or default_index, body.vector_index_config)


def _vector(name: str, module: str, settings: object, index_type: str, index: object) -> VectorConfig:
    if not isinstance(index, Mapping | None):
        raise InvalidSchema(f"vector {name!r}: vectorIndexConfig must be an object, got {_JSON_KINDS[type(index)]}", setting="vectorIndexConfig")
    if index_type not in INDEX_SETTINGS:
        raise InvalidSchema(f"there is no vectorIndexType {index_type!r}; choose one of {sorted(INDEX_SETTINGS)}", setting="vectorIndexType")
    completed = index_settings(index_type, index)
    multivector = (index or {}).get("multivector")  # as it was sent: of an index that has no such setting it would be dropped without a word
    is_multi = isinstance(multivector, Mapping) and bool(multivector.get("enabled"))
    try:
        metric = Metric(completed["distance"])
    except ValueError as wrong:
        have = [str(m) for m in Metric]
        raise InvalidSchema(f"there is no distance {completed['distance']!r}; choose one of {have}", setting="vectorIndexConfig.distance") from wrong
    if not isinstance(settings, Mapping | None):
        raise InvalidSchema(f"vector {name!r}: the settings of {module!r} must be an object, got {type(settings).__name__}", setting="moduleConfig")
    configured = settings is not None or module == NO_MODULE
    vector = VectorConfig(name=name, module=module, module_settings=settings or {}, metric=metric, index_type=index_type, index_settings=completed)
    return replace(vector, configured=configured, is_multi=is_multi)


def read_property(body: PropertyBody, *, nested: bool = False) -> Property:
    """The property that a client asks for.

    Args:
        nested: whether it is one of a nested object, which modules are not told about.

    Raises:
        InvalidSchema, InvalidParameter: it cannot be.
    """
    data_type = _data_type(body, nested=nested)
    is_text = data_type.element is DataType.TEXT
    filterable, searchable = _indexes(body, is_text=is_text)
    return Property(
        name=property_name(body.name or ""),
        data_type=data_type,
        tokenization=_tokenization(body, is_text=is_text),
        filterable=filterable,
        searchable=searchable,
        range_filters=bool(body.index_range_filters),
        description=body.description or "",
        settings={} if nested else body.module_config or {},
        fold=read_fold(body.text_analyzer) if body.text_analyzer else None,
        stopwords=(body.text_analyzer and body.text_analyzer.stopword_preset) or "",
        nested=tuple(read_property(inner, nested=True) for inner in body.nested_properties or ()),
        targets=tuple(body.data_type or ()) if data_type is DataType.REFERENCE else (),
    )


def _indexes(body: PropertyBody, *, is_text: bool) -> tuple[bool, bool]:
    """Whether it can be filtered by, and searched by keywords."""
    if body.index_inverted is None:
        return body.index_filterable is not False, is_text if body.index_searchable is None else body.index_searchable
    if {body.index_filterable, body.index_searchable, body.index_range_filters} != {None}:
        message = f"property {body.name!r}: `indexInverted` cannot be set beside `indexFilterable`, `indexSearchable` or `indexRangeFilters`; leave it out"
        raise InvalidSchema(message, setting="indexInverted")
    return body.index_inverted, body.index_inverted and is_text


def _data_type(body: PropertyBody, *, nested: bool) -> DataType:
    names = body.data_type or []
    if names and all(name[:1].isupper() for name in names):
        return DataType.REFERENCE  # names of collections
    if len(names) != 1:
        raise InvalidSchema(f"property {body.name!r} needs exactly one data type, got {names}", setting="dataType")
    name = names[0]
    if nested and name in _OLD_DATA_TYPES:
        raise InvalidSchema(f"property {body.name!r}: nested properties have the data type {_OLD_DATA_TYPES[name]}, not {name!r}", setting="dataType")
    try:
        return _DATA_TYPES[_OLD_DATA_TYPES.get(name, name)]
    except KeyError as wrong:
        have = [*_DATA_TYPES, "names of collections"]
        raise InvalidSchema(f"property {body.name!r}: there is no data type {name!r}; choose one of {have}", setting="dataType") from wrong


def _tokenization(body: PropertyBody, *, is_text: bool) -> Tokenization | None:
    asked = body.tokenization or None
    name = (body.data_type or [""])[0]
    if name in _OLD_DATA_TYPES:
        return _tokenization_of_old(body, name, asked)
    if asked is None:
        return Tokenization.WORD if is_text else None
    if asked in _TOKENIZATIONS_NOT_YET:
        message = f"property {body.name!r}: tokenization {asked!r} is not supported by this version; trigram works for text without spaces"
        raise InvalidSchema(message, setting="tokenization")
    return read_tokenization(asked)


def _tokenization_of_old(body: PropertyBody, data_type: str, asked: str | None) -> Tokenization:
    if asked not in _TOKENIZATION_OF_OLD:
        message = f"property {body.name!r}: tokenization {asked!r} is not allowed for data type {data_type!r}; take 'word' or 'field', or the data type text"
        raise InvalidSchema(message, setting="tokenization")
    return _TOKENIZATION_OF_OLD[asked]


def read_tokenization(name: str) -> Tokenization:
    """The tokenization of that name.

    Raises:
        InvalidParameter: there is none.
    """
    try:
        return Tokenization(name)
    except ValueError as wrong:
        raise InvalidParameter(f"tokenization in body should be one of {[str(t) for t in Tokenization]}, got {name!r}", rule=NOT_ONE_OF) from wrong


def read_fold(body: AnalyzerBody) -> AsciiFold | None:
    """Whether letters lose their marks, and which do not.

    Raises:
        InvalidSchema: letters are to be ignored where none is folded; detail has "setting".
    """
    if not body.ascii_fold:
        if body.ascii_fold_ignore:
            raise InvalidSchema("asciiFoldIgnore needs asciiFold to be true", setting="textAnalyzer")
        return None
    return AsciiFold(tuple(body.ascii_fold_ignore or ()))


def render_class(collection: Collection) -> Json:
    """A collection as clients read it, every block there."""
    body: Json = {"class": collection.name, "properties": [render_property(p) for p in collection.properties] or collection.settings.get("properties")}
    told = ((key, collection.settings.get(key, defaults)) for key, defaults in BLOCKS.items())
    body.update((key, block) for key, block in told if block is not None)
    if collection.tenancy.enabled:
        body["shardingConfig"] = NO_SHARDS
    if expiry := collection.expiry:
        times = {"deleteOn": expiry.field, "defaultTtl": expiry.after_s}
        body["objectTtlConfig"] = {"enabled": True, **times, "filterExpiredObjects": expiry.hide}
    elif "objectTtlConfig" in collection.settings:
        body["objectTtlConfig"] = collection.settings["objectTtlConfig"]
    if collection.description:
        body["description"] = collection.description
    if collection.settings.get("moduleConfig") is not None:
        body["moduleConfig"] = collection.settings["moduleConfig"]
    named = collection.vectors[1:] if collection.legacy_vector else collection.vectors
    if named or not collection.legacy_vector:
        body["vectorConfig"] = {v.name: {"vectorizer": {v.module: v.module_settings}, **_render_index(v)} for v in named}
    if not collection.legacy_vector:
        return body
    vector = collection.vectors[0]
    return body | {"vectorizer": vector.module, **_render_index(vector)}


def _render_index(vector: VectorConfig) -> Json:
    return {"vectorIndexType": vector.index_type, "vectorIndexConfig": vector.index_settings}


def render_property(prop: Property) -> Json:
    """A property as clients read it."""
    body: Json = {
        "dataType": list(prop.targets) or [prop.data_type],
        "indexFilterable": prop.filterable,
        "indexRangeFilters": prop.range_filters,
        "indexSearchable": prop.searchable,
        "name": prop.name,
    }
    if prop.tokenization:
        body["tokenization"] = prop.tokenization
    if prop.fold or prop.stopwords:
        body["textAnalyzer"] = _render_analyzer(prop)
    if prop.nested:
        body["nestedProperties"] = [render_property(inner) for inner in prop.nested]
    if prop.description:
        body["description"] = prop.description
    if prop.settings:
        body["moduleConfig"] = prop.settings
    return body


def _render_analyzer(prop: Property) -> Json:
    fold = prop.fold
    analyzer: Json = {"asciiFold": True} if fold else {}
    if fold and fold.ignore:
        analyzer["asciiFoldIgnore"] = list(fold.ignore)
    return analyzer | ({"stopwordPreset": prop.stopwords} if prop.stopwords else {})
