"""Sounds and films from files: the samples and frames that are in them, and nothing that hostile bytes want."""

import builtins
import struct
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearimage.domain.errors import NotSupported, UnreadableMedia
from nearimage.vectorizers.multi2vec_bind import recordings
from nearimage.vectorizers.multi2vec_bind.recordings import film_frames, film_index, read_sound
from tests.unit.vectorizers.bind_inputs import SoundCase, sound
from tests.unit.vectorizers.recordings import FRAMES, RATE, SIZE, counted_frames, film_file, number_of, sound_file

STEREO = sound(SoundCase(20_000, 22_050, 2))


@pytest.mark.parametrize(
    ("form", "codec", "tolerance"),
    [("wav", "pcm_f32le", 0), ("wav", "pcm_s16le", 1e-4), ("aiff", "pcm_s16be", 1e-4), ("flac", "flac", 1e-4), ("matroska", "pcm_s16le", 1e-4)],
)
def test_samples_come_out_as_they_went_in(form: str, codec: str, tolerance: float) -> None:
    """Formats without loss must lose nothing: no channel swapped, no sample early or late."""
    heard = read_sound(sound_file(STEREO, 22_050, form, codec))

    assert heard.rate == 22_050
    np.testing.assert_allclose(heard.signals[0], STEREO[0], atol=tolerance)
    np.testing.assert_allclose(heard.signals[1], STEREO.mean(axis=0), atol=tolerance + 1e-7)


@pytest.mark.parametrize(("form", "codec", "rate"), [("mp3", "mp3", 44_100), ("mp4", "aac", 44_100), ("ogg", "libopus", 48_000), ("adts", "aac", 44_100)])
def test_packed_sounds_are_heard(form: str, codec: str, rate: int) -> None:
    """What people have is packed with loss; about the same must come out."""
    samples = sound(SoundCase(2 * rate, rate, 1))

    heard = read_sound(sound_file(samples, rate, form, codec))

    assert heard.rate == rate
    assert abs(heard.signals.shape[1] - 2 * rate) < 5_000  # encoders begin with silence of their own
    assert heard.signals[0].std() == pytest.approx(samples.std(), rel=0.1)


@pytest.mark.parametrize(
    ("form", "codec"),
    [("mp4", "mpeg4"), ("mov", "mpeg4"), ("matroska", "mpeg4"), ("avi", "mjpeg"), ("avi", "mpeg4"), ("mp4", "libx264"), ("webm", "libvpx-vp9")],
)
@pytest.mark.parametrize("group", [1, 12, 250])
def test_the_frames_that_are_asked_for_come_out(form: str, codec: str, group: int) -> None:
    """By number, also between key frames and with frames that are stored out of their order."""
    data = film_file(counted_frames(), form=form, codec=codec, group=group)
    index = film_index(data)
    asked = [0, 1, 17, 18, FRAMES - 1]

    found = film_frames(data, index, asked)

    assert len(index.times) == FRAMES
    assert index.rate == pytest.approx(RATE, rel=0.01)
    assert {number: number_of(frame) for number, frame in found.items()} == {number: number for number in asked}
    assert found[0].shape == (*SIZE, 3)


