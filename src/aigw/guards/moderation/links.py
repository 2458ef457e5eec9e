"""Links and images that carry data to hosts that the user does not know."""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aigw.guards.moderation.seen import Seen

Language = Literal["markdown", "html", "css"]

LONGEST_DATA: Final = 40
"""Characters of a query with its fragment, or of an unbroken run in a host or a path, that may stand in a link; more
are taken for data."""

LONGEST_PART: Final = 100
"""Characters of a host or of one part of a path, however many words it is made of."""

LONGEST_PATH: Final = 250
"""Characters of a path."""

LONGEST: Final = 2000
"""Characters of an address."""

REACH: Final = 2000
"""Characters before an address that tell what it is for: a longer text of a link, or a longer tag, makes it suspect."""

_OPENING: Final = 400
"""More than the characters of anything in `_OPENINGS`."""

_TELLING: Final = 600
"""Characters of an address that tell its host, and whether it carries data."""

_BEGINNING: Final = 60
"""Characters that tell whether it is an address of another host, written in entities too."""

_BARE: Final = re.compile(r"(?<![A-Za-z0-9])(?:(?:https?|ftp|wss?):[\\/]{2}|www\.)", re.IGNORECASE)
_BARE_BEGUN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:h(?:t(?:t(?:ps?)?)?)?|f(?:tp?)?|w(?:ss?|ww?)?|(?:https?|ftp|wss?):[\\/]?)\Z", re.IGNORECASE
)
_IPV6: Final = r"(?:(?:(?:https?|ftp|wss?):)?[\\/]{2}\[[0-9A-Fa-f:.]{2,45}\])?"
_RUN: Final = re.compile(rf"(?=[^\s<>\"'`)\]}}]){_IPV6}[^\s<>\"'`)\]}}]*")
_QUOTED: Final = re.compile(rf"(?=[^ <>\"'`)\]}}]){_IPV6}[^ <>\"'`)\]}}]*")
"""In quotes: browsers leave out the ends of lines."""
_CONTROLS: Final = "".join([chr(code) for code in range(0x21)])
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_UNICODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
"""An escape of JSON, in which a text may stand."""
_CSS_ESCAPE: Final = re.compile(r"\\[0-9a-fA-F]")
_QUERY: Final = re.compile("[?#]")
_BROWSED: Final = re.compile(r"(?:(?:https?|ftp|wss?):[\\/]*|[\\/]{2,}|(?=www\.))(?=[^\\/]|\Z)", re.IGNORECASE)
"""How an address of another host begins, by what browsers make of it: they take any slashes, and one is enough."""

_DEFINED: Final = re.compile(r"(?:^|\\n)[ >\t]{0,8}\[[^\[\]]{1,200}\]:\s{0,100}<?", re.MULTILINE)
_ATTRIBUTE: Final = re.compile(
    r"""(?<![\w.$-])(?P<name>src|srcset|imagesrcset|poster|background|data|lowsrc|dynsrc|href|xlink:href|action"""
    r"""|formaction|ping)\s{0,20}=\s{0,20}(?:\\{0,4}["'])?\s{0,20}""",
    re.IGNORECASE,
)
_STYLE: Final = re.compile(r"""(?:\burl\(|@import)\s{0,20}(?:\\{0,4}["'])?\s{0,20}""", re.IGNORECASE)

_TAG: Final = re.compile(r"<([a-z][a-z0-9:-]{0,30})(?![a-z0-9])", re.IGNORECASE)
_CLICKED: Final = frozenset({"href", "action", "formaction", "ping"})
_CLICKABLE: Final = frozenset({"a", "area", "form", "button", "input"})
"""Tags whose addresses are fetched only when somebody clicks."""
_BRACKET: Final = re.compile(r"!?\[|(?<!\\)\](\(\s{0,100}<?)?")
_UNBROKEN: Final = re.compile(rf"[^\W_]{{{LONGEST_DATA + 1},}}")


class _Address(NamedTuple):
    """An address in a text.

    Args:
        start: where it begins.
        end: where it ends.
        is_fetched: it is fetched when it is shown, without a click.
        language: what it is written in: of that it depends what a browser makes of it.
        meant: what that is, if it is known already.
    """

    start: int
    end: int
    is_fetched: bool
    language: Language
    meant: str | None = None


