"""What may change in a collection that has objects, and what may not. The rules are Weaviate's, so that its clients meet no surprise.

    may be new       nested properties; named vectors; other properties only by themselves (`Collections.add_property`)
    may change       descriptions; settings of keyword search, replication and modules of properties; index settings that only searches read (`ef` ...);
                     whether tenants are made and activated by themselves
    may not          names, data types, tokenization, which indexes a property has; whether nulls, lengths and times are indexed; vectorizer, metric, index type
                     and how the index is built; sharding; whether there are tenants; and nothing may be missing

May import `domain` only.
"""

from collections.abc import Mapping
from dataclasses import replace

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import Collection, Property, VectorConfig

_QUANTIZERS = ("pq", "bq", "rq", "sq")
FIXED_INDEX_SETTINGS = ("distance", "efConstruction", "maxConnections", "cleanupIntervalSeconds", "multivector")
"""What the index was built with; Weaviate refuses to change the same ones."""

FIXED_INDEX_FLAGS = ("indexNullState", "indexPropertyLength", "indexTimestamps")
"""What Weaviate indexes from the first object on or never. Here they change nothing, but a definition must move both ways."""


def altered(old: Collection, new: Collection) -> Collection:
    """The definition to store: the new one, with what the old one knows and no client sends.

    Raises:
        InvalidSchema: something changed that may not; detail names the setting.
    """
    _refuse(old.name != new.name, "class", f"collection {old.name!r} cannot be renamed")
    _refuse(old.tenancy.enabled != new.tenancy.enabled, "multiTenancyConfig", f"collection {old.name!r}: multi-tenancy is chosen when the collection is made")
    sharding = "shardingConfig"
    _refuse(old.settings.get(sharding) != new.settings.get(sharding), sharding, f"collection {old.name!r}: sharding is chosen when the collection is made")
    for flag in FIXED_INDEX_FLAGS:
        changed = _flag(old, flag) != _flag(new, flag)
        _refuse(changed, f"invertedIndexConfig.{flag}", f"collection {old.name!r}: {flag} is chosen when the collection is made")
    for prop in old.properties:
        _check_property(prop, new.property(prop.name))
    _refuse(old.legacy_vector != new.legacy_vector, "vectorConfig", f"collection {old.name!r}: whether it has a vector without a name cannot be changed")
    for vector in old.vectors:
        _check_vector(vector, new.vector(vector.name))
    return replace(new, vectors=tuple(_with_known(v, old.vector(v.name)) for v in new.vectors))


def _with_known(new: VectorConfig, old: VectorConfig | None) -> VectorConfig:
    """The model that was chosen; and settings that were never given do not begin to be, because clients send back the empty ones that they were shown."""
    return replace(new, model=old.model, configured=old.configured) if old else new


def _flag(collection: Collection, name: str) -> bool:
    block = collection.settings.get("invertedIndexConfig")
    return isinstance(block, Mapping) and bool(block.get(name))


def _check_property(old: Property, new: Property | None) -> None:
    if new is None:
        raise InvalidSchema(f"property {old.name!r} is missing; properties cannot be removed", setting="properties")
    nested = {inner.name: inner for inner in new.nested}
    for inner in old.nested:
        _check_property(inner, nested.get(inner.name))
    same = replace(new, description=old.description, settings=old.settings, nested=old.nested)
    _refuse(same != old, "properties", f"property {old.name!r}: only its description can be changed")


def _check_vector(old: VectorConfig, new: VectorConfig | None) -> None:
    if new is None:
        raise InvalidSchema(f"vector {old.name!r} is missing; vectors cannot be removed", setting="vectorConfig")
    changed = (old.module, old.module_settings) != (new.module, new.module_settings)
    _refuse(changed, "vectorizer", f"vector {old.name!r}: its vectorizer and the vectorizer's settings cannot be changed")
    _refuse(old.index_type != new.index_type, "vectorIndexType", f"vector {old.name!r}: the type of its index cannot be changed")
    _refuse(old.metric != new.metric, "vectorIndexConfig.distance", f"vector {old.name!r}: its distance cannot be changed from {old.metric}")
    for key in _QUANTIZERS:
        _check_quantizer(old, new, key)
    for key in FIXED_INDEX_SETTINGS:
        was, wanted = old.index_settings.get(key), new.index_settings.get(key)
        _refuse(was != wanted, f"vectorIndexConfig.{key}", f"vector {old.name!r}: {key} cannot be changed from {was!r} to {wanted!r}")


def _check_quantizer(old: VectorConfig, new: VectorConfig, name: str) -> None:
    """A flat index is read through its compressed copies from the first object on; the others may be compressed later, but never with other bits."""
    was, wanted = old.index_settings.get(name), new.index_settings.get(name)
    if not isinstance(was, Mapping) or not isinstance(wanted, Mapping):
        return
    is_flat = old.index_type == "flat"
    for key in ("enabled", "bits") if is_flat else ("bits",):
        message = f"vector {old.name!r}: {name}.{key} cannot be changed from {was.get(key)!r} to {wanted.get(key)!r}"
        _refuse((is_flat or bool(was.get("enabled"))) and was.get(key) != wanted.get(key), f"vectorIndexConfig.{name}.{key}", message)


def _refuse(wrong: bool, setting: str, message: str) -> None:
    if wrong:
        raise InvalidSchema(message, setting=setting)
