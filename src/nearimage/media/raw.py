"""Cameras' raw files: what the sensor saw, and beside it the picture that the camera made of it, as a JPEG, in full size or half.

    TIFF's directories --> is it a raw file? how is it turned? what is the sensor's?        JPEGs anywhere in the file --> the largest that is not the sensor's

Developing what the sensor saw would take seconds and a library for each camera; file managers show the camera's own picture, and a model sees no
difference. Where it lies differs from camera to camera (directories of their own, notes of the maker, boxes), but a JPEG is known by its beginning.

Sources: TIFF 6.0; DNG 1.7 (photometric interpretations, tiles); ITU T.81, annex B (a JPEG's segments); ISO/IEC 14496-12 boxes, of which Canon's CR3 has
one, CMT1, with a TIFF's directory. May import `formats` and the standard library only.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nearimage.media.formats import RAW

_PHOTOMETRIC, _ORIENTATION, _STRIPS, _TILES, _CHILDREN = 0x106, 0x112, 0x111, 0x144, 0x14A
_OF_SENSORS = frozenset((32803, 34892))  # photometric interpretations: a colour filter array, and what was made of one, linear
_SIZES = {3: "H", 4: "I", 13: "I"}  # types of values: SHORT, LONG, IFD

_TURNS = 8

_DIRECTORIES, _ENTRIES, _VALUES, _JPEGS, _HEADERS, _SEGMENTS = 32, 1000, 10_000, 1000, 300, 2000
"""Far more than files have, of a JPEG before its frame and in all; whoever sends more wants to waste time."""

_BOXES_READ = 64 << 10
"""Of a CR3, in which the box with the directory comes first."""

_SOI, _EXIF = b"\xff\xd8\xff", b"Exif\0\0"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)  # in coded data FF is followed by 00, or by RSTn
_BASELINE_TO_PROGRESSIVE, _OTHER_FRAMES = frozenset((0xC0, 0xC1, 0xC2)), frozenset((0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_SCAN, _END = 0xDA, 0xD9

Directory = Mapping[int, tuple[int, ...]]
"""The numbers of the tags above, by tag."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A JPEG in a file.

    Attributes:
        start: where it begins.
        at: where its frame header does.
    """

    start: int
    at: int
    width: int
    height: int


def jpeg_of(data: bytes, format_name: str | None) -> bytes | None:
    """The camera's own picture in a raw file, a JPEG that says how it is turned; None where there is none, or the file is no raw file.

    Args:
        format_name: as `formats.recognise` said; a TIFF is a raw file if a directory describes a sensor's picture.
    """
    if format_name not in {RAW, "TIFF"}:
        return None
    directories = list(_directories(data, _base(data)))
    of_sensor = [directory for directory in directories if _OF_SENSORS.intersection(directory.get(_PHOTOMETRIC, ()))]
    if not (format_name == RAW or of_sensor):
        return None
    others = {offset for directory in of_sensor for tag in (_STRIPS, _TILES) for offset in directory.get(tag, ())}
    frame = max((one for one in _frames(data) if one.start not in others), key=lambda one: one.width * one.height, default=None)
    if frame is None:
        return None
    jpeg = data[frame.start : _end(data, frame)]
    turned = directories[0].get(_ORIENTATION, (1,))[0] if directories else 1
    if not 1 < turned <= _TURNS or _EXIF in data[frame.start : frame.at]:
        return jpeg
    return jpeg[:2] + _turned(turned) + jpeg[2:]


def _turned(orientation: int) -> bytes:
    """A segment of EXIF that says only how a picture is turned."""
    directory = struct.pack("<HHHIII", 1, _ORIENTATION, 3, 1, orientation, 0)  # one entry, and no other directory behind it
    content = _EXIF + b"II*\0\x08\0\0\0" + directory
    return b"\xff\xe1" + struct.pack(">H", 2 + len(content)) + content


def _base(data: bytes) -> int:
    """Where the TIFF's header stands, from which its offsets count."""
    at = data.find(b"CMT1", 0, _BOXES_READ) if data[4:8] == b"ftyp" else -1
    return at + 4 if at >= 0 else 0


def _directories(data: bytes, base: int) -> Iterator[Directory]:
    """Those of a TIFF, the first one first; as many as are whole. Cameras write other numbers where TIFF has its 42."""
    order = {b"II": "<", b"MM": ">"}.get(data[base : base + 2])
    if order is None or b"+" in data[base + 2 : base + 4] or base + 8 > len(data):  # BigTIFF's directories are others, and no camera writes them
        return
    waiting, seen = [struct.unpack_from(f"{order}I", data, base + 4)[0]], set[int]()
    while waiting and len(seen) < _DIRECTORIES:
        offset = waiting.pop(0)
        if offset and offset not in seen:
            seen.add(offset)
            try:
                directory, following = _directory(data, base, offset, order)
            except struct.error:  # cut, or no directory
                continue
            yield directory
            waiting += (*directory.get(_CHILDREN, ()), following)


def _directory(data: bytes, base: int, offset: int, order: str) -> tuple[Directory, int]:
    """A directory, and the offset of the one behind it, 0 for none."""
    count = min(struct.unpack_from(f"{order}H", data, base + offset)[0], _ENTRIES)
    found: dict[int, tuple[int, ...]] = {}
    for at in range(base + offset + 2, base + offset + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, at)
        size = _SIZES.get(kind)
        if tag in {_PHOTOMETRIC, _ORIENTATION, _STRIPS, _TILES, _CHILDREN} and size and 0 < values <= _VALUES:
            numbers = struct.Struct(f"{order}{values}{size}")
            found[tag] = numbers.unpack_from(data, at + 8 if numbers.size <= 4 else base + struct.unpack_from(f"{order}I", data, at + 8)[0])
    return found, int(struct.unpack_from(f"{order}I", data, base + offset + 2 + 12 * count)[0])


def _frames(data: bytes) -> Iterator[_Frame]:
    at = 0
    for _ in range(_JPEGS):
        at = data.find(_SOI, at)
        if at < 0:
            return
        try:
            frame = _frame(data, at)
        except (struct.error, IndexError):  # the file ends before
            frame = None
        if frame:
            yield frame
        at += 1


def _frame(data: bytes, start: int) -> _Frame | None:
    """The frame of a JPEG that begins here; None where none does, or one that is no picture for the eye (lossless)."""
    at = start + 2
    for _ in range(_HEADERS):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _BASELINE_TO_PROGRESSIVE:
            bits, height, width = struct.unpack_from(">BHH", data, at + 4)
            return _Frame(start, at, width, height) if bits == 8 and width and height else None
        if marker in _OTHER_FRAMES or not 0xC0 <= marker < 0xFF or marker in {_SCAN, _END} or 0xD0 <= marker <= 0xD8:
            return None
        at += 2 + _length(data, at)
    return None


def _end(data: bytes, frame: _Frame) -> int:
    """Where a JPEG ends; at the end of the data if nowhere before."""
    at = frame.at
    for _ in range(_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            break
        if data[marker.start() + 1] == _END:
            return marker.end()
        if marker.end() + 2 > len(data):
            break
        at = marker.end() + _length(data, marker.start())
    return len(data)


def _length(data: bytes, at: int) -> int:
    """Of the segment whose marker stands here, its length itself included; at least those two bytes."""
    return max(2, int(struct.unpack_from(">H", data, at + 2)[0]))
