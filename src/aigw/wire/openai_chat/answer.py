"""Reading answers in the format of OpenAI chat completions: whole ones and the events of a stream, as chunks.

What aigw does not model is kept in ``Chunk.extra`` (``None`` where there is nothing), laid out like this:

- unknown fields of the whole answer at its top level, on the last chunk of it: ``{"service_tier": "default"}``;
- of the choice under ``"choice"``: ``{"choice": {"logprobs": {...}}}``;
- of the message or delta under ``"message"``: ``{"message": {"annotations": [...]}}``;
- of a text of a content in parts under ``"part"``;
- of the usage under ``"usage"``: ``{"usage": {"cost": 0.002}}``.

Finish reasons that only some servers have are translated, and kept as they came under ``"choice"``. ``created`` is not
kept. The way back is in `aigw.wire.openai_chat.render`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from pydantic_core import to_json

from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import ConfigError
from aigw.message import Image, Part, Reasoning
from aigw.wire.answers import wrong_answer
from aigw.wire.fields import checked, rest
from aigw.wire.openai_chat.contents import read_content
from aigw.wire.openai_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_chat.errors import classify
from aigw.wire.openai_chat.parts import read_part, read_tool_call
from aigw.wire.openai_chat.reasoning import DETAILS, Thoughts, owner, take_details, take_reasoning
from aigw.wire.usage import parse_usage, usage_rest

if TYPE_CHECKING:
    from collections.abc import Mapping

INNER: Final = ("choice", "message", "usage", "part")
"""The names in ``Chunk.extra`` that hold the unknown fields of something within the answer."""

_TOP: Final = frozenset({"id", "object", "created", "model", "choices", "error", *INNER})
_CHOICE: Final = frozenset({"index", "delta", "message", "finish_reason"})
_QUIET_CHOICE: Final = _CHOICE | {"logprobs"}  # most servers send it always, and most often null
_MESSAGE: Final = frozenset({"role", "content", "refusal", "tool_calls"})

_REASONS: Final[Mapping[str, str]] = {
    "eos": "stop",  # Together
    "model_length": "length",  # Mistral
}
"""Finish reasons of some servers, and what others call them."""

_Whole = tuple[str | None, str | None, Usage | None, dict[str, Any] | None]
"""What belongs to a whole answer: its id, model, usage and unknown fields."""

_EMPTY: Final = Chunk(wire=WIRE)
"""What chunks are copied from, which is cheaper than making them anew."""


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: most often a chunk for each choice; usage, and fields of the whole, on the last one.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no chat completion.
        ProviderError: it is an error, under status 200.
    """
    chunks = _parse(body, "message", dialect, model)
    if dialect.reasoning_back is None:
        return chunks
    thoughts = Thoughts(dialect)
    return [marked for chunk in chunks for marked in thoughts.read(chunk)] + thoughts.finish()


