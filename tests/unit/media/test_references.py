"""Base64 and data URIs: what is taken, what is refused, and how fast."""

import time

import pybase64
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nearimage.domain import long_text
from nearimage.domain.errors import InvalidBase64, PictureTooLarge, UrlRefused
from nearimage.domain.long_text import LongText
from nearimage.media import PictureReader
from nearimage.media.references import read_reference
from tests.unit.domain.test_long_text import CUTS, cut

LIMIT = 1_000_000


@given(st.binary(min_size=1, max_size=200))
def test_base64_gives_the_bytes_back(data: bytes) -> None:
    """Every picture a client encodes must arrive as it was."""
    assert read_reference(pybase64.b64encode(data).decode(), max_bytes=LIMIT) == data


@pytest.mark.parametrize(
    "prefix", ["data:image/jpeg;base64,", "data:;base64,", "DATA:image/png;name=a.png;Base64,", "data:application/octet-stream;charset=utf-8;base64,"]
)
def test_a_data_uri_gives_its_bytes(prefix: str) -> None:
    """Browsers hand out pictures in this form."""
    assert read_reference(prefix + "aGVsbG8=", max_bytes=LIMIT) == b"hello"


@pytest.mark.parametrize(
    ("reference", "position"),
    [
        ("", None),
        ("data:image/png;base64,", None),
        ("data:image/png,aGVsbG8=", None),
        ("aGVsbG8", None),
        ("aGVsbG8==", None),
        ("aGVs\nbG8=", 4),
        ("aGVsbG8=\n", 7),
        ("aGV-bG8=", 3),
        ("=GVsbG8=", 0),
        ("aGVsbG8=aGVs", 7),
        ("ähnlich!", 0),
        ("aGVsbG8é", 7),
        ("photo.jpg", 5),
        ("data:image/png;base64,aGV*bG8=", 25),
    ],
)
def test_other_text_is_refused_with_the_place(reference: str, position: int | None) -> None:
    """A person who sent a path or broken text should see at once where it goes wrong."""
    with pytest.raises(InvalidBase64) as caught:
        read_reference(reference, max_bytes=LIMIT)

    assert caught.value.detail == {"position": position}


@pytest.mark.parametrize("reference", ["aGVs\nbG8=", "aGVsbG8=\r\n", " aGVs bG8=", "aGVsbG8\n=", "data:image/png;base64,aGVs\r\n\tbG8="])
def test_base64_made_for_mail_is_read_where_that_is_asked_for(reference: str) -> None:
    """`base64 photo.jpg` and Python's `encodebytes` break lines; Weaviate's containers overlook that in a query."""
    assert read_reference(reference, max_bytes=LIMIT, broken=True) == b"hello"
    with pytest.raises(InvalidBase64):
        read_reference(reference, max_bytes=LIMIT)


@pytest.mark.parametrize(("reference", "position"), [("aGVs\nbG*=", 7), ("aG\nV-bG8=", 4), ("aGVs\nbG8", None), ("\n", None), ("aGVsbG8=\n\naGVs", 7)])
def test_other_mistakes_are_found_behind_line_breaks(reference: str, position: int | None) -> None:
    """The place is that in the text as it was sent."""
    with pytest.raises(InvalidBase64) as caught:
        read_reference(reference, max_bytes=LIMIT, broken=True)

    assert caught.value.detail == {"position": position}


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """The door knows only these two endings."""
    try:
        assert read_reference(text, max_bytes=LIMIT)
    except InvalidBase64 as error:
        position = error.detail["position"]
        assert position is None or (isinstance(position, int) and 0 <= position < len(text))


def test_the_limit_counts_decoded_bytes_exactly() -> None:
    """One byte over is over, and a picture at the limit is not turned away because of its padding."""
    for size in (998, 999, 1000):
        assert len(read_reference(pybase64.b64encode(bytes(size)).decode(), max_bytes=size)) == size
        with pytest.raises(PictureTooLarge) as caught:
            read_reference(pybase64.b64encode(bytes(size + 1)).decode(), max_bytes=size)
        assert caught.value.detail == {"limit": size, "got": size + 1}


def test_a_text_over_the_limit_is_not_looked_at() -> None:
    """Size is judged before content, so that a huge text costs nothing."""
    with pytest.raises(PictureTooLarge):
        read_reference("*" * 2_000_000, max_bytes=LIMIT)


def test_a_wrong_character_at_the_end_of_ten_megabytes_is_found_quickly() -> None:
    """Telling the place must not be a way to keep the server busy."""
    text = "A" * 9_999_999 + "*"
    started = time.process_time()
    with pytest.raises(InvalidBase64) as caught:
        read_reference(text, max_bytes=64_000_000)

    assert caught.value.detail == {"position": 9_999_999}
    assert time.process_time() - started < 0.5  # 9 ms measured; a loop in Python takes a second


def test_the_reader_applies_its_own_limit() -> None:
    """The configured limit is the one that counts."""
    reader = PictureReader(max_bytes=4)
    with pytest.raises(PictureTooLarge):
        reader.read("aGVsbG8=")
    reader.close()


@given(st.one_of(st.text("AQx9+/=- \n", max_size=40), st.binary(min_size=1, max_size=40).map(lambda data: pybase64.b64encode(data).decode())), CUTS)
@example("aGVsbG8=aGVs", [8])
@example("QQ==QQ==", [4])
@example("====", [])
@example("", [])
def test_a_text_in_pieces_means_what_it_means_as_one(text: str, cuts: list[int]) -> None:
    """A picture of ten megabytes is decoded piece by piece; a mistake is told with the same place."""
    for reference in (text, "data:image/png;base64," + text):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(long_text, "GROUP_BYTES", 5)
            for broken in (False, True):
                assert _outcome(cut(reference, cuts), broken=broken) == _outcome(reference, broken=broken)


def _outcome(reference: str | LongText, *, broken: bool) -> object:
    try:
        return read_reference(reference, max_bytes=25, broken=broken)
    except (InvalidBase64, PictureTooLarge) as wrong:
        return wrong.message


def test_a_url_in_pieces_is_a_url() -> None:
    """What is set aside of a request is set aside for its length, whatever it is."""
    reader = PictureReader()
    with pytest.raises(UrlRefused):
        reader.read(LongText((b"ht", b"tps://example.org/", b"a" * 100)))
    reader.close()
