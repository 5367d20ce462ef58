"""Ids out of stored bytes are like any others."""

import copy
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.columns import uuid_of


@given(st.binary(min_size=16, max_size=16))
def test_an_id_made_from_bytes_is_a_whole_uuid(packed: bytes) -> None:
    """It is made past the constructor for speed; callers compare, hash, print, and copy it."""
    made, expected = uuid_of(packed), UUID(bytes=packed)
    assert made == expected
    assert (hash(made), str(made), repr(made), made.bytes, made.is_safe) == (hash(expected), str(expected), repr(expected), packed, expected.is_safe)
    assert copy.copy(made) == copy.deepcopy(made) == expected
