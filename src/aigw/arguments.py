"""From what a user writes to a `Call`: every wrong argument is told at once, by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypedDict

from aigw.call import UNSET, Call, Fence, Principal, Unset
from aigw.checks import seconds
from aigw.errors import ConfigError
from aigw.message import Message, Other, Tool

if TYPE_CHECKING:
    from datetime import timedelta

    from aigw.call import Priority

Prompt = str | Message | Mapping[str, Any] | Sequence[Message | Mapping[str, Any]]
"""A text, a message, a message as OpenAI's API writes it, or a list of messages."""

CHOICES: Final = frozenset({"auto", "none", "required"})
PLAIN: Final = Call()
"""What every call starts from: changing a copy is cheaper than making a new one. Its mappings are never shared."""


class CommonOptions(TypedDict, total=False):
    """Options of every call.

    Attributes:
        model: a route of the gateway, or ``provider/model``. May be left out if there is one route, or one that is
            called ``default``.
        principal: who asks: an id, or a `Principal`.
        priority: ``interactive``, ``standard`` or ``batch``.
        timeout: seconds for the whole call, also as a `timedelta`; ``None`` for no limit. By default the gateway's
            `Deadline` counts.
        tags: labels for routing and policies; a text or several.
        metadata: labels for usage records and audit.
        require: tags that a target must have to serve the call, such as a region or ``private``; a text or several.
        token: a credential that the caller showed, of which an `Access` policy makes the principal.
        idempotency_key: by what a provider recognises a request that it has got already, where it does; by default one
            for each call.
        extra: fields for the provider that aigw does not model, sent untouched.
    """

    model: str | None
    principal: str | Principal | None
    priority: Priority
    timeout: float | timedelta | Unset | None
    tags: str | Iterable[str]
    metadata: Mapping[str, str]
    require: str | Iterable[str]
    token: str | None
    idempotency_key: str | None
    extra: Mapping[str, Any]


class ChatOptions(CommonOptions, total=False):
    """Options of `chat` and `stream`.

    Attributes:
        tools: tools that the model may call: `Tool` objects, or dicts as OpenAI's API writes them.
        tool_choice: ``auto``, ``none``, ``required``, or the name of the tool that it must call.
        parallel_tool_calls: whether it may call several tools at once.
        schema: a pydantic model, another type or a JSON schema that the answer must fit; see ``answer.parsed``.
        temperature: randomness, as the provider scales it.
        top_p: nucleus sampling.
        max_tokens: upper bound of the output, reasoning included.
        stop: a text or several that end the answer.
        seed: asks for repeatable sampling.
        n: how many answers.
        reasoning: how hard to think: ``none``, ``minimal``, ``low``, ``medium``, ``high``, …
    """

    tools: Sequence[Tool | Mapping[str, Any]]
    tool_choice: str | None
    parallel_tool_calls: bool | None
    schema: Any
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    stop: str | Sequence[str]
    seed: int | None
    n: int | None
    reasoning: str | None


class EmbedOptions(CommonOptions, total=False):
    """Options of `embed`.

    Attributes:
        dimensions: length of the vectors, where the model can choose.
    """

    dimensions: int | None


class RerankOptions(CommonOptions, total=False):
    """Options of `rerank`.

    Attributes:
        top_n: how many documents to return; by default all.
    """

    top_n: int | None


def chat_call(face: str, prompt: Prompt, options: Mapping[str, Any], *, stream: bool = False) -> Call:
    """Make the call of ``face(prompt, **options)``.

    Raises:
        TypeError: there is no such option.
        ConfigError: an argument makes no sense.
    """
    fields = _read(face, options)
    tools = fields.get("tools", ())
    choice = fields.get("tool_choice")
    if choice is not None and choice not in CHOICES and choice not in {tool.name for tool in tools}:
        raise ConfigError(f"{face}(tool_choice={choice!r}): not auto, none, required or the name of one of the tools")
    return PLAIN.evolve(messages=as_messages(face, prompt), stream=stream, **fields)


def embed_call(inputs: str | Sequence[str], options: Mapping[str, Any]) -> Call:
    """Make the call of ``embed(inputs, **options)``; see `chat_call`."""
    return PLAIN.evolve(operation="embeddings", inputs=_inputs("embed(inputs)", inputs), **_read("embed", options))


def rerank_call(query: str, documents: Sequence[str], options: Mapping[str, Any]) -> Call:
    """Make the call of ``rerank(query, documents, **options)``; see `chat_call`."""
    if not _text("rerank(query)", query):
        raise ConfigError("rerank(query): give the text that the documents are ranked by")
    if isinstance(documents, str):
        raise ConfigError("rerank(documents): give a list of texts, not a single text")
    given = _inputs("rerank(documents)", documents)
    return PLAIN.evolve(operation="rerank", query=query, inputs=given, **_read("rerank", options))


def moderation_call(inputs: str | Sequence[str], options: Mapping[str, Any]) -> Call:
    """Make the call of ``moderate(inputs, **options)``; see `chat_call`."""
    given = _inputs("moderate(inputs)", inputs)
    return PLAIN.evolve(operation="moderation", inputs=given, **_read("moderate", options))


def _inputs(name: str, given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Sequence):
        raise ConfigError(f"{name}: give a text or a list of texts, not {type(given).__name__}")
    for position, text in enumerate(given):
        if not isinstance(text, str):
            raise ConfigError(f"{name}: the one at [{position}] is a {type(text).__name__}, not a text")
    if not given:
        raise ConfigError(f"{name}: there is nothing in it")
    return tuple(given)


