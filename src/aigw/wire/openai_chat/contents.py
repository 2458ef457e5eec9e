"""Contents in parts: an answer whose text is not one string but a list, in both directions.

Mistral's answers are such lists where they hold reasoning or references, some servers' always.
"""

from __future__ import annotations

from typing import Any, Final

from aigw.chunk import Chunk
from aigw.message import Image, Other, Part, Reasoning, Text
from aigw.wire.fields import rest
from aigw.wire.openai_chat.dialect import WIRE
from aigw.wire.openai_chat.reasoning import DETAILS, read_thinking, write_thinking

_REASONING: Final = 0
_TEXT: Final = 1
_PARTS: Final = 2


def read_content(content: list[Any], frame: Chunk, provider: str | None) -> list[Chunk]:
    """Read a content in parts: as few chunks as keep the order.

    Args:
        content: the parts.
        frame: the chunk with everything else of its message; what it has, and the last of the parts, comes last.
        provider: whose reasoning it is.
    """
    packer = _Packer(frame)
    for part in content:
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
            packer.add_text(part["text"], rest(part, ("type", "text")))
        elif isinstance(part, str):
            packer.add_text(part, {})
        elif isinstance(part, dict) and (thought := read_thinking(part, provider)) is not None:
            packer.add_reasoning(thought)
        else:
            packer.add_part(Other(part if isinstance(part, dict) else {"type": "unknown", "value": part}))
    return packer.done()


class _Packer:
    """Fills chunks: within each comes reasoning first, then text, then parts."""

    def __init__(self, frame: Chunk) -> None:
        self._frame = frame
        self._done: list[Chunk] = []
        self._begin()
        self._reasoning = frame.reasoning

    def _begin(self) -> None:
        self._rank = _REASONING
        self._reasoning = self._text = ""
        self._parts: tuple[Part, ...] = ()
        self._fields: dict[str, Any] = {}

    def _reach(self, rank: int) -> None:
        """Go on to what comes at this place within a chunk; begin another one if that is over."""
        if rank < self._rank:
            self._done.append(self._chunk())
            self._begin()
        self._rank = rank

    def _chunk(self) -> Chunk:
        frame = self._frame
        return Chunk(
            self._text,
            self._reasoning,
            index=frame.index,
            parts=self._parts,
            id=frame.id,
            model=frame.model,
            extra={"part": self._fields} if self._fields else None,
            wire=WIRE,
        )

    def add_text(self, text: str, fields: dict[str, Any]) -> None:
        if text or fields:
            apart = self._rank == _TEXT and (fields or self._fields)  # fields belong to one text alone
            self._reach(_REASONING if apart else _TEXT)
            self._rank = _TEXT
            self._text += text
            self._fields = fields

    def add_reasoning(self, thought: Reasoning) -> None:
        self._reach(_REASONING)
        self._reasoning += thought.text
        if thought.signature is not None or thought.extra:
            self.add_part(Reasoning("", thought.signature, thought.provider, thought.extra))

    def add_part(self, part: Part) -> None:
        self._rank = _PARTS
        self._parts += (part,)

    def done(self) -> list[Chunk]:
        """Put what is left together with the frame."""
        if self._frame.tool_calls:  # they come before the parts of their chunk
            self._reach(_TEXT)
        frame, last = self._frame, self._chunk()
        frame = frame.evolve(text=last.text, reasoning=last.reasoning, parts=(*last.parts, *frame.parts))
        if last.extra:
            frame = frame.evolve(extra={**(frame.extra or {}), **last.extra})
        says = frame.has_output or frame.finish_reason is not None or frame.usage is not None or frame.extra
        return [*self._done, frame] if says or not self._done else self._done


class Content:
    """Puts a content together from the chunks of a choice: a text, or a list where a text cannot say it."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._plain = True
        self.images: list[Image] = []
        """The images, which stand beside the content."""
        self.details: list[Any] = []
        """OpenRouter's blocks of reasoning, which stand beside it too."""

    def add(self, chunk: Chunk) -> None:
        """Take what a chunk says, except reasoning, a refusal and tool calls; parts of another format are left out."""
        here = chunk.wire in ("", WIRE)
        fields = (chunk.extra or {}).get("part") if here else None
        if chunk.text or (fields and not chunk.reasoning):
            self._add_text(chunk.text, fields)
        for part in chunk.parts:
            if isinstance(part, Text):
                self._add_text(part.text, part.extra if here else None)
            elif isinstance(part, Image):
                self.images.append(part)
            elif here and isinstance(part, Other):
                self._add_block(dict(part.data))
            elif here and isinstance(part, Reasoning):
                self._add_reasoning(part)

    def _add_text(self, text: str, fields: Any) -> None:
        last = self._parts[-1] if self._parts else None
        if last is not None and last.get("type") == "text" and not fields and len(last) == 2:  # noqa: PLR2004  (a type and a text)
            last["text"] += text
            return
        self._parts.append({"type": "text", "text": text, **(fields or {})})
        self._plain = self._plain and not fields

    def _add_block(self, block: dict[str, Any]) -> None:
        self._parts.append(block)
        self._plain = False

    def _add_reasoning(self, part: Reasoning) -> None:
        self.details += part.extra.get(DETAILS, ())
        extra = rest(part.extra, (DETAILS,))
        if part.text or part.signature is not None or extra:
            self._add_block(write_thinking(part.text, part.signature, extra))

    def render(self) -> str | list[dict[str, Any]]:
        """Return the content."""
        if self._plain:
            return "".join([part["text"] for part in self._parts])
        return self._parts
