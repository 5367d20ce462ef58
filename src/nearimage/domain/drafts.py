"""What a caller wants stored, before it is checked: values as JSON has them, vectors by the name the caller gave.

May import numpy, the standard library and `domain` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from nearimage.domain.objects import AnyVector

UNNAMED = ""
"""The key of a vector sent without a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An object as a request carries it.

    Attributes:
        id: None asks for a new one.
        properties: JSON values; numbers may come as int or float, blobs as base64. None means "no value" (in a merge: take it away).
        vectors: (dims,) float32 each, of a multi-vector (n, dims); by named vector or under `UNNAMED`.
        tenant: whose object it is; empty in a collection without tenants.
        whole_floats: whether a float without a fraction may stand for an int. Over gRPC there are no other numbers; in JSON 5.0 is no int.
    """

    id: UUID | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    vectors: Mapping[str, AnyVector] = field(default_factory=dict)
    tenant: str = ""
    whole_floats: bool = True
