"""A history of tenants, alterations, backups and restores that a child process and its judge both know: operation i is a function of i alone.

Run as a program it applies operations to a data folder and prints the number of each one that returned: `python tenant_operations.py FOLDER FIRST`.
The backup that some operations restore lies beside the folder, in `backup`; operation 1 makes it.
"""

import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, TenantState, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.engine import Engine
from nearimage.testing.engine_examples import uid

SHARED = Collection(name="Shared", vectors=(VectorConfig(name="v"),), tenancy=Tenancy(enabled=True))
BROUGHT = replace(SHARED, name="Brought")
NAMES = tuple(f"t{number}" for number in range(12))
PROPERTIES = tuple(f"p{number}" for number in range(400))


def apply(engine: Engine, number: int, backup: Path) -> None:
    """Do operation `number`: one call that changes something, so that it happens whole or not at all."""
    if number < 2:
        _begin(engine, number, backup)
        return
    rng = random.Random(number)  # noqa: S311 a history, not a secret
    some, kind = rng.sample(NAMES, 4), rng.random()
    states = engine.tenants("Shared")
    if kind < 0.2:
        engine.create_tenants("Shared", dict.fromkeys(some, TenantState.ACTIVE))
    elif kind < 0.35:
        engine.set_tenants("Shared", {name: rng.choice((TenantState.ACTIVE, TenantState.ACTIVE, TenantState.INACTIVE)) for name in some if name in states})
    elif kind < 0.45:
        engine.drop_tenants("Shared", some[:2])
    elif kind < 0.55:
        _alter(engine)
    elif kind < 0.65:
        _bring_or_drop(engine, backup)
    else:
        for name in (name for name in some if states.get(name) is TenantState.ACTIVE):
            engine.shard("Shared", name).put(_records(rng, 3))
            return


def _begin(engine: Engine, number: int, backup: Path) -> None:
    if number == 0:
        engine.create_collection(SHARED)
    elif isinstance(engine, EmbeddedEngine) and not (backup / "manifest.json").exists():
        for place in (backup, backup.with_name("source")):  # of a child that was killed while it did this
            shutil.rmtree(place, ignore_errors=True)
        other = EmbeddedEngine(backup.with_name("source"))
        bring(other)
        other.snapshot(backup)
        other.close()


def bring(engine: Engine) -> None:
    """What the backup holds."""
    engine.create_collection(BROUGHT)
    engine.create_tenants("Brought", dict.fromkeys(NAMES[:3], TenantState.ACTIVE))
    for number, name in enumerate(NAMES[:2]):
        engine.shard("Brought", name).put(_records(random.Random(number), 20))  # noqa: S311 a fixed seed
    engine.set_tenants("Brought", {NAMES[1]: TenantState.INACTIVE})


def _bring_or_drop(engine: Engine, backup: Path) -> None:
    if any(collection.name == "Brought" for collection in engine.collections()):
        engine.drop_collection("Brought")
    elif isinstance(engine, MemoryEngine):
        bring(engine)
    else:
        engine.restore(backup)


def _alter(engine: Engine) -> None:
    (shared,) = (collection for collection in engine.collections() if collection.name == "Shared")
    new = Property(name=PROPERTIES[len(shared.properties)], data_type=DataType.INT)
    engine.alter_collection(replace(shared, properties=(*shared.properties, new)))


def _records(rng: random.Random, count: int) -> list[Record]:
    return [Record(id=uid(rng.randrange(30)), vectors={"v": np.array([rng.random() + 0.1 for _ in range(16)], np.float32)}) for _ in range(count)]


def main() -> None:
    """The child."""
    folder = Path(sys.argv[1])
    engine = EmbeddedEngine(folder, open_shards=8)
    print("open", flush=True)  # noqa: T201 the judge reads it
    number = int(sys.argv[2])
    while True:
        apply(engine, number, folder.with_name("backup"))
        print(number, flush=True)  # noqa: T201 the judge reads it
        number += 1


if __name__ == "__main__":
    main()
