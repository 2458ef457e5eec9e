"""Where text stands in a call, and how it is changed there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.call import Call
    from aigw.message import Part

Place = Literal["system", "user", "assistant", "tool_results", "tools", "extra", "answer", "reasoning", "tool_calls"]
"""``system`` (and developer) messages; ``user`` messages, and what is embedded, ranked or moderated; what the
``assistant`` said and called before; ``tool_results``; the definitions of ``tools`` and of the schema; ``extra`` fields
for the provider; and of the answer its text and refusals (``answer``), its ``reasoning``, and the arguments of its
``tool_calls``."""

PROMPT: Final[tuple[Place, ...]] = ("system", "user", "assistant", "tool_results", "tools", "extra")
ANSWER: Final[tuple[Place, ...]] = ("answer", "reasoning", "tool_calls")

Kind = Literal["text", "label", "json", "signed"]
"""Plain text; what is no part of what somebody says, such as names, addresses and fields; the text of a JSON value,
which must stay one; text that must come as it was: what a provider has signed, and the names of tools."""

if TYPE_CHECKING:
    Visit = Callable[[Place, str, Kind], str]
    """Gets a text, and returns what is to stand in its place; the same object where nothing changes."""

_BLOB: Final = re.compile(r"(?:data:[^,]{0,200};base64,)?[A-Za-z0-9+/_-]{1000,}={0,2}")
"""Data, not text: images and sound would take seconds to look through, and to change them would break them."""

T = TypeVar("T")


def visit_call(call: Call, visit: Visit) -> Call:
    """Show every text of a call that a provider gets to `visit`; return the call with what it made of them.

    The messages come last, in their order: what a later turn of a conversation adds is seen after what was there.
    """
    changed: dict[str, Any] = {}
    if call.tools:
        _keep(changed, "tools", call.tools, tuple([_tool(tool, visit) for tool in call.tools]))
    if call.schema is not None:
        schema = visit_data(call.schema.schema, "tools", visit)
        if schema is not call.schema.schema:
            changed["schema"] = replace(call.schema, schema=schema)
    if call.extra:
        _keep(changed, "extra", call.extra, visit_data(call.extra, "extra", visit))
    if call.query:
        _keep(changed, "query", call.query, visit("user", call.query, "text"))
    if call.inputs:
        _keep(changed, "inputs", call.inputs, tuple([visit("user", text, "text") for text in call.inputs]))
    _keep(changed, "messages", call.messages, tuple([visit_message(message, visit) for message in call.messages]))
    return call.evolve(**changed) if changed else call


def _keep(changed: dict[str, Any], name: str, old: object, new: object) -> None:
    if new is not old and new != old:
        changed[name] = new


PLACES: Final[Mapping[str, Place]] = {"system": "system", "developer": "system", "assistant": "assistant"}


def visit_message(message: Message, visit: Visit) -> Message:
    """Show every text of a message to `visit`; return the message with what it made of them."""
    place: Place = PLACES.get(message.role, "user")
    parts = tuple([visit_part(part, place, visit) for part in message.parts])
    name = visit(place, message.name, "label") if message.name else message.name
    extra = visit_data(message.extra, place, visit)
    if all(new is old for new, old in zip(parts, message.parts, strict=True)):
        if name is message.name and extra is message.extra:
            return message
        parts = message.parts
    return Message(message.role, parts, name, extra, message.wire)


def visit_part(part: Part, place: Place, visit: Visit) -> Part:
    """Show every text of a part to `visit`; return the part with what it made of them."""
    fields: dict[str, Any] = {}
    match part:
        case Text():
            _change(fields, part, "text", visit(place, part.text, "text"))
        case Reasoning():
            _change(fields, part, "text", visit(place, part.text, "signed" if part.signature else "text"))
        case ToolCall():
            _change(fields, part, "arguments", visit(place, part.arguments, "json"))
        case ToolResult():
            place = "tool_results"
            if isinstance(part.content, str):
                _change(fields, part, "content", visit(place, part.content, "text"))
            else:
                inner = tuple([visit_part(one, place, visit) for one in part.content])
                if any(new is not old for new, old in zip(inner, part.content, strict=True)):
                    fields["content"] = inner
        case Image():
            _change(fields, part, "url", _address(part.url, place, visit))
        case File():
            _change(fields, part, "url", _address(part.url, place, visit))
            _change(fields, part, "name", visit(place, part.name, "label") if part.name else part.name)
        case Other():
            data = visit_data(part.data, place, visit)
            return part if data is part.data else Other(data)
    _change(fields, part, "extra", visit_data(part.extra, place, visit))
    return replace(part, **fields) if fields else part


def _change(fields: dict[str, Any], part: Part, name: str, value: object) -> None:
    if value is not getattr(part, name):
        fields[name] = value


def _address(url: str | None, place: Place, visit: Visit) -> str | None:
    return url if url is None or url.startswith("data:") else visit(place, url, "label")


def _tool(tool: Tool, visit: Visit) -> Tool:
    visit("tools", tool.name, "signed")  # it stays what it is, because calls and results refer to it
    description = visit("tools", tool.description, "text")
    parameters = visit_data(tool.parameters, "tools", visit)
    extra = visit_data(tool.extra, "tools", visit)
    if description is tool.description and parameters is tool.parameters and extra is tool.extra:
        return tool
    return replace(tool, description=description, parameters=parameters, extra=extra)


def visit_data(value: T, place: Place, visit: Visit) -> T:
    """Visit the texts inside of a JSON value, names of fields included; the same object where nothing changes."""
    changed: Any = value
    if isinstance(value, str):
        changed = value if not value or _BLOB.fullmatch(value) else visit(place, value, "label")
    elif isinstance(value, dict):
        pairs = [(visit_data(name, place, visit), visit_data(item, place, visit)) for name, item in value.items()]
        if any(name is not old or item is not value[old] for (name, item), old in zip(pairs, value, strict=True)):
            changed = dict(pairs)
    elif isinstance(value, (list, tuple)):
        items = [visit_data(item, place, visit) for item in value]
        if any(new is not old for new, old in zip(items, value, strict=True)):
            changed = type(value)(items)
    result: T = changed
    return result
