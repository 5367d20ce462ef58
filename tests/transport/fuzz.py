"""Damage conversations and look what the protocol does: flipped bits, lost and doubled pieces, other lengths, other orders.

    python tests/transport/fuzz.py [--seconds 3600] [--seed 1]

Each round takes a conversation that works, damages its bytes, and gives them to a connection cut at random places; `invariants` says what must be so
after each piece. What fails comes again with the same seed. `fuzz_atheris.py` looks where chance does not get to.
"""

import argparse
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nearimage.doors.grpc.http2.limits import Limits
from tests.transport.invariants import check, check_nothing_is_left
from tests.transport.lines import Line, World
from tests.transport.peer import DATA, END_STREAM, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, Peer, frame, message, number

Damage = Callable[[random.Random, bytearray], None]
LIMITS = Limits(streams=8, control_burst=200, reset_burst=50)


def conversation(chance: random.Random) -> bytes:
    """A client that works."""
    peer = Peer()
    steps = chance.choices(_STEPS, k=chance.randint(1, 8))
    return peer.hello((4, chance.choice([0, 100, 65_535, 2**20]))) + b"".join(step(peer, chance) for step in steps)


def _call(peer: Peer, chance: random.Random) -> bytes:
    method = chance.choice(["Quick", "Quick", "Slow", "Wait", "Fail", "Large", "Converse", "Nothing"])
    more = [("grpc-timeout", "1S")] if chance.random() < 0.3 else []
    return peer.call(str(chance.randint(0, 100_000)).encode(), f"/t.T/{method}", more=more, end=chance.random() < 0.8)


def _upload(peer: Peer, chance: random.Random) -> bytes:
    stream, body = peer.stream(), message(bytes(chance.randint(1, 150_000)))
    pieces = [body[at : at + 16_384] for at in range(0, len(body), 16_384)]
    return peer.call(stream=stream) + b"".join(frame(DATA, END_STREAM if piece is pieces[-1] else 0, stream, piece) for piece in pieces)


_STEPS: list[Callable[[Peer, random.Random], bytes]] = [
    _call,
    _call,
    _call,
    _upload,
    lambda _, chance: frame(WINDOW_UPDATE, 0, chance.randint(0, 9), number(chance.choice([1, 1_000, 10**6]))),
    lambda _, chance: frame(RST_STREAM, 0, chance.randint(1, 9), number(8)),
    lambda _, __: frame(PING, 0, 0, b"12345678"),
    lambda _, chance: frame(SETTINGS, 0, 0, b"\0\4" + number(chance.choice([0, 1, 65_535, 2**31 - 1]))),
]


def _flip(chance: random.Random, data: bytearray) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    data[at : at + 4] = chance.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"])


def _lose(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice([1, 9, 100])]


def _double(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.choice([9, 50, 1_000])]


_DAMAGES: list[Damage] = [_flip, _flip, _overwrite, _lose, _double]


def play(data: bytes, cuts: Iterator[int]) -> None:
    """Give bytes to a connection, cut into pieces of these lengths, and look after each."""
    world = World(LIMITS, max_message_bytes=120_000, memory_bytes=400_000, max_unread_bytes=50_000)
    line, at = Line(world), 0
    while at < len(data):
        size = next(cuts)
        line.send(data[at : at + size])
        at += size
        check(line)
        world.pool.work()
        line.take()
    world.timers.pass_by(2)
    check(line)
    check_nothing_is_left(line)


def run(*, seed: int, seconds: float, rounds: int) -> int:
    """Rounds until the time is over, or all are done; how many there were."""
    chance, end = random.Random(seed), time.monotonic() + seconds  # noqa: S311 - the same every time, on purpose
    for done in range(rounds):
        if time.monotonic() > end:
            return done
        data = bytearray(conversation(chance))
        for _ in range(chance.randint(0, 4)):
            if data:
                chance.choice(_DAMAGES)(chance, data)
        try:
            play(bytes(data), iter(lambda: chance.choice([1, 7, 9, 100, 20_000]), None))
        except BaseException:
            print(f"seed {seed}, round {done}: it comes again with --seed {seed}", file=sys.stderr)  # noqa: T201 - whoever looks for the mistake needs it
            raise
    return rounds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable()  # mistakes of the handlers are part of the play
    print(run(seed=options.seed, seconds=options.seconds, rounds=sys.maxsize), "rounds")  # noqa: T201 - it is a program