class _Opening(NamedTuple):
    """Something that takes an address.

    Args:
        at: where the address begins.
        is_fetched: it is fetched when it is shown, without a click.
        language: what it is written in.
        run: how far an address goes there.
    """

    at: int
    is_fetched: bool
    language: Language
    run: re.Pattern[str]


class Links:
    """Finds images of hosts that are not allowed, which are fetched without a click, and links to them that carry data.

    Images are those of Markdown, and whatever HTML and CSS fetch by themselves. What an address is for is told by what
    stands before it, so that a stream need not be held but for the address: so one that is given a name
    (``[name]: https://…``) counts as that of an image, which may have been or may be anywhere.

    Args:
        allowed: hosts; each also stands for those below it.
    """

    context: int = REACH + LONGEST + _OPENING

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = tuple([host.lower().rstrip(".") for host in allowed])

    def find(self, seen: Seen) -> Iterator[Span]:
        """Yield what carries data away; see `aigw.guards.moderation.seen.Finder`."""
        text, behind = seen.text, -1
        known: dict[tuple[object, ...], bool] = {}
        for address in sorted(self._addresses(seen), key=_by_place):
            if address.start < behind:
                continue
            key = address[2:] if address.meant is not None else address
            is_bad = known.get(key)
            if is_bad is None:
                is_bad = known[key] = self._is_bad(text, address)
            if is_bad:
                yield Span(address.start, address.end, "EXFILTRATION")
                behind = address.end

    def begun(self, seen: Seen) -> int:
        """Return where an address begins that has not ended yet."""
        text = seen.text
        starts = [address.start for address in self._addresses(seen) if address.end == len(text)]
        begun = _BARE_BEGUN.search(text, max(seen.start, len(text) - 8))
        if begun is not None:
            starts.append(begun.start())
        near = _opened(text, max(seen.start, len(text) - _BEGINNING))
        starts += [one.at for one in near if one.at < len(text) and one.run.fullmatch(text, one.at)]
        return min([len(text), *starts])

    def _addresses(self, seen: Seen) -> list[_Address]:
        found: list[_Address] | None = seen.kept.get(self)
        if found is None:
            found = seen.kept[self] = [*_addresses(seen.text, seen.start)]
        return found

    def _is_bad(self, text: str, address: _Address) -> bool:
        if not address.is_fetched and address.end - address.start <= LONGEST_DATA:
            return False
        written = text[address.start : min(address.end, address.start + _TELLING)]
        if address.language == "css" and _CSS_ESCAPE.search(written):  # which may be anything
            return True
        meant = _meant(written, address.language) if address.meant is None else address.meant
        browsed = _BROWSED.match(meant)
        if browsed is None:
            return not meant and address.is_fetched  # so much that a browser leaves out is there to hide something
        rest = meant[browsed.end() :]
        before = _QUERY.split(rest, maxsplit=1)[0]
        authority, _, path = before.partition("/")
        host = authority.rpartition("@")[2].lower()
        host = host if host.startswith("[") else host.partition(":")[0].rstrip(".")
        if not host or any(host == one or host.endswith(f".{one}") for one in self._allowed):
            return False
        return address.is_fetched or has_data(authority, path, rest[len(before) :])


def has_data(host: str, path: str, query: str) -> bool:
    """Tell whether an address has more in it than a link needs."""
    if len(query) > LONGEST_DATA or len(path) > LONGEST_PATH:
        return True
    return any(len(piece) > LONGEST_PART or _UNBROKEN.search(piece) for piece in (host, *path.split("/")))


def _by_place(address: _Address) -> tuple[int, int]:
    return address.start, -address.end


def _meant(written: str, language: Language) -> str:
    """Return what a browser makes of an address."""
    if "&" in written:
        written = html.unescape(written)
    written = "".join(written.split()).lstrip(_CONTROLS)
    if "\\" not in written:
        return written
    written = _UNICODE.sub(lambda match: chr(int(match[1], 16)), written)
    if language == "markdown":
        written = _ESCAPED.sub(r"\1", written)
    return written.replace("\\", "/")


