"""Requests in the format of OpenAI chat completions: a `Call` to JSON and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.call import Call, Schema
from aigw.wire.fields import checked, checked_request, optional, required, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_chat.messages import parse_message, parse_tool, render_tool
from aigw.wire.openai_chat.speech import MessageRenderer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.message import Message, Tool

_MODES: Final = ("auto", "none", "required")
_PLAIN: Final = (
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("n", "n"),
    ("reasoning", "reasoning_effort"),
)
"""Fields of `Call` that go out as they are, and their names there."""
_KNOWN: Final = frozenset(
    {"model", "messages", "tools", "parallel_tool_calls", "max_completion_tokens", "stop", "stream"}
    | {name for _, name in _PLAIN}
)

_INSTRUCTION: Final = "Answer with JSON that fits this JSON schema, and with nothing else:"


def render_request(
    call: Call,
    model: str,
    dialect: Dialect = DEFAULT,
    *,
    strict: bool | None = None,
) -> dict[str, Any]:
    """Render a chat call; only what is set is sent.

    ``call.extra`` goes over the rest at the top level. Only ``stream_options`` is joined with ours, so that adding an
    option does not lose the usage of a stream.

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
    if dialect.drops:
        call = _without(call, dialect, losses)
    body: dict[str, Any] = {"model": model, "messages": _render_messages(call.messages, dialect, losses)}
    if call.tools:
        _add_tools(body, call, dialect, losses)
    if call.schema is not None:
        _add_schema(body, call.schema, dialect, losses)
    _add_settings(body, call, dialect, losses)
    extra = losses.own(call.extra, call.wire)
    if call.stream:
        body["stream"] = True
        if dialect.stream_usage:
            body["stream_options"] = {"include_usage": True, **(extra.get("stream_options") or {})}
    if extra:
        body.update(rest(extra, ("stream_options",)) if "stream_options" in body else extra)
    return body


def _add_settings(body: dict[str, Any], call: Call, dialect: Dialect, losses: Losses) -> None:
    for field, name in _PLAIN:
        if (value := getattr(call, field)) is not None:
            body[name] = value
    if call.seed is not None:
        body[dialect.seed] = call.seed
    if call.max_tokens is not None:
        body[dialect.max_tokens] = call.max_tokens
    if call.stop:
        body["stop"] = _limited(call.stop, dialect.stop_limit, losses)


def _without(call: Call, dialect: Dialect, losses: Losses) -> Call:
    """Leave out what the server has no field for."""
    changes: dict[str, Any] = {}
    for field in sorted(dialect.drops):
        value = getattr(call, field)
        if value is None or value == ():
            continue
        changes[field] = () if isinstance(value, tuple) else None
        if field == "tool_choice":
            changes.update(_without_choice(call, losses))
        elif field == "n":
            if call.n != 1:
                losses.content("several answers to one call")
        elif field == "tools":
            losses.content("tools")
        else:
            losses.tuning(field)
    return call.evolve(**changes) if changes else call


def _without_choice(call: Call, losses: Losses) -> dict[str, Any]:
    """Say ``tool_choice`` in another way: without tools none is called."""
    if call.tool_choice == "none":
        losses.note("tool_choice", "emulated")
        return {"tools": ()}
    if call.tool_choice != "auto":
        losses.content("that a tool must be called")
    return {}


def _limited(stop: tuple[str, ...], limit: int | None, losses: Losses) -> list[str]:
    if limit is not None and len(stop) > limit:
        losses.tuning(f"more than {limit} texts in stop")
    return list(stop[:limit])


def _render_messages(messages: tuple[Message, ...], dialect: Dialect, losses: Losses) -> list[dict[str, Any]]:
    renderer = MessageRenderer(dialect, losses)
    rendered: list[dict[str, Any]] = []
    for message in messages:
        rendered += renderer.render(message)
    return rendered


def _add_tools(body: dict[str, Any], call: Call, dialect: Dialect, losses: Losses) -> None:
    tools, choice = call.tools, call.tool_choice
    if choice is not None and choice not in _MODES and not dialect.named_tool:
        tools = tuple(tool for tool in tools if tool.name == choice)
        choice = "required"
        losses.note("tool_choice", "emulated")
    rendered = [render_tool(tool, losses.own(tool.extra, call.wire)) for tool in tools if _is_known(tool, call, losses)]
    if not rendered:
        return
    body["tools"] = rendered
    if choice is not None:
        body["tool_choice"] = choice if choice in _MODES else {"type": "function", "function": {"name": choice}}
    if call.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = call.parallel_tool_calls


