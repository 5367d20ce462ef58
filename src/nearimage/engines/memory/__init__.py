"""The engine that keeps everything in memory, plainly: the oracle of all tests."""

from nearimage.engines.memory.engine import MemoryEngine

__all__ = ["MemoryEngine"]
