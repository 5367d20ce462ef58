"""Lengths of time as Weaviate's settings write them, which is how Go writes them: `50s`, `1m30s`, `500ms`.

May import the standard library and `domain` only.
"""

import re

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def seconds(text: str) -> float:
    """How many seconds a length of time has; a number without a unit counts seconds.

    Raises:
        ValueError: it is no length of time, or 0.
    """
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        found = float(text)
    elif _WHOLE.fullmatch(text):
        found = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    else:
        raise ValueError(text)
    if not found:
        raise ValueError(text)
    return found
