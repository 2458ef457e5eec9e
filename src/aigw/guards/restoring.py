"""`Restorer`: puts the values of a vault back where their tokens stand, in a text that comes in pieces."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.guards.tokens import BEFORE, CLOSING, LAST, LONGEST_HEAD, LONGEST_LAST, OPENING, PAIRS, heads, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ALNUM: Final = re.compile("[0-9A-Za-z]")
_LONGEST_CLOSING: Final = max(map(len, CLOSING))


class _Token(NamedTuple):
    """A token in a text."""

    start: int
    end: int
    key: str
    escapes: int


class Restorer:
    """Puts values back in the place of their tokens, piece by piece; the pieces join to what `Vault.restore` returns.

    It holds back only what may become one of the tokens: in most texts nothing, or the letters with which a word and a
    token begin alike. One restorer is for one text, and one thread at a time.

    Args:
        nonce: what the tokens end in.
        values: the values, by the names of their tokens.
        labels: returns the labels of the tokens.
        json: the text is JSON: values are escaped for its strings.
    """

    def __init__(
        self, nonce: str, values: Mapping[str, str], labels: Callable[[], tuple[str, ...]], *, json: bool
    ) -> None:
        self._nonce = nonce
        self._values = values
        self._labels = labels
        self._escapes = 1 if json else 0
        self._text = ""
        self._start = 0  # what stands before it went on, and is kept as context
        self.restored = 0
        """How many tokens were replaced."""

    @property
    def held(self) -> int:
        """How many characters are held back now."""
        return len(self._text) - self._start

    def feed(self, text: str) -> str:
        """Take the next piece; return what is decided.

        Args:
            text: the next piece.
        """
        labels = self._labels()
        if not labels:  # and no token can come before there is one
            return self._over() + text if self._text else text
        self._text += text
        return self._decided(labels, is_over=False)

    def flush(self) -> str:
        """Return what was held back: the text is over. The next piece begins another one."""
        labels = self._labels()
        rest = self._decided(labels, is_over=True) if labels else ""
        return rest + self._over()

    def _over(self) -> str:
        rest = self._text[self._start :]
        self._text, self._start = "", 0
        return rest

    def _decided(self, labels: tuple[str, ...], *, is_over: bool) -> str:
        text, position = self._text, self._start
        pieces = []
        end: int | None = None
        nonce = self._next_nonce(text, position) if self._nonce in text.lower() else None
        while nonce is not None:
            token = self._token(labels, position, nonce, is_over=is_over)
            if isinstance(token, int):
                end = token
                break
            value = self._values.get(token.key) if token else None
            if token and value is not None:
                pieces += [text[position : token.start], _escaped(value, max(token.escapes, self._escapes))]
                position = token.end
                self.restored += 1
            nonce = self._next_nonce(text, max(position, nonce.start() + 1))
        if end is None:
            end = len(text) if is_over else self._may_begin(labels, position)
        pieces.append(text[position:end])
        context = max(0, end - BEFORE)
        self._text, self._start = text[context:], end - context
        return "".join(pieces)

    def _next_nonce(self, text: str, position: int) -> re.Match[str] | None:
        return re.compile(self._nonce, re.IGNORECASE | re.ASCII).search(text, position)

    def _head(self, labels: tuple[str, ...], position: int, at: int) -> re.Match[str] | None:
        """Return what stands before a nonce, if it is a part of a token."""
        if not LAST.search(self._text, max(position, at - LONGEST_LAST), at):
            return None
        return heads(labels).whole.search(self._text, max(position, at - LONGEST_HEAD), at)

    def _token(
        self, labels: tuple[str, ...], position: int, nonce: re.Match[str], *, is_over: bool
    ) -> _Token | int | None:
        """Return the token of a nonce, ``None`` if there is none, or the place from which on it is not decided."""
        text = self._text
        head = self._head(labels, position, nonce.start())
        if head is None:
            return None
        start, end = head.start(), nonce.end()
        opening = head["open"].lower()
        pair = PAIRS.get(opening)
        if pair:
            rest = text[end : end + len(pair) + 1]
            if not is_over and (rest == "]" or (len(rest) < len(pair) and pair.startswith(rest))):
                return start
            # What looks like [this](link) is a link whose text is a bare token.
            if rest.startswith(pair) and rest != "](":
                return _Token(start, end + len(pair), key_of(head["label"], head["number"]), 0)
            start, opening = head.start("label"), ""
            if head["open"] == "\\<":
                start, opening = start - 1, "<"
        closing = _closing(text[end : end + _LONGEST_CLOSING], may_go_on=not is_over)
        if closing is None:
            return start if pair is None else head.start()
        if closing < 0:
            return None
        escapes = opening.count("\\") if opening in OPENING else 0
        return _Token(start, end + closing, key_of(head["label"], head["number"]), escapes)

    def _may_begin(self, labels: tuple[str, ...], position: int) -> int:
        """Return where the longest end of the text begins that may become a token; its end if there is none."""
        text, nonce, patterns = self._text, self._nonce, heads(labels)
        first = max(position, len(text) - LONGEST_HEAD - len(nonce))
        partial = patterns.partial.search(text, first)
        begins = partial.start() if partial else len(text)
        for at in range(max(first, len(text) - len(nonce) + 1), len(text)):
            if nonce.startswith(text[at:].lower()):
                head = patterns.whole.search(text, first, at)
                if head:
                    begins = min(begins, head.start())
        return begins


def _closing(rest: str, *, may_go_on: bool) -> int | None:
    """Return the length of the closing bracket; -1 if a word goes on in its place, ``None`` if it may yet come."""
    small = rest.lower()
    for closing in CLOSING:
        if small.startswith(closing):
            return len(closing)
        if may_go_on and closing.startswith(small):
            return None
    return -1 if _ALNUM.match(rest) else 0


def _escaped(value: str, times: int) -> str:
    """Write a value as it stands inside a JSON string; in a string inside a string, twice."""
    for _ in range(times):
        value = json.dumps(value, ensure_ascii=not value.isprintable())[1:-1]
    return value
