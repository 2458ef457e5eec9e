"""Parts of a message in Gemini's format, in both directions.

A field that aigw does not model is kept in the ``extra`` of the part, and put back from there. A field of an inner
object stands in ``extra`` under that object's name, such as ``{"inlineData": {"newField": 1}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.message import Other, Part, Reasoning, Text
from aigw.wire.fields import merge, optional, rest
from aigw.wire.gemini.calls import CALL, RESULT, parse_call, parse_result
from aigw.wire.gemini.media import parse_media
from aigw.wire.gemini.names import message
from aigw.wire.gemini.signatures import SIGNATURE, SIGNS, give, keep, signed_length

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT: Final = frozenset({"text", "thought", SIGNATURE})


def parse_part(data: Any, provider: str, where: str) -> tuple[Part, ...]:
    """Read a part: most often one of ours, and one more for the signature of a text.

    Args:
        data: the part.
        provider: whose thought signature it may have.
        where: its path, for errors.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    part = message(data, where)
    if CALL in part:
        return (parse_call(part, provider, where),)
    if RESULT in part:
        return (parse_result(part, provider, where),)
    if "text" in part or _TEXT.issuperset(part):
        return _parse_text(part, provider, where) if part else ()
    if ("inlineData" in part or "fileData" in part) and not part.get("thought"):
        return (parse_media(part, provider, where),)
    return (Other(keep(part, provider)),)


def _parse_text(part: Mapping[str, Any], provider: str, where: str) -> tuple[Part, ...]:
    text = optional(part, "text", str, where) or ""
    signature = optional(part, SIGNATURE, str, where)
    owner = provider if signature is not None else None
    extra = rest(part, _TEXT)
    if optional(part, "thought", bool, where):
        return (Reasoning(text, signature, owner, extra),)
    if signature is None:
        return (Text(text, extra),)
    place = {SIGNS: {"text": len(text)}}
    if not text:
        return (Reasoning("", signature, owner, {**extra, **place}),)
    return Text(text, extra), Reasoning("", signature, owner, place)


class Writer:
    """Writes the parts of one message, and puts each signature where it came from.

    Args:
        provider: whose signatures are sent.
    """

    __slots__ = ("_grows", "_provider", "parts")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._grows: str | None = None
        self.parts: list[dict[str, Any]] = []
        """What was written."""

    def add(self, part: Mapping[str, Any]) -> None:
        """Write a part that is rendered already."""
        self._grows = None
        self.parts.append(dict(part))

    def add_text(self, text: str, extra: Mapping[str, Any]) -> None:
        """Write a text."""
        self.add(merge({"text": text}, give(extra, self._provider)))

    def add_reasoning(self, part: Reasoning, extra: Mapping[str, Any]) -> None:
        """Write a thought, or the signature of the text before it.

        Args:
            part: the thought. Without text it completes the thought that `grow` wrote just before.
            extra: its fields that may be sent.
        """
        signature = part.signature if part.provider == self._provider else None
        of_text = signed_length(part.extra, "text")
        fields = rest(extra, (SIGNS,))
        if of_text is None:
            if part.text or signature is not None or part.signature is None:
                self._add_thought(part, signature, fields)
            return
        if part.text:
            self._add_thought(part, None, fields)
            fields = {}
        if signature is not None:
            self._sign_last("text", of_text, signature)
            merge(self.parts[-1], fields)

    def grow(self, text: str, *, thought: bool = False) -> None:
        """Write the next piece of a text or thought, to the part of the piece before it."""
        kind = "thought" if thought else "text"
        if self._grows == kind:
            self.parts[-1]["text"] += text
            return
        self.parts.append({"text": text, "thought": True} if thought else {"text": text})
        self._grows = kind

    def add_fields(self, fields: Mapping[str, Any]) -> None:
        """Write more fields to the text or thought that grows; lists grow too, of anything else the last counts."""
        if self._grows is None:
            self.grow("")
        last = self.parts[-1]
        for name, value in fields.items():
            there = last.get(name)
            last[name] = [*there, *value] if isinstance(there, list) and isinstance(value, list) else value

    def _add_thought(self, part: Reasoning, signature: str | None, fields: Mapping[str, Any]) -> None:
        length = signed_length(part.extra, "thought")
        if part.text or self._grows != "thought":
            self.parts.append(merge({"text": part.text, "thought": True}, fields))
            whole = len(part.text)
        else:
            self.parts[-1].update(fields)
            whole = len(self.parts[-1]["text"])
        if signature is not None:
            self._sign_last("thought", whole if length is None else length, signature)
        self._grows = None

    def _sign_last(self, kind: str, length: int, signature: str) -> None:
        """Sign the end of the last part; an empty part of its own where there is nothing to sign."""
        last = self.parts[-1] if self.parts else {}
        fits = "text" in last and SIGNATURE not in last and ("thought" in last) == (kind == "thought")
        text = last["text"] if fits else ""
        self._grows = None
        if fits and (length >= len(text)) and (text or kind == "thought"):
            last[SIGNATURE] = signature
            return
        if length and fits:
            last["text"] = text[:-length]
        signed = text[-length:] if length else ""
        self.parts.append({"text": signed, **({"thought": True} if kind == "thought" else {}), SIGNATURE: signature})
