"""Numbers where a text is asked for: the value that a group shares.

                1800000      0.00001234    1e21     2.5
    plain       1800000      0.00001234    1e+21    2.5      of groups of hits: the number as JSON has it
    short       1.8e+06      1.234e-05     1e+21    2.5      of groups of figures: with a power of ten from a million on

Both are Go's ways, so that a client that compares these texts finds what it knows from Weaviate. May import the standard library only.
"""

from decimal import Decimal

_PLAIN = (1e-6, 1e21)
"""Go's JSON writes no power of ten between these (encoding/json, `floatEncoder`)."""
_SHORT = (-4, 5)
"""Powers of ten that Go's `%v` writes out (strconv, format 'g' with the fewest digits)."""


def plain(value: float) -> str:
    """As in JSON."""
    size = abs(value)
    if size and not _PLAIN[0] <= size < _PLAIN[1]:
        return repr(value).replace("e-0", "e-")
    return _written_out(value)


def short(value: float) -> str:
    """As `%v` of Go."""
    digits = Decimal(repr(value)).normalize()
    if value and not _SHORT[0] <= digits.adjusted() <= _SHORT[1]:
        mantissa, _, power = f"{digits:.{len(digits.as_tuple().digits) - 1}e}".partition("e")  # by the decimal digits: the float's own are rounded elsewhere
        return f"{mantissa}e{int(power):+03d}"
    return _written_out(value)


def _written_out(value: float) -> str:
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")
