from nearimage.engines.embedded.engine import EmbeddedEngine
from nearimage.engines.embedded.rows import JsonRows, RowCodec

__all__ = ["EmbeddedEngine", "JsonRows", "RowCodec"]
