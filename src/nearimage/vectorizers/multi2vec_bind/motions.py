"""Measurements of motion -> what ImageBind's IMU tower feels.

    CSV or .npy --six columns: acceleration x y z, rotation x y z--> (6, n) --2,000 samples: cut, or zeros behind--> (6, 2000)

Weaviate's container for ImageBind takes CSV with one line of names, and so does this (the line may be missing). It then reads the numbers in
another order than they were written (`reshape` where a transposition was meant); this does not, so vectors of motion from there and from here do not mix.
ImageBind was trained on 200 samples a second (arXiv:2305.05665, Ego4D). May import numpy and `domain`.
"""

import io

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import UnreadableMedia

CHANNELS = 6
SAMPLES = 2_000

MAX_BYTES = 64 * 1024 * 1024
"""More than an hour of measurements as text; what is behind the first ten seconds is not read anyway."""

_LINES = SAMPLES + 1
_LINE_BYTES = 1_000  # six numbers have 150


def motion_input(data: bytes) -> npt.NDArray[np.float32]:
    """The tower's input.

    Returns:
        (6, 2000) float32.

    Raises:
        UnreadableMedia: no six columns of finite numbers.
    """
    if len(data) > MAX_BYTES:
        raise _unreadable(data, f"the limit is {MAX_BYTES:,} bytes")
    rows = _array(data) if data.startswith(b"\x93NUMPY") else _text(data)
    if not len(rows):
        raise _unreadable(data, "it has no row of numbers")
    if not np.isfinite(rows).all():
        raise _unreadable(data, "not all of its numbers are finite")
    felt = np.zeros((CHANNELS, SAMPLES), np.float32)
    felt[:, : len(rows)] = rows.T
    return felt


def _array(data: bytes) -> npt.NDArray[np.float32]:
    """At most 2,000 rows of an .npy file, read in place: its header's claims allocate nothing, and objects, which could run code, are no numbers."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
        if len(shape) != 2 or CHANNELS not in shape or dtype.kind not in "fiu":
            raise ValueError(f"it has shape {shape} of {dtype}, expected (n, 6) or (6, n) numbers")
        flat = np.frombuffer(data, dtype, count=shape[0] * shape[1], offset=file.tell())
    except (ValueError, TypeError, EOFError, SyntaxError) as error:  # numpy reads the header as a Python literal
        raise _unreadable(data, f"the array cannot be read: {error}") from error
    found = flat.reshape(shape, order="F" if is_fortran else "C")
    return np.asarray((found if shape[1] == CHANNELS else found.T)[:SAMPLES], np.float32)


def _text(data: bytes) -> npt.NDArray[np.float32]:
    """At most 2,000 rows of a CSV file, without its line of names."""
    lines = io.BytesIO(data)
    rows: list[list[float]] = []
    for number in range(_LINES):
        line = lines.readline(_LINE_BYTES)
        if not line or len(rows) == SAMPLES:
            break
        if not line.strip():
            continue
        try:
            row = [float(part) for part in line.split(b",")]
        except ValueError:
            if number == 0:
                continue  # the names
            raise _unreadable(data, f"line {number + 1} is no row of numbers with commas between") from None
        if len(row) != CHANNELS:
            raise _unreadable(data, f"line {number + 1} has {len(row)} numbers, not {CHANNELS}")
        rows.append(row)
    return np.array(rows, np.float32).reshape(-1, CHANNELS)


def _unreadable(data: bytes, why: str) -> UnreadableMedia:
    return UnreadableMedia(
        f"the {len(data):,} bytes are no motion that can be read: {why}; send CSV or a NumPy array with six columns, acceleration x y z and rotation x y z",
        modality="imu",
        size=len(data),
    )
