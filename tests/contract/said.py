"""The words in which scenarios and oracles speak of answers, requests and failures: those of no wire format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aigw import Usage
from aigw.errors import ProviderError


@dataclass(frozen=True)
class Counts:
    """Tokens as a server has counted them: input with what is cached, output with the reasoning."""

    input: int = 1000
    output: int = 300
    cached: int = 600
    written: int = 100
    reasoning: int = 50

    def usage(self, told: frozenset[str]) -> Usage:
        """Return what the application must see.

        Args:
            told: which of ``cached``, ``written`` and ``reasoning`` this server tells.
        """
        return Usage(
            self.input,
            self.output,
            self.cached if "cached" in told else None,
            self.written if "written" in told else None,
            self.reasoning if "reasoning" in told else None,
        )


@dataclass(frozen=True)
class Called:
    """A tool call.

    Args:
        name: the tool.
        arguments: JSON text.
        id: its id, where the format has ids.
    """

    name: str
    arguments: str
    id: str = "call_abc123XYZ"


@dataclass(frozen=True)
class Said:
    """An answer that a server gives.

    Args:
        text: what it says; streamed in pieces.
        thought: what it thought before, where the server shows it.
        calls: tools that it calls.
        finish: the finish reason as the format writes it; by default that of such an answer.
        counts: the tokens; ``None`` for a server that tells nothing.
        also: the texts of further answers, for ``n``.
        strange: it has fields, parts and events that nobody has heard of.
        hidden: it thought, but shows nothing of it except what it wants to see again.
    """

    text: str = "Rain is likely in Oslo, sun in Rome."
    thought: str = ""
    calls: tuple[Called, ...] = ()
    finish: str | None = None
    counts: Counts | None = field(default_factory=Counts)
    also: tuple[str, ...] = ()
    strange: bool = False
    hidden: bool = False

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed: word by word."""
        return pieces(self.text)


def pieces(text: str) -> list[str]:
    """Cut a text into the pieces in which it is streamed."""
    words = text.split(" ")
    return [f"{word} " for word in words[:-1]] + words[-1:] if text else []


def halves(text: str) -> list[str]:
    """Cut a text in two, for the pieces of a tool call's arguments."""
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


SIGNATURE = "c2lnbmVkLWJ5LXRoZS1wcm92aWRlcg=="
"""What a server signs its reasoning with; base64, because some formats hold it as bytes."""


@dataclass
class Request:
    """What a body says.

    Args:
        items: what is said, in its order: ``("user", "hi")``, ``("assistant", "ho")``, ``("system", "be brief")``,
            ``("image", url)``, ``("file", url)``, ``("call", number, name, arguments)``, ``("result", number, text)``.
            Calls are numbered, because formats may change or lack ids. Arguments are parsed if they are JSON.
        failed: numbers of the calls whose result is marked as a failure.
        thoughts: reasoning that goes back, as the format has it.
        tools: the tools: descriptions and schemas by their names.
        choice: ``auto``, ``none``, ``required`` or the name of a tool.
        parallel: whether several tools may be called at once.
        schema: the schema of the answer.
        settings: ``temperature``, ``top_p``, ``max_tokens``, ``stop``, ``seed``, ``n``, ``reasoning`` as far as they
            are said.
        stream: whether the body asks for a stream; ``None`` for formats that say it elsewhere.
        marks: the name of a speaker, ``strict`` for a strict tool, the detail of an image.
    """

    items: list[tuple[Any, ...]]
    failed: list[int] = field(default_factory=list)
    thoughts: list[Any] = field(default_factory=list)
    tools: dict[str, tuple[str, Any]] = field(default_factory=dict)
    choice: str | None = None
    parallel: bool | None = None
    schema: Any = None
    settings: dict[str, Any] = field(default_factory=dict)
    stream: bool | None = None
    marks: set[str | None] = field(default_factory=set)

    def said_by(self, *speakers: str) -> list[tuple[Any, ...]]:
        """Return the items of some kinds."""
        return [item for item in self.items if item[0] in speakers]


class Numbers:
    """Numbers the calls of a conversation, and finds them again by their ids."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._count = 0

    def of_call(self, identity: str | None) -> int:
        """Return the number of the next call."""
        number = self._count
        self._count += 1
        if identity is not None:
            assert identity not in self._ids, "two calls have the same id"
            self._ids[identity] = number
        return number

    def of_result(self, identity: str) -> int:
        """Return the number of the call that a result belongs to."""
        assert identity in self._ids, "a result belongs to no call"
        return self._ids[identity]


def parsed(arguments: str) -> Any:
    """Return arguments as JSON, or as the text that they are."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


@dataclass(frozen=True)
class Failure:
    """How a server says no.

    Args:
        name: for people.
        status: the HTTP status.
        body: JSON, or the body itself.
        kind: what it must become.
        code: the code that the error must tell.
        headers: of the answer.
        request_id: what the error must tell, where the server gives it in a header of its own.
        retry_after: seconds that it asks to wait.
    """

    name: str
    status: int
    body: Any
    kind: type[ProviderError]
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    retry_after: float | None = None

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


STRANGE = {"x_unheard_of": {"since": 2027}}
"""A field that nobody has heard of."""


def sprinkled(value: Any, sealed: frozenset[str]) -> Any:
    """Put a strange field into every object of a JSON value.

    Args:
        value: the value.
        sealed: names of fields whose values belong to the application, such as the arguments of a call.
    """
    if isinstance(value, list):
        return [sprinkled(item, sealed) for item in value]
    if isinstance(value, dict):
        return {name: item if name in sealed else sprinkled(item, sealed) for name, item in value.items()} | STRANGE
    return value
