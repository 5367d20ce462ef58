"""Whatever is written, tidied, killed and opened again, in whatever order: the embedded engine answers as the memory engine does.

Shards count as large from six objects on, so that files of columns, compaction and memory without dead rows are what Hypothesis plays with.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, precondition, rule

from nearimage.engines.embedded import EmbeddedEngine, recovery, upkeep
from nearimage.engines.embedded.shard import EmbeddedShard
from tests.congruence.engines import EXAMPLES
from tests.congruence.test_engines_agree import TwoEngines


class TwoEnginesKeptUp(TwoEngines):
    """The same rules, and upkeep between them."""

    def __init__(self) -> None:
        self.patches: tuple[AbstractContextManager[object], ...] = (
            patch.object(recovery, "SMALL_SHARD", 5),
            patch.dict(vars(upkeep), {"SMALL_SHARD": 5, "_FEWEST_DEAD": 0, "_CHANGES_AT_CLOSE": 6}),
        )
        for one in self.patches:
            one.__enter__()
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        for one in self.patches:
            one.__exit__(None, None, None)

    @contextmanager
    def _opened(self) -> Iterator[EmbeddedShard]:
        shard = self.embedded.shard("Photo")
        with shard._gate:
            yield shard

    @invariant()
    def the_background_is_at_rest(self) -> None:
        """Compaction gives what it moves another revision: were it to go on, it might do so between a reading and a write on its condition."""
        self.embedded.shard("Photo").count()  # opened, if it was not
        assert self.embedded.background.wait(60)

    @precondition(lambda self: hasattr(self, "collection"))
    @rule()
    def write_columns(self) -> None:
        """A file of columns, and the table in it taken up if many rows are dead."""
        with self._opened() as shard:
            shard._upkeep.write_columns(lambda: False)

    @precondition(lambda self: hasattr(self, "collection"))
    @rule()
    def compact(self) -> None:
        """Objects move."""
        with self._opened() as shard:
            shard._upkeep.compact(lambda: False)

    @precondition(lambda self: hasattr(self, "collection"))
    @rule()
    def settle(self) -> None:
        """Slots that were freed may be given again from here on."""
        with self._opened() as shard:
            shard._writer.settle()

    @precondition(lambda self: hasattr(self, "collection"))
    @rule()
    def kill(self) -> None:
        """The folder as it lies there at this moment is opened; what the engine would have tidied at closing is not done."""
        killed = Path(tempfile.mkdtemp(prefix="nearimage-congruence-"))
        shutil.copytree(self.folder, killed, dirs_exist_ok=True)
        self.embedded.close()
        shutil.rmtree(self.folder)
        self.folder = killed
        self.embedded = EmbeddedEngine(self.folder)


TwoEnginesKeptUp.TestCase.settings = settings(
    max_examples=EXAMPLES // 2, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.timeout(0 if EXAMPLES > 60 else 180)
class TestTwoEnginesKeptUp(TwoEnginesKeptUp.TestCase):  # type: ignore[misc, valid-type] # made by Hypothesis
    """Run by pytest."""
