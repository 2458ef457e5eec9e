"""The input of a request in the format of OpenAI Responses: messages to items and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Part, Text, ToolCall, ToolResult
from aigw.wire.fields import checked, optional, rest
from aigw.wire.openai_chat.turns import failed
from aigw.wire.openai_responses.content import parse_content, render_content
from aigw.wire.openai_responses.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_responses.items import OUTPUTS, checked_item, is_made_up
from aigw.wire.openai_responses.said import Said, parse_said
from aigw.wire.roles import read_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aigw.wire.losses import Losses

_ROLES: Final = ("system", "developer", "user", "assistant")
_MESSAGE: Final = frozenset({"type", "role", "content"})
_OUTPUT: Final = frozenset({"type", "call_id", "output", "name"})

_SHARE_FILES: Final = ("", WIRE, "openai_chat")
"""Formats whose ids of uploaded files mean something here."""

INSTRUCTIONS: Final = "instructions"
"""Marks, in ``Message.extra``, a system message that was not in the input but in the field of this name."""


def render_input(
    messages: Iterable[Message], losses: Losses, dialect: Dialect = DEFAULT, *, ids: bool = False
) -> list[dict[str, Any]]:
    """Render a conversation as items, in its order.

    System messages are items with that role, wherever they stand: the field ``instructions`` has no place in the order
    and holds no images. A tool that failed and the name of a speaker have no field in this format.

    Args:
        messages: the conversation.
        losses: decides what becomes of what cannot be said.
        dialect: how the server differs.
        ids: whether the server remembers the items, and wants to hear their ids.

    Raises:
        ConfigError: a message of role ``tool`` holds something else than tool results.
        NoCapableTarget: content would be lost.
    """
    messages = tuple(messages)
    writer = _Writer(losses, Said(dialect, losses, ids=ids), _custom_calls(messages))
    for message in messages:
        writer.write(message)
    return writer.items


def _custom_calls(messages: Iterable[Message]) -> frozenset[str]:
    """Find the calls whose results have a type of their own."""
    parts = (part for message in messages if message.wire in ("", WIRE) for part in message.parts)
    return frozenset(
        part.id for part in parts if isinstance(part, ToolCall) and part.extra.get("type") == "custom_tool_call"
    )


class _Writer:
    """Writes messages as items, one after the other."""

    def __init__(self, losses: Losses, said: Said, custom: frozenset[str]) -> None:
        self.items: list[dict[str, Any]] = []
        self._losses = losses
        self._said = said
        self._custom = custom

    def write(self, message: Message) -> None:
        results = [isinstance(part, ToolResult) for part in message.parts]
        if message.role == "tool" and not (results and all(results)):
            raise ConfigError("a message with role tool must hold ToolResult parts and nothing else")
        if message.name is not None:
            self._losses.tuning("the name of a speaker")
        if message.role == "assistant" and not any(results):
            self.items += self._said.render(message)
            return
        spoken: list[Part] = []
        for part in message.parts:
            if isinstance(part, (Text, Image, File)) or (isinstance(part, Other) and message.role != "assistant"):
                spoken.append(part)
                continue
            self._speak(message, spoken)
            spoken = []
            if isinstance(part, ToolResult):
                self.items.append(self._result(part, message))
            else:
                self.items += self._said.render_part(part, message)
        if spoken or not message.parts:
            self._speak(message, spoken or [Text("")])

    def _speak(self, message: Message, parts: Sequence[Part]) -> None:
        if not parts:
            return
        if message.role == "assistant":
            self.items += self._said.render(Message("assistant", parts, extra=message.extra, wire=message.wire))
            return
        content: Any = self._content(parts, message)
        if not content:
            return
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            content = content[0]["text"]
        extra = rest(self._losses.own(message.extra, message.wire), (INSTRUCTIONS,))
        self.items.append({"role": message.role, "content": content, **extra})

    def _content(self, parts: Iterable[Part], message: Message) -> list[dict[str, Any]]:
        content = []
        for part in parts:
            if isinstance(part, File) and part.url is None and message.wire not in _SHARE_FILES:
                self._losses.content("an uploaded file of another provider")
            elif isinstance(part, (Text, Image, File)):
                content.append(render_content(part, self._losses.own(part.extra, message.wire)))
            elif isinstance(part, Other) and self._losses.knows(message.wire):
                content.append(dict(part.data))
            elif isinstance(part, Other):
                self._losses.content(f"a part of type {part.data.get('type')}")
        return content

    def _result(self, result: ToolResult, message: Message) -> dict[str, Any]:
        extra = self._losses.own(result.extra, message.wire)
        kind = extra.get("type") or ("custom_tool_call_output" if result.id in self._custom else "function_call_output")
        output: Any = result.content
        if not isinstance(output, str):
            output = [*self._content(output, message), *extra.get("output", ())]
        if result.is_error:
            self._losses.note("the mark of a tool result that it is an error", "emulated")
            output = failed(output, "input_text")
        item = {"type": kind, "call_id": result.id, "output": output}
        if result.name is not None:
            item["name"] = result.name
        shared = self._losses.own(message.extra, message.wire) if message.role == "tool" else {}
        return {**item, **rest(extra, ("type", "output")), **shared}


def parse_input(data: Any, dialect: Dialect = DEFAULT) -> tuple[Message, ...]:
    """Read the input of a request.

    What the model said in one turn, message by message and call by call, is one message of ours; so are the results of
    tools that stand together. Items that aigw does not model are `Other` parts of a message of the model.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    if data is None:
        return ()
    if isinstance(data, str):
        return (Message("user", data, wire=WIRE),)
    messages: list[Message] = []
    for at, given in enumerate(checked(data, list, "input")):
        where = f"input[{at}]"
        message = _parse_item(checked_item(given, where), where, dialect)
        last = messages[-1] if messages else None
        if last is not None and message.role == last.role and message.role in ("assistant", "tool"):
            messages[-1] = Message(last.role, (*last.parts, *message.parts), wire=WIRE)
        elif message.parts or message.role != "assistant":
            messages.append(message)
    return tuple(messages)


