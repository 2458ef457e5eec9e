"""`JsonText`: the text of a JSON value as it reads without its escapes, and how it is changed without breaking it."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from aigw.guards.masking import Part
from aigw.guards.span import Span, best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aigw.guards.span import Detector

_ESCAPE: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_SHORT: Final = {
    '\\"': '"',
    "\\\\": "\\",
    "\\/": "/",
    "\\b": "\b",
    "\\f": "\f",
    "\\n": "\n",
    "\\r": "\r",
    "\\t": "\t",
}
_TOKEN: Final = re.compile(r'"(?:[^"\\]+|\\.)*"|-?[0-9][-+.0-9eE]*')


class JsonText:
    """The text of a JSON value. Places in `text` are places where each escape is one character.

    Args:
        raw: the JSON.

    Raises:
        ValueError: it is none, or nested too deeply to be read.
    """

    def __init__(self, raw: str) -> None:
        try:
            json.loads(raw)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        self.raw = raw
        self._at: list[int] = []  # for each escape: where it stands in `text`, and in `raw`
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._found: list[tuple[int, int, bool]] | None = None
        self._numbers: set[int] = set()
        pieces: list[str] = []
        position = shift = 0
        for escape in _ESCAPE.finditer(raw) if "\\" in raw else ():
            start, end = escape.span()
            written = escape[0]
            pieces += [raw[position:start], _SHORT.get(written) or json.loads(f'"{written}"')]
            position = end
            self._at.append(start - shift)
            self._starts.append(start)
            self._ends.append(end)
            shift += end - start - 1
        self.text = "".join([*pieces, raw[position:]]) if pieces else raw
        """It without escapes: as a detector should see it."""

    def place(self, at: int) -> int:
        """Return where in `raw` stands what stands at a place in `text`, or ends before it."""
        number = bisect_left(self._at, at) - 1
        return at if number < 0 else self._ends[number] + at - self._at[number] - 1

    def place_in_text(self, at: int, *, after: bool = False) -> int:
        """Return where in `text` stands what stands at a place in `raw`.

        Args:
            at: the place in `raw`.
            after: inside of an escape, mean its end.
        """
        number = bisect_right(self._starts, at) - 1
        if number < 0:
            return at
        if at < self._ends[number]:
            return self._at[number] + (after and at > self._starts[number])
        return self._at[number] + 1 + at - self._ends[number]

    def within_values(self, parts: Sequence[Part]) -> Iterator[Part]:
        """Cut parts of `text` into those that lie inside of strings; a part of a number becomes all of it."""
        if not parts:
            return
        scalars = self._scalars()
        ends = [end for _, end, _ in scalars]
        done = 0
        for part in parts:
            number = bisect_right(ends, part.start)
            while number < len(scalars) and scalars[number][0] < part.end:
                start, end, is_string = scalars[number]
                inside = Part(max(part.start, start), min(part.end, end), part.kind)
                if not is_string:
                    inside = Part(start, end, part.kind)
                if inside.start >= done and inside.start < inside.end:
                    yield inside
                    done = inside.end
                number += 1

    def _scalars(self) -> list[tuple[int, int, bool]]:
        """Return where in `text` strings, without their quotes, and numbers stand."""
        if self._found is None:
            self._found = []
            for match in _TOKEN.finditer(self.raw):
                is_string = match[0].startswith('"')
                start, end = match.start() + is_string, match.end() - is_string
                self._found.append((self.place_in_text(start), self.place_in_text(end), is_string))
            self._numbers = {start for start, _, is_string in self._found if not is_string}
        return self._found

    def assemble(self, parts: Sequence[Part], replace: Callable[[str, str], str]) -> str:
        """Put replacements in the place of parts of `text`, each within a string or all of a number."""
        raw = self.raw
        pieces: list[str] = []
        position = 0
        for part in parts:
            if part.kind is None:
                continue
            start, end = self.place(part.start), self.place(part.end)
            written = json.dumps(replace(part.kind, self.text[part.start : part.end]))
            pieces += [raw[position:start], written if part.start in self._numbers else written[1:-1]]
            position = end
        return "".join([*pieces, raw[position:]]) if pieces else raw


def find_in_json(detector: Detector, raw: str) -> list[Span]:
    """Find what stands in the strings and numbers of a JSON text, also where it is written with escapes.

    Args:
        detector: what to look with. It sees the text without its escapes, with the names of fields as context.
        raw: the JSON; what is none is looked at as it is.

    Returns:
        The spans, as places in `raw`.
    """
    try:
        text = JsonText(raw)
    except ValueError:
        return best(detector.find(raw))
    spans = detector.find(text.text)
    return best([Span(text.place(span.start), text.place(span.end), span.kind, span.score) for span in spans])
