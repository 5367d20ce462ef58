"""What one connection may ask of the server. Who asks for more is told to calm down and loses the connection (RFC 9113 section 10.5).

Rates are leaky buckets (`rates`): a burst at once, then so many a second.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a connection; the defaults are those of the settings.

    Attributes:
        streams: requests at once; a client keeps further ones until one ends. Bounds what one connection holds before anything is reserved for it:
            `streams` times `window_bytes`.
        header_list_bytes: the decoded header fields of one request. As much as grpcio takes.
        header_table_bytes: what HPACK may remember of earlier requests. RFC 7541's default; a request's fields fit several times.
        frame_bytes: the largest frame. The protocol's smallest limit; larger frames save nothing here and make the streams wait for each other.
        window_bytes: what a client may send on a stream before the server agreed to more. The protocol's default, which needs no agreement.
        control_burst: frames that ask for work but carry none (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones). Clients that measure
            the line send a PING with every reply, so each request and each frame of a reply allows for a few more.
        control_per_s: how many of these are allowed again by time alone.
        reset_burst: requests given up by the client, or reset because they were wrong. nghttp2's default burst.
        resets_per_s: how many of these are allowed again by time alone; every answered request allows for one more.
        continuation_frames: how many frames the header fields of one request may be spread over, beside the first.
        turn_frames: frames read of one connection before the others have their turn.
        turn_s: nor does a turn begin another frame after so long, for what a frame completes may be answered at once. As long as the longest of such answers.
    """

    streams: int = 128
    header_list_bytes: int = 16_384
    header_table_bytes: int = 4_096
    frame_bytes: int = 16_384
    window_bytes: int = 65_535
    control_burst: int = 2_000
    control_per_s: int = 200
    reset_burst: int = 1_000
    resets_per_s: int = 100
    continuation_frames: int = 8
    turn_frames: int = 64
    turn_s: float = 0.005
