"""A picture of heat or of depth -> what ImageBind's towers for them see: brightness alone.

    (h, w, 3) uint8 --grey--> --shorter side 224, bicubic; the centre--> --(v / 255 - mean) / std--> (1, 224, 224) float32

ImageBind's own code has no preparation for either. This is that of Weaviate's container for ImageBind, which scales by the mean and the spread of CLIP's red
channel. Pictures of depth in 16 bits are taken over their full range, as all grey pictures are. May import numpy, Pillow and `ports`.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from nearimage.ports.media import Pixels

SIDE = 224
MEAN, STD = np.float32(0.48145466), np.float32(0.26862954)


def brightness_input(pixels: Pixels) -> npt.NDArray[np.float32]:
    """The tower's input.

    Returns:
        (1, 224, 224) float32.
    """
    picture = Image.fromarray(pixels).convert("L")
    short = min(picture.size)
    width, height = (int(SIDE * side / short) for side in picture.size)
    left, top = round((width - SIDE) / 2), round((height - SIDE) / 2)
    seen = picture.resize((width, height), Image.Resampling.BICUBIC).crop((left, top, left + SIDE, top + SIDE))
    return (np.asarray(seen, np.float32)[None] / np.float32(255) - MEAN) / STD
