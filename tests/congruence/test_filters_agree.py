"""Every filter finds the same objects in both engines, among more objects than the state machine has.

Columns keep dense and sparse rows, arrays and single values apart; a few dozen objects with gaps meet all of it, and a restart in between makes the index anew.
"""

import os
import tempfile
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nearimage.domain.objects import Record
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.testing.strategies import collections, filters, values

EXAMPLES = int(os.environ.get("NEARIMAGE_CONGRUENCE_EXAMPLES", "60"))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_filters_find_the_same_objects(data: st.DataObject) -> None:
    """Both are read line by line against `domain.filters`; they share none of the code that answers."""
    collection = data.draw(collections())
    chosen = {p.name: data.draw(st.lists(st.none() | values(p.data_type), min_size=1, max_size=6)) for p in collection.properties}
    size = data.draw(st.integers(0, 40))
    batch = []
    for number in range(size):  # each property goes round its own list, so that all combinations meet
        found = {name: options[number % len(options)] for name, options in chosen.items()}
        properties = {name: value for name, value in found.items() if value is not None}
        batch.append(Record(id=UUID(int=number << (number % 3 * 50)), properties=properties, created_ms=number % 7, updated_ms=number))
    asked = data.draw(st.lists(filters(collection), min_size=1, max_size=12))
    with tempfile.TemporaryDirectory(prefix="nearimage-filters-") as folder:
        memory, embedded = MemoryEngine(), EmbeddedEngine(Path(folder))
        for engine in (memory, embedded):
            engine.create_collection(collection)
            engine.shard(collection.name).put(batch)
            engine.shard(collection.name).delete([record.id for record in batch[3::5]])
        expected = [memory.shard(collection.name).passing_ids(where) for where in asked]
        assert [embedded.shard(collection.name).passing_ids(where) for where in asked] == expected
        embedded.close()
        again = EmbeddedEngine(Path(folder))
        assert [again.shard(collection.name).passing_ids(where) for where in asked] == expected
        again.close()
