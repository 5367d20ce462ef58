"""Tell from their first bytes which picture format bytes are in, or what they look like instead.

Only what is recognised here ever reaches a decoder, and only the decoder of its own format. May import the standard library only.

The signatures are those of the formats' specifications; AVIF and HEIC share a container (ISO/IEC 14496-12) and are told apart by its brands.
"""

RAW = "camera raw"
"""Of which the camera's own JPEG is read (`raw`). Those of many cameras begin as any TIFF does, and are recognised as such."""

READABLE = ("JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "HEIC", "AVIF", "JPEG 2000", RAW)
"""The formats that can be decoded, by the names used in messages and details."""

MEDIA_TYPES = {"JPEG 2000": "image/jp2", RAW: "image/x-dcraw"}
"""Those that are not `image/` and the name."""

_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIRO", RAW),  # Olympus
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),  # Panasonic
    (b"FOVb", RAW),  # Sigma
    (b"\0MRM", RAW),  # Minolta
)

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\x01\0", "an icon file"),
    (b"SIMPLE  =", "FITS"),
    (b"v/1\x01", "OpenEXR"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (b"OggS", "Ogg"),
    (b"ID3", "MP3"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer instead of the file"),
    (b"/9j/", "base64 of a JPEG: the picture was encoded twice"),
    (b"iVBORw0KGgo", "base64 of a PNG: the picture was encoded twice"),
    (b"R0lGOD", "base64 of a GIF: the picture was encoded twice"),
    (b"UklGR", "base64 of a WebP: the picture was encoded twice"),
    (b"data:", "a data URI: the picture was encoded twice"),
)

_MARKUP: tuple[tuple[bytes, str], ...] = ((b"<svg", "SVG"), (b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<?xml", "XML"), (b"{", "JSON"))

_BRANDS = (
    (frozenset({b"crx "}), RAW),  # Canon's CR3
    (frozenset({b"avif", b"avis"}), "AVIF"),
    (frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}), "HEIC"),
)

_BRANDS_READ = 256  # bytes of the file type box that are looked at; real ones have 20 to 60


def recognise(data: bytes) -> str | None:
    """The format's name in `READABLE`, or None where the bytes are none of these."""
    if data[8:10] == b"CR" and data.startswith(b"II*\0"):  # Canon's CR2
        return RAW
    for signature, name in _PICTURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    brands = _brands(data)
    return next((name for known, name in _BRANDS if brands & known), None)


def describe(data: bytes) -> str:
    """What bytes that are no readable picture look like, for a message: "a PDF", "text", "nothing known"."""
    if not data:
        return "nothing at all"
    for signature, name in _OTHERS:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF":
        return "an AVI or WAV file"
    if data[4:8] == b"ftyp":
        return "an MP4 or QuickTime video"
    return _describe_text(data[:1024])


def _describe_text(head: bytes) -> str:
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in lowered:  # an XML declaration and comments may come before it
        return "SVG"
    for signature, name in _MARKUP:
        if lowered.startswith(signature):
            return name
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    return "text" if printable == len(head) else "nothing known"


def _brands(data: bytes) -> frozenset[bytes]:
    """The major and the compatible brands of an ISO base media file; empty for other bytes."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), len(data), _BRANDS_READ)
    return frozenset(data[at : at + 4] for at in range(8, end - 3, 4) if at != 12)  # bytes 12 to 15 are a version number
