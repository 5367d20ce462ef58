"""Sounds, films and pictures of depth, made by formulas, for comparing with ImageBind's own preparation. May import numpy only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class SoundCase:
    """A sound of so many samples."""

    length: int
    rate: int = 16_000
    channels: int = 1


@dataclass(frozen=True, slots=True)
class FilmCase:
    """A film of so many frames."""

    frames: int
    rate: float
    height: int
    width: int


SOUNDS = {
    "seven seconds": SoundCase(112_345),
    "half a second": SoundCase(8_000),
    "stereo at 44,100": SoundCase(44_100 * 3 + 17, 44_100, 2),
    "telephone at 8,000": SoundCase(8_000 * 4, 8_000),
    "studio at 48,000": SoundCase(48_000 * 5 + 1, 48_000, 6),
    "odd rate 22,051": SoundCase(22_051 * 2 + 3, 22_051),
}

FILMS = {
    "wide": FilmCase(140, 25.0, 36, 64),
    "high": FilmCase(33, 10.0, 250, 121),
    "short": FilmCase(3, 29.97, 48, 48),
    "large": FilmCase(11, 1.5, 481, 853),
}

GREYS = {"wide": (300, 401), "high": (517, 233), "small": (90, 120), "exact": (224, 224)}


def sound(case: SoundCase) -> npt.NDArray[np.float32]:
    """(channels, length) float32: a rising tone, another in each channel, and a little noise."""
    time = np.arange(case.length) / case.rate
    tones = [0.4 * np.sin(2 * np.pi * (200 + 150 * channel + 900 * time) * time) + 0.05 * channel for channel in range(case.channels)]
    noise = np.random.default_rng(case.length).normal(0, 0.02, (case.channels, case.length))
    return (np.array(tones) + noise).astype(np.float32)


def film(case: FilmCase) -> npt.NDArray[np.uint8]:
    """(frames, height, width, 3) uint8: waves that wander, with a little noise."""
    frame, row, column, channel = np.ogrid[: case.frames, : case.height, : case.width, :3]
    waves = 127 + 100 * np.sin(row / 9 + frame / 4 + channel) * np.cos(column / 13 - frame / 5)
    noise = np.random.default_rng(case.frames).integers(-20, 21, waves.shape)
    return np.clip(waves + noise, 0, 255).astype(np.uint8)


def grey(size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A picture in colours, (height, width, 3) uint8."""
    height, width = size
    picture: npt.NDArray[np.uint8] = film(FilmCase(1, 1.0, height, width))[0]
    return picture


def some_of(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A few hundred numbers of an array, from all over it, and its mean and spread."""
    flat = np.asarray(values, np.float64).reshape(-1)
    places = np.linspace(0, flat.size - 1, 251).astype(np.int64)
    return np.concatenate([flat[places], [flat.mean(), flat.std()]])
