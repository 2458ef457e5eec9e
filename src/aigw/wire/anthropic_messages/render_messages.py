"""Messages of a request, to this format.

What it wants: the system's words first, in a field of their own; then user and assistant in turns, the user first; all
results of tools at the beginning of the user's message that follows their calls; no empty text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.anthropic_messages.parse_messages import REDACTED
from aigw.wire.anthropic_messages.sources import write_file, write_image
from aigw.wire.arguments import write_arguments
from aigw.wire.fields import merge, rest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.wire.anthropic_messages.dialect import Dialect
    from aigw.wire.losses import Losses

_SYSTEM: Final = ("system", "developer")
_START: Final = "(The conversation begins.)"
_ALLOWED: Final[Mapping[str, tuple[type, ...]]] = {
    "user": (Text, Image, File, ToolResult, Other),
    "assistant": (Text, Reasoning, ToolCall, Other),
    "tool": (ToolResult,),
}
_WHAT: Final[Mapping[type, str]] = {Image: "an image", File: "a file"}
_NOT_IN_AN_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")

Block = dict[str, Any]


class ConversationWriter:
    """Renders the messages of one call.

    Args:
        dialect: of the model.
        losses: what becomes of the things that the format cannot say.
    """

    __slots__ = ("_calls", "_dialect", "_losses", "_noted", "_results", "_turns", "system")

    def __init__(self, dialect: Dialect, losses: Losses) -> None:
        self._dialect = dialect
        self._losses = losses
        self._turns: list[dict[str, Any]] = []
        self._calls = 0
        self._results = 0
        self._noted: set[str] = set()
        self.system: list[Block] = []
        """The text blocks of the field ``system``."""

    def write(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Return the ``messages`` of the request; what belongs to ``system`` stands there then.

        Raises:
            ConfigError: a part stands in a message of a role that cannot say it.
            NoCapableTarget: content would be lost.
        """
        first = next((at for at, message in enumerate(messages) if message.role not in _SYSTEM), len(messages))
        for message in messages[:first]:
            self.system += self._system_blocks(message)
            if self._losses.own(message.extra, message.wire):
                self._losses.note("fields of a system message")
        for at in range(first, len(messages)):
            message = messages[at]
            if message.role in _SYSTEM:
                self._add_system(message, messages[at + 1 :])
            else:
                self._add_message(message)
        self._begin_with_user(messages[first:])
        return [_finished(turn) for turn in self._turns]

    def _begin_with_user(self, messages: Sequence[Message]) -> None:
        if self._turns and (self._turns[0]["role"] == "user" or messages[0].wire == self._losses.wire):
            return
        self._losses.note("a first message of the user", "emulated")
        self._turns.insert(0, {"role": "user", "content": [{"type": "text", "text": _START}]})

    def _add(self, role: str, blocks: list[Block], extra: Mapping[str, Any]) -> None:
        """Add a turn, or go on with the last one if it is of the same role."""
        if not blocks:
            return
        last = self._turns[-1] if self._turns else None
        plain = last is not None and last["role"] == role and len(last) == 2 and not extra  # noqa: PLR2004  (role, content)
        if last is not None and plain:
            last["content"] += blocks
        else:
            self._turns.append(merge({"role": role, "content": blocks}, extra))

    def _add_system(self, message: Message, following: Sequence[Message]) -> None:
        """Add a system message that stands within the conversation."""
        blocks = self._system_blocks(message)
        if self._may_stand_inline(message, following):
            self._add("system", blocks, self._losses.own(message.extra, message.wire))
        elif blocks:
            self._losses.note("a system message within the conversation, as text of the user", "emulated")
            text = "\n\n".join(block.get("text", "") for block in blocks)
            self._add("user", [{"type": "text", "text": f"<system>\n{text}\n</system>"}], {})

    def _may_stand_inline(self, message: Message, following: Sequence[Message]) -> bool:
        """Tell whether the server takes it there: behind the user, and before the assistant or the end."""
        own = message.wire == self._losses.wire
        if self._dialect.inline_system is None or own:
            return own and self._dialect.inline_system is not False
        after = next((other.role for other in following if other.role not in _SYSTEM), "assistant")
        before = self._turns[-1]["role"] if self._turns else ""
        return self._dialect.inline_system and before in ("user", "system") and after == "assistant"

    def _system_blocks(self, message: Message) -> list[Block]:
        self._note_name(message)
        blocks: list[Block] = []
        for part in message.parts:
            if isinstance(part, (Text, Other)):
                blocks += self._part(part, message)
            else:
                self._losses.content(f"{_WHAT.get(type(part), type(part).__name__)} in a system message")
        return blocks

    def _note_name(self, message: Message) -> None:
        if message.name is not None:
            self._losses.tuning("the name of a speaker")

    def _add_message(self, message: Message) -> None:
        self._note_name(message)
        allowed = _ALLOWED[message.role]
        blocks: list[Block] = []
        for part in message.parts:
            if isinstance(part, allowed) or (isinstance(part, (Image, File)) and message.wire == self._losses.wire):
                blocks += self._part(part, message)
            elif isinstance(part, (Image, File)) and message.role == "assistant":
                self._losses.content(f"{_WHAT[type(part)]} in a message of the assistant")
            else:
                raise ConfigError(f"a {type(part).__name__} cannot stand in a message with role {message.role}")
        role = "assistant" if message.role == "assistant" else "user"
        self._add(role, blocks, self._losses.own(message.extra, message.wire))

    def _part(self, part: Part, message: Message) -> list[Block]:
        if isinstance(part, Text):
            return self._text(part, message)
        if isinstance(part, Other):
            if self._losses.knows(message.wire):
                return [dict(part.data)]
            self._losses.content(f"a part of the type {part.data.get('type', 'other')!r}")
            return []
        if isinstance(part, (Image, File)):
            return self._document(part, message)
        if isinstance(part, Reasoning):
            return self._reasoning(part, message)
        extra = self._losses.own(part.extra, message.wire)
        return [self._result(part, message, extra) if isinstance(part, ToolResult) else self._call(part, extra)]

    def _text(self, text: Text, message: Message) -> list[Block]:
        if not text.text or text.text.isspace():  # the server refuses both
            if text.text:
                self._losses.note("text of nothing but white space")
            return []
        return [merge({"type": "text", "text": text.text}, self._losses.own(text.extra, message.wire))]

    def _document(self, part: Image | File, message: Message) -> list[Block]:
        extra = self._losses.own(part.extra, message.wire)
        changed = ""
        if isinstance(part, Image):
            block = write_image(part, extra)
            if part.detail not in (None, "auto"):
                self._losses.tuning("the detail of an image")
        else:
            if part.file_id is not None and not self._losses.knows(message.wire):
                part = File(part.url, name=part.name)  # nobody else has what was uploaded to another provider
            block, changed = write_file(part, extra, own=message.wire == self._losses.wire)
        if changed:
            self._losses.note(f"a file of type {changed}, as plain text", "changed")
        if block is None:
            self._losses.content(f"{_WHAT[type(part)]} of this kind")
            return []
        return [block]

    def _reasoning(self, part: Reasoning, message: Message) -> list[Block]:
        lost = "reasoning of another provider" if part.provider != self._dialect.provider else ""
        if not lost and part.signature is None and not self._dialect.unsigned_thinking:
            lost = "reasoning without a signature"
        if lost:
            if lost not in self._noted:
                self._noted.add(lost)
                self._losses.note(lost)
            return []
        extra = self._losses.own(part.extra, message.wire)
        if extra.get("type") == REDACTED:
            return [merge({"data": part.signature or ""}, extra)]
        block = {"type": "thinking", "thinking": part.text, "signature": part.signature or ""}
        return [merge(block, extra)] if part.text or part.signature else []

    def _call(self, call: ToolCall, extra: Mapping[str, Any]) -> Block:
        identity = call.id
        if not identity:
            identity = f"call_{self._calls}"
            self._calls += 1
        block = {
            "type": "tool_use",
            "id": _legal(identity),
            "name": call.name,
            "input": write_arguments(call.arguments),
        }
        return merge(block, extra)

    def _result(self, result: ToolResult, message: Message, extra: Mapping[str, Any]) -> Block:
        identity = result.id
        if not identity:
            identity = f"call_{self._results}"
            self._results += 1
        block: Block = {"type": "tool_result", "tool_use_id": _legal(identity)}
        if isinstance(result.content, str):
            if result.content:
                block["content"] = result.content
            others: Sequence[Any] = ()
        else:
            others = extra.get("content", ())
            block["content"] = [*(inner for part in result.content for inner in self._part(part, message)), *others]
        if result.is_error:
            block["is_error"] = True
        return merge(block, rest(extra, ("content",)))


def _legal(identity: str) -> str:
    """Replace what the server refuses in the id of a call; other providers have ids with dots and colons."""
    return _NOT_IN_AN_ID.sub("_", identity)


def _finished(turn: dict[str, Any]) -> dict[str, Any]:
    """Put the results of tools first, and a single text as a string."""
    blocks: list[Block] = turn["content"]
    if turn["role"] == "user":
        blocks.sort(key=lambda block: block.get("type") != "tool_result")
    turn["content"] = compact(blocks)
    return turn


def compact(blocks: list[Block]) -> list[Block] | str:
    """Return the text alone if there is nothing else."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"} and blocks[0]["type"] == "text":
        text: str = blocks[0]["text"]
        return text
    return blocks
