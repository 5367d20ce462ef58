"""Sounds and films as files, encoded by PyAV. May import av and numpy only."""

import io
from typing import Any

import av
import numpy as np
import numpy.typing as npt

FRAMES = 60
RATE = 10
SIZE = (48, 80)


def sound_file(samples: npt.NDArray[np.float32], rate: int, form: str = "wav", codec: str = "pcm_f32le") -> bytes:
    """Samples (channels, n) as a file."""
    file = io.BytesIO()
    layout = {1: "mono", 2: "stereo"}[len(samples)]
    with av.open(file, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = rate
        container.mux(stream.encode(frame) if stream.format.name == "fltp" and not stream.frame_size else _pieces(stream, frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _pieces(stream: Any, frame: av.AudioFrame) -> list[Any]:
    resampler = av.AudioResampler(format=stream.format.name, layout=stream.layout.name, rate=stream.rate, frame_size=stream.frame_size or None)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return [packet for piece in pieces for packet in stream.encode(piece)]


def film_file(frames: npt.NDArray[np.uint8], rate: int = RATE, form: str = "mp4", codec: str = "libx264", group: int = 12) -> bytes:
    """Frames (n, h, w, 3) as a file with a key frame every `group`."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.gop_size = group
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def counted_frames(count: int = FRAMES, size: tuple[int, int] = SIZE) -> npt.NDArray[np.uint8]:
    """Frames whose brightness says which they are: 3 levels apart, from 40 on."""
    levels = 40 + 3 * np.arange(count, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, *size, 3)).copy()


def number_of(frame: npt.NDArray[np.uint8]) -> int:
    """Which frame this is."""
    return round((float(frame.mean()) - 40) / 3)
