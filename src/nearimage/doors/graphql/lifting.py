"""Take the literals out of a GraphQL document before it is parsed.

A parser that looks at every character holds a megabyte of base64 for 0.1 s, and whoever else wants to compute waits. So one quick pass over the text finds the
ends of strings and of lists of numbers (searching for a character runs at gigabytes a second), puts short placeholders there, and keeps the values by their
place:

    { Get { Dog(nearImage: {image: "/9j/4AA..."}) { breed } } }          # find it
    { Get { Dog(nearImage: {image: ""}) { breed } } }                    values = {31: "/9j/4AA..."}

Every string and number goes, the short ones too, and comments with them: what is left is the shape of the question, and clients ask few shapes, so parsing
and validating are done once for each (see `documents`). A placeholder has the type of what it stands for: "" for a string, 0 or 0.5 for a number, [0] or [0.5]
for a list of numbers.

What is not well formed stays in the text, for the parser to name the mistake. `Lifted.original` finds the place in the text as it was sent.

Source:
    GraphQL specification, October 2021, 2.9.4 (strings), 2.9.1 and 2.9.2 (numbers).

A document may be as long as a request, so nothing is looked at twice, and what remains beside the literals is bounded while it is read: fifty megabytes of
blanks end where the limit is.

May import msgspec, `domain` and `doors.graphql` only.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from nearimage.domain.errors import DocumentTooLarge
from nearimage.doors.graphql.set_aside import SetAside

Numbers = list[int | float]
Literal = str | int | float | Numbers

LONGEST_LIST = 2_000_000
"""Characters of a list of numbers: more than the longest vector (65,535 numbers) takes."""

MOST_ESCAPES = 300_000
"""Backslashes in a string, or lines of a block string, that are worth a second of everybody's time; a string with more stays, and is too long to be read."""

_FARTHEST_NUMBER = 1_000
"""Blanks before the first number of a list; a list with more of them is not lifted."""

_INT32 = range(-(2**31), 2**31)
"""What an Int may be; whether a number is in it is the validator's to say, so no other is lifted."""

_NEXT = re.compile(r'["#\[]|(?<![_0-9A-Za-z])-?[0-9]')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![_0-9A-Za-z.])")
_LINES = re.compile(r"\r\n|[\n\r]")
_ESCAPE = re.compile(r"\\(?:(u[0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,8})\}|(.?))", re.DOTALL)
_PLAIN_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST_NUMBER = re.compile(r"\[[ \t\n\r,]*[-0-9]")
_NUMBERS = msgspec.json.Decoder(Numbers)
_BLANKS_AND_NUMBERS = re.compile(r"\[[-+.0-9eE, \t\n\r]*\]")


@dataclass(frozen=True, slots=True)
class Lifted:
    """A document without its long literals.

    Attributes:
        text: what is left to parse.
        values: by the place of the placeholder in `text`.
        aside: what is not in the document at all, but a word in its place, also among the values and the variables (`long_literals`).
    """

    text: str
    values: Mapping[int, Literal]
    _starts: tuple[int, ...]
    _shifts: tuple[int, ...]
    aside: SetAside | None = None

    @property
    def longer(self) -> Mapping[str, int]:
        """Words in the document, each with how many characters more it stands for."""
        return self.aside.longer if self.aside else {}

    def original(self, place: int) -> int:
        """Where a place in `text` was in the document as sent."""
        found = bisect_right(self._starts, place) - 1
        return place + self._shifts[found] if found >= 0 else place


