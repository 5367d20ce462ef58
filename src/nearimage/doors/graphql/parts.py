"""A part of an answer: read first, and then, here or in a thread, found.

    Field Dog {limit: 3}  --begin--> Part(kind, answer)  --answer--> [{"breed": "Corgi"}, ...]

May import `doors.graphql` only.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from nearimage.doors.graphql.selections import Field, Selections


@dataclass(frozen=True, slots=True)
class Part:
    """What a field asks for.

    Attributes:
        kind: what decides how long it takes (`service.pace`); None where it may wait for something.
        answer: its value; raises what goes wrong.
    """

    kind: Hashable | None
    answer: Callable[[], Any]


Begin = Callable[[Field, Selections], Part]
"""Reads a field; raises what is wrong with its arguments."""
