"""Files of arrays: read back as written, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from nearimage.engines.embedded.arrays import Array, open_arrays, write_arrays

ARRAYS: dict[str, Array] = {
    "ids": np.arange(5, dtype=np.uint64),
    "a/b": np.array([[1.5, -2.0], [3.0, 4.0]], np.float32),
    "none": np.zeros(0, np.int64),
    "flags": np.array([True, False]),
}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Names, types and shapes too: an int64 read as a uint64 finds other objects."""
    path = tmp_path / "x.arrays"
    write_arrays(path, ARRAYS, {"revision": 7, "é": [None, 1.5]})
    contents = open_arrays(path)
    assert contents is not None
    assert contents.about == {"revision": 7, "é": [None, 1.5]}
    for name, array in ARRAYS.items():
        got = contents.arrays[name]
        assert (got.dtype, got.shape, got.tolist()) == (array.dtype, array.shape, array.tolist())
        assert got.size == 0 or got.__array_interface__["data"][0] % 64 == 0
        assert not got.flags.writeable
    assert list(tmp_path.iterdir()) == [path]


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    """Whatever byte is flipped, and wherever the file is cut: nothing wrong is read."""
    path = tmp_path / "x.arrays"
    write_arrays(path, ARRAYS, {"revision": 7})
    intact = path.read_bytes()
    for at in range(len(intact)):
        path.write_bytes(intact[:at] + bytes([intact[at] ^ 0x20]) + intact[at + 1 :])
        found = open_arrays(path)
        if found is not None:  # the byte lies between two arrays
            assert found.about == {"revision": 7}
            assert all(found.arrays[name].tolist() == array.tolist() for name, array in ARRAYS.items())
        path.write_bytes(intact[:at])
        found = open_arrays(path)
        assert found is None or at >= len(intact.rstrip(b"\0"))
    path.unlink()
    assert open_arrays(path) is None


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Derived or not: a full disk must not cost a file that was good."""
    path = tmp_path / "x.arrays"
    write_arrays(path, ARRAYS, {"revision": 1})

    def fail(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nearimage.engines.embedded.arrays.force", fail)
    with pytest.raises(OSError, match="space"):
        write_arrays(path, ARRAYS, {"revision": 2})
    contents = open_arrays(path)
    assert contents is not None
    assert contents.about == {"revision": 1}
    assert list(tmp_path.iterdir()) == [path]
