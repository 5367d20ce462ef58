"""Every engine keeps the port's promises."""

from pathlib import Path

from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.testing.engine_contract import EngineContract


class TestMemoryEngine(EngineContract):
    """The oracle itself."""

    reopens = False

    def open_engine(self, folder: Path) -> MemoryEngine:
        return MemoryEngine()


class TestEmbeddedEngine(EngineContract):
    """The default engine."""

    def open_engine(self, folder: Path) -> EmbeddedEngine:
        return EmbeddedEngine(folder)
