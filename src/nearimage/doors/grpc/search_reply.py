"""Render hits as a gRPC SearchReply.

The reply is joined from bytes: an object's properties are mostly cut out of its stored row as they are (`rows`), and a message an object took half of a page's
time (docs/design/wire.md). Objects that references lead to are fetched level by level: all of one property at once, whatever number of hits lead to them.

May import `domain`, `service` and `doors` only.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import add

from nearimage.domain.columns import HitColumns, RecordColumns
from nearimage.domain.objects import PropertyValue, Record, Scalar
from nearimage.domain.query import Found, HitGroup
from nearimage.domain.values import Reference
from nearimage.doors.grpc.asked import Asked, AskedReference
from nearimage.doors.grpc.metadata import Metadata
from nearimage.doors.grpc.rows import cuts_of, stored_rows
from nearimage.doors.grpc.values import write_properties
from nearimage.doors.number_texts import plain
from nearimage.doors.wire.encoding import int64, sized, sized_each
from nearimage.doors.wire.messages import GroupByResult, PropertiesMessage, PropertiesResult, RefPropertiesResult, SearchReply, SearchResult, key_of
from nearimage.service.objects import Objects

_TOOK, _RESULTS, _GROUPS, _PROFILE = (key_of(SearchReply, name) for name in ("took", "results", "group_by_results", "query_profile"))
_NO_GENERATIVE = sized(key_of(SearchReply, "generative_grouped_result"), b"")
_PROPERTIES, _METADATA = key_of(SearchResult, "properties"), key_of(SearchResult, "metadata")
_PLAIN, _REFERENCES, _COLLECTION, _OWN_METADATA = (key_of(PropertiesResult, name) for name in ("non_ref_props", "ref_props", "target_collection", "metadata"))
_REFERENCES_REQUESTED = key_of(PropertiesResult, "ref_props_requested") + b"\1"
_LINKED, _PROPERTY = key_of(RefPropertiesResult, "properties"), key_of(RefPropertiesResult, "prop_name")
_GROUP_NAME, _NEAREST, _FARTHEST, _COUNT, _OBJECTS = (
    key_of(GroupByResult, name) for name in ("name", "min_distance", "max_distance", "number_of_objects", "objects")
)
_FLOAT = struct.Struct("<f").pack


@dataclass(frozen=True, slots=True)
class Replies:
    """Renders the hits of one request.

    Attributes:
        objects: where the objects are that references lead to.
        tenant: whose they are.
    """

    objects: Objects
    tenant: str

    def render(self, asked: Asked, found: Found, took_s: float, *, profile: bytes | None = None) -> bytes:
        """The reply, as bytes; hits in groups stand there only.

        Args:
            profile: a `QueryProfile`, where one was asked for.
        """
        parts = [_TOOK + _FLOAT(took_s), _NO_GENERATIVE]
        if found.groups is None:
            parts += sized_each(_RESULTS, self._results(asked, HitColumns.of(found.hits)))
        parts += [sized(_GROUPS, self._group(asked, group)) for group in found.groups or ()]
        if profile is not None:
            parts.append(sized(_PROFILE, profile))
        return b"".join(parts)

    def _group(self, asked: Asked, group: HitGroup) -> bytes:
        """A `GroupByResult`."""
        hits = HitColumns.of(group.hits)
        hits = HitColumns(hits.records, distances=[distance or 0.0 for distance in hits.distances or [0.0] * len(hits)])
        head = sized(_GROUP_NAME, group_name(group.value).encode()) + _NEAREST + _FLOAT(group.nearest) + _FARTHEST + _FLOAT(group.farthest)
        return head + _COUNT + int64(len(hits)) + b"".join(sized_each(_OBJECTS, self._results(asked, hits)))

    def _results(self, asked: Asked, hits: HitColumns) -> Iterable[bytes]:
        """`SearchResult`s."""
        metadata, properties = Metadata(asked).of(hits), self._properties(asked, hits.records)
        return map(add, sized_each(_METADATA, metadata), sized_each(_PROPERTIES, properties))

    def _properties(self, asked: Asked, records: RecordColumns) -> list[bytes]:
        """`PropertiesResult`s."""
        collection = sized(_COLLECTION, asked.collection.name.encode())
        found = sized_each(collection + _PLAIN, _fields(asked, records)) if asked.properties else [collection] * len(records)
        for reference in asked.references:
            found = [before + linked for before, linked in zip(found, self._linked(reference, records), strict=True)]
        return [one + _REFERENCES_REQUESTED for one in found] if asked.references else found

    def _linked(self, reference: AskedReference, records: RecordColumns) -> list[bytes]:
        """What one property of each record leads to in one collection: nothing where it leads nowhere any more, and an empty list where it was emptied."""
        asked = reference.asked
        links = [[link.id for link in _links(record, reference.property) if link.collection == asked.collection.name] for record in records]
        wanted = list(dict.fromkeys(one for ids in links for one in ids))
        tenant = self.tenant if asked.collection.tenancy.enabled else ""
        stored = self.objects.get_many(asked.collection.name, wanted, asked.projection, tenant) if wanted else {}
        there = RecordColumns.of(list(stored.values()))
        metadata = sized_each(_OWN_METADATA, Metadata(asked).of(HitColumns(there)))
        shown = dict(zip(stored, sized_each(_LINKED, map(add, self._properties(asked, there), metadata)), strict=True))
        name = sized(_PROPERTY, reference.property.encode())
        parts = [[shown[one] for one in ids if one in shown] for ids in links]
        emptied = [record.properties.get(reference.property) == () for record in records]
        return [sized(_REFERENCES, b"".join(some) + name) if some or told else b"" for some, told in zip(parts, emptied, strict=True)]


def _fields(asked: Asked, records: RecordColumns) -> Iterator[bytes]:
    """`Properties` of each: cut out of the row, or written one by one."""
    cuts = cuts_of(tuple(prop.name for prop in asked.properties)).of(stored_rows(records))
    for place, cut in enumerate(cuts):
        yield _written(asked, records[place].properties) if cut is None else cut


def _written(asked: Asked, properties: Mapping[str, PropertyValue]) -> bytes:
    message = PropertiesMessage()
    write_properties(message.fields, asked.properties, properties)
    return bytes(message.SerializeToString())


def _links(record: Record, name: str) -> list[Reference]:
    value = record.properties.get(name)
    return [one for one in value if isinstance(one, Reference)] if isinstance(value, tuple) else []


def group_name(value: Scalar | None) -> str:
    """As clients know it: no value is no name, 3.0 is 3, true is true."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, float) else str(value)
