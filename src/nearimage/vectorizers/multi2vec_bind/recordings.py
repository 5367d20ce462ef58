"""Decode sounds and films with PyAV (FFmpeg), as little of them as the model looks at, within limits.

    bytes --first bytes--> the one demuxer of their format --the one stream that counts--> one of few decoders --> samples | frames

FFmpeg reads hundreds of formats, among them playlists that make it open other files and URLs, so nothing is left to its guessing: the first bytes choose a
demuxer from a short list, no protocol is allowed, and only decoders of common codecs run.

A film's packets are listed first, without decoding. That gives the number of frames and where the key frames are, so the ten frames that are wanted cost
their groups of pictures, however long the film is.

PyAV is an extra (`pip install nearimage[bind]`): it brings FFmpeg, 40 MB, which only users of these models need. May import av (inside functions), numpy,
`domain` and `ports`.
"""

import bisect
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import InvalidInput, NotSupported, UnreadableMedia
from nearimage.ports.media import Pixels

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xfa", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xf2", "mp3"),
)
"""Where which bytes stand, and FFmpeg's name of the demuxer."""

_AUDIO_CODECS = frozenset({"aac", "alac", "flac", "mp3", "mp3float", "opus", "vorbis"})
_VIDEO_CODECS = frozenset({"av1", "h264", "hevc", "libdav1d", "mjpeg", "mpeg4", "vp8", "vp9"})

FORMATS = "WAV, FLAC, MP3, AAC, Ogg, AIFF, MP4, QuickTime, Matroska, WebM or AVI"

MAX_SECONDS = 600
MAX_CHANNELS = 8
MAX_RATE = 192_000
MAX_SAMPLES = MAX_SECONDS * 48_000
"""Of one channel: two signals of them take 230 MB while a sound is worked on."""

MAX_FRAMES = 60 * 60 * 60
"""An hour at 60 a second; the list of their packets takes 10 MB."""

MAX_DECODED = 3_000
"""Frames decoded of one film: ten that are wanted, each in a group of pictures of up to 300 (x264 writes 250)."""

MAX_FRAME_PIXELS = 9_000_000
"""4K (3840 x 2160) has 8.3 million."""

_LENIENT_ITSELF = 19
"""PyAV's release from which on titles that are no UTF-8 are no error; before, it has to be told."""

MAX_ASPECT = 10
"""A film is shrunk to 224 pixels on its shorter side; a strip would grow into the longer one."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A sound, decoded.

    Attributes:
        signals: (2, n) float32, -1..1: the first channel, and the mean of all.
        rate: samples a second.
    """

    signals: npt.NDArray[np.float32]
    rate: int


@dataclass(frozen=True, slots=True)
class Index:
    """What the packets of a film say.

    Attributes:
        times: of all frames, in their order, in the stream's time base.
        keys: of those that can be decoded alone.
        rate: frames a second.
    """

    times: Sequence[int]
    keys: Sequence[int]
    rate: float


def read_sound(data: bytes) -> Sound:
    """Decode the first audio stream.

    Raises:
        UnreadableMedia: no sound that can be read, or one over the limits.
        NotSupported: PyAV is not installed.
    """
    with _opened(data, "audio") as container:
        stream = _stream(container.streams.audio, _AUDIO_CODECS, data, "audio")
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if not 1 <= channels <= MAX_CHANNELS or not 1 <= rate <= MAX_RATE:
            raise _unreadable(data, "audio", f"it has {channels} channels and {rate:,} samples a second; the limits are {MAX_CHANNELS} and {MAX_RATE:,}")
        pieces: list[npt.NDArray[np.float32]] = []
        length, longest = 0, min(MAX_SECONDS * rate, MAX_SAMPLES)
        for samples in _samples(container, stream, rate):
            length += samples.shape[1]
            if length > longest:
                raise _unreadable(data, "audio", f"it lasts more than {longest // rate} seconds, which is the limit at this rate; cut it")
            pieces.append(np.stack([samples[0], samples.mean(axis=0)]))
    if not length:
        raise _unreadable(data, "audio", "it has no samples")
    return Sound(np.concatenate(pieces, axis=1), rate)


def _samples(container: Any, stream: Any, rate: int) -> Iterator[npt.NDArray[np.float32]]:
    """(channels, n) float32, piece by piece; the resampler changes the form of the numbers only."""
    import av  # noqa: PLC0415 - an extra

    planar = av.AudioResampler(format="fltp", layout=stream.codec_context.layout, rate=rate)
    for frame in chain(container.decode(stream), (None,)):  # at the end what the resampler still holds
        for piece in planar.resample(frame):
            yield np.asarray(piece.to_ndarray(), np.float32)


