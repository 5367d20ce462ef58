"""What it costs to decode and prepare sounds, films and other inputs for ImageBind's towers; the towers themselves are the user's.

python bench/bind.py
"""

import io
import time
from collections.abc import Callable

import av
import numpy as np
from PIL import Image

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.multi2vec_bind.model import FILES, PIXELS
from tests.unit.vectorizers.bind_inputs import FilmCase, SoundCase, film, grey, sound
from tests.unit.vectorizers.recordings import film_file, sound_file

ROUNDS = 5


def long_film(seconds: int) -> bytes:
    """A picture of 1280 x 720 that wanders, 25 frames a second, with a key frame every 250, as x264 writes it."""
    picture = np.asarray(Image.fromarray(grey((90, 160))).resize((1280, 720), Image.Resampling.BICUBIC))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.options = {"preset": "ultrafast"}
        for number in range(25 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(picture, 4 * number, axis=1), format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def show(name: str, size: int, work: Callable[[], object]) -> None:
    """One line: CPU time a piece."""
    work()
    started = time.process_time()
    for _ in range(ROUNDS):
        work()
    cpu_ms = 1000 * (time.process_time() - started) / ROUNDS
    print(f"| {name} | {size:,} | {cpu_ms:.1f} |")


def main() -> None:
    """Print the table."""
    heard, seen, felt, warm = FILES[Modality.AUDIO], FILES[Modality.VIDEO], FILES[Modality.IMU], PIXELS[Modality.DEPTH]
    print("| input | bytes | CPU ms |\n|---|---|---|")
    pixels = grey((480, 640))
    show("depth 640 x 480, decoded", pixels.nbytes, lambda: warm(pixels))
    table = "\n".join(",".join(f"{value:.6f}" for value in row) for row in np.random.default_rng(1).normal(size=(2_000, 6))).encode()
    show("motion, 2,000 rows of CSV", len(table), lambda: felt(table))
    for name, seconds, rate, form, codec in (
        ("WAV 10 s, 16,000", 10, 16_000, "wav", "pcm_s16le"),
        ("MP3 10 s, 44,100", 10, 44_100, "mp3", "mp3"),
        ("MP3 300 s, 44,100", 300, 44_100, "mp3", "mp3"),
    ):
        data = sound_file(sound(SoundCase(seconds * rate, rate)), rate, form, codec)
        show(name, len(data), lambda data=data: heard(data))  # type: ignore[misc]
    for seconds in (10, 60):
        data = long_film(seconds)
        show(f"MP4 {seconds} s, 1280 x 720", len(data), lambda data=data: seen(data))  # type: ignore[misc]
    small = film_file(film(FilmCase(100, 10.0, 240, 320)))
    show("MP4 10 s, 320 x 240", len(small), lambda: seen(small))


if __name__ == "__main__":
    main()
