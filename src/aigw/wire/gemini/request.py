"""Requests in Gemini's format: a `Call` to JSON and back. The model and whether to stream stand in the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call
from aigw.errors import ConfigError
from aigw.wire.fields import optional, rest
from aigw.wire.gemini.config import CONFIG, render_config, take_config
from aigw.wire.gemini.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.gemini.messages import Contents, Reader
from aigw.wire.gemini.names import merged, message
from aigw.wire.gemini.tools import parse_tools, render_choice, render_tools, take_choice
from aigw.wire.losses import Losses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.message import Message

_KNOWN: Final = frozenset({"model", "contents", "systemInstruction", "tools"})


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render a chat call; only what is set is sent. ``call.extra`` goes over it, objects within objects included.

    Args:
        call: the call.
        model: the model that is asked; it is not in the body, but decides some of it.
        dialect: how the server differs.
        strict: what becomes of things that this format cannot say; see `Losses`.

    Raises:
        NoCapableTarget: something would be lost that may not be.
    """
    losses = Losses(call, WIRE, strict)
    rendered = Contents(call, model, dialect, losses)
    body: dict[str, Any] = {"contents": rendered.contents}
    if rendered.system is not None:
        body["systemInstruction"] = rendered.system
    if tools := render_tools(call, dialect, losses):
        body["tools"] = tools
        if call.tool_choice is not None:
            body["toolConfig"] = render_choice(call.tool_choice)
    if call.parallel_tool_calls is False:
        losses.tuning("parallel_tool_calls")
    if config := render_config(call, model, dialect, losses):
        body[CONFIG] = config
    return merged(body, losses.own(call.extra, call.wire))


def parse_request(
    body: Mapping[str, Any], *, model: str = "", stream: bool = False, dialect: Dialect = DEFAULT
) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``, laid out as they came. So does what says more than `Call`
    can: several allowed functions, a thinking budget for which there is no word.

    Args:
        body: the decoded JSON.
        model: the model that the URL names.
        stream: whether the URL asks for a stream.
        dialect: names the provider whose thought signatures it holds.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    fields = message(body, "the request")
    extra = rest(fields, _KNOWN)
    reader = Reader(dialect.provider)
    messages: list[Message] = []
    if (instruction := fields.get("systemInstruction")) is not None:
        messages.append(reader.read_instruction(instruction))
    contents = optional(fields, "contents", list)
    if contents is None:
        raise ConfigError("contents is missing")
    messages += (reader.read(content, f"contents[{at}]") for at, content in enumerate(contents))
    asked = model or optional(fields, "model", str) or ""
    return Call(
        model=asked,
        messages=tuple(messages),
        tools=parse_tools(optional(fields, "tools", list) or ()),
        tool_choice=take_choice(extra),
        **take_config(extra, asked, dialect),
        extra=extra,
        wire=WIRE,
        stream=stream,
    )
