"""Open a picture: read its header, and no more, with the one decoder of its format.

The plugin classes are called directly instead of through `Image.open`, for three reasons: none of Pillow's other 40 formats (EPS, PSD, FITS ...)
can be reached by hostile bytes; nothing is registered or changed for the rest of the process; and the limit on pixels is ours, not
`Image.MAX_IMAGE_PIXELS`. May import Pillow and pillow-heif.
"""

from collections.abc import Callable, Mapping
from io import BytesIO

from PIL import ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from nearimage.domain.errors import PictureTooLarge

_OPENERS: Mapping[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "HEIC": HeifImageFile,
    "AVIF": AvifImageFile,
    "JPEG 2000": Jpeg2KImageFile,
}


def open_header(data: bytes, format_name: str, *, max_pixels: int) -> ImageFile.ImageFile:
    """The picture with its size, mode and metadata; its pixels are not decoded yet.

    Args:
        format_name: what `formats.recognise` said.

    Raises:
        PictureTooLarge: more pixels than the limit.
        Exception: whatever the decoder makes of damaged bytes, mostly SyntaxError and OSError.
    """
    picture = _OPENERS[format_name](BytesIO(data))
    width, height = picture.size
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"the {format_name} has {width:,} x {height:,} pixels; the limit is {max_pixels:,}; send a smaller one, or raise the limit",
            limit=max_pixels,
            got=width * height,
        )
    return picture
