"""A film -> what ImageBind's video tower sees.

    frames --five clips of 2 s, the first and the last frame of each--> --shorter side 224--> scaled --left, middle, right--> (15, 3, 2, 224, 224)

Frames are shrunk bilinearly without smoothing first (torch's `interpolate`), unlike pictures. Of a film higher than wide the three squares are top, middle
and bottom. Source: ImageBind, `data.py`, and pytorchvideo's `short_side_scale`. May import numpy, `ports` and `vectorizers`.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nearimage.ports.media import Pixels
from nearimage.vectorizers.multi2vec_bind.clips import clips_of

CLIPS = 5
SIDE = 224
MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32)
STD = np.array((0.26862954, 0.26130258, 0.27577711), np.float32)

Values = npt.NDArray[np.float32]

Pair = tuple[int, int]
"""The numbers of two frames."""


def wanted_frames(count: int, rate: float) -> list[Pair]:
    """Which frames are looked at: the first and the last of each clip.

    Args:
        count: of all frames, at least 1.
        rate: frames a second.
    """
    pairs = []
    for start, end in clips_of(count / rate, CLIPS):
        first = min(math.ceil(rate * start), count - 1)
        pairs.append((first, max(first, min(math.ceil(rate * end), count) - 1)))
    return pairs


def video_input(pairs: Sequence[tuple[Pixels, Pixels]]) -> Values:
    """The tower's input.

    Args:
        pairs: two frames of each clip, all of one size.

    Returns:
        (3 x clips, 3, 2, 224, 224) float32, clip by clip.
    """
    return np.stack([square for pair in pairs for square in _squares(np.stack([_scaled(frame) for frame in pair], axis=1))])


def _scaled(frame: Pixels) -> Values:
    """(3, h, w) with the shorter side at 224."""
    height, width = frame.shape[:2]
    short = min(height, width)
    rows, columns = ((SIDE if side == short else math.floor(side / short * SIDE)) for side in (height, width))
    values: Values = frame.astype(np.float32) / np.float32(255)
    shrunk = _bilinear(_bilinear(values, columns, axis=1), rows, axis=0)
    return ((shrunk - MEAN) / STD).transpose(2, 0, 1)


def _bilinear(values: Values, size: int, axis: int) -> Values:
    """Bring one axis to a size: each new point lies between two old ones."""
    old = values.shape[axis]
    place = np.maximum((np.arange(size, dtype=np.float64) + 0.5) * (old / size) - 0.5, 0)
    low = np.minimum(place.astype(np.int64), old - 1)
    share = (place - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    lower, upper = values.take(low, axis), values.take(np.minimum(low + 1, old - 1), axis)
    return np.asarray(lower + (upper - lower) * share, np.float32)


def _squares(clip: Values) -> list[Values]:
    """Three squares along the longer side of (3, 2, h, w)."""
    height, width = clip.shape[2:]
    top, left = math.ceil((height - SIDE) / 2), math.ceil((width - SIDE) / 2)
    corners = [(0, left), (top, left), (height - SIDE, left)] if height > width else [(top, 0), (top, left), (top, width - SIDE)]
    return [clip[:, :, y : y + SIDE, x : x + SIDE] for y, x in corners]