def film_index(data: bytes) -> Index:
    """List the frames of the first video stream, without decoding them.

    Raises:
        UnreadableMedia: no film that can be read, or one over the limits.
        NotSupported: PyAV is not installed.
    """
    with _opened(data, "video") as container:
        stream = _stream(container.streams.video, _VIDEO_CODECS, data, "video")
        width, height = stream.codec_context.width, stream.codec_context.height
        if not 1 <= width * height <= MAX_FRAME_PIXELS or max(width, height) > MAX_ASPECT * min(width, height):
            raise _unreadable(
                data,
                "video",
                f"its frames have {width} x {height} pixels; the limits are {MAX_FRAME_PIXELS:,} and a side {MAX_ASPECT} times as long as the other",
            )
        times, keys = [], []
        for packet in container.demux(stream):
            time = packet.dts if packet.pts is None else packet.pts  # AVI knows only when a frame is decoded
            if packet.size and time is not None:
                times.append(time)
                if packet.is_keyframe:
                    keys.append(time)
            if len(times) > MAX_FRAMES:
                raise _unreadable(data, "video", f"it has more than {MAX_FRAMES:,} frames, which is the limit; cut it")
        rate = float(stream.average_rate or stream.base_rate or 0)
    if not times or not rate:
        raise _unreadable(data, "video", "it has no frames with times")
    return Index(sorted(times), sorted(keys), rate)


def film_frames(data: bytes, index: Index, numbers: Sequence[int]) -> dict[int, Pixels]:
    """Decode some frames of the first video stream, upright.

    Args:
        index: of the same film.
        numbers: of the frames.

    Returns:
        The frames by their numbers; where the decoder leaves one out, the next stands for it.

    Raises:
        UnreadableMedia: damaged, or too far from one key frame to the next.
    """
    found: dict[int, Pixels] = {}
    with _opened(data, "video") as container:
        stream = container.streams.video[0]
        decoded = 0
        for numbers_of_group in _groups(index, sorted(set(numbers))):
            waiting = list(numbers_of_group)
            container.seek(index.times[waiting[0]], stream=stream, backward=True)
            for frame in container.decode(stream):
                decoded += 1
                if decoded > MAX_DECODED:
                    raise _unreadable(data, "video", f"more than {MAX_DECODED:,} frames would have to be decoded; save it with a key frame every 250 frames")
                while waiting and frame.pts is not None and frame.pts >= index.times[waiting[0]]:
                    found[waiting.pop(0)] = _pixels(frame)
                if not waiting:
                    break
            if waiting:
                raise _unreadable(data, "video", f"frame {waiting[0]:,} of {len(index.times):,} cannot be decoded; it is damaged or cut")
    return found


def _groups(index: Index, numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Frames that are decoded in one go, since they follow the same key frame."""
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(bisect.bisect_right(index.keys, index.times[number]), []).append(number)
    yield from groups.values()


def _pixels(frame: Any) -> Pixels:
    """A frame as it is meant to be seen: telephones note how they were held."""
    pixels: Pixels = frame.to_ndarray(format="rgb24")
    return np.rot90(pixels, round(frame.rotation / 90) % 4)


@contextmanager
def _opened(data: bytes, modality: str) -> Iterator[Any]:
    try:
        import av  # noqa: PLC0415 - an extra
    except ImportError as missing:
        raise NotSupported("sounds and films are read with PyAV, which is not installed; pip install 'nearimage[bind]'", feature=modality) from missing
    name = next((demuxer for at, signature, demuxer in _SIGNATURES if data[at : at + len(signature)] == signature), None)
    if name is None:
        raise _unreadable(data, modality, f"they do not begin like {FORMATS}")
    options = {"protocol_whitelist": "none", "format_whitelist": name, "enable_drefs": "0"}
    lenient: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < _LENIENT_ITSELF else {}
    try:
        with av.open(io.BytesIO(data), format=name, options=options, **lenient) as container:
            yield container
    except InvalidInput:
        raise
    except (av.FFmpegError, ValueError, OSError, EOFError, RuntimeError, MemoryError, OverflowError) as error:
        raise _unreadable(data, modality, f"decoding stopped ({getattr(error, 'strerror', None) or error})") from error


def _stream(streams: Sequence[Any], codecs: frozenset[str], data: bytes, modality: str) -> Any:
    if not streams:
        raise _unreadable(data, modality, f"it has no {modality}")
    context = streams[0].codec_context
    name = context.name if context else "of no known kind"
    if name not in codecs and not name.startswith("pcm_"):
        raise _unreadable(data, modality, f"its {modality} is {name}; {', '.join(sorted(codecs))} can be read")
    context.thread_count = 1  # the runner has a thread a core already
    return streams[0]


def _unreadable(data: bytes, modality: str, why: str) -> UnreadableMedia:
    what = "sound" if modality == "audio" else "film"
    return UnreadableMedia(f"the {len(data):,} bytes are no {what} that can be read: {why}", modality=modality, size=len(data))
