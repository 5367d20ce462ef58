"""The library call: a database in the caller's own process; see `connecting`."""

from nearimage.library.conditions import Field, field
from nearimage.library.connecting import connect

__all__ = ["Field", "connect", "field"]
