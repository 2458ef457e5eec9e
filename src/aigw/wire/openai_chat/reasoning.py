"""Where reasoning stands in the format of OpenAI chat completions, which has no place of its own for it.

Servers show it in a field of the message (``reasoning_content``, ``reasoning``), Mistral in parts of the content. Some
want it back unchanged when the conversation goes on: then the reader marks it as theirs, with what they need to know it
again, at the end of each block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk
from aigw.message import Reasoning
from aigw.wire.fields import rest
from aigw.wire.openai_chat.dialect import WIRE, Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DETAILS: Final = "reasoning_details"
"""OpenRouter's blocks of reasoning, which must go back as they came."""

THINKING: Final = "thinking"
"""The type of Mistral's parts that hold reasoning, and the field in which it stands."""

_JOINED: Final = ("text", "summary")
_IN_PIECES: Final = ("reasoning.text", "reasoning.summary")


def owner(dialect: Dialect) -> str | None:
    """Return the provider whose reasoning a server's is; ``None`` where it does not take it back."""
    return dialect.provider if dialect.reasoning_back is not None else None


def take_reasoning(extra: dict[str, Any], fields: Sequence[str]) -> str | None:
    """Take the readable reasoning out of the fields that aigw does not model; ``None`` where there is none."""
    found = None
    for field in fields:
        if isinstance(extra.get(field), str):
            text = extra.pop(field)
            found = found or text
    return found or None


def take_details(extra: dict[str, Any]) -> list[Any] | None:
    """Take OpenRouter's blocks of reasoning out of the unknown fields; ``None`` where there are none."""
    details = extra.get(DETAILS)
    if not isinstance(details, list) or not details:
        return None
    del extra[DETAILS]
    return details


def read_thinking(part: Mapping[str, Any], provider: str | None) -> Reasoning | None:
    """Read one of Mistral's parts of reasoning; ``None`` if it does not look as it should."""
    inner = part.get(THINKING)
    if part.get("type") != THINKING or not isinstance(inner, list):
        return None
    texts, others = [], []
    for piece in inner:
        plain = isinstance(piece, dict) and len(piece) == 2 and piece.get("type") == "text"  # noqa: PLR2004  (a type and a text)
        if plain and isinstance(piece.get("text"), str):
            texts.append(piece["text"])
        else:
            others.append(piece)
    signature = part.get("signature")
    if signature is not None and not isinstance(signature, str):
        return None
    extra = rest(part, ("type", THINKING, "signature"))
    if others:
        extra[THINKING] = others
    return Reasoning("".join(texts), signature, provider, extra)


def write_thinking(text: str, signature: str | None, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render reasoning as one of Mistral's parts; the reverse of `read_thinking`."""
    texts = [{"type": "text", "text": text}] if text else []
    rendered: dict[str, Any] = {"type": THINKING, THINKING: [*texts, *extra.get(THINKING, ())]}
    if signature is not None:
        rendered["signature"] = signature
    return {**rendered, **rest(extra, (THINKING, DETAILS))}


class Thoughts:
    """Marks the reasoning of an answer as its server's: what completes a block follows when the block is over.

    Only for servers that take it back.

    Args:
        dialect: how the server differs.
    """

    __slots__ = ("_provider", "open")

    def __init__(self, dialect: Dialect) -> None:
        self._provider = owner(dialect)
        self.open: dict[int, _Block] = {}
        """The choices that are thinking just now."""

    def read(self, chunk: Chunk) -> list[Chunk]:
        """Take the next chunk of the answer; return it, and before it the ends of blocks that it ends."""
        ends = [part for part in chunk.parts if type(part) is Reasoning and not part.text]
        if not (chunk.reasoning or ends):
            return [*self._closed(chunk), chunk] if self.open else [chunk]
        block = self.open.setdefault(chunk.index, _Block(chunk))
        block.add(ends)
        others = tuple([part for part in chunk.parts if part not in ends])
        after = chunk.evolve(reasoning="", parts=others)
        if block.signature is None and not _ends_thinking(after):
            kept = chunk.evolve(parts=others)
            return [kept] if kept.reasoning or kept.usage is not None or kept.extra else []
        before = [Chunk(reasoning=chunk.reasoning, index=chunk.index, id=chunk.id, model=chunk.model, wire=WIRE)]
        empty = not (_ends_thinking(after) or after.usage is not None or after.extra)
        del self.open[chunk.index]
        return [*(before if chunk.reasoning else ()), block.end(self._provider), *(() if empty else (after,))]

    def finish(self) -> list[Chunk]:
        """Tell that the answer is over; return the ends of blocks that were still open."""
        ends = [block.end(self._provider) for block in self.open.values()]
        self.open.clear()
        return ends

    def _closed(self, chunk: Chunk) -> list[Chunk]:
        block = self.open.pop(chunk.index, None) if _ends_thinking(chunk) else None
        return [block.end(self._provider)] if block is not None else []


def _ends_thinking(chunk: Chunk) -> bool:
    return chunk.has_output or chunk.finish_reason is not None


class _Block:
    """What the server wants to see again of one block of reasoning."""

    __slots__ = ("_details", "_extra", "_first", "signature")

    def __init__(self, first: Chunk) -> None:
        self._first = first
        self._details: list[Any] = []
        self._extra: dict[str, Any] = {}
        self.signature: str | None = None

    def add(self, ends: Iterable[Reasoning]) -> None:
        for part in ends:
            self.signature = part.signature or self.signature
            self._details += part.extra.get(DETAILS, ())
            self._extra.update(rest(part.extra, (DETAILS,)))

    def end(self, provider: str | None) -> Chunk:
        if self._details:
            self._extra[DETAILS] = _join(self._details)
        part = Reasoning("", self.signature, provider, self._extra)
        return Chunk(parts=(part,), index=self._first.index, id=self._first.id, model=self._first.model, wire=WIRE)


def _join(details: list[Any]) -> list[Any]:
    """Join the pieces of each block: those that follow each other with the same type and index."""
    joined: list[Any] = []
    for piece in details:
        last = joined[-1] if joined else None
        if not isinstance(piece, dict) or not isinstance(last, dict) or not _goes_on(last, piece):
            joined.append(piece)
            continue
        texts = {name: (last.get(name) or "") + piece[name] for name in _JOINED if isinstance(piece.get(name), str)}
        joined[-1] = {**last, **rest(piece, ()), **texts}
    return joined


def _goes_on(last: Mapping[str, Any], piece: Mapping[str, Any]) -> bool:
    same = piece.get("index") is not None and all(last.get(name) == piece.get(name) for name in ("type", "index"))
    whole = last.get("signature") is not None or last.get("type") not in _IN_PIECES  # the signature comes last
    return same and not whole and all(isinstance(last.get(name) or "", str) for name in _JOINED)
