"""Answers in the format of OpenAI chat completions: whole ones and the events of a stream, to and from `Chunk`.

What aigw does not model is kept in ``Chunk.extra`` (``None`` where there is nothing), laid out like this:

- unknown fields of the whole answer at its top level, on the last chunk of it: ``{"service_tier": "default"}``;
- of the choice under ``"choice"``: ``{"choice": {"logprobs": {...}}}``;
- of the message or delta under ``"message"``: ``{"message": {"annotations": [...]}}``;
- of the usage under ``"usage"``: ``{"usage": {"cost": 0.002}}``.

``created`` is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_json

from aigw.chunk import Chunk, ToolCallDelta, Usage, join_tool_calls
from aigw.errors import BadResponse, ConfigError
from aigw.wire.fields import merge, rest
from aigw.wire.openai_dialect import OPENAI, Dialect
from aigw.wire.openai_errors import classify
from aigw.wire.openai_messages import read_tool_call, take_reasoning, write_tool_call
from aigw.wire.usage import parse_usage, render_usage, usage_rest

_TOP: Final = frozenset({"id", "object", "created", "model", "choices", "usage", "error"})
_CHOICE: Final = frozenset({"index", "delta", "message", "finish_reason"})
_MESSAGE: Final = frozenset({"role", "content", "refusal", "tool_calls"})
LAYERS: Final = ("choice", "message", "usage")
"""Names in ``Chunk.extra`` that hold the unknown fields of an inner object."""


class _Malformed(Exception):
    """Something in an answer is not what the format says; the message names the field."""


def parse_response(body: Mapping[str, Any], dialect: Dialect = OPENAI, model: str = "") -> list[Chunk]:
    """Read a whole answer: a chunk for each choice, usage and fields of the whole answer on the last one.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no chat completion.
        ProviderError: it is an error, under status 200.
    """
    chunks = _parse(body, "message", dialect, model)
    if not body["choices"]:
        raise _bad("there are no choices", dialect, model)
    return chunks


def parse_event(data: Mapping[str, Any], dialect: Dialect = OPENAI, model: str = "") -> list[Chunk]:
    """Read one event of a stream: a chunk for each choice, most often one; a single chunk where there is no choice.

    Args:
        data: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no chunk of a chat completion.
        ProviderError: it is an error.
    """
    return _parse(data, "delta", dialect, model)


def _bad(what: str, dialect: Dialect, model: str) -> BadResponse:
    return BadResponse(f"the answer is not a chat completion: {what}", provider=dialect.provider, model=model)


def _parse(data: Mapping[str, Any], key: str, dialect: Dialect, asked: str) -> list[Chunk]:
    if not isinstance(data, dict):
        raise _bad("it is not an object", dialect, asked)
    if data.get("error"):
        raise classify(200, {}, to_json(data), provider=dialect.provider, model=asked)
    choices = data.get("choices")
    usage = data.get("usage")
    if not isinstance(choices, list):
        if choices is not None or key != "delta" or not usage:  # some servers send usage at the end without choices
            raise _bad("choices is not a list", dialect, asked)
        choices = []
    extra = None if _TOP.issuperset(data) else rest(data, _TOP) or None
    if usage:
        if left := usage_rest(usage):
            extra = {**(extra or {}), "usage": left}
        usage = parse_usage(usage)
    identity, model = data.get("id") or None, data.get("model") or None
    try:
        if len(choices) == 1:
            return [_parse_choice(choices[0], key, identity, model, usage or None, extra, dialect)]
        chunks = [_parse_choice(choice, key, identity, model, None, None, dialect) for choice in choices[:-1]]
        if choices:
            return [*chunks, _parse_choice(choices[-1], key, identity, model, usage or None, extra, dialect)]
    except (_Malformed, ConfigError) as error:
        raise _bad(str(error), dialect, asked) from None
    return [Chunk(usage=usage or None, id=identity, model=model, extra=extra)]


def _parse_choice(
    choice: Any,
    key: str,
    identity: Any,
    model: Any,
    usage: Usage | None,
    extra: dict[str, Any] | None,
    dialect: Dialect,
) -> Chunk:
    if not isinstance(choice, dict):
        raise _Malformed("a choice is not an object")
    message = choice.get(key)
    if not isinstance(message, dict):
        if message is not None or key == "message":
            raise _Malformed(f"the {key} of a choice is not an object")
        message = {}
    text = message.get("content") or ""
    reason = choice.get("finish_reason") or None
    index = choice.get("index") or 0
    if type(text) is not str or type(index) is not int or (reason is not None and type(reason) is not str):
        raise _Malformed("the content, index or finish_reason of a choice has the wrong type")
    reasoning = None
    if not _MESSAGE.issuperset(message):
        unknown = rest(message, _MESSAGE)
        reasoning = take_reasoning(unknown, dialect.reasoning_fields)
        if unknown:
            extra = {**(extra or {}), "message": unknown}
    if not _CHOICE.issuperset(choice) and (unknown := rest(choice, _CHOICE)):
        extra = {**(extra or {}), "choice": unknown}
    calls = message.get("tool_calls")
    return Chunk(
        text,
        reasoning or "",
        _parse_calls(calls) if calls else (),
        _string(message, "refusal") if "refusal" in message else "",
        reason,
        usage,
        index,
        id=identity,
        model=model,
        extra=extra,
    )
