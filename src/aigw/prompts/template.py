"""The templates of prompt functions: texts with ``{{ name }}`` in them, and nothing that could run.

A placeholder is a name, or a name and attributes: ``{{ user.name }}``, which are keys where there is a mapping. Values
go in as plain text: what they hold is never read as a template again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import Message, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_PATH: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ROLE: Final = re.compile(r"^(system|user|assistant):[ \t]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text, or the path of a value."""

    text: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Turn:
    role: Role
    pieces: tuple[_Piece, ...]


class Template:
    """A template, read and checked.

    Args:
        text: the template. If it begins with ``system:``, ``user:`` or ``assistant:``, then each such word at the
            beginning of a line begins a message; otherwise all of it is what the user says.
        owner: whose it is, for errors.

    Raises:
        ConfigError: a placeholder is no name, or a message is empty.
    """

    __slots__ = ("_owner", "_turns")

    def __init__(self, text: str, owner: str) -> None:
        self._owner = owner
        self._turns = tuple(_Turn(role, tuple(_pieces(said, owner))) for role, said in _split(text, owner))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it uses, without attributes, in the order in which they come."""
        paths = [piece.path for turn in self._turns for piece in turn.pieces if piece.path]
        return tuple(dict.fromkeys(path[0] for path in paths))

    def render(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """Fill in values; ``None`` stands for nothing.

        Raises:
            ConfigError: a value has no such attribute.
        """
        return tuple(
            Message(turn.role, "".join([self._text(piece, values) for piece in turn.pieces])) for turn in self._turns
        )

    def _text(self, piece: _Piece, values: Mapping[str, Any]) -> str:
        if not piece.path:
            return piece.text
        value: Any = values[piece.path[0]]
        for name in piece.path[1:]:
            try:
                value = value[name] if isinstance(value, Mapping) else getattr(value, name)
            except (AttributeError, KeyError):
                path = ".".join(piece.path)
                raise ConfigError(
                    f"{self._owner}: {{{{ {path} }}}}: a {type(value).__name__} has no {name!r}"
                ) from None
        return "" if value is None else str(value)


def _split(text: str, owner: str) -> Iterator[tuple[Role, str]]:
    """Yield the messages: who speaks, and what."""
    text = text.strip()
    marks = list(_ROLE.finditer(text))
    if not marks or marks[0].start() != 0:
        yield "user", text
        return
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        said = text[mark.end() : following.start() if following else len(text)].strip()
        if not said:
            raise ConfigError(f"{owner}: there is nothing behind {mark[0].strip()}")
        role: Any = mark[1]
        yield role, said


def _pieces(text: str, owner: str) -> Iterator[_Piece]:
    at = 0
    for found in _PLACEHOLDER.finditer(text):
        yield from _plain(text[at : found.start()], owner)
        path = found[1]
        if _PATH.fullmatch(path) is None or "._" in path:
            raise ConfigError(
                f"{owner}: {found[0]} is no placeholder: write a name, as {{{{ name }}}} or {{{{ user.name }}}}; "
                "attributes may not begin with an underscore"
            )
        yield _Piece(path=tuple(path.split(".")))
        at = found.end()
    yield from _plain(text[at:], owner)


def _plain(text: str, owner: str) -> Iterator[_Piece]:
    if "{{" in text:
        raise ConfigError(f"{owner}: {{{{ is not closed; to write it into a prompt, let the function return the text")
    if text:
        yield _Piece(text)
