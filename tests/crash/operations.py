"""A history of writes that a child process and its judge both know: operation i is a function of i alone.

Run as a program it applies operations to a data folder and prints the number of each one that returned: `python operations.py FOLDER FIRST`.
"""

import random
import sys
from pathlib import Path
from uuid import UUID

import numpy as np

from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.ports.engine import Engine

PHOTOS = Collection(
    name="Photo",
    properties=(Property(name="n", data_type=DataType.INT), Property(name="text", data_type=DataType.TEXT), Property(name="blob", data_type=DataType.BLOB)),
    vectors=(VectorConfig(name="v"), VectorConfig(name="w"), VectorConfig(name="m", is_multi=True)),
)
SIDE = Collection(name="Side", vectors=(VectorConfig(name="v"),))
IDS = [UUID(int=number) for number in range(200)]


def apply(engine: Engine, number: int) -> None:
    """Do operation `number`: one call that writes, so that it happens whole or not at all."""
    if number == 0:
        engine.create_collection(PHOTOS)
        return
    rng = random.Random(number)  # noqa: S311 a history, not a secret
    shard = engine.shard("Photo")
    kind = rng.random()
    if kind < 0.55:
        shard.put([record(rng, one) for one in rng.sample(IDS, rng.choice((1, 1, 5, 60)))])
    elif kind < 0.7:
        shard.delete(rng.sample(IDS, 5))
    elif kind < 0.8:
        fixed = random.Random(7)  # noqa: S311 always the same vectors, so that slots are kept
        shard.put([record(fixed, one, n=number) for one in IDS[:5]])
    elif not any(c.name == "Side" for c in engine.collections()):
        engine.create_collection(SIDE)
    elif engine.shard("Side").count() == 0:
        engine.shard("Side").put([Record(id=IDS[0], vectors={"v": np.ones(4, np.float32)})])
    else:
        engine.drop_collection("Side")


def record(rng: random.Random, id_: UUID, *, n: int | None = None) -> Record:
    """A record that fills some pages: two vectors, now and then one, perhaps a multi-vector, and a picture."""
    vectors = {name: np.array([rng.random() + 0.1 for _ in range(64)], np.float32) for name in ("v", "w") if rng.random() < 0.9}
    if rng.random() < 0.5:
        vectors["m"] = np.array([[rng.random() + 0.1 for _ in range(8)] for _ in range(rng.randrange(1, 5))], np.float32)
    blob = rng.randbytes(rng.choice((0, 100, 9000)))
    return Record(id=id_, properties={"n": rng.randrange(1000) if n is None else n, "text": f"corgi {rng.randrange(50)}", "blob": blob}, vectors=vectors)


def main() -> None:
    """The child."""
    engine = EmbeddedEngine(Path(sys.argv[1]))
    print("open", flush=True)  # noqa: T201 the judge reads it
    number = int(sys.argv[2])
    while True:
        apply(engine, number)
        print(number, flush=True)  # noqa: T201 the judge reads it
        number += 1


if __name__ == "__main__":
    main()
