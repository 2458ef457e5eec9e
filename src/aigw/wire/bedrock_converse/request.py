"""Requests of the Converse API: from a `Call` and back. The model and whether it is streamed stand in the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.call import Call, Schema
from aigw.errors import ConfigError
from aigw.wire.bedrock_converse.blocks import Scribe
from aigw.wire.bedrock_converse.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.bedrock_converse.messages import parse_messages, render_messages
from aigw.wire.bedrock_converse.thinking import MODEL_FIELDS, Thinking, claude, decide, take
from aigw.wire.bedrock_converse.tools import is_forced, parse_choice, parse_tools, render_tools
from aigw.wire.fields import checked, merge, optional, required, rest
from aigw.wire.losses import Losses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.bedrock_converse.blocks import Block
    from aigw.wire.bedrock_converse.families import Family

_KNOWN: Final = frozenset({"messages", "system", "inferenceConfig", "toolConfig"})
_LEAST_WHILE_THINKING: Final[Mapping[str, float]] = {"temperature": 1.0, "top_p": 0.95}
_SCHEMA: Final = "Answer with nothing but one JSON value that fits this JSON schema, and no code fence around it:\n"


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render a chat call; only what is set is sent.

    What `Call.extra` holds is joined with ours, objects within the body field by field.

    Args:
        call: the call.
        model: the model to ask for; what may be sent depends on it.
        dialect: how the server differs.
        strict: what becomes of things that cannot be said; see `aigw.wire.losses.Losses`.

    Raises:
        NoCapableTarget: the call says something that the format cannot.
    """
    losses = Losses(call, WIRE, strict)
    family = dialect.family(model)
    extra = losses.own(call.extra, call.wire)
    if is_forced(call) and (able := claude(model)) is not None and not able.forced_tools:
        losses.content("a tool choice that forces a call (at this model)")
        call = call.evolve(tool_choice="auto")
    system, messages = render_messages(call.messages, Scribe(losses, dialect, family))
    thinking = decide(call, model, family, extra.get(MODEL_FIELDS) or {}, losses)
    bound = _bound(call, model, family, thinking, losses)
    answer = call.schema.schema if call.schema is not None and bound == "tool" else None
    tool_config, instruction = render_tools(call, messages, losses, answer)
    if instruction:
        system.append({"text": instruction})
    if call.schema is not None and bound == "prompt":
        system.append({"text": _SCHEMA + _json(call.schema.schema)})
    fields: dict[str, Any] = {
        "messages": messages,
        "system": system,
        "inferenceConfig": _inference(call, thinking, losses),
        "toolConfig": tool_config,
        "outputConfig": _text_format(call.schema) if call.schema is not None and bound == "format" else None,
        MODEL_FIELDS: thinking.fields,
    }
    body = {name: value for name, value in fields.items() if value or name == "messages"}
    if call.seed is not None:
        losses.tuning("seed")
    if call.n not in (None, 1):
        losses.content("several answers to one call")
    return merge(body, rest(extra, (MODEL_FIELDS,)))


def _inference(call: Call, thinking: Thinking, losses: Losses) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if call.max_tokens is not None:
        config["maxTokens"] = call.max_tokens
    for name, field, value in (("temperature", "temperature", call.temperature), ("top_p", "topP", call.top_p)):
        if value is None:
            continue
        if thinking.sampling == "none":
            losses.tuning(f"{name} (at this model)")
        elif thinking.sampling == "one" and thinking.on and value < _LEAST_WHILE_THINKING[name]:
            losses.tuning(f"{name} while the model thinks")
        elif thinking.sampling == "one" and "temperature" in config:
            losses.tuning(f"{name} beside a temperature")
        elif not 0 <= value <= 1:
            losses.tuning(f"{name} beyond the range from 0 to 1")
        else:
            config[field] = value
    stop = [text for text in call.stop if text]
    if len(stop) < len(call.stop):
        losses.tuning("an empty stop text")
    return {**config, "stopSequences": stop} if stop else config


