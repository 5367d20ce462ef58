"""Render hits as a gRPC SearchReply.

Objects that references lead to are fetched level by level: all of one property at once, whatever number of hits lead to them. May import numpy, `domain`,
`service` and `doors.wire` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nearimage.domain.objects import Hit, Record, Scalar
from nearimage.domain.query import Found
from nearimage.domain.schema import LEGACY_VECTOR
from nearimage.domain.values import Reference
from nearimage.doors.grpc.asked import Asked, AskedReference
from nearimage.doors.grpc.values import write_properties
from nearimage.doors.wire.messages import SearchReply, VectorsMessage
from nearimage.service.objects import Objects


@dataclass(frozen=True, slots=True)
class Replies:
    """Renders the hits of one request.

    Attributes:
        objects: where the objects are that references lead to.
        tenant: whose they are.
    """

    objects: Objects
    tenant: str

    def render(self, asked: Asked, found: Found, took_s: float) -> bytes:
        """The reply, as bytes; hits in groups stand there only."""
        reply = SearchReply(took=took_s, generative_grouped_result="")
        if found.groups is None:
            self._fill([reply.results.add() for _ in found.hits], asked, found.hits)
        for group in found.groups or ():
            distances = [hit.distance or 0.0 for hit in group.hits]
            shown = reply.group_by_results.add(name=group_name(group.value), number_of_objects=len(group.hits))
            shown.min_distance, shown.max_distance = distances[0], distances[-1]
            self._fill([shown.objects.add() for _ in group.hits], asked, group.hits)
        return bytes(reply.SerializeToString())

    def _fill(self, results: Sequence[Any], asked: Asked, hits: Sequence[Hit]) -> None:
        for out, hit in zip(results, hits, strict=True):
            write_metadata(out.metadata, asked, hit)
        self._write([out.properties for out in results], asked, [hit.record for hit in hits])

    def _write(self, outs: Sequence[Any], asked: Asked, records: Sequence[Record]) -> None:
        """Fill `PropertiesResult`s."""
        for out, record in zip(outs, records, strict=True):
            out.target_collection = asked.collection.name
            if asked.properties:
                write_properties(out.non_ref_props.fields, asked.properties, record.properties)
            out.ref_props_requested = bool(asked.references)
        for reference in asked.references:
            self._link(outs, reference, records)

    def _link(self, outs: Sequence[Any], reference: AskedReference, records: Sequence[Record]) -> None:
        """Add what one property leads to in one collection."""
        asked = reference.asked
        links = [[link.id for link in _links(record, reference.property) if link.collection == asked.collection.name] for record in records]
        wanted = list(dict.fromkeys(one for ids in links for one in ids))
        tenant = self.tenant if asked.collection.tenancy.enabled else ""
        stored = self.objects.get_many(asked.collection.name, wanted, asked.projection, tenant) if wanted else {}
        entries, linked = [], []
        for out, ids in zip(outs, links, strict=True):
            there = [stored[one] for one in ids if one in stored]
            if there:
                part = out.ref_props.add(prop_name=reference.property)
                entries += [part.properties.add() for _ in there]
                linked += there
        for entry, record in zip(entries, linked, strict=True):
            write_metadata(entry.metadata, asked, Hit(record=record))
        if entries:
            self._write(entries, asked, linked)


def _links(record: Record, name: str) -> list[Reference]:
    value = record.properties.get(name)
    return [one for one in value if isinstance(one, Reference)] if isinstance(value, tuple) else []


def group_name(value: Scalar | None) -> str:
    """As clients know it: no value is no name, 3.0 is 3, true is true."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.17g}" if isinstance(value, float) and value.is_integer() else str(value)


def write_metadata(out: Any, asked: Asked, hit: Hit) -> None:
    """Fill `MetadataResult` with what was asked for, vectors included."""
    record, wanted = hit.record, asked.metadata
    out.SetInParent()  # clients look into it also where they asked for nothing
    if wanted.uuid:
        out.id = str(record.id)
        out.id_as_bytes = record.id.bytes
    if wanted.creation_time_unix:
        out.creation_time_unix, out.creation_time_unix_present = record.created_ms, True
    if wanted.last_update_time_unix:
        out.last_update_time_unix, out.last_update_time_unix_present = record.updated_ms, True
    if wanted.distance and hit.distance is not None:
        out.distance, out.distance_present = hit.distance, True
    if wanted.certainty and hit.certainty is not None:
        out.certainty, out.certainty_present = hit.certainty, True
    if wanted.score:  # clients expect the flag also where nothing is scored
        out.score, out.score_present = hit.score or 0.0, True
    if wanted.explain_score:
        out.explain_score, out.explain_score_present = hit.explanation, True
    for name in asked.vectors:
        if name in record.vectors:
            _write_vector(out, asked, name, record)


def _write_vector(out: Any, asked: Asked, name: str, record: Record) -> None:
    vector = record.vectors[name]
    raw = vector.astype("<f4").tobytes()
    if asked.collection.legacy_vector and name == LEGACY_VECTOR:
        out.vector_bytes = raw
        out.vector.extend(vector.tolist())
    elif vector.ndim > 1:
        raw = vector.shape[1].to_bytes(2, "little") + raw
        out.vectors.add(name=name, vector_bytes=raw, type=VectorsMessage.VECTOR_TYPE_MULTI_FP32)
    else:
        out.vectors.add(name=name, vector_bytes=raw, type=VectorsMessage.VECTOR_TYPE_SINGLE_FP32)
