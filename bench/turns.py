"""Two trees side by side: what a request costs in each, in turns, from the bytes of the request to those of the reply.

    python bench/turns.py EMBEDDINGS.npz OTHER_TREE [--kind "near_vector 10"] [--rows 28000] [--turns 120]

EMBEDDINGS.npz as for bench/engine_ann.py; a kind is a row over gRPC of bench/wire.py, by its name. A process for this tree, one for the other and a second one
for this, each with a database of its own and the same requests; each answers forty, then the next. Where a machine's speed changes by half from minute to
minute, the median of the ratios within a turn still tells 2 %: the second process of this tree shows how much chance there is. CPU of the answering thread.
Prints a table.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine_ann import pictures
from bench.load.questions import BATCH, SCHEMA, Questions, batches
from bench.wire import reading
from nearimage.app import open_database
from nearimage.config.settings import Settings
from nearimage.doors.grpc.handlers import handlers
from nearimage.doors.rest.schema import ClassBody, read_class

HERE = Path(__file__).resolve().parent.parent
AT_ONCE = 40
REST_S = 60.0


def main() -> None:
    """Measure and print, or answer when told to."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("embeddings", type=Path)
    arguments.add_argument("other", type=Path, help="the root of the other tree")
    arguments.add_argument("--kind", default="near_vector 10")
    arguments.add_argument("--rows", type=int, default=28_000)
    arguments.add_argument("--turns", type=int, default=120)
    arguments.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.answer:
        answer(options.embeddings, options.kind, options.rows)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Take turns."""
    trees = {"this tree": HERE, "the other": options.other, "this tree again": HERE}
    command = [sys.executable, __file__, str(options.embeddings), ".", "--kind", options.kind, "--rows", str(options.rows), "--answer"]
    running = {name: started(command, tree) for name, tree in trees.items()}
    for process in running.values():
        told(process)
    took: dict[str, list[float]] = {name: [] for name in running}
    for turn in range(options.turns):
        for name, process in list(running.items())[:: 1 if turn % 2 else -1]:
            print(flush=True, file=process.stdin)
            took[name].append(told(process))
    print("| | least, us | median, us | ratio within a turn |\n|---|---|---|---|")
    for name, figures in took.items():
        ratio = median(mine / first for mine, first in zip(figures, took["this tree"], strict=True))
        print(f"| {name} | {min(figures):,.0f} | {median(figures):,.0f} | {ratio:.3f} |")
    for process in running.values():
        process.communicate()


def started(command: list[str], tree: Path) -> "subprocess.Popen[str]":
    """A process that answers by the code of a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def told(process: "subprocess.Popen[str]") -> float:
    """The next figure of a process."""
    assert process.stdout
    return float(process.stdout.readline())


def answer(embeddings: Path, kind: str, rows: int) -> None:
    """Fill a database; then for each line that comes answer so many requests, and tell what one took."""
    vectors, queries = pictures(embeddings, rows)
    asks = {name: ask for name, is_grpc, ask in reading(Questions(queries[:500], rows)) if is_grpc}
    requests = list(asks[kind]())
    with tempfile.TemporaryDirectory() as folder, open_database(Settings(data=folder)) as database:
        database.services.collections.create(read_class(msgspec.convert(SCHEMA, ClassBody)))
        handle = handlers(database.services)
        for batch in batches(vectors, 500):
            handle[BATCH](batch.body)
        assert database.engine.background.wait(REST_S)
        for request in requests:
            handle[request.path](request.body)
        gc.freeze()  # as a server does
        print(0.0, flush=True)
        at = 0
        for _ in sys.stdin:
            began = time.thread_time()
            for number in range(at, at + AT_ONCE):
                request = requests[number % len(requests)]
                handle[request.path](request.body)
            print((time.thread_time() - began) / AT_ONCE * 1e6, flush=True)
            at += AT_ONCE


if __name__ == "__main__":
    main()
