"""Requests that are read by the form of an earlier one say what they would have said by themselves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearimage.domain.errors import CollectionNotFound, InvalidInput, InvalidVector
from nearimage.domain.query import Hybrid, NearVector, Search
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.doors.grpc import forms as module
from nearimage.doors.grpc.forms import Forms, Reading
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.wire.messages import Filters, SearchRequest, VectorsMessage

PHOTO = Collection(
    name="Photo",
    properties=(Property(name="title", data_type=DataType.TEXT), Property(name="rank", data_type=DataType.INT)),
    vectors=(VectorConfig(name="v", metric=Metric.COSINE), VectorConfig(name="w", metric=Metric.DOT)),
)


def find(name: str) -> Collection:
    """The one there is."""
    if name != "Photo":
        raise CollectionNotFound("there is no such collection", collection=name)
    return PHOTO


def asking(**changes: Any) -> Any:
    """A request for two properties."""
    request = SearchRequest(collection="Photo", limit=3, uses_123_api=True, **changes)
    request.properties.non_ref_properties.extend(["title", "rank"])
    request.metadata.uuid = True
    return request


def by_vector(numbers: list[float]) -> Any:
    request = asking()
    request.near_vector.vectors.add(vector_bytes=np.array(numbers, "<f4").tobytes(), type=VectorsMessage.VECTOR_TYPE_SINGLE_FP32)
    return request


def by_older_field(numbers: list[float]) -> Any:
    request = asking()
    request.near_vector.vector_bytes = np.array(numbers, "<f4").tobytes()
    request.near_vector.targets.target_vectors.append("v")
    return request


def by_words(text: str) -> Any:
    request = asking()
    request.bm25_search.query = text
    request.bm25_search.properties.append("title")
    return request


def by_both(text: str, numbers: list[float]) -> Any:
    request = asking()
    request.hybrid_search.query, request.hybrid_search.alpha = text, 0.3
    request.hybrid_search.vectors.add(vector_bytes=np.array(numbers, "<f4").tobytes(), type=VectorsMessage.VECTOR_TYPE_SINGLE_FP32)
    return request


def plain(by: object) -> object:
    """The same with lists for arrays, which can be compared."""
    if isinstance(by, NearVector):
        return by.targets, by.max_distance, [vector.tolist() for vector in by.vectors]
    return (replace(by, near=None), plain(by.near)) if isinstance(by, Hybrid) else by


def same(one: Search, other: Search) -> bool:
    return replace(one, by=None) == replace(other, by=None) and plain(one.by) == plain(other.by)


def fresh(request: bytes) -> Reading:
    """As the message says it."""
    return Forms(find).read(request)


numbers = st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=3)
words = st.text(min_size=1, max_size=4)
requests = st.one_of(
    st.builds(by_vector, numbers),
    st.builds(by_older_field, numbers),
    st.builds(by_words, words),
    st.builds(by_both, words, numbers),
    st.builds(asking, offset=st.integers(0, 3)),
    st.builds(asking, tenant=words),
)


@given(some=st.lists(requests, max_size=12))
@settings(deadline=None)
def test_it_reads_what_the_message_says(some: list[Any]) -> None:
    """A form that fits what it should not would answer one user with the filter, or the tenant, of another."""
    forms = Forms(find)
    for message in some:
        request = message.SerializeToString()
        got, expected = forms.read(request), fresh(request)
        assert same(got.query, expected.query)
        assert (got.asked.properties, got.asked.vectors, got.kind) == (expected.asked.properties, expected.asked.vectors, expected.kind)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The requests whose messages were parsed."""
    seen = list[bytes]()

    def noted(kind: Any, data: bytes) -> Any:
        seen.append(data)
        return parse(kind, data)

    monkeypatch.setattr(module, "parse", noted)
    return seen


@pytest.mark.parametrize(
    "ask", [by_vector, by_older_field, lambda numbers: by_words(f"{numbers[0]:.3f}"), lambda numbers: by_both(f"{numbers[0]:.3f}", numbers)]
)
def test_what_is_alike_is_parsed_once(ask: Callable[[list[float]], Any], parsed: list[bytes]) -> None:
    """Otherwise nothing is gained, and nobody would see it."""
    forms = Forms(find)
    for number in range(9):
        forms.read(ask([number / 9, 1, 2]).SerializeToString())
    assert len(parsed) == 1


def test_a_collection_that_was_altered_is_read_anew(parsed: list[bytes]) -> None:
    """A property added a moment ago must be in the answer."""
    now = [PHOTO]
    forms = Forms(lambda _: now[0])
    request = SearchRequest(collection="Photo").SerializeToString()
    assert len(forms.read(request).asked.properties) == 2
    now[0] = replace(PHOTO, properties=(*PHOTO.properties, Property(name="new", data_type=DataType.TEXT)))
    assert len(forms.read(request).asked.properties) == 3
    assert len(parsed) == 2


def test_a_filter_is_part_of_the_form(parsed: list[bytes]) -> None:
    """The same length, another value."""
    forms = Forms(find)

    def below(value: int) -> bytes:
        request = by_vector([1, 2, 3])
        request.filters.operator, request.filters.value_int = Filters.OPERATOR_LESS_THAN, value
        request.filters.target.property = "rank"
        return bytes(request.SerializeToString())

    queries = [forms.read(below(value)).query for value in (5, 7, 5)]
    assert queries[0].where == queries[2].where != queries[1].where
    assert len(parsed) == 2


def test_bytes_that_stand_twice_are_no_gap(parsed: list[bytes]) -> None:
    """A word that is a property's name too: which of them the next request changes nobody can say."""
    forms = Forms(find)
    for word in ("title", "other", "title"):
        assert forms.read(by_words(word).SerializeToString()).query.by == fresh(by_words(word).SerializeToString()).query.by
    assert len([request for request in parsed if b"title" in request]) >= 2


def test_what_does_not_fit_a_gap_is_refused_as_ever() -> None:
    """Bytes come from anybody."""
    forms = Forms(find)
    request = by_words("abcd").SerializeToString()
    forms.read(request)
    with pytest.raises(InvalidInput, match="SearchRequest"):
        forms.read(request.replace(b"abcd", b"\xff\xfe\xfd\xfc"))
    odd = asking()
    odd.near_vector.vectors.add(vector_bytes=b"12345")
    for _ in range(2):
        with pytest.raises(InvalidVector, match="5 bytes"):
            forms.read(odd.SerializeToString())
    with pytest.raises(CollectionNotFound):
        forms.read(SearchRequest(collection="Other").SerializeToString())


def test_few_forms_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters and cursors are new each time; memory must not grow with them."""
    monkeypatch.setattr(module, "_MOST", 20)
    forms = Forms(find)
    for number in range(500):
        forms.read(asking(offset=number).SerializeToString())
        forms.read(by_words("x" * (number % 50 + 1)).SerializeToString())
    assert sum(map(len, forms._kept.values())) <= 20
    forms.read(by_vector([1.0] * 20_000).SerializeToString())
    assert max(forms._kept) < 1000
