"""What must be so of a connection at any moment, whatever a client has done, and what must be left of it in the end: nothing."""

from tests.transport.lines import Line

MOST_UNREAD = 9 + 16_384
"""A frame that is not complete, at most; what waits for its turn is read before the check."""


def check(line: Line) -> None:
    """At any moment."""
    connection, world = line.connection, line.world
    streams = list(connection.open_streams)
    assert len(connection._unread) <= MOST_UNREAD
    assert len(streams) <= world.limits.streams
    assert connection.sender.unsent_bytes == sum(stream.unsent_bytes for stream in streams)
    assert all(stream.unsent_bytes == sum(map(len, stream.unsent or ())) for stream in streams)
    assert len(connection._incoming.blocks.known) <= 64
    assert len(connection._incoming._block) <= 2 * world.limits.header_list_bytes + 16_384
    assert 0 <= world.memory.reserved_bytes <= max(world.memory_bytes, world.max_message_bytes)
    assert len(line.calls._unwatched) == 0
    for one in line.peer.got:
        assert len(one.payload) <= 16_384
    if connection.is_over:
        assert not streams


def check_nothing_is_left(line: Line) -> None:
    """After its end, whatever the end was."""
    world = line.world
    line.connection.lose()
    world.pool.work()
    assert world.memory.reserved_bytes == 0
    assert not world.memory._waiting
    assert not world.memory._by_owner
    assert not line.calls.lane._jobs
    assert all(timer.is_cancelled for timer in world.timers.waiting)
    assert line.connection.sender.unsent_bytes == 0
    assert world.service.work._idle_threads == world.threads
