"""Connections are let in together, and none is lost when the system has no room."""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import uvloop

from nearimage.doors.accepting import REST_S, Acceptor


class Counted(asyncio.Protocol):
    """Counts the connections that have begun."""

    begun = 0

    def connection_made(self, _: asyncio.BaseTransport) -> None:
        """See asyncio."""
        Counted.begun += 1


class Full(socket.socket):
    """A listener of a process that has no file descriptors left, the first time."""

    refusals = 1

    def accept(self) -> tuple[socket.socket, object]:
        """Fail once."""
        if self.refusals:
            self.refusals -= 1
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


def clients_of(listener: socket.socket, count: int, ending: ExitStack) -> None:
    """So many that wait to be let in."""
    for _ in range(count):
        ending.enter_context(socket.create_connection(listener.getsockname()))


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    """In a thread of its own: where a browser is driven in this process, a loop is under way in the main one already."""
    Counted.begun = 0
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: uvloop.run(test())).result()


def test_a_hundred_that_come_together_are_let_in_together() -> None:
    """One in each round of a busy loop would make the last of them wait for seconds."""

    async def test() -> None:
        with ExitStack() as ending:
            listener = ending.enter_context(socket.create_server(("127.0.0.1", 0), backlog=200))
            listener.setblocking(False)
            clients_of(listener, 100, ending)
            acceptor = Acceptor(listener, Counted, context=None, handshake_s=None)
            acceptor.start()
            for _ in range(6):
                await asyncio.sleep(0)
            assert Counted.begun == 100
            acceptor.close()

    run(test)


def test_where_there_is_no_room_it_tries_again() -> None:
    """A process without descriptors gets some back; a server that had given up would refuse everybody from then on."""

    async def test() -> None:
        with ExitStack() as ending:
            made = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
            listener = ending.enter_context(Full(fileno=socket.dup(made.fileno())))
            listener.setblocking(False)
            clients_of(listener, 2, ending)
            acceptor = Acceptor(listener, Counted, context=None, handshake_s=None)
            acceptor.start()
            await asyncio.sleep(REST_S / 2)
            assert Counted.begun == 0
            await asyncio.sleep(REST_S)
            assert Counted.begun == 2
            acceptor.close()

    run(test)
