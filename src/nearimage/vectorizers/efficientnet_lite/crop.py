"""Pictures of any size -> the square of pixels that an EfficientNet-Lite looks at.

What the models were tested with, Lite0 for example: shrink until the shorter side has 256 pixels, bicubic, and cut 224 x 224 out of the centre. Both are
one step here: the part of the picture that would survive the cut is resized straight to 224 x 224, so nothing is computed to be thrown away.

May import numpy, Pillow and `ports`.
"""

import numpy as np
from PIL import Image

from nearimage.ports.media import Pixels

REDUCING_GAP = 2.0
"""Pictures more than four times too large are first averaged in whole blocks, down to at least twice the size: 1.8x quicker for 12 megapixels, at a
cosine of 0.9994 to the embedding without it (docs/design/vectorizers.md)."""


def centre(picture: Pixels, size: int, short_side: int) -> Pixels:
    """The centre of a picture as (size, size, 3) uint8, of what a picture of that shorter side would be cut out of."""
    height, width = picture.shape[:2]
    side = min(height, width) * size / short_side
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    image = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=REDUCING_GAP)
    return np.asarray(image, np.uint8)
