"""Ids as two uint64 halves, big-endian: numpy has no 16-byte integer. May import numpy and this package's `membership` only."""

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.membership import candidates

Halves = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0xD1B54A32D192ED03)
"""Odd and without a pattern; a multiplier of Steele and Vigna, "Computationally easy, spectrally good multipliers", arXiv:2001.05304."""


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
        One pass; see `membership`.
    """
    sought_high, sought_low = halves_of(packed)
    if len(sought_low) == 0:
        return np.zeros(len(low), np.bool_)
    if len(sought_low) == 1:
        hits = np.asarray(low == sought_low[0])
        found = np.flatnonzero(hits)
        hits[found] = high[found] == sought_high[0]
        return hits
    all_keys = _mixed(sought_high, sought_low)
    keys, first, which = np.unique(all_keys, return_index=True, return_inverse=True)
    one_high, one_low = sought_high[first], sought_low[first]
    if not ((one_high[which] == sought_high) & (one_low[which] == sought_low)).all():  # two ids of one key: nobody meets that by chance
        return _listed(high, low, set(zip(sought_high.tolist(), sought_low.tolist(), strict=True)))
    hits = np.zeros(len(low), np.bool_)
    mixed = _mixed(high, low)
    found = candidates(mixed, keys)
    likely = np.minimum(np.searchsorted(keys, mixed[found]), len(keys) - 1)
    hits[found] = (one_high[likely] == high[found]) & (one_low[likely] == low[found])
    return hits


def _mixed(high: Halves, low: Halves) -> Halves:
    """One number of both halves; different ids have the same one very rarely."""
    return high * _FACTOR + low


def _listed(high: Halves, low: Halves, sought: set[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    return np.array([pair in sought for pair in zip(high.tolist(), low.tolist(), strict=True)], np.bool_)
