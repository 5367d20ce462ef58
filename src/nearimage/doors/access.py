"""Who may call: everybody, or those who have a key.

    Authorization: Bearer <key>     in HTTP and in gRPC's metadata

    keys   without a header        with a known key   with another one
    none   anonymous               anonymous          anonymous          there is nothing to compare it with
    some   refused, unless         its user           refused
           anonymous is allowed

Keys are kept and compared as SHA-256, in constant time: neither a dump of memory's configuration nor a clock gives one away. Which user may do what is not
told apart. May import `domain` and the standard library only.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from nearimage.domain.errors import Unauthenticated

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Lets callers in.

    Attributes:
        users: by the SHA-256 of the key.
        anonymous: whether callers without a key may come in.
    """

    users: Mapping[bytes, str] = field(default_factory=dict)
    anonymous: bool = True

    def user(self, authorization: str | None) -> str:
        """Whose request this is; empty for anonymous.

        Args:
            authorization: the header; None where there is none.

        Raises:
            Unauthenticated: it is nobody's who may come in.
        """
        if not authorization:
            if self.anonymous:
                return ""
            raise Unauthenticated("anonymous access is not enabled here; send an API key as Authorization: Bearer <key>")
        if not self.users:
            return ""
        digest = digest_of(authorization[len(_SCHEME) :].strip()) if authorization[: len(_SCHEME)].lower() == _SCHEME else b""
        found = [user for known, user in self.users.items() if hmac.compare_digest(known, digest)]
        if not found:
            raise Unauthenticated("unauthorized: that is no API key of this server; send a known one as Authorization: Bearer <key>")
        return found[0]


def digest_of(key: str) -> bytes:
    """How a key is kept."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


OPEN = Access()
"""Everybody may come in."""
