"""Which named vectors does a request mean, and what does each weigh?

Guessing among several would make answers depend on the order of a dict, so a request that could mean two is refused. May import `domain` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nearimage.domain.drafts import UNNAMED
from nearimage.domain.errors import InvalidInput, VectorNameAmbiguous, VectorNameUnknown
from nearimage.domain.objects import AnyVector
from nearimage.domain.query import Combination, NearVector, Targets
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.domain.value_columns import columns_of
from nearimage.domain.vectors import are_sound, check_vector

WEIGHED = frozenset({Combination.MANUAL_WEIGHTS, Combination.RELATIVE_SCORE})
"""The combinations whose targets have weights of the caller's."""


@dataclass(frozen=True, slots=True)
class Target:
    """A named vector to search, with its weight in the combination."""

    vector: VectorConfig
    weight: float


def targets_of(collection: Collection, asked: Targets) -> list[Target]:
    """The named vectors to search, at least one.

    Raises:
        VectorNameUnknown: there is none of a name, or the collection has no vectors at all.
        VectorNameAmbiguous: no name, several vectors.
        InvalidInput: weights that do not belong to the targets.
    """
    if not asked.names:
        return [Target(target_of(collection, None), 1.0)]
    vectors = [target_of(collection, name) for name in asked.names]
    if asked.combination in WEIGHED and (asked.weights or asked.combination is Combination.MANUAL_WEIGHTS):
        if len(asked.weights) != len(vectors):
            raise InvalidInput(f"number of weights ({len(asked.weights)}) does not match number of targets ({len(vectors)}); give one weight a target")
        return [Target(vector, weight) for vector, weight in zip(vectors, asked.weights, strict=True)]
    weight = 1 / len(vectors) if asked.combination is Combination.AVERAGE else 1.0
    return [Target(vector, weight) for vector in vectors]


def spread(collection: Collection, near: NearVector) -> NearVector:
    """The query with each vector of a list of vectors as one of its own, where its target has no multi-vectors: the object is measured by all of them.

    Raises:
        VectorNameUnknown, VectorNameAmbiguous: as for `target_of`.
    """
    if all(vector.ndim == 1 for vector in near.vectors):
        return near
    asked = near.targets
    names = asked.names or (target_of(collection, None).name,) * len(near.vectors)
    vectors = near.vectors if len(near.vectors) == len(names) else near.vectors * len(names)
    weights = asked.weights if len(asked.weights) == len(names) else (None,) * len(names)
    parts = [
        (name, part, weight)
        for name, vector, weight in zip(names, vectors, weights, strict=False)
        for part in ([vector] if vector.ndim == 1 or target_of(collection, name).is_multi else vector)
    ]
    targets = replace(asked, names=tuple(name for name, _, _ in parts), weights=tuple(weight for _, _, weight in parts if weight is not None))
    return replace(near, vectors=tuple(part for _, part, _ in parts), targets=targets)


def target_of(collection: Collection, name: str | None) -> VectorConfig:
    """One named vector.

    Raises:
        VectorNameUnknown: there is none of that name, or the collection has no vectors at all.
        VectorNameAmbiguous: no name, several vectors.
    """
    have = [v.name for v in collection.vectors]
    if name:
        found = collection.vector(name)
        if found is None:
            raise VectorNameUnknown(f"collection {collection.name!r} has no vector named {name!r}; it has {have}", have=have)
        return found
    if not have:
        raise VectorNameUnknown(f"collection {collection.name!r} has no vectors to search", have=have)
    if len(have) > 1 and collection.legacy_vector:
        return collection.vectors[0]  # the one without a name is meant where no name is said
    if len(have) > 1:
        raise VectorNameAmbiguous(f"collection {collection.name!r} has several vectors, {have}; name one of them as the target vector", have=have)
    return collection.vectors[0]


class VectorNames:
    """Gives the vectors of a collection's objects the names under which they are stored, and checks them.

    What each name means is found out once, so keep it for a batch, and no longer: the collection may be altered.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._known: dict[str, VectorConfig] = {}

    def of(self, given: Mapping[str, AnyVector]) -> dict[str, AnyVector]:
        """The vectors of one object.

        Raises:
            VectorNameUnknown, VectorNameAmbiguous: as for `target_of`.
            InvalidVector: NaN, infinity, nothing, or zeros under cosine.
        """
        named: dict[str, AnyVector] = {}
        for key, vector in given.items():
            config = self._config(key)
            check_vector(vector, name=config.name, metric=config.metric, is_multi=config.is_multi)
            named[config.name] = vector
        return named

    def of_all(self, objects: Sequence[Mapping[str, AnyVector]]) -> list[dict[str, AnyVector] | InvalidInput]:
        """The vectors of each of many objects, in order, or what is wrong with them; where nothing is, those of one name are looked at together."""
        try:
            if all(self._are_sound(key, vectors) for key, (_, vectors) in columns_of(objects).items()):
                return [{self._config(key).name: vector for key, vector in given.items()} for given in objects]
        except InvalidInput:  # of a name that some objects have
            pass
        return [self._told(given) for given in objects]

    def _are_sound(self, key: str, vectors: Sequence[AnyVector]) -> bool:
        return not self._config(key).is_multi and are_sound(vectors)

    def _told(self, given: Mapping[str, AnyVector]) -> dict[str, AnyVector] | InvalidInput:
        try:
            return self.of(given)
        except InvalidInput as wrong:
            return wrong

    def _config(self, key: str) -> VectorConfig:
        config = self._known.get(key)
        if config is None:
            config = self._known[key] = target_of(self._collection, None if key == UNNAMED else key)
        return config
