"""Who may call: everybody, or those who have a key; and who may change something.

    Authorization: Bearer <key>     in HTTP and in gRPC's metadata

    keys   without a header        with a known key   with another one
    none   anonymous               anonymous          anonymous          there is nothing to compare it with
    some   refused, unless         its user           refused
           anonymous is allowed

Keys are kept and compared as SHA-256, in constant time: neither a dump of memory's configuration nor a clock gives one away. Where there are lists of users,
those on the first may do everything, those on the second may read, and others nothing; who has no key counts there as the user `anonymous`.

May import `domain`, `doors.web_pages` and the standard library only.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from nearimage.domain.errors import Denied, Unauthenticated
from nearimage.doors.web_pages import WebPages

_SCHEME = "bearer "
ANONYMOUS = "anonymous"
"""How lists of users call who has no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Who may do what.

    Attributes:
        admins: may do everything.
        readers: may do what changes nothing.
    """

    admins: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Lets callers in.

    Attributes:
        users: by the SHA-256 of the key.
        anonymous: whether callers without a key may come in.
        lists: None lets all who come in do everything.
        pages: whose web pages may be among the callers.
    """

    users: Mapping[bytes, str] = field(default_factory=dict)
    anonymous: bool = True
    lists: Lists | None = None
    pages: WebPages = field(default_factory=WebPages)

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

    def check(self, user: str, *, reads: bool) -> None:
        """Refuse what a user may not do.

        Args:
            user: whose request it is, as `user` tells.
            reads: whether the request changes nothing.

        Raises:
            Denied: the user is on no list that allows it; detail has "user".
        """
        name = user or ANONYMOUS
        if self.lists is None or name in self.lists.admins or (reads and name in self.lists.readers):
            return
        may = "may read here and change nothing" if name in self.lists.readers else "is on no list of those who may do something here"
        raise Denied(f"forbidden: user {name!r} {may}; ask whoever runs this server for the right", user=name)


def digest_of(key: str) -> bytes:
    """How a key is kept."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


OPEN = Access()
"""Everybody may come in."""