def _bound(call: Call, model: str, family: Family, thinking: Thinking, losses: Losses) -> str:
    """Choose how the answer is bound to the schema of the call; empty for not at all."""
    if call.schema is None:
        return ""
    if family.schema == "format":
        return "format"
    if is_forced(call):
        losses.note("a JSON schema beside a tool that must be called")
        return ""
    losses.note("a JSON schema", "emulated")
    able = claude(model)
    possible = family.schema == "tool" and not thinking.on and (able is None or able.forced_tools)
    return "tool" if possible and call.schema.schema.get("type") == "object" else "prompt"


def _text_format(schema: Schema) -> Block:
    definition = {"schema": _json(schema.schema), "name": schema.name}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}}


def _json(schema: Mapping[str, Any]) -> str:
    return to_json(schema).decode()


def parse_request(
    body: Mapping[str, Any], *, model: str = "", stream: bool = False, dialect: Dialect = DEFAULT
) -> Call:
    """Read a request.

    Fields that `Call` does not model go to ``Call.extra``.

    Args:
        body: the decoded JSON.
        model: the model, which stands in the URL.
        stream: whether the URL asks for a stream.
        dialect: tells how the model is asked to think.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    body = checked(body, dict, "the request")
    extra = rest(body, _KNOWN)
    inference = optional(body, "inferenceConfig", dict) or {}
    _keep(extra, "inferenceConfig", rest(inference, ("maxTokens", "temperature", "topP", "stopSequences")))
    tool_config = optional(body, "toolConfig", dict) or {}
    choice = parse_choice(tool_config)
    max_tokens = optional(inference, "maxTokens", int, "inferenceConfig")
    reasoning, model_fields = take(optional(extra, MODEL_FIELDS, dict) or {}, model, dialect.family(model), max_tokens)
    extra.pop(MODEL_FIELDS, None)
    _keep(extra, MODEL_FIELDS, model_fields)
    _keep(extra, "toolConfig", rest(tool_config, ("tools",) if choice is None else ("tools", "toolChoice")))
    return Call(
        model=model,
        messages=parse_messages(body, dialect.provider),
        tools=parse_tools(tool_config),
        tool_choice=choice,
        schema=_take_schema(extra),
        temperature=optional(inference, "temperature", float, "inferenceConfig"),
        top_p=optional(inference, "topP", float, "inferenceConfig"),
        max_tokens=max_tokens,
        stop=_parse_stop(inference),
        reasoning=reasoning,
        extra=extra,
        stream=stream,
        wire=WIRE,
    )


def _keep(extra: dict[str, Any], name: str, unknown: Mapping[str, Any]) -> None:
    if unknown:
        extra[name] = unknown


def _parse_stop(inference: Mapping[str, Any]) -> tuple[str, ...]:
    where = "inferenceConfig.stopSequences"
    given = optional(inference, "stopSequences", list, "inferenceConfig") or ()
    return tuple(checked(text, str, f"{where}[{at}]") for at, text in enumerate(given))


def _take_schema(extra: dict[str, Any]) -> Schema | None:
    """Take a JSON schema out, unless it says more than `Schema` can."""
    config = optional(extra, "outputConfig", dict)
    if config is None or config.get("textFormat") is None:
        return None
    where = "outputConfig.textFormat"
    given = required(config, "textFormat", dict, "outputConfig")
    structure = required(given, "structure", dict, where)
    if (
        given.get("type") != "json_schema"
        or given.keys() != {"type", "structure"}
        or structure.keys() != {"jsonSchema"}
    ):
        return None
    where += ".structure.jsonSchema"
    definition = checked(structure["jsonSchema"], dict, where)
    name = optional(definition, "name", str, where)
    schema = _schema_object(required(definition, "schema", str, where), f"{where}.schema")
    if rest(definition, ("schema", "name")):
        return None
    extra["outputConfig"] = rest(config, ("textFormat",))
    if not extra["outputConfig"]:
        del extra["outputConfig"]
    return Schema(schema) if name is None else Schema(schema, name)


def _schema_object(text: str, where: str) -> dict[str, Any]:
    try:
        value = from_json(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be the JSON text of an object")
    return value