def _parse_item(item: Mapping[str, Any], where: str, dialect: Dialect) -> Message:
    kind = item.get("type")
    if kind in OUTPUTS:
        return Message("tool", _parse_result(item, where), wire=WIRE)
    if kind == "message" or (kind is None and "role" in item):
        role = read_role(item, _ROLES, where)
        if role != "assistant":
            extra = rest(item, _MESSAGE)
            if is_made_up(extra.get("id")):
                del extra["id"]
            return Message(role, _parse_spoken(item, where), extra=extra, wire=WIRE)
    elif kind is None:
        return Message("assistant", Other(dict(item)), wire=WIRE)
    said = parse_said(item, where, dialect)
    return Message("assistant", (Other(dict(item)),) if said is None else said, wire=WIRE)


def _parse_spoken(item: Mapping[str, Any], where: str) -> tuple[Part, ...]:
    content = item.get("content")
    if content is None or isinstance(content, str):
        return (Text(content),) if content else ()
    parts = checked(content, list, f"{where}.content")
    return tuple(parse_content(part, f"{where}.content[{at}]") for at, part in enumerate(parts))


def _parse_result(item: Mapping[str, Any], where: str) -> ToolResult:
    output = item.get("output")
    extra = rest(item, _OUTPUT)
    if is_made_up(extra.get("id")):
        del extra["id"]
    if item["type"] != "function_call_output":
        extra["type"] = item["type"]
    content: str | tuple[Text | Image, ...] = ""
    if isinstance(output, (list, tuple)):
        parts = [parse_content(part, f"{where}.output[{at}]") for at, part in enumerate(output)]
        content = tuple(part for part in parts if isinstance(part, (Text, Image)))
        # A result holds text and images; parts of other kinds go out again after them.
        others = [given for given, part in zip(output, parts, strict=True) if not isinstance(part, (Text, Image))]
        if others:
            extra["output"] = others
    elif output is not None:
        content = checked(output, str, f"{where}.output")
    return ToolResult(
        id=optional(item, "call_id", str, where) or "",
        content=content,
        name=optional(item, "name", str, where),
        extra=extra,
    )
