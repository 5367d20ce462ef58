"""What an engine tells about itself, for people and metrics; part of the engine port.

May import the standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndexStats:
    """How one named vector is searched at present.

    Attributes:
        kind: `exact`, or the engine's name of an approximate index.
        vectors: how many live objects have the vector.
        indexed: how many of them the approximate index covers; the rest is scanned.
        recall: recall@10 by distance at the default setting, measured on the vectors stored; None for an exact search.
        state: `ready`, or what goes on in the background.
    """

    kind: str
    vectors: int
    indexed: int = 0
    recall: float | None = None
    state: str = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardStats:
    """Figures of one shard.

    Attributes:
        objects: how many objects are stored.
        dimensions: the length of each named vector that has been stored at least once.
        disk_bytes: what the shard takes on disk; 0 for an engine without one.
        indexes: by named vector, of those that have been stored at least once.
        background: what the engine is doing for this shard at the moment, or will do next, in words for people; few different ones, for metrics name them.
        failures: by such a word, why it went wrong when it was last tried.
    """

    objects: int
    dimensions: Mapping[str, int]
    disk_bytes: int
    indexes: Mapping[str, VectorIndexStats] = field(default_factory=dict)
    background: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
