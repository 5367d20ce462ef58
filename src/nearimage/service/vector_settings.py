"""Which named vectors a collection can have, beside what their modules say.

May import `domain` only.
"""

from collections.abc import Mapping

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import NO_MODULE, Collection, DataType, VectorConfig


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