class _Pass:
    """One pass over a document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.kept: list[str] = []
        self.length = 0
        self.values: dict[int, Literal] = {}
        self.starts: list[int] = []
        self.shifts: list[int] = []
        self.bracket = -1
        self.newline = -1

    def keep(self, start: int, end: int) -> None:
        """Leave a piece of the text as it is."""
        if start < end:
            self.kept.append(self.text[start:end])
            self.length += end - start

    def replace(self, placeholder: str, value: Literal | None, end: int) -> int:
        """Put a placeholder; the text goes on at `end`."""
        if value is not None:
            self.values[self.length] = value
        self.kept.append(placeholder)
        self.length += len(placeholder)
        self.starts.append(self.length)
        self.shifts.append(end - self.length)
        return end


def lift(text: str, most: int) -> Lifted:
    """Take strings, comments, numbers and lists of numbers out of a document.

    Args:
        most: characters that may be left.

    Raises:
        DocumentTooLarge: more are left.

    Cost:
        Time and memory of one copy of the literals, whatever they contain, and of `most` characters.
    """
    work = _Pass(text)
    done = 0
    while found := _NEXT.search(text, done, done + most - work.length + 1):
        start = found.start()
        work.keep(done, start)
        sign = text[start]
        if sign == "#":
            done = work.replace("", None, _line_end(work, start))
        elif sign == "[":
            done = _lift_list(work, start)
        elif sign == '"':
            done = _lift_string(work, start)
        else:
            done = _lift_number(work, start, found.end())
        if work.length > most:
            break
    if work.length + len(text) - done > most:
        raise DocumentTooLarge(f"the document has more than {most} characters beside its literals; ask in several requests", limit=most, got=len(text))
    work.keep(done, len(text))
    return Lifted("".join(work.kept), work.values, tuple(work.starts), tuple(work.shifts))


def _line_end(work: _Pass, start: int) -> int:
    if work.newline < start:  # looked for once for all comments before it
        found = work.text.find("\n", start)
        work.newline = found if found >= 0 else len(work.text)
    found = work.text.find("\r", start, work.newline)
    return found if found >= 0 else work.newline


def _lift_number(work: _Pass, start: int, digit: int) -> int:
    found = _NUMBER.match(work.text, start)
    if found and found[1] is None and found[2] is None and int(found[0][:12]) in _INT32:
        return work.replace("0", int(found[0]), found.end())
    if found and (found[1] or found[2]) and math.isfinite(float(found[0])):
        return work.replace("0.5", float(found[0]), found.end())
    end = found.end() if found else digit
    work.keep(start, end)
    return end


def _lift_list(work: _Pass, start: int) -> int:
    text = work.text
    if work.bracket < start:  # looked for once for all lists that begin before it, or many brackets would take forever
        found = text.find("]", start)
        work.bracket = found if found >= 0 else len(text)
    end = work.bracket + 1
    could_be = end <= min(len(text), start + LONGEST_LIST) and _FIRST_NUMBER.match(text, start, start + _FARTHEST_NUMBER) and text.find("[", start + 1, end) < 0
    numbers = _numbers(text[start:end]) if could_be else None
    if numbers is None:
        work.keep(start, start + 1)
        return start + 1
    whole = all(type(number) is int for number in numbers)
    return work.replace("[0]" if whole else "[0.5]", numbers, end)


def _numbers(part: str) -> Numbers | None:
    """The numbers of a list, or None where it is no list of numbers."""
    try:
        return _NUMBERS.decode(part) or None
    except (msgspec.DecodeError, UnicodeEncodeError):
        pass
    if not _BLANKS_AND_NUMBERS.fullmatch(part):
        return None
    try:  # commas are optional in GraphQL, and may stand anywhere
        return _NUMBERS.decode(f"[{','.join(part[1:-1].replace(',', ' ').split())}]") or None
    except msgspec.DecodeError:
        return None


def _lift_string(work: _Pass, start: int) -> int:
    text = work.text
    if text.startswith('"""', start):
        end = _block_end(text, start + 3)
        value = _block_value(text[start + 3 : end - 3]) if end else None
    else:
        end = _string_end(text, start + 1)
        value = _string_value(text[start + 1 : end - 1]) if end else None
    if not end:  # never closed: the parser will say so
        work.keep(start, len(text))
        return len(text)
    if value is None:
        work.keep(start, end)
        return end
    return work.replace('""', value, end)


def _string_end(text: str, start: int) -> int:
    """Behind the closing quote, or 0 where there is none on the line."""
    end, escaped = text.find('"', start), 0
    while end >= 0 and escaped < MOST_ESCAPES and text[end - 1] == "\\" and _backslashes(text, start, end) % 2:
        end = text.find('"', end + 1)
        escaped += 1
    if end < 0 or escaped == MOST_ESCAPES or text.find("\n", start, end) >= 0 or text.find("\r", start, end) >= 0:
        return 0
    return end + 1


def _backslashes(text: str, start: int, end: int) -> int:
    """How many of them stand before `end`, one after another; looked at in pieces, each longer than the one before."""
    place, piece = end, 16
    while place > start:
        part = text[max(start, place - piece) : place]
        run = len(part) - len(part.rstrip("\\"))
        place, piece = place - run, piece * 4
        if run < len(part):
            break
    return end - place


def _string_value(raw: str) -> str | None:
    """What a string means, or None where only the parser can say."""
    if not raw.isascii() and _SURROGATE.search(raw):
        return None
    if "\\" not in raw:
        return raw
    if raw.count("\\") > MOST_ESCAPES:
        return None
    try:
        return _ESCAPE.sub(_unescaped, raw)
    except ValueError:
        return None


def _unescaped(found: re.Match[str]) -> str:
    four, braced, plain = found.groups()
    if plain is not None:
        if plain not in _PLAIN_ESCAPES:
            raise ValueError(plain)
        return _PLAIN_ESCAPES[plain]
    code = int(four[1:] if four else braced, 16)
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:  # halves of a pair: the parser knows which belong together
        raise ValueError(code)
    return chr(code)


def _block_end(text: str, start: int) -> int:
    """Behind the closing quotes, or 0 where there are none."""
    end, escaped = text.find('"""', start), 0
    while end > start and escaped < MOST_ESCAPES and text[end - 1] == "\\":
        end = text.find('"""', end + 3)
        escaped += 1
    return end + 3 if end >= 0 and escaped < MOST_ESCAPES else 0


def _block_value(raw: str) -> str | None:
    """The lines without what they are all indented by, and without blank ones before and behind; three quotes may be escaped by a backslash."""
    if (not raw.isascii() and _SURROGATE.search(raw)) or raw.count("\n") + raw.count("\r") > MOST_ESCAPES:
        return None
    lines = _LINES.split(raw.replace('\\"""', '"""'))
    filled = [number for number, line in enumerate(lines) if line.strip(" \t")]
    if not filled:
        return ""
    margin = min((_indent(lines[number]) for number in filled if number), default=0)
    lines[1:] = [line[margin:] for line in lines[1:]]
    return "\n".join(lines[filled[0] : filled[-1] + 1])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
