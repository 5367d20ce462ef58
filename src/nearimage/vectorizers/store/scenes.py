"""Pictures that look to a model like photographs, without any photograph: "dead leaves".

Discs of all sizes fall on one another, radii spread as 1/r^3, with a shade across the picture and a grain. Such pictures have the edges, the flat parts
and the spectrum of photographs (Lee, Mumford & Huang, "Occlusion models for natural images", IJCV 2001), which noise and gradients have not. They are
what a new model is tried with, and what an 8-bit model is calibrated with where no real pictures are given.

May import numpy, Pillow and `ports`.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from nearimage.ports.media import Pixels

DISCS = 400
SMALLEST, LARGEST = 4, 160  # pixels


def scene(number: int, *, width: int = 320, height: int = 256) -> Pixels:
    """The picture of that number; the same one on every machine with the same numpy and Pillow."""
    rng = np.random.default_rng(number)
    palette = rng.integers(0, 256, (rng.integers(3, 12), 3))  # few colours belong together in a photograph
    image = Image.new("RGB", (width, height), tuple(int(v) for v in palette[0]))
    draw = ImageDraw.Draw(image)
    for radius in sorted(_radii(rng), reverse=True):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        stretch = rng.uniform(0.4, 1.6)
        colour = np.clip(palette[rng.integers(len(palette))] + rng.normal(0, 18, 3), 0, 255)
        draw.ellipse((x - radius * stretch, y - radius, x + radius * stretch, y + radius), fill=tuple(int(v) for v in colour))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 1.5))))
    light = np.add.outer(np.linspace(rng.uniform(0.5, 1), rng.uniform(0.7, 1.2), height), np.linspace(-0.2, 0.2, width) * rng.choice([-1, 1]))
    grain = rng.normal(0, rng.uniform(1, 8), (height, width, 1))
    return np.asarray(np.clip(np.asarray(image, np.float64) * light[..., None] + grain, 0, 255), np.uint8)


def _radii(rng: np.random.Generator) -> list[float]:
    """Radii with the density r^-3 between the smallest and the largest: the inverse of its cumulative function, of uniform numbers."""
    low, high = SMALLEST**-2.0, LARGEST**-2.0
    return [float((low - u * (low - high)) ** -0.5) for u in rng.uniform(0, 1, DISCS)]
