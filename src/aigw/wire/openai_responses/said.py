"""What the model said before, as items of a request: its texts, its reasoning, the tools that it called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import File, Image, Other, Part, Reasoning, Text, ToolCall
from aigw.wire.fields import checked, required, rest
from aigw.wire.openai_responses.content import TEXTS
from aigw.wire.openai_responses.dialect import WIRE, Dialect
from aigw.wire.openai_responses.items import (
    CALLS,
    made_up_id,
    message_fields,
    read_call,
    read_reasoning,
    write_call,
    write_reasoning,
    write_signature,
)
from aigw.wire.openai_responses.pieces import LISTS, PIECES, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.message import Message
    from aigw.wire.losses import Losses

_OURS: Final = frozenset({"id", "status"})
"""Fields that name something on the server."""

_TEXT: Final = frozenset({"type", "text", "annotations"})


class Said:
    """Renders the messages of the model.

    A call that lives without the server's memory sends no ids of items: a server takes them for references, and then
    wants every item that stood beside them. Reasoning keeps its id, which belongs to its signature.

    Args:
        dialect: how the server differs.
        losses: decides what becomes of what cannot be said.
        ids: whether the server remembers the items of this conversation, and wants to hear their ids.
    """

    def __init__(self, dialect: Dialect, losses: Losses, *, ids: bool) -> None:
        self._dialect = dialect
        self._losses = losses
        self._ids = ids
        self._noted: set[str] = set()
        self._unnamed = 0

    def render(self, message: Message) -> list[dict[str, Any]]:
        """Render a message of the model: an item for each part, and for each piece of a text that is one."""
        items: list[dict[str, Any]] = []
        spoken: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, Text):
                self._say(part, message, items, spoken)
            else:
                items += self.render_part(part, message)
        shared = self._losses.own(message.extra, message.wire)
        for item in spoken:
            item.update(shared)
            _simplify(item)
        return items

    def render_part(self, part: Part, message: Message) -> list[dict[str, Any]]:
        """Render a part that is an item of its own; none where it cannot be sent."""
        if isinstance(part, Reasoning):
            return self._reason(part, message)
        if isinstance(part, ToolCall):
            extra = self._losses.own(part.extra, message.wire)
            arguments = part.arguments
            if not arguments and extra.get("type", "function_call") == "function_call":
                arguments = "{}"  # servers read it as JSON
            item = write_call(part.id, part.name, arguments, self._allowed(extra))
            if "id" in item and item["type"] == "function_call":
                item.setdefault("status", "completed")
            return [item]
        if isinstance(part, Other) and self._losses.knows(message.wire):
            kind = str(part.data.get("type"))
            if kind == "refusal" or kind.startswith("output_"):
                return [{"type": "message", "role": "assistant", "content": [dict(part.data)]}]
            return [dict(part.data)]
        if isinstance(part, Other):
            self._losses.content(f"a part of type {part.data.get('type')}")
        elif isinstance(part, (Image, File)):
            self._losses.content(f"{'an image' if isinstance(part, Image) else 'a file'} that the model made")
        return []

    def _say(self, part: Text, message: Message, items: list[dict[str, Any]], spoken: list[dict[str, Any]]) -> None:
        """Add the messages that a text consists of, and its first pieces to the message that it goes on with."""
        for piece in cut(part.text, self._losses.own(part.extra, message.wire)):
            if piece.begins != "output_text" or not spoken or items[-1] is not spoken[-1]:
                fields = self._allowed(piece.item) if piece.begins == "message" else {}
                spoken.append({"type": "message", "role": "assistant", "content": [], **fields})
                items.append(spoken[-1])
            content = {"annotations": [], **piece.content}
            if not self._ids:  # part of an answer, and of no use in a question
                content.pop("logprobs", None)
            items[-1]["content"].append({"type": "output_text", "text": piece.text, **content})
            items[-1].update(self._allowed(piece.done))

    def _allowed(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        return fields if self._ids else rest(fields, _OURS)

    def _reason(self, part: Reasoning, message: Message) -> list[dict[str, Any]]:
        extra = self._losses.own(part.extra, message.wire)
        own = part.provider == self._dialect.provider
        if own and (part.signature is not None or (self._ids and message.wire == WIRE)):
            signature = write_signature(part, self._dialect)
            return [self._identified(write_reasoning(part.text, extra, signature))]
        if (
            self._dialect.reasoning_back
            and part.text
            and (own or (part.provider is None and message.wire in {"", WIRE}))
        ):
            return [self._identified(write_reasoning(part.text, extra, None, "reasoning_text"))]
        what = "reasoning without a signature" if own or part.signature is None else "reasoning of another provider"
        if what not in self._noted:
            self._noted.add(what)
            self._losses.note(what)
        return []

    def _identified(self, item: dict[str, Any]) -> dict[str, Any]:
        """Give an id to reasoning that has none, because the format demands one."""
        if "id" not in item and not self._ids:
            item["id"] = made_up_id("reasoning", "input", self._unnamed)
            self._unnamed += 1
        return item


def _simplify(item: dict[str, Any]) -> None:
    """Write a message as every server reads it: with an id as an output, without one as a plain text if it is one."""
    content = item["content"]
    if "id" in item:
        item.setdefault("status", "completed")
    elif len(content) == 1 and content[0].keys() == _TEXT and not content[0]["annotations"]:
        item["content"] = content[0]["text"]


def parse_said(item: Mapping[str, Any], where: str, dialect: Dialect) -> tuple[Part, ...] | None:
    """Read an item that the model said; ``None`` for an item of the user or of a tool.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    kind = item.get("type") or "message"
    if kind in CALLS:
        required(item, "name", str, where)
        required(item, "call_id", str, where)
        try:
            identity, name, arguments, extra = read_call(item)
        except ConfigError as error:
            raise ConfigError(f"{where}.{error}") from None
        return (ToolCall(identity or "", name or "", arguments, extra),)
    if kind == "reasoning":
        return (read_reasoning(item, dialect),)
    if kind == "message" and item.get("role") == "assistant":
        return _parse_message(item, where)
    return None


def _parse_message(item: Mapping[str, Any], where: str) -> tuple[Part, ...]:
    """Read a message; one that holds something else than texts is kept whole."""
    content = item.get("content")
    if content is None or isinstance(content, str):
        content = [{"type": "output_text", "text": content}] if content else []
    parts: list[Part] = []
    fields = message_fields(item)
    for at, part in enumerate(checked(content, list, f"{where}.content")):
        place = f"{where}.content[{at}]"
        if checked(part, dict, place).get("type") not in TEXTS:
            return (Other(dict(item)),)
        begins = {"type": "output_text"} if parts else {"type": "message", **fields}
        extra = {PIECES: [begins]} if parts or fields else {}
        parts.append(Text(required(part, "text", str, place), {**extra, **content_fields(part)}))
    return tuple(parts)


def content_fields(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a content part that aigw does not model, and its lists unless they are empty."""
    fields = rest(part, ("type", "text"))
    for name in LISTS:
        if name in fields and not fields[name]:
            del fields[name]
    return fields
