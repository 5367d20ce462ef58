"""Saying where a damaged file breaks off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import UnreadablePicture
from nearimage.media import PictureReader
from nearimage.media.damage import describe_damage
from nearimage.media.formats import RAW, READABLE
from tests.unit.media.pictures import encoded, quarters


@pytest.mark.parametrize("format_name", READABLE)
def test_whole_files_are_found_whole(format_name: str) -> None:
    """A message that blames the wrong thing is worse than none."""
    assert describe_damage(encoded(quarters(), format_name), format_name) is None


@pytest.mark.parametrize("format_name", [name for name in READABLE if name not in ("TIFF", "JPEG 2000", RAW)])
def test_the_place_where_a_file_ends_is_named(format_name: str) -> None:
    """Who sees that 600 of 1,200 bytes came looks for a broken upload, not for a broken picture."""
    data = encoded(quarters(), format_name)
    half = len(data) // 2

    assert f"{half:,}" in (describe_damage(data[:half], format_name) or "")


def test_a_damaged_chunk_is_named() -> None:
    """The rest of the file is fine: a disk error, or a program that changed the picture and not the checksum."""
    data = bytearray(encoded(quarters(), "PNG"))
    at = data.index(b"IDAT")
    data[at + 10] ^= 1

    assert describe_damage(bytes(data), "PNG") == f"the chunk IDAT that begins at byte {at - 4:,} does not fit its checksum"


def test_the_message_has_the_place_and_what_the_decoder_said() -> None:
    """Both: the first for the person, the second for whoever knows decoders."""
    data = encoded(quarters(), "PNG")
    reader = PictureReader()
    (error,) = reader.decode([data[:100]], short_side=8)
    reader.close()

    assert isinstance(error, UnreadablePicture)
    assert "inside the chunk IDAT" in error.message
    assert "decoding stopped in its pixels" in error.message


@given(data=st.binary(max_size=200), format_name=st.sampled_from(READABLE))
def test_any_bytes_can_be_looked_at(data: bytes, format_name: str) -> None:
    """It is asked about hostile bytes only."""
    found = describe_damage(data, format_name)
    assert found is None or len(found) < 300
