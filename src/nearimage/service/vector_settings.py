"""Which named vectors a collection can have, beside what their modules say.

May import `domain` only.
"""

from collections.abc import Container, Iterable, Mapping

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import NO_MODULE, Collection, DataType, Property, VectorConfig


def check_multi_vector(vector: VectorConfig, *, legacy: bool) -> None:
    """Refuse a multi-vector that cannot be.

    Args:
        legacy: whether the vector has no name.

    Raises:
        InvalidSchema: detail has "setting".
    """
    settings, where = vector.index_settings.get("multivector"), f"vector {vector.name!r}"
    if not vector.is_multi:
        return
    if legacy:
        raise InvalidSchema(f"{where}: only named vectors can be multi-vectors; declare it in vectorConfig", setting="vectorIndexConfig.multivector")
    if vector.index_type != "hnsw":
        raise InvalidSchema(f"{where}: multi-vectors go with vectorIndexType hnsw, not {vector.index_type}", setting="vectorIndexType")
    if vector.module != NO_MODULE:
        raise InvalidSchema(f"{where}: {vector.module} makes one vector an object; multi-vectors are supplied by the client", setting="vectorizer")
    aggregation = settings.get("aggregation") if isinstance(settings, Mapping) else None
    if aggregation not in (None, "", "maxSim"):
        raise InvalidSchema(f"{where}: multi-vectors are compared by maxSim, not by {aggregation!r}", setting="vectorIndexConfig.multivector.aggregation")


def check_module_settings(collection: Collection, properties: Iterable[Property], modules: Container[str]) -> None:
    """Refuse properties of a collection, or for it, that say something to a vectorizer which makes none of its vectors.

    Args:
        modules: that this server has; what is said to others is nobody's business here.

    Raises:
        InvalidSchema: detail has "setting".
    """
    used = {vector.module for vector in collection.vectors}
    for prop in properties:
        for module, settings in prop.settings.items():
            if module not in modules:
                continue
            if module not in used:
                message = f"property {prop.name!r}: vectorizer {module!r} makes no vector of collection {collection.name!r}; leave its moduleConfig out"
                raise InvalidSchema(message, setting="moduleConfig")
            if not isinstance(settings, Mapping):
                raise InvalidSchema(f"property {prop.name!r}: the settings of {module!r} must be an object, got {settings!r}", setting="moduleConfig")


def check_hashes(collection: Collection) -> None:
    """Refuse vectors made of a blobHash and something else: when the other changes, the blob is gone, and the vector could not be made anew.

    Raises:
        InvalidSchema: detail has "setting".
    """
    hashes = {prop.name for prop in collection.properties if prop.data_type is DataType.BLOB_HASH}
    for vector in collection.vectors:
        lists = {key: names for key, names in vector.module_settings.items() if key.endswith("Fields") and isinstance(names, list)}
        fields = [name for names in lists.values() for name in names]
        if hashes.intersection(map(str, fields)) and (len(fields) > 1 or "textFields" in lists):
            message = f"targetVector {vector.name!r}: blobHash property cannot be combined with other vectorizable fields; give it a named vector of its own"
            raise InvalidSchema(message, setting="moduleConfig")
