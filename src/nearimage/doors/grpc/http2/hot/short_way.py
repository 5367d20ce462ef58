"""The short way: a request that came in one piece and is answered at once (`bench/transport.py`, the rows with a constant reply).

    HEADERS (a known block, END_HEADERS)  DATA (all of it, END_STREAM)   -->   HEADERS  DATA  HEADERS (END_STREAM)

This is what nearly every search looks like once a client is warm. Taken apart frame by frame it costs a stream object, a call object and some twenty
calls, twice what it costs here. Whatever is in any way unusual is left to the long way (`incoming`), which then
sees the very same bytes: nothing is changed before everything is known to fit. What must be kept in step with the long way is the block of assignments at
the end.
"""

from nearimage.doors.grpc.http2.frames import DATA, END_STREAM, HEADER, HEADER_BYTES, PADDED
from nearimage.doors.grpc.http2.hot.reply import reply_frames
from nearimage.doors.grpc.http2.incoming import LEAST_WINDOW, Incoming, Receiver, Reply
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.http2.requests import Head
from nearimage.doors.grpc.http2.sending import Sender
from nearimage.doors.grpc.http2.streams import Stream, Streams


class ShortWay:
    """The short way of one connection."""

    __slots__ = ("_incoming", "_limits", "_receiver", "_sender", "_streams")

    def __init__(self, receiver: Receiver, streams: Streams, sender: Sender, incoming: Incoming, limits: Limits) -> None:
        self._receiver = receiver
        self._streams = streams
        self._sender = sender
        self._incoming = incoming
        self._limits = limits

    def go(self, data: bytes, begin: int, at: int, stream_id: int) -> int:
        """Answer a request whose HEADERS frame has its payload at `data[begin:at]`.

        Returns:
            Where the request ends; 0 if it must go the long way.
        """
        streams, incoming = self._streams, self._incoming
        begin_data = at + HEADER_BYTES
        if len(data) < begin_data:
            return 0
        high, low, kind, flags, same_id = HEADER.unpack_from(data, at)
        size: int = high << 16 | low
        end = begin_data + size
        is_whole = kind == DATA and flags & (END_STREAM | PADDED) == END_STREAM and same_id == stream_id and len(data) >= end
        if not is_whole or not streams.last_id < stream_id <= streams.last_accepted or not stream_id & 1 or len(streams.open) >= self._limits.streams:
            return 0
        head = incoming.blocks.known.get(data[begin:at])
        if head is None or head.content_length not in (None, size) or size > self._limits.window_bytes or size > incoming.window - LEAST_WINDOW:
            return 0
        reply = self._receiver.at_once(head, data, begin_data, end)
        if reply is None:
            return 0
        streams.note(stream_id)
        incoming.window -= size
        if isinstance(reply, tuple):
            self._send(stream_id, head, reply)
        else:
            reply(self._opened(stream_id, head))
        return end

    def _send(self, stream_id: int, head: Head, reply: Reply) -> None:
        sender = self._sender
        block, body, trailers = reply
        if not trailers or len(body) > sender.room or len(body) > sender.stream_window:
            sender.reply(self._opened(stream_id, head), block, body, trailers)
            return
        sender.window -= len(body)
        sender.control(reply_frames(stream_id, block, body, trailers))
        self._incoming.effort.useful += 1

    def _opened(self, stream_id: int, head: Head) -> Stream:
        """The stream of a request that is whole, but cannot be answered in one go."""
        stream = self._streams.open[stream_id] = Stream(stream_id, head, 0, self._sender.stream_window)
        stream.receives = False
        return stream
