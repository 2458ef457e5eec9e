"""A provider that speaks one wire format, without a socket: it keeps the requests, and answers with given bodies."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from aigw.reply import Reply

if TYPE_CHECKING:
    from aigw.call import Call


class Wired:
    """Renders each call, and parses an answer, as a target behind HTTP would.

    Args:
        wire: the package of the format.
        answers: what it answers: a decoded body, or the bytes of a stream.
        name: name of the provider.
    """

    where = "nowhere"

    def __init__(self, wire: Any, *answers: dict[str, Any] | bytes, name: str = "wired") -> None:
        self.name = name
        self.bodies: list[dict[str, Any]] = []
        """The requests, as they would have been sent."""
        self.calls: list[Call] = []
        """The calls that they were made of."""
        self._wire = wire
        self._dialect = wire.Dialect(provider=name)
        self._answers = deque(answers)

    def check(self) -> None:
        """Find nothing wrong."""

    async def send(self, call: Call, model: str) -> Reply:
        """Write the call down as JSON, and read the next answer."""
        self.calls.append(call)
        self.bodies.append(json.loads(to_json(self._wire.render_request(call, model, self._dialect))))
        answer = self._answers.popleft()
        if isinstance(answer, dict):
            return Reply.replay(self._wire.parse_response(answer, self._dialect))
        parser = self._wire.StreamParser(self._dialect)
        return Reply.replay([*parser.feed(answer), *parser.finish()])


def events(*data: dict[str, Any] | str, named: bool = False) -> bytes:
    """Write events of a stream; with `named` each is called as its ``type`` says."""
    written = []
    for item in data:
        name = f"event: {item['type']}\n" if named else ""
        written.append(f"{name}data: {item if isinstance(item, str) else json.dumps(item)}\n\n")
    return "".join(written).encode()
