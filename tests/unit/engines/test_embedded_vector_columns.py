"""Rows and slots of one named vector, translated both ways."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.engines.embedded.slots import SlotFile
from nearimage.engines.embedded.state import VectorColumn


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlotFile]:
    """A slot file, of which these tests use only that it is there."""
    file = SlotFile.create(tmp_path_factory.mktemp("slots") / "x.slots", 2)
    yield file
    file.close()


@given(choices=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=60), passes=st.integers(0))
def test_slots_lead_back_to_the_rows_that_a_state_sees(file: SlotFile, choices: list[tuple[int, int]], passes: int) -> None:
    """An index answers with slots; a reader of an older state must not be led to a row that is newer than its state."""
    column, rows = VectorColumn(0, file), 0
    slot_of: dict[int, int] = {}
    live: set[int] = set()
    states: list[tuple[int, dict[int, int]]] = []
    for kind, choice in choices:
        if kind == 0 and live:  # a patch: a new row, the same slot
            old = sorted(live)[choice % len(live)]
            live.remove(old)
            slot_of[rows] = slot_of[old]
        elif kind == 1 and live:
            live.remove(sorted(live)[choice % len(live)])
        elif kind == 2:  # an object without this vector
            rows += 1
        else:
            slot_of[rows] = column.slots
            column.set_norms(np.array([column.slots]), np.ones(1, np.float32))
        if rows in slot_of:
            column.extend(np.array([rows]), np.array([slot_of[rows]]))
            live.add(rows)
            rows += 1
        states.append((rows, {row: slot_of[row] for row in live}))
    for count, owned in states:
        passing = np.array([bool(passes >> row & 1) and row in owned for row in range(count)], np.bool_)
        bits, number = column.passing(passing)
        wanted = {owned[row] for row in range(count) if passing[row]}
        assert set(np.flatnonzero(np.unpackbits(bits, bitorder="little")).tolist()) == wanted
        assert (len(bits), number) == ((column.slots + 7) // 8, len(wanted))
        assert column.rows_of(np.array(list(owned.values()), np.int64), count).tolist() == list(owned)


def test_slots_written_after_a_revision_are_known(file: SlotFile) -> None:
    """An index read from a file covers a revision; what came later is scanned."""
    column = VectorColumn(0, file)
    for row, slot in ((0, 0), (1, 1), (3, 2), (4, 1)):
        column.extend(np.array([row]), np.array([slot]))
    revisions = np.array([10, 11, 12, 20, 21], np.int64)
    assert [column.written_after(r, revisions).tolist() for r in (0, 10, 12, 20, 21)] == [[0, 1, 2], [1, 2], [1, 2], [1], []]
