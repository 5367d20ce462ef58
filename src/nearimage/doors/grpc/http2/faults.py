"""What a peer did wrong, and whom it costs (RFC 9113 section 5.4).

    StreamFault      RST_STREAM: one request is lost, the connection goes on
    ConnectionFault  GOAWAY: nothing that follows on this connection can be trusted

A fault is raised where it is seen and caught in one place, `connection.Connection.receive`: no exception leaves the protocol.
"""

from enum import IntEnum


class ErrorCode(IntEnum):
    """RFC 9113 section 7."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class StreamFault(Exception):
    """One stream must be reset.

    Attributes:
        code: what RST_STREAM says.
        reason: for the log; the frame has no room for it.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ConnectionFault(Exception):
    """The connection must be closed.

    Attributes:
        code: what GOAWAY says.
        reason: sent along as debug data.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
