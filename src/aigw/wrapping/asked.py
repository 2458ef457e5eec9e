"""What a wrapped function is asked: the prompt and its settings, found among the function's arguments.

The arguments of the known SDKs are requests in the formats of `aigw.wire`, and are read as such.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aigw.arguments import as_messages
from aigw.errors import ConfigError
from aigw.message import Message
from aigw.wrapping.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.call import Call
    from aigw.wrapping.use import Place

_NAMES: Final = ("messages", "input", "contents", "prompt")
"""What the SDKs call the prompt."""
_NO_PROMPTS: Final = frozenset({"self", "cls", "model", "system", "instructions", "system_instruction"})
"""Texts that are something else, although they come first."""
_TAKEN: Final = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "schema",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "n",
    "reasoning",
    "wire",
)
"""Fields of the call that are taken from a request."""
_OF_ANTHROPIC: Final = frozenset(
    {"image", "document", "thinking", "redacted_thinking", "tool_use", "tool_result", "search_result"}
)
"""Types of blocks that OpenAI's messages do not have."""
_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "openai_chat": (
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "n",
        "reasoning_effort",
    ),
    "openai_responses": (
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "temperature",
        "top_p",
        "max_output_tokens",
    ),
    "anthropic_messages": (
        "system",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
        "max_tokens",
        "stop_sequences",
    ),
}
"""Arguments of each SDK that are fields of the request, beside the prompt."""
_CONVERSATION: Final = frozenset({"instructions", "system"})


