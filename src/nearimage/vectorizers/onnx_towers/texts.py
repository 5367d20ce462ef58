"""Texts -> tokens, as the text towers' authors made them, without their programs.

    text --clean--> --tokenizers--> ids, cut to the context, start and end kept --rows--> (n, longest) int64

CLIP's way (openai/CLIP and open_clip, `SimpleTokenizer`): mend broken encodings and curly quotes (ftfy), resolve HTML entities twice, squeeze white
space, lower case; cut into words by a pattern; each word, as bytes, is merged by the ranks of 48,894 merges; `</w>` marks a word's end. The ids:

    0..255        the bytes, in the order of GPT-2's table, 256..511 the same at a word's end
    512..49405    one for each merge
    49406, 49407  start and end of the text

Everything after cleaning is done by the library `tokenizers`: 20 microseconds a text instead of 400. What it does not do: whoever writes
`<start_of_text>` directly behind a punctuation mark gets the token here and its letters there. Equal ids on 1,200 texts: tests/unit/vectorizers/test_parity.py.

May import numpy, tokenizers and ftfy (inside functions), `domain` and `store.manifest`.
"""

import gzip
import html
import string
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt
from nearimage.vectorizers.store.manifest import Clean, Padding, Words

Ids = npt.NDArray[np.int64]

MERGES = 49_152 - 256 - 2
"""Of the file's 262,144 merges, those that the models were trained with."""

CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"

MAX_CHARACTERS = 64
"""For each token of the context, how many characters a tokenizer is shown, which reads a text whole before it cuts: CLIP's longest token has 36 letters."""


def bundled_merges() -> bytes:
    """CLIP's merges, those in use; MIT licence, from openai/CLIP."""
    return files("nearimage.vectorizers.onnx_towers").joinpath("clip_bpe.txt.gz").read_bytes()


class Tokens:
    """A tokenizer, loaded.

    Args:
        folder: the model's.

    Raises:
        Corrupt: the file cannot be read; detail has "path".
    """

    def __init__(self, folder: Path, how: Words) -> None:
        self._how = how
        path = folder / how.file
        try:
            self._tokenizer: Any = _clip(path.read_bytes()) if how.kind == "clip-bpe" else _from_file(path)
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(how.context)
        except Exception as error:  # tokenizers raises Exception itself
            raise Corrupt(f"the tokenizer {path} cannot be read ({error}); add or pull the model again", path=str(path)) from error
        self.padding_id = 0 if how.kind == "clip-bpe" else _padding_id(path)

    def ids(self, text: str) -> list[int]:
        """The tokens of one text with start and end, at most as many as the context holds."""
        found: list[int] = self._tokenizer.encode(cleaned(text[: self._how.context * MAX_CHARACTERS], self._how.clean)).ids
        return found

    def rows(self, texts: Sequence[Sequence[int]], length: int | None = None) -> tuple[Ids, Ids]:
        """Ids and mask of a run, padded.

        Args:
            texts: at least one.
            length: of the rows, where the graph takes no other.
        """
        width = length or (self._how.context if self._how.pad is Padding.CONTEXT else max(map(len, texts)))
        ids = np.full((len(texts), width), self.padding_id, np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(texts):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return ids, mask


def cleaned(text: str, clean: Clean) -> str:
    """A text as the tokenizer wants it."""
    if clean is Clean.NONE:
        return text
    import ftfy  # noqa: PLC0415 - 5 MiB that only text towers need

    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    if clean is Clean.CANONICALIZE:  # big_vision's, for SigLIP
        text = text.replace("_", " ").translate(str.maketrans("", "", string.punctuation))
    text = " ".join(text.split())
    return text if clean is Clean.WHITESPACE else text.lower()


def _clip(packed: bytes) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, pre_tokenizers, processors  # noqa: PLC0415 - a few MiB that only text towers need
    from tokenizers.models import BPE  # noqa: PLC0415

    lines = (gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed).decode("utf-8").split("\n")
    merges = [(left, right) for left, right in (line.split() for line in lines[1 : MERGES + 1])]
    if len(merges) != MERGES:
        raise ValueError(f"it has {len(merges):,} merges, CLIP's has {MERGES:,}")
    letters = _byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *(left + right for left, right in merges)]
    start, end = len(words), len(words) + 1
    tokenizer = Tokenizer(BPE({word: index for index, word in enumerate(words)}, merges, end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(CLIP_WORDS), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ("<start_of_text>", "<end_of_text>")])
    tokenizer.post_processor = processors.TemplateProcessing("<start_of_text> $A <end_of_text>", None, [("<start_of_text>", start), ("<end_of_text>", end)])
    return tokenizer


def _byte_letters() -> list[str]:
    """The letter that stands for each byte, in the order of the ids: what can be printed is itself, the rest comes after."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(256 - len(printable))]


def _from_file(path: Path) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415 - as above

    return Tokenizer.from_file(str(path))


def _padding_id(path: Path) -> int:
    """What the tokenizer pads with: what its file says, else a token with the name of one, else 0."""
    tokenizer = _from_file(path)
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    found = (tokenizer.token_to_id(name) for name in ("<pad>", "[PAD]", "<|endoftext|>"))
    return next((int(index) for index in found if index is not None), 0)
