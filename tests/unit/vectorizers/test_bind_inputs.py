"""What ImageBind's towers are given is what ImageBind's own programs would give them.

The numbers come from torch and torchaudio (tools/reference_bind.py); a model sees no difference of a thousandth, but it sees a frame too many.
"""

import json
import time
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.errors import UnreadableMedia
from nearimage.vectorizers.multi2vec_bind.clips import clips_of
from nearimage.vectorizers.multi2vec_bind.films import video_input, wanted_frames
from nearimage.vectorizers.multi2vec_bind.motions import motion_input
from nearimage.vectorizers.multi2vec_bind.recordings import Sound
from nearimage.vectorizers.multi2vec_bind.sounds import audio_input
from nearimage.vectorizers.multi2vec_bind.warmth import brightness_input
from tests.unit.vectorizers.bind_inputs import FILMS, GREYS, SOUNDS, film, grey, some_of, sound

REFERENCE = json.loads(Path(__file__).with_name("bind_reference.json").read_text("utf-8"))


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_are_heard_as_by_imagebind(name: str) -> None:
    """Resampled, cut into clips, turned into filter banks: each step has a dozen conventions, and a model knows only one of each."""
    case = SOUNDS[name]
    samples = sound(case)

    made = audio_input(Sound(np.stack([samples[0], samples.mean(axis=0)]), case.rate))

    assert made.shape == (3, 1, 128, 204)
    assert made.dtype == np.float32
    rough = name.startswith("odd")  # torchaudio divides phases in float32: at 16,000 of them its filter is off by a thousandth of a sample
    np.testing.assert_allclose(some_of(made), REFERENCE["audio"][name], atol=1e-2 if rough else 2e-3)


@pytest.mark.parametrize("name", FILMS)
def test_films_are_seen_as_by_imagebind(name: str) -> None:
    """Which frames, how they are shrunk, where the squares lie."""
    case = FILMS[name]
    frames = film(case)
    pairs = wanted_frames(case.frames, case.rate)

    made = video_input([(frames[first], frames[last]) for first, last in pairs])

    assert made.shape == (15, 3, 2, 224, 224)
    np.testing.assert_allclose(some_of(made), REFERENCE["video"][name], atol=2e-4)


@pytest.mark.parametrize("name", GREYS)
def test_pictures_of_heat_and_depth_are_seen_as_by_the_container(name: str) -> None:
    """A collection that was made with Weaviate's container must be searchable with vectors from here."""
    made = brightness_input(grey(GREYS[name]))

    assert made.shape == (1, 224, 224)
    np.testing.assert_allclose(some_of(made), REFERENCE["grey"][name], atol=1e-4)


def test_clips_lie_evenly_from_beginning_to_end() -> None:
    """The last clip ends with the recording; a short one is heard from its start each time."""
    assert [(float(start), float(end)) for start, end in clips_of(10.0, 3)] == [(0, 2), (4, 6), (8, 10)]
    assert [(float(start), float(end)) for start, end in clips_of(0.5, 3)] == [(0, 2)] * 3
    assert clips_of(2.5, 5)[3] == (Fraction(3, 8), Fraction(19, 8))


@pytest.mark.parametrize(("count", "rate"), [(1, 30.0), (2, 0.5), (7, 1000.0), (100, 23.976)])
def test_frames_that_are_wanted_are_there(count: int, rate: float) -> None:
    """A film may be one frame, or have a rate that no camera has."""
    pairs = wanted_frames(count, rate)

    assert len(pairs) == 5
    assert all(0 <= first <= last < count for first, last in pairs)


def test_a_sound_of_less_than_a_moment_is_refused() -> None:
    """There is nothing to hear in 10 ms."""
    with pytest.raises(UnreadableMedia, match="10 ms"):
        audio_input(Sound(np.zeros((2, 160), np.float32), 16_000))


@pytest.mark.parametrize("rate", [7_919, 22_051, 47_999, 191_999])
def test_a_strange_sample_rate_costs_no_more_than_others(rate: int) -> None:
    """Prime numbers share no factor with 16,000; a filter of all phases would take gigabytes and minutes."""
    signals = np.random.default_rng(1).normal(size=(2, 3 * rate)).astype(np.float32)
    started = time.process_time()

    assert np.isfinite(audio_input(Sound(signals, rate))).all()
    assert time.process_time() - started < 5


def rows(count: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Measurements of six sensors."""
    return (np.arange(count * 6, dtype=np.float32).reshape(count, 6) / 7).astype(np.float32)


def npy(values: object) -> bytes:
    """An array as a file."""
    file = BytesIO()
    np.save(file, np.asarray(values))
    return file.getvalue()


@pytest.mark.parametrize("count", [1, 1_500, 2_000, 4_000])
def test_motion_is_read_from_tables_and_arrays(count: int) -> None:
    """Each sensor is a row of the input; what is missing is stillness, what is beyond ten seconds is left out."""
    values = rows(count)
    table = "\n".join(",".join(str(float(v)) for v in row) for row in values)
    wanted = np.zeros((6, 2_000), np.float32)
    wanted[:, : min(count, 2_000)] = values[:2_000].T

    for data in (table.encode(), b"ax,ay,az,gx,gy,gz\r\n" + table.replace("\n", "\r\n").encode(), npy(values), npy(np.asfortranarray(values)), npy(values.T)):
        np.testing.assert_allclose(motion_input(data), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no row"),
        (b"a,b,c,d,e,f\n", "no row"),
        (b"1,2,3,4,5,6\n1,2,3\n", "line 2 has 3"),
        (b"1,2,3,4,5,6\n1,2,3,4,5,x\n", "line 2"),
        (b"1,2,3,4,5,nan\n", "finite"),
        (b"1,2,3,4,5,1e999\n", "finite"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\n\xff", "line 2"),
        (b"\x93NUMPY", "cannot be read"),
        (npy(np.zeros((5, 5))), "(5, 5)"),
        (npy(np.array([[{}] * 6], object)), "object"),
        (npy(rows(9))[:-1], "cannot be read"),
        (npy(rows(9)).replace(b"(9, 6)", b"(-9, 6)"), "cannot be read"),
        (npy(np.zeros((1, 6))).replace(b"(1, 6), }        ", b"(99999999, 6), } "), "cannot be read"),
    ],
)
def test_what_is_no_motion_is_refused_with_the_reason(data: bytes, words: str) -> None:
    """A table is typed by people and written by programs; both err in their own ways. Claims in a header must not allocate anything."""
    with pytest.raises(UnreadableMedia) as caught:
        motion_input(data)

    assert words in caught.value.message
    assert caught.value.detail == {"modality": "imu", "size": len(data)}
