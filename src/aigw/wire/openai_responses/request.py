"""Requests in the format of OpenAI Responses: a `Call` to JSON and back.

A call that was read from this format goes out as it came. Any other call says what servers would take for granted
otherwise, and other formats do not: that nothing is to be stored, and that the schemas of tools are not strict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call, Schema
from aigw.message import Message, Reasoning
from aigw.wire.fields import checked_request, merge, optional, required, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_responses.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_responses.messages import INSTRUCTIONS, parse_input, render_input
from aigw.wire.openai_responses.tools import parse_tool, render_tool_choice, render_tools, take_tool_choice

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN: Final = (
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("max_tokens", "max_output_tokens"),
)
"""Fields of `Call` that go out as they are, and their names there."""
_KNOWN: Final = frozenset({"model", "input", "tools", "parallel_tool_calls", "stream"} | {name for _, name in _PLAIN})
_MEMORY: Final = ("previous_response_id", "conversation", "background")
"""Fields with which a call uses what the server remembers."""

_SIGNATURES: Final = "reasoning.encrypted_content"


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render a chat call; only what is set is sent.

    ``call.extra`` goes over the rest at the top level. Only ``text``, ``reasoning`` and ``include`` are joined with
    ours. A call whose extra fields use the server's memory (``store: True``, ``previous_response_id``, ...) gets it;
    all others are sent with ``store: False``, and ask for the signatures of reasoning, so that the conversation can go
    on without it.

    Args:
        call: the call.
        model: the model to ask for.
        dialect: how the server differs.
        strict: what becomes of what the format cannot say; see `aigw.wire.losses.Losses`.

    Raises:
        ConfigError: a message of role ``tool`` holds something else than tool results.
        NoCapableTarget: something that may not be lost cannot be said.
    """
    losses = Losses(call, WIRE, strict)
    extra = losses.own(call.extra, call.wire)
    remembers = _remembers(extra)
    instructions, messages = _split_instructions(call, losses)
    body: dict[str, Any] = {"model": model}
    if instructions is not None:
        body[INSTRUCTIONS] = instructions
    body["input"] = render_input(messages, losses, dialect, ids=remembers or call.wire == WIRE)
    if call.tools:
        body["tools"] = render_tools(call, losses)
    if call.tools or call.wire == WIRE:
        _add(body, "tool_choice", render_tool_choice(call))
        _add(body, "parallel_tool_calls", call.parallel_tool_calls)
    if call.schema is not None:
        body["text"] = {"format": _render_schema(call.schema)}
    if call.reasoning is not None:
        body["reasoning"] = {"effort": call.reasoning}
    for field, name in _PLAIN:
        _add(body, name, getattr(call, field))
    _refuse(call, losses)
    if call.stream:
        body["stream"] = True
    if call.wire != WIRE and not remembers:
        _forget(body, call, extra, dialect)
    return _add_extra(body, extra)


def _add(body: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        body[name] = value


def _remembers(extra: Mapping[str, Any]) -> bool:
    return bool(extra.get("store")) or any(extra.get(name) for name in _MEMORY)


def _split_instructions(call: Call, losses: Losses) -> tuple[str | None, tuple[Message, ...]]:
    """Take out the message that came as ``instructions``, unless it has become more than a text."""
    messages = call.messages
    if messages and losses.own(messages[0].extra, messages[0].wire).get(INSTRUCTIONS) is True:
        text = messages[0].text
        if messages[0] == Message(messages[0].role, text, extra={INSTRUCTIONS: True}):
            return text, messages[1:]
    return None, messages


def _render_schema(schema: Schema) -> dict[str, Any]:
    rendered: dict[str, Any] = {"type": "json_schema", "name": schema.name, "schema": schema.schema}
    _add(rendered, "strict", schema.strict)
    return rendered


def _refuse(call: Call, losses: Losses) -> None:
    """Tell what this format has no field for."""
    if call.n is not None and call.n > 1:
        losses.content("several answers (n)")
    if call.stop:
        losses.tuning("stop")
    if call.seed is not None:
        losses.tuning("seed")


def _forget(body: dict[str, Any], call: Call, extra: Mapping[str, Any], dialect: Dialect) -> None:
    """Ask the server to remember nothing, and to hand out what it needs to go on."""
    if dialect.store is not None and "store" not in extra:
        body["store"] = dialect.store
    asks = dialect.encrypted_reasoning
    if asks is None:
        asks = _reasons(call, extra, dialect)
    if asks:
        body["include"] = [_SIGNATURES]


def _reasons(call: Call, extra: Mapping[str, Any], dialect: Dialect) -> bool:
    """Tell whether a call shows that its model reasons."""
    if call.reasoning is not None or extra.get("reasoning"):
        return call.reasoning != "none"
    return any(
        isinstance(part, Reasoning) and part.provider == dialect.provider and part.signature
        for message in call.messages
        for part in message.parts
    )


def _add_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    joined = {name: extra[name] for name in ("text", "reasoning") if name in extra}
    if isinstance(included := extra.get("include"), (list, tuple)):
        joined["include"] = list(dict.fromkeys([*included, *body.get("include", ())]))
    body.update({name: value for name, value in extra.items() if name not in joined})  # None is an answer, too
    return merge(body, joined)


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``: among them a ``tool_choice`` or ``text.format`` that says
    more than `Call` can, and the fields of ``text`` and ``reasoning`` that are neither format nor effort.
    ``instructions`` become the first message, with role ``system``.

    Args:
        body: the decoded JSON.
        dialect: whose signatures the reasoning has.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    extra = rest(body, _KNOWN)
    messages = parse_input(body.get("input"), dialect)
    if isinstance(extra.get(INSTRUCTIONS), str):
        text = extra.pop(INSTRUCTIONS)
        messages = (Message("system", text, extra={INSTRUCTIONS: True}, wire=WIRE), *messages)
    return Call(
        model=optional(body, "model", str) or "",
        messages=messages,
        tools=tuple(parse_tool(tool, f"tools[{at}]") for at, tool in enumerate(optional(body, "tools", list) or ())),
        tool_choice=take_tool_choice(extra),
        parallel_tool_calls=optional(body, "parallel_tool_calls", bool),
        schema=_take_schema(extra),
        temperature=optional(body, "temperature", float),
        top_p=optional(body, "top_p", float),
        max_tokens=optional(body, "max_output_tokens", int),
        reasoning=_take_effort(extra),
        extra=extra,
        wire=WIRE,
        stream=optional(body, "stream", bool) or False,
    )


def _take_schema(extra: dict[str, Any]) -> Schema | None:
    """Take a JSON schema out, unless it says more than `Schema` can."""
    text = optional(extra, "text", dict)
    given = optional(text, "format", dict, "text") if text else None
    if text is None or given is None or given.get("type") != "json_schema":
        return None
    where = "text.format"
    name, schema = required(given, "name", str, where), optional(given, "schema", dict, where)
    strict = optional(given, "strict", bool, where)
    if schema is None or rest(given, ("type", "name", "schema", "strict")):
        return None
    _leave(extra, "text", rest(text, ("format",)))
    return Schema(schema, name, strict)


def _take_effort(extra: dict[str, Any]) -> str | None:
    reasoning = optional(extra, "reasoning", dict)
    if reasoning is None:
        return None
    effort = optional(reasoning, "effort", str, "reasoning")
    _leave(extra, "reasoning", rest(reasoning, ("effort",)))
    return effort


def _leave(extra: dict[str, Any], name: str, fields: dict[str, Any]) -> None:
    """Leave what is left of a field, if anything is."""
    if fields:
        extra[name] = fields
    else:
        del extra[name]
