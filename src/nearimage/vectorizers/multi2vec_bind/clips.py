"""Where the clips of a recording lie: a fixed number of equal length, from its beginning to its end.

    10 s, three clips of 2 s   ->   0..2   4..6   8..10
    1 s                        ->   0..2   0..2   0..2      cut at the end

Fractions, since a sample or a frame more or less is another input. Source: pytorchvideo, `ConstantClipsPerVideoSampler`, which ImageBind samples with.
May import the standard library only.
"""

from fractions import Fraction

Clip = tuple[Fraction, Fraction]
"""Start and end, in seconds."""

CLIP_S = 2


def clips_of(duration_s: float, count: int) -> list[Clip]:
    """The clips of a recording.

    Args:
        count: at least 2.
    """
    step = Fraction(max(duration_s - CLIP_S, 0)) / (count - 1)
    return [(step * number, step * number + CLIP_S) for number in range(count)]
