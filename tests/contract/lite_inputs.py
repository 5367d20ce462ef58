"""Pictures of exactly the size out of which an EfficientNet-Lite cuts its square, so that nothing is resized; made from formulas."""

import numpy as np

from nearimage.ports.media import Pixels


def lite_pictures(short_side: int) -> dict[str, Pixels]:
    """Noise, and a slope with a coarse pattern."""
    down, across = np.mgrid[0:short_side, 0:short_side]
    slope = np.stack([down % 256, across % 256, (down // 16 + across // 24) % 2 * 180], axis=-1).astype(np.uint8)
    return {"noise": np.random.default_rng(7).integers(0, 256, (short_side, short_side, 3), dtype=np.uint8), "slope": slope}