def parse_event(data: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
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


def _parse(data: Mapping[str, Any], key: str, dialect: Dialect, asked: str) -> list[Chunk]:
    try:
        if type(data) is not dict:
            checked(data, dict, "it")
        if data.get("error"):
            raise classify(200, {}, to_json(data), provider=dialect.provider, model=asked)
        choices = data.get("choices")
        whole = _parse_whole(data)
        if type(choices) is list and len(choices) == 1:
            return _parse_choice(choices[0], key, whole, dialect)
        if key == "delta" and not choices:
            # Before the first choice, or the usage after the last one: some servers send that without choices. What
            # nobody has heard of passes through too.
            return [Chunk(id=whole[0], model=whole[1], usage=whole[2], extra=whole[3], wire=WIRE)]
        *others, last = checked(choices, list, "choices") or _none_of("choices")
        part = (*whole[:2], None, None)
        return [
            *[chunk for choice in others for chunk in _parse_choice(choice, key, part, dialect)],
            *_parse_choice(last, key, whole, dialect),
        ]
    except ConfigError as error:
        raise wrong_answer("a chat completion", error, dialect.provider, asked) from None


def _none_of(what: str) -> NoReturn:
    raise ConfigError(f"it has no {what}")


def _parse_whole(data: Mapping[str, Any]) -> _Whole:
    identity = data.get("id") or None
    model = data.get("model") or None
    if (identity is not None and type(identity) is not str) or (model is not None and type(model) is not str):
        raise ConfigError("id or model is not a string")
    extra = None if _TOP.issuperset(data) else rest(data, _TOP) or None
    usage = data.get("usage")
    if not usage:
        return identity, model, None if extra is None else _groq_usage(extra), extra
    if left := usage_rest(usage):
        extra = {**(extra or {}), "usage": left}
    return identity, model, parse_usage(usage), extra


def _groq_usage(extra: Mapping[str, Any]) -> Usage | None:
    """Read the usage of a stream where Groq puts it without being asked."""
    inner = extra.get("x_groq")
    return parse_usage(inner.get("usage")) if isinstance(inner, dict) else None


def _parse_choice(choice: Any, key: str, whole: _Whole, dialect: Dialect) -> list[Chunk]:
    identity, model, usage, extra = whole
    if type(choice) is not dict:
        checked(choice, dict, "a choice")
    message = choice.get(key)
    if type(message) is not dict:
        message = {} if message is None and key == "delta" else checked(message, dict, key)
    text = message.get("content") or ""
    reasoning = refusal = ""
    calls: tuple[ToolCallDelta, ...] = ()
    parts: tuple[Part, ...] = ()
    if len(message) > 1 or "content" not in message:  # most deltas are a text and nothing else
        unknown = rest(message, _MESSAGE)
        reasoning = take_reasoning(unknown, dialect.reasoning_fields) or ""
        refusal = checked(message.get("refusal") or "", str, "refusal")
        calls = _parse_calls(message.get("tool_calls") or (), streamed=key == "delta")
        if unknown:
            parts = _take_parts(unknown, dialect)
            extra = {**(extra or {}), "message": unknown} if unknown else extra
    quiet = choice.get("logprobs") is None and _QUIET_CHOICE.issuperset(choice)
    if not quiet and (unknown := rest(choice, _CHOICE)):
        extra = {**(extra or {}), "choice": unknown}
    reason = choice.get("finish_reason") or None
    index = choice.get("index") or 0
    if (reason is not None and type(reason) is not str) or type(index) is not int:
        raise ConfigError("finish_reason is not a string, or index is not an integer")
    if reason is not None and reason in _REASONS:
        extra = {**(extra or {}), "choice": {**((extra or {}).get("choice") or {}), "finish_reason": reason}}
        reason = _REASONS[reason]
    whole_text = type(text) is str
    chunk = _EMPTY.evolve(
        text=text if whole_text else "",
        reasoning=reasoning,
        tool_calls=calls,
        refusal=refusal,
        finish_reason=reason,
        usage=usage,
        index=index,
        parts=parts,
        id=identity,
        model=model,
        extra=extra,
    )
    return [chunk] if whole_text else read_content(checked(text, list, "content"), chunk, owner(dialect))


def _take_parts(unknown: dict[str, Any], dialect: Dialect) -> tuple[Part, ...]:
    """Take parts that came whole out of the fields that aigw does not model."""
    parts: list[Part] = []
    if dialect.reasoning_back == DETAILS and (details := take_details(unknown)) is not None:
        parts.append(Reasoning("", None, dialect.provider, {DETAILS: details}))
    images = unknown.get("images")  # OpenRouter and those who follow it
    if isinstance(images, list) and images:
        try:
            read = [read_part(image, "images") for image in images]
        except ConfigError:
            return tuple(parts)  # of another shape: they stay where they are
        if all(isinstance(image, Image) for image in read):
            del unknown["images"]
            parts += read
    return tuple(parts)


def _parse_calls(calls: Any, *, streamed: bool) -> tuple[ToolCallDelta, ...]:
    deltas = []
    for at, call in enumerate(checked(calls, list, "tool_calls")):
        identity, name, arguments, extra = read_tool_call(checked(call, dict, "a tool call"))
        position = call.get("index") if streamed else at
        if identity is None and name is not None and not streamed:
            identity = f"call_{at}"
        deltas.append(
            ToolCallDelta(position if type(position) is int else at, identity, name, arguments, extra or None)
        )
    return tuple(deltas)
