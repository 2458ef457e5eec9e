"""Requests in the format of Anthropic Messages, to and from `Call`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.call import Call, Schema
from aigw.wire.anthropic_messages.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.anthropic_messages.parse_messages import parse_message, parse_system
from aigw.wire.anthropic_messages.render_messages import ConversationWriter, compact
from aigw.wire.anthropic_messages.thinking import ask, is_on, room, said, understand, without_said
from aigw.wire.anthropic_messages.tools import parse_tool, render_tool, render_tool_choice, take_tool_choice
from aigw.wire.fields import checked, checked_request, merge, optional, required, rest
from aigw.wire.losses import Losses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.message import Message

_KNOWN: Final = frozenset(
    {"model", "max_tokens", "system", "messages", "tools", "stop_sequences", "stream", "temperature", "top_p"}
)
_FORCED: Final = ("any", "tool")
_LEAST_TOP_P_WHILE_THINKING: Final = 0.95
_PLEASE: Final = "Answer with nothing but JSON that fits this JSON schema:\n"


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render a chat call.

    ``call.extra`` goes over the rest; objects in it, such as ``output_config``, are joined with ours. What it says
    about thinking and effort counts more than ``call.reasoning``. A call without ``max_tokens`` gets those of the
    dialect, and the tokens that thinking may take on top.

    Args:
        call: the call.
        model: the model to ask for.
        dialect: how the server differs.
        strict: what becomes of things that the format cannot say; see `Losses`.

    Raises:
        ConfigError: a message holds a part that its role cannot say.
        NoCapableTarget: something would be lost that must not be.
    """
    dialect = dialect.for_model(model)
    losses = Losses(call, WIRE, strict)
    body: dict[str, Any] = {"model": model, "max_tokens": call.max_tokens}
    extra = _extra(call, losses)
    _add_conversation(body, call, dialect, losses)
    _add_tools(body, call, dialect, losses)
    _add_reasoning(body, call, extra, dialect, losses)
    merge(body, extra)
    _add_sampling(body, call, dialect, losses)
    _add_limits(body, call, dialect, losses)
    if call.stream:
        body["stream"] = True
    return body


def _extra(call: Call, losses: Losses) -> Mapping[str, Any]:
    """Return the unknown fields; without those about reasoning, if a policy has changed that since they were read."""
    extra = losses.own(call.extra, call.wire)
    if call.wire == WIRE and call.reasoning is not None and (words := said(extra)):
        return extra if understand(words, DEFAULT) == call.reasoning else without_said(extra)
    return extra


def _add_conversation(body: dict[str, Any], call: Call, dialect: Dialect, losses: Losses) -> None:
    writer = ConversationWriter(dialect, losses)
    messages = writer.write(call.messages)
    if call.schema is not None:
        if dialect.output_schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": call.schema.schema}}
        else:
            losses.note("a schema, as an instruction", "emulated")
            text = _PLEASE + to_json(call.schema.schema).decode()
            writer.system.append({"type": "text", "text": text})
    if writer.system:
        body["system"] = compact(writer.system)
    body["messages"] = messages


def _add_tools(body: dict[str, Any], call: Call, dialect: Dialect, losses: Losses) -> None:
    tools = [rendered for tool in call.tools if (rendered := render_tool(tool, call.wire, losses)) is not None]
    if not tools:
        return
    body["tools"] = tools
    choice = render_tool_choice(call.tool_choice, call.parallel_tool_calls)
    if choice is not None and choice["type"] in _FORCED and not dialect.forced_tools:
        losses.content("a tool choice that forces a call (at this model)")
        choice = render_tool_choice("auto", call.parallel_tool_calls)
    if choice is not None:
        body["tool_choice"] = choice


def _add_reasoning(
    body: dict[str, Any], call: Call, extra: Mapping[str, Any], dialect: Dialect, losses: Losses
) -> None:
    if said(extra):
        return
    forced = body.get("tool_choice", {}).get("type") in _FORCED
    reasoning = call.reasoning
    if forced and reasoning not in (None, "none"):
        losses.tuning("reasoning beside a tool choice that forces a call")
        reasoning = None
    if forced and reasoning is None and dialect.thinks and dialect.thinking_off and call.wire != WIRE:
        reasoning = "none"  # it would think all the same, and answer without a call
    if reasoning is None:
        return
    asked = ask(reasoning, dialect, call.max_tokens)
    if asked.lost:
        losses.tuning(f"reasoning {reasoning!r}")
    if asked.change:
        losses.note(asked.change, "changed")
    merge(body, asked.fields)