def test_a_long_film_costs_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten frames of an hour are ten groups of pictures, not an hour."""
    data = film_file(counted_frames(), group=5)
    monkeypatch.setattr(recordings, "MAX_DECODED", 3 * 5 + 3)  # decoders run a frame ahead

    assert len(film_frames(data, film_index(data), [4, 29, 59])) == 3


def turned(data: bytes, matrix: tuple[int, ...]) -> bytes:
    """An MP4 whose track says how it is to be shown; the matrix of ISO/IEC 14496-12, 6.2.2."""
    plain = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    track = data.index(b"tkhd")
    return data[:track] + data[track:].replace(plain, struct.pack(">9i", *matrix), 1)


def test_a_film_that_was_held_upright_comes_out_upright() -> None:
    """Telephones store what their sensor saw, and beside it how they were held."""
    frames = np.zeros((3, *SIZE, 3), np.uint8)
    frames[:, :, : SIZE[1] // 2] = 200  # bright on the left
    data = turned(film_file(frames), (0, 0x10000, 0, -0x10000, 0, 0, SIZE[0] << 16, 0, 0x40000000))  # a quarter clockwise

    frame = film_frames(data, film_index(data), [0])[0]

    assert frame.shape == (SIZE[1], SIZE[0], 3)
    assert frame[: SIZE[1] // 2].mean() > 150  # bright at the top
    assert frame[SIZE[1] // 2 :].mean() < 50


PLAYLIST = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"#EXTM3U\n",
        PLAYLIST.format("file:///etc/passwd").encode(),
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
        b"<MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>",
        b"%PDF-1.7",
    ],
)
def test_playlists_and_other_formats_reach_no_demuxer(data: bytes) -> None:
    """FFmpeg follows playlists to files and addresses; the bytes must never choose such a reader."""
    for read in (read_sound, film_index):
        with pytest.raises(UnreadableMedia, match="do not begin like"):
            read(data)


def test_a_playlist_behind_a_true_beginning_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demuxer is fixed by the first bytes; what follows is only ever read as its format."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(sound_file(STEREO, 22_050))

    for head in (b"ID3\x04\0\0\0\0\0\0", b"OggS", b"\x1a\x45\xdf\xa3", b"\0\0\0\x08ftyp", b"RIFF\0\0\0\0WAVE"):
        with pytest.raises(UnreadableMedia):
            read_sound(head + PLAYLIST.format(secret.as_uri()).encode())


def test_what_has_no_sound_or_no_picture_says_so() -> None:
    """A silent film under audioFields is a common mistake."""
    with pytest.raises(UnreadableMedia, match="has no audio"):
        read_sound(film_file(counted_frames(3)))
    with pytest.raises(UnreadableMedia, match="has no video"):
        film_index(sound_file(STEREO, 22_050))


@pytest.mark.parametrize(
    ("limit", "value", "read"),
    [
        ("MAX_SECONDS", 0.5, lambda: read_sound(sound_file(STEREO, 22_050))),
        ("MAX_SAMPLES", 19_999, lambda: read_sound(sound_file(STEREO, 22_050))),
        ("MAX_CHANNELS", 1, lambda: read_sound(sound_file(STEREO, 22_050))),
        ("MAX_RATE", 22_049, lambda: read_sound(sound_file(STEREO, 22_050))),
        ("MAX_FRAMES", 9, lambda: film_index(film_file(counted_frames(10)))),
        ("MAX_FRAME_PIXELS", SIZE[0] * SIZE[1] - 1, lambda: film_index(film_file(counted_frames(3)))),
        ("MAX_ASPECT", 1.5, lambda: film_index(film_file(counted_frames(3)))),
    ],
)
def test_each_limit_holds(monkeypatch: pytest.MonkeyPatch, limit: str, value: float, read: Any) -> None:
    """Each bounds memory or time that a small file could otherwise take."""
    read()
    monkeypatch.setattr(recordings, limit, value)

    with pytest.raises(UnreadableMedia, match="limit"):
        read()


def test_a_film_with_a_key_frame_at_its_beginning_only_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last frame of such a film needs all before it."""
    data = film_file(counted_frames(), group=250)
    monkeypatch.setattr(recordings, "MAX_DECODED", 20)

    with pytest.raises(UnreadableMedia, match="key frame"):
        film_frames(data, film_index(data), [FRAMES - 1])


SOUND, FILM = sound_file(STEREO, 22_050, "flac", "flac"), film_file(counted_frames(20), group=7)


@settings(max_examples=60, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.floats(0, 1))
def test_damaged_files_give_something_or_a_refusal(where: float, flip: int, cut: float) -> None:
    """The only two endings there are, for each byte that a disk or an attacker changes."""
    for data in (SOUND, FILM):
        damaged = bytearray(data[: max(1, int(cut * len(data)))])
        damaged[int(where * len(damaged))] ^= flip
        started = time.monotonic()
        try:
            if data is SOUND:
                read_sound(bytes(damaged))
            else:
                film_frames(bytes(damaged), index := film_index(bytes(damaged)), [0, len(index.times) - 1])
        except UnreadableMedia as error:
            assert len(error.message) < 500  # noqa: PT017 - both endings are fine
        assert time.monotonic() - started < 20


def test_without_pyav_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: most people look for pictures."""
    genuine = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return genuine(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "av", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(NotSupported, match=r"nearimage\[bind\]"):
        read_sound(SOUND)