class Asked:
    """Finds what a function is asked.

    Args:
        function: the function.
        name: its name, for errors.
        prompt: finds the prompt instead; called with the same arguments.

    Raises:
        ConfigError: `prompt` is no function.
    """

    def __init__(self, function: Callable[..., Any], name: str, prompt: Callable[..., Any] | None) -> None:
        if prompt is not None and not callable(prompt):
            raise ConfigError(f"wrap(prompt) must be a function of the arguments of {name}(), not {prompt!r}")
        self._name = name
        self._prompt = prompt
        self._signature = inspect.signature(function)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
        """Bind arguments, as calling the function would.

        Raises:
            TypeError: they do not fit its signature.
        """
        return self._signature.bind(*args, **kwargs)

    def read(self, bound: inspect.BoundArguments) -> tuple[dict[str, Any], Place | None]:
        """Return fields of the call, and the place of the argument that is all of the prompt, if it is a text.

        Raises:
            ConfigError: there is no prompt among the arguments.
        """
        if self._prompt is not None:
            return {"messages": as_messages("wrap(prompt=…)", self._prompt(*bound.args, **bound.kwargs))}, None
        given = dict(_places(bound))
        named = {place[-1]: value for place, value in given.items() if isinstance(place[-1], str)}
        places = {place[-1]: place for place in given}
        for name in _NAMES:
            if named.get(name) is not None:
                fields, is_text = self._read(name, named)
                return fields, places[name] if is_text else None
        for place, value in given.items():
            if isinstance(value, str) and place[-1] not in _NO_PROMPTS:
                return {"messages": (Message("user", value),)}, place
        raise ConfigError(
            f"wrap() finds no prompt among the arguments of {self._name}(): a text, messages=, input=, contents= or "
            "prompt=. Say where it is: wrap(prompt=lambda question: question), called with the same arguments"
        )

    def _read(self, name: str, named: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Read the argument with this name, and those beside it; tell whether it is a text, and all there is."""
        given = named[name]
        if isinstance(given, str) and not any(named.get(other) for other in ("system", "instructions", "config")):
            return {"messages": (Message("user", given),)}, True
        if isinstance(given, Message) or _are_ours(given):
            return {"messages": as_messages(f"{self._name}({name})", given)}, False
        for request in _requests(name, given, named):
            try:
                call = request()
            except (ConfigError, ValueError, TypeError, AttributeError):
                continue  # not that format, or something in it that no format has: read less of it
            return {field: getattr(call, field) for field in ("messages", *_TAKEN)}, False
        messages = tuple(_readable(plain(given)))
        if messages:
            return {"messages": messages}, False
        raise ConfigError(f"wrap() cannot read the argument {name!r} of {self._name}(); say what it means with prompt=")


def _places(bound: inspect.BoundArguments) -> Iterator[tuple[Place, Any]]:
    """Yield the arguments in their order, those of ``*args`` and ``**kwargs`` one by one."""
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            yield from (((name, position), item) for position, item in enumerate(value))
        elif kind is inspect.Parameter.VAR_KEYWORD:
            yield from (((name, key), item) for key, item in value.items())
        else:
            yield (name,), value


def _are_ours(given: Any) -> bool:
    return isinstance(given, Sequence) and bool(given) and all(isinstance(message, Message) for message in given)


def _requests(name: str, given: Any, named: Mapping[str, Any]) -> Iterator[Callable[[], Call]]:
    """Yield ways to read the arguments as a request, the likeliest first; later ones leave out the settings."""
    from aigw.wire import anthropic_messages, gemini, openai_chat, openai_responses

    if name == "contents":
        yield lambda: gemini.parse_request(_gemini_request(given, named.get("config")))
        yield lambda: gemini.parse_request(_gemini_request(given, None))
        return
    value = plain([{"role": "user", "content": given}] if isinstance(given, str) and name != "input" else given)
    wires: list[Any] = [openai_chat, anthropic_messages]
    if name == "input":
        wires = [openai_responses]
    elif "system" in named or "stop_sequences" in named or _has_blocks_of_anthropic(value):
        wires.reverse()
    field = "input" if name == "input" else "messages"
    for narrow in (False, True):
        for wire in wires:
            settings = _settings(wire.WIRE, named, narrow=narrow)
            yield partial(wire.parse_request, {field: value, **settings})


def _settings(wire: str, named: Mapping[str, Any], *, narrow: bool) -> dict[str, Any]:
    names = [name for name in _SETTINGS[wire] if not narrow or name in _CONVERSATION]
    given = plain({name: named[name] for name in names if named.get(name) is not None})
    return {name: _known(name, value) for name, value in given.items() if value is not None}


def _known(name: str, value: Any) -> Any:
    """Leave out tools that are functions: only the SDK knows what it makes of them."""
    return [tool for tool in value if isinstance(tool, dict)] if name == "tools" and isinstance(value, list) else value


def _has_blocks_of_anthropic(messages: Any) -> bool:
    if not isinstance(messages, list):
        return False
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return any(isinstance(block, dict) and block.get("type") in _OF_ANTHROPIC for block in blocks)


def _gemini_request(contents: Any, config: Any) -> dict[str, Any]:
    """Lay out what the SDK takes (texts, parts, contents, alone or in a list) as the format has it."""
    given = contents if isinstance(contents, (list, tuple)) else [contents]
    turns: list[dict[str, Any]] = []
    for item in map(plain, given):
        if isinstance(item, dict) and "parts" in item:
            turns.append({"role": "user", **item})
            continue
        part = {"text": item} if isinstance(item, str) else item
        if turns and turns[-1].get("loose"):
            turns[-1]["parts"].append(part)
        else:
            turns.append({"role": "user", "parts": [part], "loose": True})
    request: dict[str, Any] = {"contents": [{k: v for k, v in turn.items() if k != "loose"} for turn in turns]}
    settings = plain(config) if config is not None else {}
    for snake, camel in (("system_instruction", "systemInstruction"), ("tools", "tools")):
        value = settings.pop(camel, None) or settings.pop(snake, None)
        if value is not None:
            request[camel] = {"parts": [{"text": value}]} if isinstance(value, str) else _known(camel, value)
    known = ("temperature", "topP", "top_p", "maxOutputTokens", "max_output_tokens", "seed", "stopSequences")
    if generation := {name: settings[name] for name in known if settings.get(name) is not None}:
        request["generationConfig"] = generation
    return request


def _readable(value: Any) -> Iterator[Message]:
    """Yield the texts of messages in any format that looks like one."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield Message("user", item)
        elif isinstance(item, dict):
            role = item.get("role")
            text = "\n".join(_texts(item.get("content", item.get("parts", item.get("text")))))
            if text:
                yield Message(role if role in ("system", "developer", "assistant") else "user", text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item.get("text", item.get("content")) if isinstance(item, dict) else item)
