"""Endpoints that do something wrong, each in its own way: the suite must see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aigw import Message, Reasoning, Target, Text, ToolCall, ToolResult
from aigw.errors import BadRequest
from aigw.providers.format import Format
from contract.endpoints import Endpoint

Lie = Callable[[Format], Format]


@dataclass(frozen=True)
class Liar(Endpoint):
    """An endpoint whose format is changed.

    Args:
        lie: what changes it.
    """

    lie: Lie = lambda chosen: chosen

    def target(self, **settings: Any) -> Target:
        """Make a target that lies."""
        made = Endpoint.target(self, **settings)
        honest = made.provider._make_format
        made.provider._make_format = lambda operation: self.lie(honest(operation))
        return made


def of_calls(change: Callable[[Any], Any]) -> Lie:
    """Lie about what is asked: change the call before it is written."""

    def lie(chosen: Format) -> Format:
        return replace(chosen, render=lambda call, model, strict: chosen.render(change(call), model, strict))

    return lie


def of_parts(change: Callable[[Any], Any]) -> Lie:
    """Lie about what was said: change each part of each message, or leave it out."""

    def changed(message: Message) -> Message:
        parts = [part for part in map(change, message.parts) if part is not None]
        return Message(message.role, parts, message.name, message.extra, message.wire)

    return of_calls(lambda call: call.evolve(messages=tuple(map(changed, call.messages))))


def of_bodies(change: Callable[[dict[str, Any]], Any]) -> Lie:
    """Lie on the wire: change the body."""

    def lie(chosen: Format) -> Format:
        def render(*given: Any) -> Any:
            body = chosen.render(*given)
            change(body)
            return body

        return replace(chosen, render=render)

    return lie


class _Parser:
    """A parser whose chunks are changed."""

    def __init__(self, honest: Any, change: Callable[[Any], Any], *, swallows: bool = False) -> None:
        self._honest = honest
        self._change = change
        self._swallows = swallows

    @property
    def ended(self) -> bool:
        return self._honest.ended

    def feed(self, data: bytes) -> Any:
        return self._change(self._honest.feed(data))

    def finish(self) -> Any:
        return [] if self._swallows else self._change(self._honest.finish())


def of_chunks(change: Callable[[Any], Any], *, swallows: bool = False) -> Lie:
    """Lie about what came: change each chunk, or leave it out."""

    def changed(chunks: Any) -> Any:
        return [chunk for chunk in map(change, chunks) if chunk is not None]

    def lie(chosen: Format) -> Format:
        return replace(
            chosen,
            parse=lambda body: changed(chosen.parse(body)),
            parser=lambda: _Parser(chosen.parser(), changed, swallows=swallows),
        )

    return lie


def of_failures(change: Callable[[Any], Any]) -> Lie:
    """Lie about failures."""

    def lie(chosen: Format) -> Format:
        return replace(chosen, classify=lambda *given, **named: change(chosen.classify(*given, **named)))

    return lie


def _swapped(part: Any) -> Any:
    if not isinstance(part, ToolResult):
        return part
    return replace(part, content={"rain": "sun", "sun": "rain"}.get(part.content, part.content))


def _talkative(error: Any) -> Any:
    error.args = (f"{error.args[0]}: {error.detail}",)
    return error


def _same(error: Any) -> Any:
    return BadRequest("it failed", status=error.status)


def _usage(chunk: Any, **changes: Any) -> Any:
    return chunk if chunk.usage is None else chunk.evolve(usage=replace(chunk.usage, **changes))


def _hoarse(chunk: Any) -> Any:
    return chunk.evolve(text=chunk.text.removesuffix("Rome."))


LIES: Mapping[str, Lie] = {
    "forgets the instructions": of_calls(
        lambda call: call.evolve(messages=tuple(one for one in call.messages if one.role != "system"))
    ),
    "forgets the last turn": of_calls(lambda call: call.evolve(messages=call.messages[:1])),
    "forgets the tools": of_calls(lambda call: call.evolve(tools=())),
    "forgets a setting": of_calls(lambda call: call.evolve(seed=None, max_tokens=None)),
    "mixes up results": of_parts(_swapped),
    "forgets arguments": of_parts(lambda part: replace(part, arguments="{}") if isinstance(part, ToolCall) else part),
    "forgets reasoning": of_parts(lambda part: None if isinstance(part, Reasoning) else part),
    "whispers": of_parts(lambda part: replace(part, text=part.text[:-1]) if isinstance(part, Text) else part),
    "adds a field": of_bodies(lambda body: body.update(x_aigw=1)),
    "loses the end of a text": of_chunks(_hoarse),
    "loses tool calls": of_chunks(lambda chunk: chunk.evolve(tool_calls=chunk.tool_calls[1:])),
    "loses usage": of_chunks(lambda chunk: chunk.evolve(usage=None)),
    "counts too much": of_chunks(lambda chunk: _usage(chunk, output=350)),
    "counts what is not told": of_chunks(lambda chunk: _usage(chunk, cached=None, reasoning=0)),
    "loses why it ended": of_chunks(lambda chunk: chunk.evolve(finish_reason=None)),
    "loses signatures": of_chunks(
        lambda chunk: chunk.evolve(parts=tuple(one for one in chunk.parts if not isinstance(one, Reasoning)))
    ),
    "swallows cuts": of_chunks(lambda chunk: chunk, swallows=True),
    "takes all failures for one": of_failures(_same),
    "repeats what it was told": of_failures(_talkative),
}
"""By the names that the tests have for them."""
