"""Both engines side by side, for machines that give them the same and compare what they answer."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis.stateful import RuleBasedStateMachine

from nearimage.domain.schema import Collection
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Shard

EXAMPLES = int(os.environ.get("NEARIMAGE_CONGRUENCE_EXAMPLES", "60"))


class BothEngines(RuleBasedStateMachine):
    """The memory engine and the embedded one, each with the same collection."""

    collection: Collection

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="nearimage-congruence-"))
        self.memory = MemoryEngine()
        self.embedded = EmbeddedEngine(self.folder)

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.embedded.close()
        shutil.rmtree(self.folder)

    def create(self, collection: Collection) -> None:
        """The same collection in both."""
        self.collection = collection
        for engine in (self.memory, self.embedded):
            engine.create_collection(collection)

    @property
    def shards(self) -> tuple[Shard, Shard]:
        """The memory engine's first."""
        name = self.collection.name
        return self.memory.shard(name), self.embedded.shard(name)
