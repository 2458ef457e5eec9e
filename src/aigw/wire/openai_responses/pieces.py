"""Where the items and content parts of this format begin within the text of a part of ours.

A message of this format has several content parts, reasoning has several summaries, and two messages may follow each
other; but the pieces of an answer join to one `Text` or one `Reasoning`. What begins where is therefore told beside the
text, in its ``extra``, as a list that grows with it::

    {"pieces": [{"type": "message", "id": "msg_1"}, {"type": "output_text", "at": 12, "annotations": 1}]}

``type`` says what begins: a ``message``, its next ``output_text``, a ``summary_text`` or a ``reasoning_text``. ``at``
is its place in the text, and ``annotations`` and ``logprobs`` are its places in the lists of these names, which stand
beside ``pieces``; places that are 0 are left out. All else are the fields of what begins. ``message.done`` and
``output_text.done`` bring fields that came when these ended. A text without pieces is one content part of one item.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aigw.wire.fields import rest

if TYPE_CHECKING:
    from collections.abc import Mapping

PIECES: Final = "pieces"
LISTS: Final = ("annotations", "logprobs")
"""Fields of a content part that are lists, and grow when texts are joined."""

SEPARATOR: Final = "\n\n"
"""Stands between two pieces of reasoning, for people to read; not on the wire."""

_PLACES: Final = ("at", *LISTS)


@dataclass(slots=True)
class Places:
    """How far a text and the lists beside it have grown."""

    at: int = 0
    annotations: int = 0
    logprobs: int = 0

    def begin(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Tell that something begins here."""
        places = {name: place for name in _PLACES if (place := getattr(self, name))}
        return {"type": kind, **fields, **places}

    def grow(self, text: str, fields: Mapping[str, Any]) -> None:
        """Move behind a text and the fields that came with it."""
        self.at += len(text)
        self.annotations += _length(fields.get("annotations"))
        self.logprobs += _length(fields.get("logprobs"))


@dataclass(slots=True)
class Piece:
    """A text that belongs to one content part.

    Args:
        begins: what begins with it; empty where it goes on with what was there.
        text: the text.
        item: fields of what begins.
        content: fields of the content part.
        done: fields of the message that came at its end.
    """

    begins: str = ""
    text: str = ""
    item: dict[str, Any] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    done: dict[str, Any] = field(default_factory=dict)


def cut(text: str, extra: Mapping[str, Any], before: Places | None = None) -> list[Piece]:
    """Cut a text at the places where something begins. Places that make no sense are moved to where they can be.

    Args:
        text: the text, or a part of it.
        extra: the fields beside it.
        before: where the text begins within the whole, if it is a part of it.
    """
    begun = before or Places()
    records = extra.get(PIECES)
    lengths = (len(text), *(_length(extra.get(name)) for name in LISTS))
    pieces, starts = [Piece()], [(0,) * len(lengths)]
    for record in records if isinstance(records, (list, tuple)) else ():
        kind = record.get("type") if isinstance(record, dict) else None
        if kind == "message.done":
            pieces[-1].done.update(rest(record, ("type", *_PLACES)))
        elif kind == "output_text.done":
            pieces[-1].content.update(rest(record, ("type", *_PLACES)))
        elif isinstance(kind, str):
            pieces.append(Piece(kind, item=rest(record, ("type", *_PLACES))))
            wanted = (_place(record, name) - getattr(begun, name) for name in _PLACES)
            bounds = zip(starts[-1], wanted, lengths, strict=True)
            starts.append(tuple(min(max(last, place), length) for last, place, length in bounds))
    for piece, start, end in zip(pieces, starts, [*starts[1:], lengths], strict=True):
        piece.text = text[start[0] : end[0]]
        for name, first, last in zip(LISTS, start[1:], end[1:], strict=True):
            if isinstance(values := extra.get(name), (list, tuple)) and values[first:last]:
                piece.content[name] = list(values[first:last])
    pieces[-1].content.update(rest(extra, (PIECES, *LISTS)))
    head = pieces[0]
    return pieces if len(pieces) == 1 or head.text or head.content or head.done else pieces[1:]


def _place(record: Mapping[str, Any], name: str) -> int:
    value = record.get(name)
    return value if type(value) is int else 0


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (list, tuple)) else 0
