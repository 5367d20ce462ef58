"""The engine that keeps everything in one folder: SQLite for objects, slot files for vectors."""

from nearimage.engines.embedded.engine import EmbeddedEngine
from nearimage.engines.embedded.rows import JsonRows, RowCodec

__all__ = ["EmbeddedEngine", "JsonRows", "RowCodec"]
