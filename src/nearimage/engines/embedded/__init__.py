"""The engine that keeps everything in one folder: SQLite for objects, slot files for vectors."""

from nearimage.engines.embedded.checking import check_folder, check_snapshot, is_snapshot
from nearimage.engines.embedded.engine import EmbeddedEngine
from nearimage.engines.embedded.open_shards import OPEN_SHARDS
from nearimage.engines.embedded.rows import JsonRows, RowCodec

__all__ = ["OPEN_SHARDS", "EmbeddedEngine", "JsonRows", "RowCodec", "check_folder", "check_snapshot", "is_snapshot"]