def _addresses(text: str, start: int) -> Iterator[_Address]:
    """Yield the addresses that begin at a place or behind it, without those that are too short to carry data."""
    runs = _Runs(text)
    for match in _BARE.finditer(text, start):
        at = match.start()
        yield _Address(at, runs.end(_RUN, at), is_fetched=False, language="markdown")
    for opening in _opened(text, start):
        at = opening.at
        end = runs.end(opening.run, at)
        if end == at or (not opening.is_fetched and end - at <= LONGEST_DATA):
            continue
        beginning = text[at : min(end, at + _BEGINNING)]
        meant = _meant(beginning, opening.language)
        is_hidden = not meant and len(beginning) == _BEGINNING
        is_escaped = opening.language == "css" and _CSS_ESCAPE.search(beginning) is not None
        if is_hidden or is_escaped or _BROWSED.match(meant):
            is_known = end - at <= _BEGINNING and opening.language != "css"
            yield _Address(at, end, opening.is_fetched, opening.language, meant if is_known else None)


class _Runs:
    """Where runs of characters of addresses end. Several may begin in one, which is read once.

    Args:
        text: the text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[re.Pattern[str], tuple[int, int]] = {}

    def end(self, pattern: re.Pattern[str], at: int) -> int:
        """Return the end of the address that begins at a place; the place itself where there is none."""
        start, end = self._known.get(pattern, (0, 0))
        if not start <= at < end:
            run = pattern.match(self._text, at)
            if run is None:
                return at
            end = run.end()
            self._known[pattern] = at, end
        return min(end, at + LONGEST)


def _opened(text: str, start: int) -> Iterator[_Opening]:
    """Yield where something stands that takes an address."""
    low = max(0, start - _OPENING)
    if text.find("](", low) >= 0:
        yield from _inline(text, start, low)
    if text.find("]:", low) >= 0:
        for match in _DEFINED.finditer(text, low):
            if match.end() >= start:
                yield _Opening(match.end(), is_fetched=True, language="markdown", run=_RUN)
    if text.find("=", low) >= 0:
        yield from _in_tags(text, start, low)
    for match in _STYLE.finditer(text, low) if "(" in text or "@" in text else ():
        if match.end() >= start:
            yield _Opening(match.end(), is_fetched=True, language="css", run=_run_in(match[0]))


def _inline(text: str, start: int, low: int) -> Iterator[_Opening]:
    """Yield what links and images of Markdown lead to.

    It is an image where a bracket of one has not been closed, or stands behind the link before, as brackets in code do
    not count, or where the bracket is too far away.
    """
    opened: list[int] = []
    images: list[int] = []
    last_image = last_link = -1
    for match in _BRACKET.finditer(text, max(0, low - REACH)):
        at = match.start()
        if match[0][-1] == "[":
            opened.append(at)
            if match[0] != "[":
                images.append(at)
                last_image = at
            continue
        within = at - REACH
        if match[1] is not None:
            if match.end() >= start:
                is_unknown = within > 0 and not (opened and opened[-1] >= within)
                is_image = bool(images and images[-1] >= within) or last_image > max(last_link, within - 1)
                yield _Opening(match.end(), is_image or is_unknown, "markdown", _RUN)
            last_link = at
        if opened and opened.pop() == (images[-1] if images else None):
            images.pop()


def _in_tags(text: str, start: int, low: int) -> Iterator[_Opening]:
    """Yield what attributes lead to. Where a tag ends depends on its quotes; here it ends where the next one begins."""
    tags: list[tuple[int, bool]] | None = None
    for match in _ATTRIBUTE.finditer(text, low):
        if match.end() < start:
            continue
        is_fetched = True
        if match["name"].lower() in _CLICKED:
            if tags is None:
                found = _TAG.finditer(text, max(0, low - REACH))
                tags = [(tag.start(), tag[1].lower() in _CLICKABLE) for tag in found]
            number = bisect_left(tags, (match.start(), False)) - 1
            is_fetched = number >= 0 and tags[number][0] >= match.start() - REACH and not tags[number][1]
        yield _Opening(match.end(), is_fetched, "html", _run_in(match[0]))


def _run_in(opening: str) -> re.Pattern[str]:
    return _QUOTED if '"' in opening or "'" in opening else _RUN
