"""Pictures of any size -> the numbers that an image tower reads, as the tower's authors prepared them.

    (h, w, 3) uint8 --shrink--> --cut--> (size, size, 3) uint8 --(v / 255 - mean) / std--> (3, size, size) float32

Two programs prepare pictures for CLIP, and they differ by a pixel: where the margin beside the centre is odd, transformers rounds it down, torchvision
(and with it open_clip) to the even half. Both shrink with Pillow, whose filters antialias; so does this, in the same two steps, and the pixels are
equal to theirs (tests/unit/vectorizers/test_parity.py). May import numpy, Pillow, `ports` and `store.manifest`.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from nearimage.ports.media import Pixels
from nearimage.vectorizers.store.manifest import Filter, Fit, Pictures, Preset

FILTERS = {Filter.BICUBIC: Image.Resampling.BICUBIC, Filter.BILINEAR: Image.Resampling.BILINEAR, Filter.LANCZOS: Image.Resampling.LANCZOS}


def fitted(picture: Pixels, how: Pictures) -> Pixels:
    """The part of a picture that the tower sees: (size, size, 3) uint8."""
    image = Image.fromarray(picture)
    if how.fit is Fit.SQUASH:
        return np.asarray(image.resize((how.size, how.size), FILTERS[how.filter]), np.uint8)
    short, wanted = min(image.size), how.short_side
    width, height = (wanted if side == short else int(wanted * side / short) for side in image.size)
    left, top = (_margin(side - how.size, how.preset) for side in (width, height))
    if (width, height) != image.size:
        image = image.resize((width, height), FILTERS[how.filter])
    return np.asarray(image.crop((left, top, left + how.size, top + how.size)), np.uint8)


def _margin(spare: int, preset: Preset) -> int:
    """How much is cut off before the centre; Python's `round` goes to the even number, and so does torchvision, which calls it."""
    return spare // 2 if preset is Preset.HF else round(spare / 2)


class Scale:
    """Turns 0..255 into what the tower was trained on."""

    def __init__(self, how: Pictures) -> None:
        std = np.array(how.std, np.float64)
        self._factor = (1 / (255 * std)).astype(np.float32)[:, None, None]
        self._shift = (-np.array(how.mean, np.float64) / std).astype(np.float32)[:, None, None]

    def write(self, pixels: Pixels, into: npt.NDArray[np.float32]) -> None:
        """Write one fitted picture, channels first, into a row of a run's input; nothing is copied in between."""
        np.multiply(pixels.transpose(2, 0, 1), self._factor, out=into)
        into += self._shift
