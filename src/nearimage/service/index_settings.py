"""Which settings the index of a vector can have.

The limits are Weaviate's (its `entities/vectorindex`), also where nothing here goes by the setting: a schema moves both ways, and a mistake is told where it
is made.

    hnsw      connections and the width of building within limits; how filters are followed; at most one way of compressing
    flat      at most one way of compressing, which is bq or rq; a cache only for what is compressed
    dynamic   both
    all       every setting has the type of its default

May import `domain` and the defaults only.
"""

from collections.abc import Mapping

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import Metric, VectorConfig
from nearimage.service.collection_defaults import INDEX_SETTINGS, Json

MIN_CONNECTIONS, MAX_CONNECTIONS, MIN_EF_CONSTRUCTION = 4, 2047, 4
MAX_KSIM = 10
"""Muvera makes 2 ** ksim clusters."""

FILTER_STRATEGIES = ("sweeping", "acorn")
RQ_BITS = (1, 8)
_QUANTIZERS = ("pq", "bq", "sq", "rq")
_ENCODER = {"type": ("kmeans", "tile"), "distribution": ("log-normal", "normal")}
_TYPE_NAMES = {bool: "true or false", int: "a whole number", str: "a text", dict: "an object"}


def check_index(vector: VectorConfig) -> None:
    """Refuse what Weaviate's index of the type does not do.

    Raises:
        InvalidSchema: detail has "setting".
    """
    settings, where = dict(vector.index_settings), f"vector {vector.name!r}: "
    _check_types(settings, INDEX_SETTINGS[vector.index_type], where)
    if vector.index_type == "hfresh" and vector.metric not in (Metric.COSINE, Metric.L2_SQUARED):
        message = f"{where}vectorIndexType hfresh goes with the distances cosine and l2-squared, not {vector.metric}"
        raise InvalidSchema(message, setting="vectorIndexConfig.distance")
    parts = {"hnsw": _block(settings, "hnsw"), "flat": _block(settings, "flat")} if vector.index_type == "dynamic" else {vector.index_type: settings}
    if "hnsw" in parts:
        _check_graph(parts["hnsw"], where)
    if "flat" in parts:
        _check_flat(parts["flat"], where)


def index_type_setting(text: str, setting: str) -> str:
    """The type of index that a setting names.

    Raises:
        InvalidSchema: there is none of that name; detail has "setting".
    """
    if text not in INDEX_SETTINGS:
        raise InvalidSchema(f"{setting} is one of {sorted(INDEX_SETTINGS)}, got {text!r}", setting=setting)
    return text


def _check_types(given: Json, defaults: Json, where: str, path: str = "vectorIndexConfig.") -> None:
    for key, default in defaults.items():
        value = given.get(key)
        if value is None:
            continue
        if type(value) is not type(default):
            raise InvalidSchema(f"{where}{path}{key} must be {_TYPE_NAMES[type(default)]}, got {value!r}", setting=f"{path}{key}")
        if isinstance(default, dict):
            _check_types(value, default, where, f"{path}{key}.")


def _check_graph(settings: Json, where: str) -> None:
    connections, width, strategy = (settings.get(key) for key in ("maxConnections", "efConstruction", "filterStrategy"))
    if connections is not None and not MIN_CONNECTIONS <= connections <= MAX_CONNECTIONS:
        _refuse(f"{where}maxConnections must be from {MIN_CONNECTIONS} to {MAX_CONNECTIONS}, got {connections}", "maxConnections")
    if width is not None and width < MIN_EF_CONSTRUCTION:
        _refuse(f"{where}efConstruction must be {MIN_EF_CONSTRUCTION} or more, got {width}", "efConstruction")
    if strategy not in (None, *FILTER_STRATEGIES):
        _refuse(f"{where}filterStrategy is one of {list(FILTER_STRATEGIES)}, got {strategy!r}", "filterStrategy")
    _check_one_quantizer(settings, where)
    for name, choices in _ENCODER.items():
        chosen = _block(_block(settings, "pq"), "encoder").get(name)
        if chosen not in (None, *choices):
            _refuse(f"{where}pq.encoder.{name} is one of {list(choices)}, got {chosen!r}", f"pq.encoder.{name}")
    muvera = _block(_block(settings, "multivector"), "muvera")
    if muvera.get("enabled") and (muvera.get("ksim") or 0) > MAX_KSIM:
        _refuse(f"{where}multivector.muvera.ksim must be {MAX_KSIM} or less, got {muvera['ksim']}", "multivector.muvera.ksim")


def _check_flat(settings: Json, where: str) -> None:
    for name in _QUANTIZERS:
        quantizer = _block(settings, name)
        if quantizer.get("cache") and not quantizer.get("enabled"):
            _refuse(f"{where}{name}.cache is for compressed vectors; enable {name} too, or leave the cache out", f"{name}.cache")
    _check_one_quantizer(settings, where)
    for name in ("pq", "sq"):
        if _block(settings, name).get("enabled"):
            _refuse(f"{where}a flat index is compressed by bq or rq, not by {name}", name)


def _check_one_quantizer(settings: Json, where: str) -> None:
    enabled = [name for name in _QUANTIZERS if _block(settings, name).get("enabled")]
    if len(enabled) > 1:
        _refuse(f"{where}vectors are compressed in one way, got {enabled}; enable one", enabled[-1])
    bits = _block(settings, "rq").get("bits")
    if "rq" in enabled and bits not in RQ_BITS:
        _refuse(f"{where}rq.bits is one of {list(RQ_BITS)}, got {bits!r}", "rq.bits")


def _block(settings: Json, name: str) -> Json:
    block = settings.get(name)
    return dict(block) if isinstance(block, Mapping) else {}


def _refuse(message: str, setting: str) -> None:
    raise InvalidSchema(message, setting=f"vectorIndexConfig.{setting}")
