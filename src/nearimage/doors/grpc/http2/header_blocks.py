"""Header compression (RFC 7541), and why most header blocks are decoded once.

A header block is a list of instructions: name a field by its number in a table, or spell it out and perhaps append it to the table. Both ends keep the
same table, so a block means something only together with all blocks before it, and a block that cannot
be decoded ends the connection (COMPRESSION_ERROR): the tables differ from then on.

A client that asks the same thing again sends the same block again. The first request of a connection spells its fields out (1); from the second one on
they are numbers (2):

    (1) 40 0a ":authority" ... 40 05 ":path" "/weaviate.v1.Weaviate/Search" ...     appends to the table
    (2) 83 86 c4 c3 c2 c1 c0 bf be                                                   leaves the table alone

Whoever decodes (2) twice in a row gets the same fields, because decoding depends on the block and the table and on nothing else. So the fields of every
block that left the table as it was are kept with the block's bytes, until a block changes the table:
one dictionary lookup instead of 20 us. Whether the table changed is seen by its newest entry, its length and its size: appending always brings a new
newest entry, or empties the table.

Towards the client nothing is appended to a table, so the same block always means the same and is built once (`encoded`): a few bytes more on the wire, no
state on either side. If a client wants a smaller table than the default, the next block
must say that the table shrank (RFC 7541 section 4.2): `TABLE_GONE`, after which its size stays 0.

What a block may cost: its encoded bytes are bounded where they are collected (`connection`), the decoded fields here. A bomb (one long entry, named a
thousand times) ends the connection; fields that are merely too many are the request's own failure,
which is why they are decoded to the end, up to `HARD_LIMIT` times what is allowed.
"""

from collections.abc import Iterable
from functools import lru_cache

from hpack import Decoder, Encoder, HPACKError, NeverIndexedHeaderTuple, OversizedHeaderListError

from nearimage.doors.grpc.http2.faults import ConnectionFault, ErrorCode
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.http2.requests import Fields, Head

KNOWN_BLOCKS = 64
"""Blocks kept per connection. A client has a handful; a few KB, no more, even if every one is different."""

LONGEST_KNOWN_BYTES = 512
"""Longer blocks carry tokens or traces, which seldom come twice."""

HARD_LIMIT = 4
TABLE_GONE = b"\x20"


class HeaderBlocks:
    """The decoding side of one connection.

    Attributes:
        known: the fields of blocks that leave the table alone, as the table is now.
    """

    __slots__ = ("_decoder", "known")

    def __init__(self, limits: Limits) -> None:
        self._decoder = Decoder(max_header_list_size=limits.header_list_bytes * HARD_LIMIT)
        self.known: dict[bytes, Head] = {}

    def limit_table(self, size: int) -> None:
        """The client has agreed to this table size."""
        self._decoder.max_allowed_table_size = size

    def decode(self, block: bytes) -> Head:
        """The fields of a block.

        Raises:
            ConnectionFault: it is no such block, or it unfolds to far more than is allowed.
        """
        known = self.known.get(block)
        if known is not None:
            return known
        table = self._decoder.header_table
        entries = table.dynamic_entries
        newest, length, size = entries[0] if entries else None, len(entries), table.maxsize
        head = Head(self._decode(block))
        if (entries[0] if entries else None) is not newest or len(entries) != length or table.maxsize != size:
            self.known.clear()
        elif len(block) <= LONGEST_KNOWN_BYTES:
            if len(self.known) >= KNOWN_BLOCKS:
                self.known.clear()
            self.known[block] = head
        return head

    def _decode(self, block: bytes) -> Fields:
        try:
            return tuple((bytes(name), bytes(value)) for name, value in self._decoder.decode(block, raw=True))
        except OversizedHeaderListError as wrong:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "the header fields unfold to far more than is allowed") from wrong
        except (HPACKError, IndexError) as wrong:  # a block cut short inside a number is an IndexError
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "the header block cannot be decoded") from wrong


@lru_cache(maxsize=1024)
def encoded(fields: tuple[tuple[str, str], ...]) -> bytes:
    """A header block that means the same on every connection at any time."""
    return encode(fields)


def encode(fields: Iterable[tuple[str, str]]) -> bytes:
    """A header block whose fields are not worth keeping."""
    return Encoder().encode([NeverIndexedHeaderTuple(name, value) for name, value in fields], huffman=False)
