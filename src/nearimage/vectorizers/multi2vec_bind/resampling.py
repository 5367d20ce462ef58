"""Bring a stretch of signals to another sample rate.

Each output sample is a weighted sum of the input around its place; the weights are a sinc, cut at a little under half the lower rate and faded out by a
raised cosine. With both rates divided by their common factor (44,100 and 16,000: 441 and 160), an output's place between two inputs is one of 160
phases, and the weights of a phase are computed once. So a stretch costs what a stretch costs, however long the recording is, and a rate that shares no
factor with the wanted one costs 16,000 phases of a few dozen weights, no more.

Source: torchaudio, `functional.resample`, with its defaults, which ImageBind uses; it makes one filter of all phases, which for rates without a common
factor takes a gigabyte. May import numpy only.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Signals = npt.NDArray[np.float32]

ROLLOFF = 0.99
ZEROS = 6
"""Where the filter ends: at the sixth zero of the sinc."""


def resampled_length(length: int, rate: int, wanted: int) -> int:
    """How long a signal is at another rate."""
    return length if rate == wanted else -(-length * wanted // rate)


def resampled(signals: Signals, rate: int, wanted: int, start: int, stop: int) -> Signals:
    """A stretch of signals at another rate.

    Args:
        signals: (channels, n), all of them.
        start, stop: of the stretch, in samples of the new rate; what is beyond the end is left out.
    """
    stop = min(stop, resampled_length(signals.shape[1], rate, wanted))
    if rate == wanted:
        return signals[:, start:stop]
    common = math.gcd(rate, wanted)
    old, new = rate // common, wanted // common
    weights = _weights(old, new)
    reach = weights.shape[1] // 2 - 1
    outputs = np.arange(start, stop)
    places = outputs * old // new
    first, last = int(places[0]) - reach, int(places[-1]) + reach + 2
    around = _padded(signals, first, last)
    neighbours = (places - reach - first)[:, None] + np.arange(weights.shape[1])
    made: Signals = np.einsum("cnk,nk->cn", around[:, neighbours], weights[outputs % new])
    return made


@lru_cache(maxsize=4)
def _weights(old: int, new: int) -> Signals:
    """(new, neighbours): row p weighs the inputs around an output whose number leaves p when divided by `new`."""
    cutoff = min(old, new) * ROLLOFF / old
    reach = math.ceil(ZEROS / cutoff)
    behind = (np.arange(new) * old % new / new)[:, None]
    turns = np.clip((np.arange(-reach, reach + 2) - behind) * cutoff, -ZEROS, ZEROS)
    fade = np.cos(turns * math.pi / ZEROS / 2) ** 2
    return np.asarray(np.sinc(turns) * fade * cutoff, np.float32)


def _padded(signals: Signals, start: int, stop: int) -> Signals:
    """A stretch that may begin before the signals and end after them; there is silence."""
    before, after = max(0, -start), max(0, stop - signals.shape[1])
    return np.pad(signals[:, max(0, start) : stop], ((0, 0), (before, after)))
