"""A sound -> how strong each pitch is at each moment: log-mel filter banks as Kaldi makes them.

    samples --frames of 25 ms, every 10 ms--> (frames, 400)
            --mean removed, high pitches raised, faded at both ends--> --512-point FFT--> power (frames, 257)
            --128 triangles, evenly spaced in mel--> --log--> (frames, 128)

Kaldi's choices that matter: no frame is begun that does not fit; the mean of each frame is removed before the rest; high pitches are raised by
y[i] = x[i] - 0.97 x[i - 1] within the frame, its first sample by itself; the fade is Hann's, symmetric; the lowest triangle begins at 20 Hz; a power under
float32's epsilon counts as that. Source: Kaldi, `feature-fbank`, as torchaudio's `compliance.kaldi.fbank` computes it with ImageBind's arguments
(tests/unit/vectorizers/test_bind_inputs.py compares). May import numpy only.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 16_000
BINS = 128
FRAME = 400
STEP = 160

_FFT = 512
_RAISE = 0.97
_LOWEST_HZ = 20.0
_FLOOR = float(np.finfo(np.float32).eps)

Array = npt.NDArray[np.floating[Any]]


def mel_energies(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The filter banks of a sound.

    Args:
        samples: (n,) at 16 kHz, at least one frame.

    Returns:
        (1 + (n - 400) // 160, 128) float32.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME)[::STEP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft((frames - _RAISE * before) * np.hanning(FRAME), _FFT)) ** 2
    return np.log(np.maximum(power @ _triangles(), _FLOOR)).astype(np.float32)


@cache
def _triangles() -> Array:
    """(257, 128): how much each frequency counts in each bin; the highest frequency counts in none."""
    edges = np.linspace(_mel(np.array(_LOWEST_HZ)), _mel(np.array(RATE / 2)), BINS + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    mel = _mel(np.arange(_FFT // 2, dtype=np.float64) * (RATE / _FFT))[:, None]
    inner = np.maximum(0, np.minimum((mel - left) / (centre - left), (right - mel) / (right - centre)))
    return np.concatenate([inner, np.zeros((1, BINS))])


def _mel(hz: Array) -> Array:
    return np.asarray(1127.0 * np.log1p(hz / 700.0))
