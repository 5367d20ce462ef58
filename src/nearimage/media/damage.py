"""Find where a picture's file breaks off or contradicts itself, for the message to the person who sent it.

The decoders say that something was wrong, seldom where. The formats' own structure tells more: lengths that are written down and not kept, checksums, end
marks. Nothing here decides whether a picture is good; that did the decoder. Structures: PNG (W3C), RIFF, ISO/IEC 14496-12 boxes, JPEG (ITU T.81), GIF89a,
BMP. May import the standard library only.
"""

import zlib
from collections.abc import Callable, Mapping

_MAX_PARTS = 100_000  # chunks or segments that are looked at: a message is not worth more than some milliseconds


def describe_damage(data: bytes, format_name: str) -> str | None:
    """What is wrong with the file's structure and at which byte, as a part of a sentence; None where nothing is seen.

    Args:
        format_name: as `formats.recognise` said.
    """
    look = _LOOKS.get(format_name)
    return look(data) if look else None


def _png(data: bytes) -> str | None:
    at = 8
    for _ in range(_MAX_PARTS):
        if at + 12 > len(data):
            return f"it ends at byte {len(data):,}, before its end chunk"
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if not name.isalpha():
            return f"at byte {at:,} a chunk should begin, and none does"
        end = at + 12 + size
        if end > len(data):
            return f"it ends inside the chunk {name.decode()} that begins at byte {at:,}: it should reach to byte {end:,}, and the file has {len(data):,}"
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return f"the chunk {name.decode()} that begins at byte {at:,} does not fit its checksum"
        if name == b"IEND":
            return None
        at = end
    return None


def _jpeg(data: bytes) -> str | None:
    at = 2
    for _ in range(_MAX_PARTS):
        if at + 4 > len(data):
            return f"it ends at byte {len(data):,}, before any pixels"
        if data[at] != 0xFF:
            return f"at byte {at:,} a marker should stand, and there is {data[at]:#04x}"
        if data[at + 1] == 0xDA:  # pixels from here on; nothing but the end says how far they reach
            return None if b"\xff\xd9" in data[-64 * 1024 :] else f"it ends at byte {len(data):,} without an end marker, inside its pixels"
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _boxes(data: bytes) -> str | None:
    at = 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size or len(data) - at
        if size < 8:
            return f"at byte {at:,} a box should begin, and none does"
        if at + size > len(data):
            shown = name.decode("ascii", "replace")
            return f"it ends inside the box {shown} that begins at byte {at:,}: it should reach to byte {at + size:,}, and the file has {len(data):,}"
        at += size
    return None


def _stated(position: int, added: int) -> Callable[[bytes], str | None]:
    """Compare the length that a file states about itself."""

    def look(data: bytes) -> str | None:
        stated = int.from_bytes(data[position : position + 4], "little") + added
        return f"it has {len(data):,} of the {stated:,} bytes that it says it has" if len(data) < stated else None

    return look


def _gif(data: bytes) -> str | None:
    return None if b";" in data[-1024:] else f"it ends at byte {len(data):,} without its end mark"


_LOOKS: Mapping[str, Callable[[bytes], str | None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "HEIC": _boxes,
    "AVIF": _boxes,
    "WebP": _stated(4, 8),
    "BMP": _stated(2, 0),
    "GIF": _gif,
}
