"""A sound -> what ImageBind's audio tower hears.

    file --decoding--> first channel, mean of all --three clips of 2 s, at 16 kHz--> filter banks --204 moments, scaled--> (3, 1, 128, 204)

What is shorter than two seconds is heard three times and ends in silence. Of several channels the first is heard, as ImageBind does it; the mean that is
removed from a clip is that of all channels. Source: ImageBind, `data.py`. May import numpy, `domain` and `vectorizers.multi2vec_bind`.
"""

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import UnreadableMedia
from nearimage.vectorizers.multi2vec_bind.clips import clips_of
from nearimage.vectorizers.multi2vec_bind.recordings import Sound
from nearimage.vectorizers.multi2vec_bind.resampling import resampled, resampled_length
from nearimage.vectorizers.multi2vec_bind.spectrogram import BINS, FRAME, RATE, mel_energies

CLIPS = 3
MOMENTS = 204
MEAN, STD = -4.268, 9.138
"""Of the filter banks of AudioSet, by ImageBind."""


def audio_input(sound: Sound) -> npt.NDArray[np.float32]:
    """The tower's input.

    Returns:
        (3, 1, 128, 204) float32.

    Raises:
        UnreadableMedia: less than a frame of 25 ms.
    """
    length = resampled_length(sound.signals.shape[1], sound.rate, RATE)
    if length < FRAME:
        raise UnreadableMedia(f"the sound has {1000 * length / RATE:.0f} ms; at least 25 are needed", modality="audio", size=None)
    return np.stack([_clip(sound, int(start * RATE), int(end * RATE)) for start, end in clips_of(length / RATE, CLIPS)])


def _clip(sound: Sound, start: int, stop: int) -> npt.NDArray[np.float32]:
    first, mean = resampled(sound.signals, sound.rate, RATE, start, stop)
    energies = mel_energies(first - mean.mean(dtype=np.float64).astype(np.float32))[:MOMENTS]
    heard = np.zeros((1, BINS, MOMENTS), np.float32)
    heard[0, :, : len(energies)] = energies.T
    return np.asarray((heard - np.float32(MEAN)) / np.float32(STD))