def as_messages(face: str, prompt: object) -> tuple[Message, ...]:
    """Take whatever stands for a conversation."""
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    if isinstance(prompt, (Message, Mapping)):
        return (_message(face, 0, prompt),)
    if not isinstance(prompt, Sequence) or isinstance(prompt, (bytes, bytearray)):
        raise ConfigError(
            f"{face}(messages): give a text, a Message or a list of messages, not {type(prompt).__name__}"
        )
    if not prompt:
        raise ConfigError(f"{face}(messages): there are no messages")
    return tuple(_message(face, position, message) for position, message in enumerate(prompt))


def _message(face: str, position: int, given: object) -> Message:
    if isinstance(given, Message):
        return given
    if isinstance(given, Mapping):
        from aigw.wire.openai_chat.messages import parse_message

        try:
            message = parse_message(given, f"messages[{position}]")
        except ConfigError as error:
            raise ConfigError(f"{face}(messages): {error}") from None
        if any(isinstance(part, Other) for part in message.parts):
            return message  # only OpenAI's format knows what it means
        return replace(message, wire="")  # written by hand: a cache_control, say, is meant for whoever knows it
    raise ConfigError(
        f"{face}(messages): messages[{position}] is a {type(given).__name__}; write Message('user', …) or a dict"
    )


def _read(face: str, options: Mapping[str, Any]) -> dict[str, Any]:
    readers = READERS.get(face, CHAT_READERS)
    fields: dict[str, Any] = {"extra": {}, "metadata": {}}
    for name, value in options.items():
        reader = readers.get(name)
        if reader is None:
            close = get_close_matches(name, readers, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(readers))}"
            raise TypeError(f"{face}() has no option {name!r}{hint}")
        if value is not UNSET:
            fields[FIELDS.get(name, name)] = reader(f"{face}({name})", value)
    return fields


def _text(name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(f"{name} must be a text, not {value!r}")


def _key(name: str, value: object) -> str | None:
    text = _text(name, value)
    if text is not None and not (text and text.isascii() and text.isprintable()):
        raise ConfigError(f"{name} must be a text of printable ASCII characters, as it becomes a header")
    return text


def _model(name: str, value: object) -> str:
    return _text(name, value) or ""


def _number(name: str, value: object) -> float | None:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)):
        return value
    raise ConfigError(f"{name} must be a number, not {value!r}")


def _whole(name: str, value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ConfigError(f"{name} must be a whole number, not {value!r}")


def _count(name: str, value: object) -> int | None:
    number = _whole(name, value)
    if number is not None and number < 1:
        raise ConfigError(f"{name} must be at least 1, not {value!r}")
    return number


def _switch(name: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ConfigError(f"{name} must be True or False, not {value!r}")


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise ConfigError(f"{name} must be a mapping, not {type(value).__name__}")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable):
        found = tuple(value)
        if all(isinstance(text, str) for text in found):
            return found
    raise ConfigError(f"{name} must be a text or a list of texts, not {value!r}")


def _timeout(name: str, value: object) -> float | None:
    return None if value is None else seconds(name, value)


def _principal(name: str, value: object) -> Principal | None:
    if value is None or isinstance(value, Principal):
        return value
    if isinstance(value, str) and value:
        return Principal(value)
    raise ConfigError(f"{name} must be an id or a Principal, not {value!r}")


def _priority(name: str, value: object) -> str:
    if value in ("interactive", "standard", "batch"):
        return str(value)
    raise ConfigError(f"{name} must be interactive, standard or batch, not {value!r}")


def _tools(name: str, value: object) -> tuple[Tool, ...]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise ConfigError(f"{name} must be a list of tools, not {type(value).__name__}")
    tools = tuple(_tool(f"{name}[{position}]", tool) for position, tool in enumerate(value))
    for tool in tools:
        if tool.name in CHOICES:
            raise ConfigError(
                f"{name}: a tool may not be called {tool.name!r}, which means something else in tool_choice"
            )
    return tools


def _tool(name: str, given: object) -> Tool:
    if isinstance(given, Tool):
        return given
    if isinstance(given, Mapping):
        from aigw.wire.openai_chat.messages import parse_tool

        return parse_tool(given, name)
    raise ConfigError(f"{name} is a {type(given).__name__}; write Tool(…) or a dict")


def _schema(_: str, value: object) -> Any:
    if value is None:
        return None
    from aigw.schema import as_schema

    return as_schema(value)


def _required(name: str, value: object) -> Fence | None:
    tags = frozenset(_texts(name, value))
    return Fence(tags) if tags else None


FIELDS: Final[Mapping[str, str]] = {"require": "fence"}
"""What options are called in a `Call`, where that is not their own name."""
COMMON_READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "model": _model,
    "principal": _principal,
    "priority": _priority,
    "timeout": _timeout,
    "tags": lambda name, value: frozenset(_texts(name, value)),
    "metadata": _mapping,
    "require": _required,
    "token": _text,
    "idempotency_key": _key,
    "extra": _mapping,
}
CHAT_READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    **COMMON_READERS,
    "tools": _tools,
    "tool_choice": _text,
    "parallel_tool_calls": _switch,
    "schema": _schema,
    "temperature": _number,
    "top_p": _number,
    "max_tokens": _count,
    "stop": _texts,
    "seed": _whole,
    "n": _count,
    "reasoning": _text,
}
READERS: Final[Mapping[str, Mapping[str, Callable[[str, Any], Any]]]] = {
    "embed": {**COMMON_READERS, "dimensions": _count},
    "rerank": {**COMMON_READERS, "top_n": _count},
    "moderate": COMMON_READERS,
}
"""What the faces take that are not chats."""
