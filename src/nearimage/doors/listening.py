"""Open a port, or say clearly why not. May import `domain` only."""

import socket

from nearimage.domain.errors import InvalidInput, PortTaken

BACKLOG = 2048
"""Connections that wait to be accepted: what thousands of clients need that come back at once."""


def listen(host: str, port: int, *, what: str, option: str) -> socket.socket:
    """A listening socket; port 0 means any free one.

    Args:
        what: what is served there, for the message.
        option: how to choose another port.

    Raises:
        InvalidInput: the host is no address of this machine.
        PortTaken: another program listens there.
    """
    try:
        return socket.create_server((host, port), backlog=BACKLOG, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except socket.gaierror as wrong:
        raise InvalidInput(f"{host!r} is no address of this machine: {wrong.strerror}; use --host 127.0.0.1 or 0.0.0.0", host=host) from wrong
    except OSError as wrong:
        message = f"port {port} on {host} ({what}) cannot be opened: {wrong.strerror}; stop what listens there or choose another with {option}"
        raise PortTaken(message, host=host, port=port) from wrong
