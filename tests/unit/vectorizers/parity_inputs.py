"""The texts and pictures whose tokens and pixels other programs have computed; made from formulas, the same on every machine."""

import random

import numpy as np

from nearimage.ports.media import Pixels

WORDS = [
    "a",
    "photo",
    "of",
    "the",
    "cat",
    "dog's",
    "mountain",
    "lake",
    "It's",
    "they're",
    "WE'LL",
    "I'd",
    "don't",
    "rocket3",
    "42",
    "3.14",
    "12,000",
    "x-ray",
    "co-op",
    "hello_world",
    "C++",
    "#tag",
    "@user",
    "$9.99",
    "naïve",
    "café",
]
OTHER_SCRIPTS = [
    "猫が好き",
    "我爱北京天安门",
    "Привет,",
    "мир",
    "שלום",
    "עולם",
    "مرحبا",
    "بالعالم",
    "नमस्ते",
    "दुनिया",
    "สวัสดีชาวโลก",
    "안녕하세요",
    "Γειά",
    "σου",
    "Κόσμε",
    "Æsop",
    "İstanbul",
    "Straße",
    "ǅungla",
    "ﬁne",
    "½",
    "Ⅷ",
    "١٢٣",
]
EMOJI = ["😀", "🐈‍⬛", "👩🏽‍🚀", "🇩🇪", "❤️", "✈", "🏳️‍🌈", "☕️", "1️⃣", "🫠"]
ENTITIES = ["&amp;", "&lt;b&gt;", "&quot;hi&quot;", "&amp;amp;", "&#39;", "&nbsp;", "&eacute;", "&notanentity;", "&#x1F600;", "&copy;", "<br/>", "a &lt b"]
QUOTES = ["“curly”", "‘single’", "it’s", "„low“", "«guillemets»", "…", "–", "—", "″", "`tick`"]
BROKEN = [
    "schÃ¶n",
    "â€œquotedâ€",
    "l’Ã©tÃ©",
    "\ufeffbom",
    "soft\u00adhyphen",
    "zero\u200bwidth",
    "ｆｕｌｌｗｉｄｔｈ",
    "e\u0301combining",
    "tab\there",
    "new\nline",
    "\x07bell",
    "\x1b[31mred\x1b[0m",
    "\x85next",
]
GROUPS = (WORDS, OTHER_SCRIPTS, EMOJI, ENTITIES, QUOTES, BROKEN)

SIZES = ((224, 224), (225, 224), (224, 226), (227, 224), (300, 400), (401, 301), (17, 23), (1, 1), (1, 90), (640, 480), (448, 449), (333, 1000), (511, 513))
"""(height, width): margins even and odd, smaller and larger than the model's square, hardly any and very oblong."""


def parity_texts() -> list[str]:
    """1,200 texts: each fragment alone, mixtures of all kinds, and some far beyond what a text tower reads."""
    draw = random.Random(5)  # noqa: S311 - not for secrets
    texts = ["", " ", "  leading and   inner  ", "'s 't 're", "<start_of_text>", "a <end_of_text> b", *(text for group in GROUPS for text in group)]
    while len(texts) < 1_150:
        count = draw.randint(1, 12)
        texts.append(draw.choice([" ", " ", "", "  "]).join(draw.choice(draw.choice(GROUPS)) for _ in range(count)))
    while len(texts) < 1_200:
        texts.append(" ".join(draw.choice(draw.choice(GROUPS)) for _ in range(draw.randint(60, 400))))
    return texts


def parity_pictures() -> dict[str, Pixels]:
    """Noise over a gradient in every size: whatever is a pixel off shows."""
    found = {}
    for height, width in SIZES:
        rng = np.random.default_rng(height * 10_000 + width)
        slope = np.add.outer(np.linspace(0, 120, height), np.linspace(0, 60, width))[..., None]
        found[f"{height}x{width}"] = np.clip(slope + rng.integers(0, 100, (height, width, 3)), 0, 255).astype(np.uint8)
    return found