def _is_known(tool: Tool, call: Call, losses: Losses) -> bool:
    """Tell whether a tool is a function, or one that this format has."""
    if not tool.extra or losses.knows(call.wire) or tool.description or tool.parameters:
        return True
    losses.content(f"a tool that only {call.wire} knows")
    return False


def _add_schema(body: dict[str, Any], schema: Schema, dialect: Dialect, losses: Losses) -> None:
    if dialect.schema == "json_schema":
        body["response_format"] = _render_schema(schema)
        return
    losses.note("schema", "emulated")
    if dialect.schema == "json_object" and schema.schema.get("type", "object") == "object":
        body["response_format"] = {"type": "json_object"}
    messages: list[dict[str, Any]] = body["messages"]
    first = next(
        (at for at, message in enumerate(messages) if message["role"] not in ("system", "developer")), len(messages)
    )
    told = f"{_INSTRUCTION}\n{to_json(schema.schema).decode()}"
    messages.insert(first, {"role": "system", "content": told})


def _render_schema(schema: Schema) -> dict[str, Any]:
    rendered: dict[str, Any] = {"name": schema.name, "schema": schema.schema}
    if schema.strict is not None:
        rendered["strict"] = schema.strict
    return {"type": "json_schema", "json_schema": rendered}


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``: among them a ``tool_choice`` or ``response_format`` that
    says more than `Call` can, and the old ``functions`` and ``function_call``. ``stream_options.include_usage`` is
    dropped, because it tells only what the client wants to see: aigw always asks for usage.

    Args:
        body: the decoded JSON.
        dialect: how the server differs to which such requests go.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    extra = rest(body, _KNOWN)
    max_tokens = optional(body, "max_completion_tokens", int)
    if max_tokens is None:
        max_tokens = optional(body, "max_tokens", int)
        extra.pop("max_tokens", None)
    seed = optional(body, dialect.seed, int)
    extra.pop(dialect.seed, None)
    _drop_include_usage(extra)
    return Call(
        model=optional(body, "model", str) or "",
        messages=tuple(
            parse_message(message, f"messages[{at}]", dialect)
            for at, message in enumerate(required(body, "messages", list))
        ),
        tools=tuple(parse_tool(tool, f"tools[{at}]") for at, tool in enumerate(optional(body, "tools", list) or ())),
        tool_choice=_take_tool_choice(extra),
        parallel_tool_calls=optional(body, "parallel_tool_calls", bool),
        schema=_take_schema(extra),
        temperature=optional(body, "temperature", float),
        top_p=optional(body, "top_p", float),
        max_tokens=max_tokens,
        stop=_parse_stop(body.get("stop")),
        seed=seed,
        n=optional(body, "n", int),
        reasoning=optional(body, "reasoning_effort", str),
        extra=extra,
        wire=WIRE,
        stream=optional(body, "stream", bool) or False,
    )


def _drop_include_usage(extra: dict[str, Any]) -> None:
    options = optional(extra, "stream_options", dict)
    if options is not None:
        extra["stream_options"] = rest(options, ("include_usage",))
        if not extra["stream_options"]:
            del extra["stream_options"]


def _take_tool_choice(extra: dict[str, Any]) -> str | None:
    choice = extra.get("tool_choice")
    if choice in _MODES:
        taken: str = extra.pop("tool_choice")
        return taken
    if isinstance(choice, dict) and choice.get("type") == "function":
        function = required(choice, "function", dict, "tool_choice")
        name = required(function, "name", str, "tool_choice.function")
        if name not in _MODES:
            del extra["tool_choice"]
            return name
    return None


def _take_schema(extra: dict[str, Any]) -> Schema | None:
    """Take a JSON schema out, unless it says more than `Schema` can."""
    given = optional(extra, "response_format", dict)
    if given is None or given.get("type") != "json_schema":
        return None
    inner = required(given, "json_schema", dict, "response_format")
    where = "response_format.json_schema"
    name, schema = required(inner, "name", str, where), optional(inner, "schema", dict, where)
    strict = optional(inner, "strict", bool, where)
    if schema is None or rest(inner, ("name", "schema", "strict")) or rest(given, ("type", "json_schema")):
        return None
    del extra["response_format"]
    return Schema(schema, name, strict)


def _parse_stop(stop: Any) -> tuple[str, ...]:
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,)
    return tuple(checked(text, str, f"stop[{at}]") for at, text in enumerate(checked(stop, list, "stop")))