def _add_sampling(body: dict[str, Any], call: Call, dialect: Dialect, losses: Losses) -> None:
    thinks = is_on(body, dialect) and dialect.sampling == "one"
    if call.temperature is not None:
        if dialect.sampling == "none" or (thinks and call.temperature != 1):
            losses.tuning("temperature (at this model)" if not thinks else "temperature while the model thinks")
        else:
            body["temperature"] = min(call.temperature, dialect.max_temperature)
            if body["temperature"] != call.temperature:
                losses.note(f"temperature {call.temperature:g}, as {dialect.max_temperature:g}", "changed")
    if call.top_p is not None:
        if dialect.sampling == "none" or (thinks and call.top_p < _LEAST_TOP_P_WHILE_THINKING):
            losses.tuning("top_p (at this model)" if not thinks else "top_p while the model thinks")
        elif dialect.sampling == "one" and "temperature" in body:
            losses.tuning("top_p beside a temperature")
        else:
            body["top_p"] = call.top_p


def _add_limits(body: dict[str, Any], call: Call, dialect: Dialect, losses: Losses) -> None:
    if body["max_tokens"] is None:
        body["max_tokens"] = dialect.default_max_tokens + room(body, dialect)
    stops = [text for text in call.stop if text and not text.isspace()]
    if len(stops) != len(call.stop):
        losses.tuning("a stop text of nothing but white space")
    if stops:
        body["stop_sequences"] = stops
    if call.seed is not None:
        losses.tuning("seed")
    if call.n is not None and call.n > 1:
        losses.content("several answers (n)")


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``: among them a ``tool_choice`` or a format that says more than
    `Call` can, and ``thinking`` and effort where ``Call.reasoning`` does not say exactly the same.

    Args:
        body: the decoded JSON.
        dialect: names the provider whose signatures the thinking in it has.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    model = optional(body, "model", str) or ""
    max_tokens = optional(body, "max_tokens", int)
    extra = rest(body, _KNOWN)
    reasoning, extra = _take_reasoning(extra, dialect.for_model(model), max_tokens)
    choice, parallel = take_tool_choice(extra)
    messages: list[Message] = [*parse_system(body)]
    for at, message in enumerate(required(body, "messages", list)):
        messages += parse_message(message, f"messages[{at}]", dialect.provider)
    stops = optional(body, "stop_sequences", list) or ()
    return Call(
        model=model,
        messages=tuple(messages),
        tools=tuple(parse_tool(tool, f"tools[{at}]") for at, tool in enumerate(optional(body, "tools", list) or ())),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        schema=_take_schema(extra),
        temperature=optional(body, "temperature", float),
        top_p=optional(body, "top_p", float),
        max_tokens=max_tokens,
        stop=tuple(checked(text, str, f"stop_sequences[{at}]") for at, text in enumerate(stops)),
        reasoning=reasoning,
        extra=extra,
        wire=WIRE,
        stream=optional(body, "stream", bool) or False,
    )


def _take_reasoning(
    extra: dict[str, Any], dialect: Dialect, max_tokens: int | None
) -> tuple[str | None, dict[str, Any]]:
    """Read how hard to think. The fields stay in `extra` unless they are those that we would ask with ourselves."""
    optional(extra, "thinking", dict)
    optional(extra, "output_config", dict)
    words = said(extra)
    reasoning = understand(words, dialect) if words else None
    if reasoning is not None and ask(reasoning, dialect, max_tokens).fields == words:
        extra = without_said(extra)
    return reasoning, extra


def _take_schema(extra: dict[str, Any]) -> Schema | None:
    """Take a JSON schema out, unless the format says more than `Schema` can."""
    config = extra.get("output_config")
    if config is None or config.get("format") is None:
        return None
    given = required(config, "format", dict, "output_config")
    if given.get("type") != "json_schema" or rest(given, ("type", "schema")):
        return None
    schema = required(given, "schema", dict, "output_config.format")
    extra["output_config"] = rest(config, ("format",))
    if not extra["output_config"]:
        del extra["output_config"]
    return Schema(schema)
