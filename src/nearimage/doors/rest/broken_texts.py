r"""Mends texts in JSON that are no Unicode, as Go's reader does: what is broken becomes U+FFFD.

    "smile \ud83d"      half of a pair of surrogates: who cuts a text by its length in JavaScript or Java cuts emoji apart
    b"caf\xe9"          bytes that are no UTF-8

Neither is worth a refusal of all the objects that came with it. May import the standard library only.
"""

import re

_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F])[0-9a-fA-F]{2}|.)", re.DOTALL)
"""An escape, pairs of surrogates as one; only a half alone has a group."""


def mended(body: bytes) -> bytes:
    """The same JSON with U+FFFD in the place of what is no Unicode."""
    return _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], body.decode("utf-8", "replace")).encode()
