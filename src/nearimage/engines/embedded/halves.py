"""Ids as two uint64 halves, big-endian: numpy has no 16-byte integer. May import numpy only."""

import numpy as np
import numpy.typing as npt

Halves = npt.NDArray[np.uint64]


def halves_of(packed: bytes) -> tuple[Halves, Halves]:
    """The upper and the lower halves of ids, 16 bytes each, one after another."""
    both = np.frombuffer(packed, ">u8").astype(np.uint64)
    return both[0::2], both[1::2]


def packed_of(high: Halves, low: Halves) -> bytes:
    """The inverse of `halves_of`."""
    return np.stack((high, low), axis=1).astype(">u8").tobytes()


def among(high: Halves, low: Halves, packed: bytes) -> npt.NDArray[np.bool_]:
    """Which of the ids are some of those packed; (n,) bool.

    Cost:
        One pass, with a binary search of each lower half among those sought.
    """
    sought_high, sought_low = halves_of(packed)
    if len(sought_low) == 0:
        return np.zeros(len(low), np.bool_)
    if len(sought_low) == 1:
        return np.asarray((low == sought_low[0]) & (high == sought_high[0]))
    hits = np.isin(low, sought_low)
    found = np.flatnonzero(hits)
    wanted = set(zip(sought_high.tolist(), sought_low.tolist(), strict=True))
    hits[found] = [pair in wanted for pair in zip(high[found].tolist(), low[found].tolist(), strict=True)]
    return hits
