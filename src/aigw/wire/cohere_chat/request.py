"""Requests in Cohere's chat format: a `Call` to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.call import Call, Schema
from aigw.wire.cohere_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.cohere_chat.messages import parse_message
from aigw.wire.cohere_chat.speech import MessageRenderer
from aigw.wire.cohere_chat.thinking import render_thinking, take_thinking
from aigw.wire.fields import checked, checked_request, optional, required, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.messages import parse_tool, render_tool

if TYPE_CHECKING:
    from aigw.message import Tool

_KNOWN: Final = frozenset(
    {"model", "messages", "tools", "temperature", "p", "max_tokens", "stop_sequences", "seed", "stream"}
)
_CHOICES: Final[Mapping[str, str]] = {"required": "REQUIRED", "none": "NONE"}
_READ_CHOICES: Final[Mapping[str, str]] = {wire: name for name, wire in _CHOICES.items()}
_MODES: Final = ("auto", "none", "required")

_WARMEST: Final = 1.0
_TOP_P: Final = (0.01, 0.99)
_INSTRUCTION: Final = "Reply with JSON only, and make it fit this JSON schema:"


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render a chat call; only what is set is sent.

    ``call.extra`` goes over the rest at the top level. Only ``thinking`` is joined with ours.

    Args:
        call: the call.
        model: the model to ask for.
        dialect: how the server differs.
        strict: what becomes of the things that the server cannot be told; see `Losses`.

    Raises:
        ConfigError: a message of role ``tool`` holds something else than tool results.
        NoCapableTarget: the format cannot express something that must not be lost.
    """
    losses = Losses(call, WIRE, strict)
    renderer = MessageRenderer(dialect, losses)
    messages = [rendered for message in call.messages for rendered in renderer.render(message)]
    body: dict[str, Any] = {"model": model, "messages": messages}
    if call.tools:
        _add_tools(body, call, losses)
    if call.schema is not None:
        _add_schema(body, call, call.schema, dialect, losses)
    _add_sampling(body, call, losses)
    if call.max_tokens is not None:
        body["max_tokens"] = call.max_tokens
    if call.stop:
        body["stop_sequences"] = _limited(call, dialect, losses)
    if call.reasoning is not None:
        body["thinking"] = render_thinking(call.reasoning, losses, here=call.wire == WIRE)
    if call.n is not None and call.n > 1:
        losses.content("several answers to one call")
    if call.stream:
        body["stream"] = True
    extra = losses.own(call.extra, call.wire)
    if "thinking" in body and isinstance(extra.get("thinking"), Mapping):
        extra = {**extra, "thinking": {**body["thinking"], **extra["thinking"]}}
    body.update(extra)
    return body


def _add_tools(body: dict[str, Any], call: Call, losses: Losses) -> None:
    tools, choice = call.tools, call.tool_choice
    if choice is not None and choice not in _MODES:
        tools = tuple(tool for tool in tools if tool.name == choice)
        choice = "required"
        losses.note("tool_choice", "emulated")
    tools = tuple(tool for tool in tools if _is_known(tool, call, losses))
    if not tools:
        return
    body["tools"] = [render_tool(replace(tool, strict=None), losses.own(tool.extra, call.wire)) for tool in tools]
    wanted = {tool.strict for tool in tools} - {None}
    if len(wanted) == 1:  # the server is strict about all tools or none
        body["strict_tools"] = wanted.pop()
    elif wanted:
        losses.tuning("strict for some of the tools")
    if choice is not None and choice != "auto":
        body["tool_choice"] = _CHOICES[choice]
    if call.parallel_tool_calls is False:
        losses.tuning("parallel_tool_calls")


def _is_known(tool: Tool, call: Call, losses: Losses) -> bool:
    """Tell whether a tool is a function, or one that this format has."""
    if not tool.extra or losses.knows(call.wire) or tool.description or tool.parameters:
        return True
    losses.content(f"a tool that only {call.wire} knows")
    return False


def _add_schema(body: dict[str, Any], call: Call, schema: Schema, dialect: Dialect, losses: Losses) -> None:
    takes_it = dialect.schema_with_tools or "tools" not in body
    if call.wire == WIRE or (takes_it and schema.schema.get("type", "object") == "object"):
        body["response_format"] = {"type": "json_object", "json_schema": schema.schema}
        return
    losses.note("schema", "emulated")
    messages: list[dict[str, Any]] = body["messages"]
    first = next((at for at, message in enumerate(messages) if message["role"] != "system"), len(messages))
    told = f"{_INSTRUCTION}\n{to_json(schema.schema).decode()}"
    messages.insert(first, {"role": "system", "content": told})


def _add_sampling(body: dict[str, Any], call: Call, losses: Losses) -> None:
    here = call.wire == WIRE  # what a client of this format says is between it and the server
    if call.temperature is not None:
        if here or call.temperature <= _WARMEST:
            body["temperature"] = call.temperature
        else:
            losses.tuning(f"a temperature above {_WARMEST:g}")
    if call.top_p is not None:
        least, most = _TOP_P
        body["p"] = call.top_p if here else min(max(call.top_p, least), most)
        if body["p"] != call.top_p:
            losses.note("top_p", "changed")
    if call.seed is not None:
        if here or call.seed >= 0:
            body["seed"] = call.seed
        else:
            losses.tuning("a seed below 0")


def _limited(call: Call, dialect: Dialect, losses: Losses) -> list[str]:
    limit = dialect.stop_limit
    if limit is not None and len(call.stop) > limit and call.wire != WIRE:
        losses.tuning(f"more than {limit} texts in stop")
        return list(call.stop[:limit])
    return list(call.stop)


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``, among them ``documents`` and a ``response_format`` or
    ``thinking`` that says more than `Call` can.

    Args:
        body: the decoded JSON.
        dialect: how the server differs to which such requests go.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    extra = rest(body, _KNOWN)
    tools = tuple(parse_tool(tool, f"tools[{at}]") for at, tool in enumerate(optional(body, "tools", list) or ()))
    strict = optional(extra, "strict_tools", bool)
    if tools and strict is not None:
        del extra["strict_tools"]
        tools = tuple(replace(tool, strict=strict) for tool in tools)
    return Call(
        model=optional(body, "model", str) or "",
        messages=tuple(
            parse_message(message, f"messages[{at}]", dialect)
            for at, message in enumerate(required(body, "messages", list))
        ),
        tools=tools,
        tool_choice=_take_tool_choice(extra),
        schema=_take_schema(extra),
        temperature=optional(body, "temperature", float),
        top_p=optional(body, "p", float),
        max_tokens=optional(body, "max_tokens", int),
        stop=tuple(
            checked(text, str, f"stop_sequences[{at}]")
            for at, text in enumerate(optional(body, "stop_sequences", list) or ())
        ),
        seed=optional(body, "seed", int),
        reasoning=take_thinking(extra),
        extra=extra,
        wire=WIRE,
        stream=optional(body, "stream", bool) or False,
    )


def _take_tool_choice(extra: dict[str, Any]) -> str | None:
    choice = extra.get("tool_choice")
    if not isinstance(choice, str) or choice not in _READ_CHOICES:
        return None
    del extra["tool_choice"]
    return _READ_CHOICES[choice]


def _take_schema(extra: dict[str, Any]) -> Schema | None:
    """Take a JSON schema out, unless it says more than `Schema` can."""
    given = optional(extra, "response_format", dict)
    if given is None or given.get("type") != "json_object" or rest(given, ("type", "json_schema")):
        return None
    schema = optional(given, "json_schema", dict, "response_format")
    if schema is None:
        return None
    del extra["response_format"]
    return Schema(schema)
