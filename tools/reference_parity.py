"""Compute what `tests/unit/vectorizers/test_parity.py` compares with, by the programs whose preparation CLIP's users know.

Run once, in an environment that is not the project's (PyTorch is large):

    pip install torch==2.4.1 torchvision==0.19.1 open_clip_torch==3.3.0 transformers==4.46.3 ftfy==6.3.1 "numpy<2"
    PYTHONPATH=src:. python tools/reference_parity.py tests/unit/vectorizers/parity_reference.json

Pixels and tokens are kept as the first digits of their SHA-256, vectors as numbers.
"""

# mypy: ignore-errors
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
from open_clip.transform import image_transform
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from tests.towers import SMALL_TEXT, SMALL_VISION, Shape, tensors
from tests.unit.vectorizers.parity_inputs import parity_pictures, parity_texts

DIGITS = 12
VARIANTS = {
    "224": {"image_size": 224},
    "256 bilinear": {"image_size": 256, "interpolation": "bilinear"},
    "224 squash": {"image_size": 224, "resize_mode": "squash"},
}


def digest(array: np.ndarray) -> str:
    """The first digits of an array's SHA-256."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:DIGITS]


def pictures() -> dict:
    """Pixels as uint8 after shrinking and cutting, and some of the normalised numbers."""
    plain = CLIPImageProcessor(do_rescale=False, do_normalize=False)
    whole, found = CLIPImageProcessor(), {}
    for name, picture in parity_pictures().items():
        image, entry = Image.fromarray(picture), {}
        entry["hf"] = digest(plain(image, return_tensors="np", input_data_format="channels_last")["pixel_values"][0].transpose(1, 2, 0).astype(np.uint8))
        entry["hf numbers"] = shown(whole(image, return_tensors="np", input_data_format="channels_last")["pixel_values"][0])
        for variant, settings in VARIANTS.items():
            transform = image_transform(is_train=False, **settings)
            fitted = image
            for step in transform.transforms[:-2]:
                fitted = step(fitted)
            entry[f"openclip {variant}"] = digest(np.asarray(fitted))
        entry["openclip numbers"] = shown(image_transform(224, is_train=False)(image).numpy())
        found[name] = entry
    return found


def shown(numbers: np.ndarray) -> list:
    """A few of many numbers."""
    return [round(float(number), 7) for number in numbers.reshape(-1)[::7919]]


def texts() -> str:
    """The tokens of each text, one digest after the other; what pads the rows is left out."""
    tokenizer, found = open_clip.get_tokenizer("ViT-B-32"), []
    for text in parity_texts():
        row = tokenizer([text])[0].numpy()
        found.append(digest(np.trim_zeros(row, "b").astype("<i4")))
    return "".join(found)


def small_model() -> dict:
    """The vectors of a small random CLIP."""
    config = CLIPConfig(vision_config=layers(SMALL_VISION), text_config=layers(SMALL_TEXT) | {"eos_token_id": 49_407}, projection_dim=SMALL_TEXT.dimensions)
    model = CLIPModel(config).eval()
    weights = {**tensors(SMALL_VISION, "vision"), **tensors(SMALL_TEXT, "text")}
    missing = model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, strict=False).missing_keys
    if missing != ["logit_scale"]:
        raise ValueError(missing)
    transform, tokenizer = image_transform(SMALL_VISION.side, is_train=False), open_clip.get_tokenizer("ViT-B-32")
    with torch.no_grad():
        looked = {name: model.get_image_features(transform(Image.fromarray(picture))[None])[0] for name, picture in parity_pictures().items()}
        read = {text: model.get_text_features(tokenizer([text]))[0] for text in parity_texts()[::100]}
    return {"pictures": normalised(looked), "texts": normalised(read)}


def layers(shape: Shape) -> dict:
    """A shape in transformers' words."""
    sizes = {"hidden_size": shape.width, "intermediate_size": 4 * shape.width, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads}
    return sizes | {"image_size": shape.side, "patch_size": shape.patch} if shape.side else sizes


def normalised(vectors: dict) -> dict:
    """Unit vectors, as numbers."""
    return {name: [round(float(number), 7) for number in vector / vector.norm()] for name, vector in vectors.items()}


if __name__ == "__main__":
    reference = {"pictures": pictures(), "texts": texts(), "small model": small_model()}
    Path(sys.argv[1]).write_text(json.dumps(reference, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
