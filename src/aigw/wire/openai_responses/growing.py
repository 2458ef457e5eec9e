"""Output items while they grow, each with the events that tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.wire.fields import rest
from aigw.wire.openai_responses.items import CALLS
from aigw.wire.openai_responses.pieces import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aigw.chunk import ToolCallDelta

Event = dict[str, Any]
"""An event of a stream, without its ``sequence_number``."""

_DELTAS: Final[Mapping[str, str]] = {
    "function_call": "function_call_arguments",
    "custom_tool_call": "custom_tool_call_input",
}


class Growing:
    """An item of the output.

    Args:
        index: its place in the output.
        data: the item as it is when it begins; it is changed as it grows.
    """

    def __init__(self, index: int, data: dict[str, Any]) -> None:
        self.data = data
        self._index = index
        self._text: list[str] = []

    def begin(self) -> list[Event]:
        """Tell that it begins."""
        started = dict(self.data)
        if "status" in started:
            started["status"] = "in_progress"
        return [{"type": "response.output_item.added", "output_index": self._index, "item": started}]

    def update(self, fields: Mapping[str, Any]) -> None:
        """Take fields that came later. The id stays as it was told first: clients know the item by it."""
        self.data.update(rest(fields, ("id",)))

    def end(self) -> list[Event]:
        """Tell that it is complete."""
        return [{"type": "response.output_item.done", "output_index": self._index, "item": self.data}]

    def event(self, kind: str, **fields: Any) -> Event:
        """Make an event of it."""
        return {"type": f"response.{kind}", "item_id": self.data["id"], "output_index": self._index, **fields}


class Spoken(Growing):
    """A message: texts and refusals."""

    @property
    def _kind(self) -> str:
        """Type of the content part that grows; empty before the first."""
        return str(self.data["content"][-1]["type"]) if self.data["content"] else ""

    @property
    def _at(self) -> int:
        return len(self.data["content"]) - 1

    def begin(self) -> list[Event]:
        """Tell that it begins, without its content."""
        events = super().begin()
        events[0]["item"]["content"] = []
        return events

    def say(self, text: str, fields: Mapping[str, Any], *, fresh: bool = False) -> list[Event]:
        """Go on with a text, or begin the next one.

        Args:
            text: the next piece.
            fields: fields of the content part that are known now; lists grow.
            fresh: it is the next content part.
        """
        events: list[Event] = []
        if (text or fields) and (fresh or self._kind != "output_text"):
            events += self._next({"type": "output_text", "text": "", "annotations": [], "logprobs": []})
        if text:
            self._text.append(text)
            events.append(self.event("output_text.delta", content_index=self._at, delta=text, logprobs=[]))
        if fields:
            events += self._add(fields)
        return events

    def _add(self, fields: Mapping[str, Any]) -> Iterable[Event]:
        part = self.data["content"][-1]
        for name in LISTS:
            part[name] += fields.get(name, ())
        part.update(rest(fields, LISTS))
        news = fields.get("annotations", ())
        for position, annotation in enumerate(news, len(part["annotations"]) - len(news)):
            yield self.event(
                "output_text.annotation.added",
                content_index=self._at,
                annotation_index=position,
                annotation=annotation,
            )

    def refuse(self, text: str) -> list[Event]:
        """Go on with a refusal, or begin one."""
        events = [] if self._kind == "refusal" else self._next({"type": "refusal", "refusal": ""})
        self._text.append(text)
        return [*events, self.event("refusal.delta", content_index=self._at, delta=text)]

    def end(self) -> list[Event]:
        """Tell that it and its last content part are complete."""
        return [*self._end_content(), *super().end()]

    def _next(self, part: dict[str, Any]) -> list[Event]:
        events = self._end_content()
        self.data["content"].append(part)
        started = {name: list(value) if isinstance(value, list) else value for name, value in part.items()}
        return [*events, self.event("content_part.added", content_index=self._at, part=started)]

    def _end_content(self) -> list[Event]:
        if not self._kind:
            return []
        part = self.data["content"][-1]
        whole = "".join(self._text)
        self._text = []
        if part["type"] == "refusal":
            part["refusal"] = whole
            ended = self.event("refusal.done", content_index=self._at, refusal=whole)
        else:
            part["text"] = whole
            ended = self.event("output_text.done", content_index=self._at, text=whole, logprobs=part["logprobs"])
        return [ended, self.event("content_part.done", content_index=self._at, part=part)]


class Thought(Growing):
    """Reasoning: summaries and readable content."""

    def __init__(self, index: int, data: dict[str, Any]) -> None:
        super().__init__(index, data)
        self._part: dict[str, Any] = {}

    @property
    def empty(self) -> bool:
        """Nothing readable has come."""
        return not self._part

    def begin(self) -> list[Event]:
        """Tell that it begins, without its summaries."""
        events = super().begin()
        events[0]["item"]["summary"] = []
        return events

    def think(self, text: str, kind: str = "", fields: Mapping[str, Any] | None = None) -> list[Event]:
        """Go on with a piece, or begin the next one.

        Args:
            text: what comes next.
            kind: type of the piece that begins; empty to go on.
            fields: fields of the piece that begins.
        """
        events: list[Event] = []
        if kind or not self._part:
            events += self._end_part()
            self._part = {"type": kind or "summary_text", "text": "", **(fields or {})}
            self.data.setdefault(self._list, []).append(self._part)
            events.append(self._of_part("reasoning_summary_part.added", "content_part.added", part=dict(self._part)))
        if text:
            self._text.append(text)
            events.append(self._of_part("reasoning_summary_text.delta", "reasoning_text.delta", delta=text))
        return events

    def end(self) -> list[Event]:
        """Tell that it and its last piece are complete."""
        return [*self._end_part(), *super().end()]

    @property
    def _list(self) -> str:
        return "summary" if self._part["type"] == "summary_text" else "content"

    def _of_part(self, of_summary: str, of_content: str, **fields: Any) -> Event:
        at = len(self.data[self._list]) - 1
        if self._list == "summary":
            return self.event(of_summary, summary_index=at, **fields)
        return self.event(of_content, content_index=at, **fields)

    def _end_part(self) -> list[Event]:
        if not self._part:
            return []
        part = self._part
        part["text"] = "".join(self._text)
        self._text = []
        return [
            self._of_part("reasoning_summary_text.done", "reasoning_text.done", text=part["text"]),
            self._of_part("reasoning_summary_part.done", "content_part.done", part=dict(part)),
        ]


class Called(Growing):
    """A tool call."""

    over = False
    """It was told that it is complete."""

    def add(self, delta: ToolCallDelta, fields: Mapping[str, Any]) -> list[Event]:
        """Go on with its arguments, and take fields that came with them."""
        self.update(rest(fields, ("type",)))
        if delta.name and not self.data["name"]:
            self.data["name"] = delta.name
        if not delta.arguments:
            return []
        self._text.append(delta.arguments)
        kind = self.data["type"]
        if self.over:  # too late for an event, but not for the whole answer
            self.data[CALLS[kind]] = "".join(self._text)
            return []
        return [self.event(f"{_DELTAS[kind]}.delta", delta=delta.arguments)]

    def end(self) -> list[Event]:
        """Tell that its arguments and it are complete."""
        self.over = True
        kind = self.data["type"]
        field = CALLS[kind]
        self.data[field] = "".join(self._text)
        whole = {field: self.data[field]}
        if kind == "function_call":
            whole["name"] = self.data["name"]
        return [self.event(f"{_DELTAS[kind]}.done", **whole), *super().end()]
