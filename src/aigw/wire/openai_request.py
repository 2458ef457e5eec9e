"""Requests in the format of OpenAI chat completions: a `Call` to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call, Schema
from aigw.errors import ConfigError
from aigw.wire.fields import checked, optional, required, rest
from aigw.wire.openai_dialect import DEFAULT, Dialect
from aigw.wire.openai_messages import parse_message, parse_tool, render_message, render_tool

if TYPE_CHECKING:
    from aigw.message import Message

_MODES: Final = ("auto", "none", "required")
_PLAIN: Final = (
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("seed", "seed"),
    ("n", "n"),
    ("reasoning", "reasoning_effort"),
)
"""Fields of `Call` that go out as they are, and their names there."""
_KNOWN: Final = frozenset(
    {"model", "messages", "tools", "parallel_tool_calls", "max_completion_tokens", "stop", "stream"}
    | {name for _, name in _PLAIN}
)


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT) -> dict[str, Any]:
    """Render a chat call; only what is set is sent.

    ``call.extra`` goes over the rest at the top level. Only ``stream_options`` is joined with ours, so that adding an
    option does not lose the usage of a stream.

    Args:
        call: the call.
        model: the model to ask for.
        dialect: how the server differs.

    Raises:
        ConfigError: a message of role ``tool`` holds something else than tool results.
    """
    body: dict[str, Any] = {"model": model, "messages": _render_messages(call.messages, dialect)}
    if call.tools:
        _add_tools(body, call)
    if call.schema is not None:
        body["response_format"] = _render_schema(call.schema)
    for field, name in _PLAIN:
        if (value := getattr(call, field)) is not None:
            body[name] = value
    if call.max_tokens is not None:
        body[dialect.max_tokens] = call.max_tokens
    if call.stop:
        body["stop"] = list(call.stop)
    if call.stream:
        body["stream"] = True
        if dialect.stream_usage:
            body["stream_options"] = {"include_usage": True, **(call.extra.get("stream_options") or {})}
    if call.extra:
        body.update(rest(call.extra, ("stream_options",)) if "stream_options" in body else call.extra)
    return body


def _render_messages(messages: tuple[Message, ...], dialect: Dialect) -> list[dict[str, Any]]:
    rendered: list[dict[str, Any]] = []
    for message in messages:
        rendered += render_message(message, dialect)
    return rendered


def _add_tools(body: dict[str, Any], call: Call) -> None:
    body["tools"] = [render_tool(tool) for tool in call.tools]
    if call.tool_choice is not None:
        mode = call.tool_choice in _MODES
        body["tool_choice"] = call.tool_choice if mode else {"type": "function", "function": {"name": call.tool_choice}}
    if call.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = call.parallel_tool_calls


def _render_schema(schema: Schema) -> dict[str, Any]:
    rendered: dict[str, Any] = {"name": schema.name, "schema": schema.schema}
    if schema.strict is not None:
        rendered["strict"] = schema.strict
    return {"type": "json_schema", "json_schema": rendered}


def parse_request(body: Mapping[str, Any]) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``: among them a ``tool_choice`` or ``response_format`` that
    says more than `Call` can, and the old ``functions`` and ``function_call``. ``stream_options.include_usage`` is
    dropped, because it tells only what the client wants to see: aigw always asks for usage.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    if not isinstance(body, Mapping):
        raise ConfigError(f"the request must be an object, not {type(body).__name__}")
    extra = rest(body, _KNOWN)
    max_tokens = optional(body, "max_completion_tokens", int)
    if max_tokens is None:
        max_tokens = optional(body, "max_tokens", int)
        extra.pop("max_tokens", None)
    _drop_include_usage(extra)
    return Call(
        model=optional(body, "model", str) or "",
        messages=tuple(
            parse_message(message, f"messages[{at}]") for at, message in enumerate(required(body, "messages", list))
        ),
        tools=tuple(parse_tool(tool, f"tools[{at}]") for at, tool in enumerate(optional(body, "tools", list) or ())),
        tool_choice=_take_tool_choice(extra),
        parallel_tool_calls=optional(body, "parallel_tool_calls", bool),
        schema=_take_schema(extra),
        temperature=optional(body, "temperature", float),
        top_p=optional(body, "top_p", float),
        max_tokens=max_tokens,
        stop=_parse_stop(body.get("stop")),
        seed=optional(body, "seed", int),
        n=optional(body, "n", int),
        reasoning=optional(body, "reasoning_effort", str),
        extra=extra,
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
