"""The same as `fuzz.py`, led by libFuzzer, which sees what code a damage reaches (`pip install atheris`).

python tests/transport/fuzz_atheris.py -max_total_time=3600 [FOLDER with interesting inputs]
"""

import random
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["nearimage.doors.grpc", "hpack"]):
    from tests.transport.fuzz import conversation, play
    from tests.transport.peer import Peer


def one(data: bytes) -> None:
    """A greeting and these bytes, cut in two places that they name themselves."""
    cuts = [1 + value * 8 for value in data[:2]]
    play(Peer().hello() + data[2:], iter(lambda: cuts.pop() if cuts else 50_000, None))


def write_examples(folder: Path) -> None:
    """Something to begin with: a few conversations that work."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(50):
        said = conversation(random.Random(seed))  # noqa: S311 - the same every time, on purpose
        (folder / f"conversation-{seed}").write_bytes(b"\xff\xff" + said[len(Peer().hello()) :][:4_000])


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["-max_total_time=60"]
    examples = next((Path(argument) for argument in arguments if not argument.startswith("-")), Path("build/fuzz"))
    write_examples(examples)
    atheris.Setup([sys.argv[0], "-max_len=4096", *(option for option in arguments if option.startswith("-")), str(examples)], one)
    atheris.Fuzz()
