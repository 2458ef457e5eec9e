"""The short way through a stream: most of its events differ from the one before in nothing but a piece of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Sequence


class Repeats:
    """Makes the chunk of an event from the chunk of the last one, if only the text has changed.

    Comparing two dicts is cheaper than reading the fields of one: this halves the cost of a streamed chunk. Whatever is
    not the same to the last field goes the long way.
    """

    __slots__ = ("_choice", "_event", "_last")

    def __init__(self) -> None:
        self._event: dict[str, Any] | None = None
        self._choice: dict[str, Any] | None = None
        self._last = Chunk()

    def read(self, event: Any) -> Chunk | None:
        """Return the chunk of an event, ``None`` if it must be read the long way."""
        if self._event is None:
            return None
        try:
            (choice,) = choices = event["choices"]
            delta = choice["delta"]
            text = delta["content"]
            event["choices"] = choice["delta"] = None
        except (TypeError, KeyError, ValueError):  # it is something else
            return None
        if len(delta) == 1 and type(text) is str and event == self._event and choice == self._choice:
            return self._last.evolve(text=text)
        choice["delta"] = delta
        event["choices"] = choices
        return None

    def remember(self, event: Any, chunks: Sequence[Chunk]) -> None:
        """Take an event that was read the long way, and its chunks, as the pattern for the next ones."""
        if len(chunks) != 1 or not chunks[0].text or chunks[0].finish_reason is not None or chunks[0].usage is not None:
            return
        (choice,) = event["choices"]
        delta = choice["delta"]
        if len(delta) > 1 or type(delta["content"]) is not str:
            return  # what else it holds may be in the chunk, and the next event may lack it
        self._event = {**event, "choices": None}
        self._choice = {**choice, "delta": None}
        self._last = chunks[0]
