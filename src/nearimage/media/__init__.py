"""What a caller wrote for a picture -> bytes -> pixels, within limits; see `reader` and `sources`."""

from nearimage.media.destinations import Destinations, Places, read_places
from nearimage.media.fetching import Fetcher, FetchLimits
from nearimage.media.folder import PictureFolder
from nearimage.media.reader import PictureReader
from nearimage.media.sources import RequestLimits, Sources

__all__ = ["Destinations", "FetchLimits", "Fetcher", "PictureFolder", "PictureReader", "Places", "RequestLimits", "Sources", "read_places"]
