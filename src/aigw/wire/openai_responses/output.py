"""Chunks to output items, and to the events of a stream that bring them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import ToolCallDelta
from aigw.message import Other, Reasoning, Text, ToolCall
from aigw.wire.fields import rest
from aigw.wire.openai_responses.dialect import WIRE, Dialect
from aigw.wire.openai_responses.growing import Called, Event, Growing, Spoken, Thought
from aigw.wire.openai_responses.items import CALLS, call_kind, made_up_id, write_signature
from aigw.wire.openai_responses.pieces import PIECES, SEPARATOR, Places, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.chunk import Chunk
    from aigw.message import Part

_NOTHING: Final[Mapping[str, Any]] = {}


class Output:
    """The output of one answer while its chunks come.

    Every step returns the events that tell of it; who wants only the whole answer leaves them. What another format
    knows and this one does not is left out: fields, and parts that aigw does not model.

    Args:
        owner: id of the answer, from which ids of items are made up.
        dialect: whose signatures are written as they are.
    """

    def __init__(self, owner: str, dialect: Dialect) -> None:
        self.items: list[dict[str, Any]] = []
        """The items so far, in their order."""
        self._owner = owner
        self._dialect = dialect
        self._open: Spoken | Thought | None = None
        self._slot = ""  # the part of ours that grows, as the reader of an answer and its assembly see it
        self._places = Places()
        self._calls: dict[int, Called] = {}
        self._foreign: dict[Any, int] = {}
        self._told = False  # this format itself says which items were cut off

    def add(self, chunk: Chunk) -> list[Event]:
        """Take the next chunk."""
        events: list[Event] = []
        own = chunk.wire in ("", WIRE)
        extra = chunk.extra if own and chunk.extra else _NOTHING
        part = extra.get("part") or _NOTHING
        self._told = chunk.wire == WIRE
        if self._told and (chunk.has_output or "events" in extra) and not chunk.tool_calls:
            events += self._close_calls()  # one item comes after the other here; other formats may mix them
        if chunk.reasoning:
            events += self._think(chunk.reasoning, _NOTHING if chunk.text else part)
        if chunk.text or (part and not chunk.reasoning and isinstance(self._open, Spoken)):
            events += self._say(chunk.text, part)
        if chunk.refusal:
            events += self._refuse(chunk.refusal, extra.get("message") or _NOTHING)
        elif "message" in extra and isinstance(self._open, Spoken):
            self._open.update(extra["message"])
        for delta in chunk.tool_calls:
            events += self._call(delta.index, delta, own=own)
        for event in extra.get("events") or ():
            events += self._pass_on(event)
        for whole in chunk.parts:
            events += self._add_part(whole, own=own)
        return events

    def finish(self, status: str) -> list[Event]:
        """Tell that the answer is over.

        Args:
            status: its status; if that is not ``completed``, what still grows was cut off.
        """
        ending = "completed" if self._told or status == "completed" else "incomplete"
        return self._close(ending) + self._close_calls(ending)

    def _close(self, status: str = "completed") -> list[Event]:
        """Complete the message or the reasoning that grows."""
        item, self._open = self._open, None
        if item is None:
            return []
        if isinstance(item, Spoken) and item.data.get("status") == "in_progress":
            item.data["status"] = status
        return item.end()

    def _close_calls(self, status: str = "completed") -> list[Event]:
        events: list[Event] = []
        for call in self._calls.values():
            if not call.over:
                if call.data.get("status") == "in_progress":
                    call.data["status"] = status
                events += call.end()
        return events

    def _begin(self, slot: str) -> None:
        self._slot = slot
        self._places = Places()

    def _start(self, item: Growing) -> list[Event]:
        self.items.append(item.data)
        return item.begin()

    def _id(self, kind: str) -> str:
        return made_up_id(kind, self._owner, len(self.items))

    def _speak(self, fields: Mapping[str, Any]) -> tuple[Spoken, list[Event]]:
        """Begin a message."""
        events = self._close()
        item = {"id": self._id("message"), "type": "message", "role": "assistant", "status": "in_progress"}
        spoken = Spoken(len(self.items), {**item, "content": [], **fields})
        self._open = spoken
        return spoken, events + self._start(spoken)

    def _say(self, text: str, part: Mapping[str, Any]) -> list[Event]:
        events: list[Event] = []
        if self._slot != "text":
            self._begin("text")
        for piece in cut(text, part, self._places):
            spoken = self._open if isinstance(self._open, Spoken) else None
            if spoken is None or piece.begins == "message":
                spoken, begun = self._speak(piece.item if piece.begins == "message" else _NOTHING)
                events += begun
            events += spoken.say(piece.text, piece.content, fresh=piece.begins == "output_text")
            spoken.update(piece.done)
        self._places.grow(text, part)
        return events

    def _refuse(self, text: str, fields: Mapping[str, Any]) -> list[Event]:
        spoken = self._open if isinstance(self._open, Spoken) and not fields else None
        events: list[Event] = []
        if spoken is None:
            spoken, events = self._speak(fields)
        return events + spoken.refuse(text)

    def _reason(self, fields: Mapping[str, Any]) -> tuple[Thought, list[Event]]:
        """Begin reasoning."""
        events = self._close()
        item = {"id": self._id("reasoning"), "type": "reasoning", "summary": []}
        thought = Thought(len(self.items), {**item, **rest(fields, (PIECES,))})
        self._open = thought
        self._begin("reasoning")
        return thought, events + self._start(thought)

    def _think(self, text: str, part: Mapping[str, Any]) -> list[Event]:
        events: list[Event] = []
        if isinstance(self._open, Thought):
            thought = self._open
            thought.update(rest(part, (PIECES,)))
        else:
            thought, events = self._reason(part)
        for piece in cut(text, {PIECES: part.get(PIECES)}, self._places):
            said = piece.text if thought.empty or not piece.begins else piece.text.removeprefix(SEPARATOR)
            events += thought.think(said, piece.begins, piece.item)
        self._places.grow(text, {})
        return events

    def _call(self, key: int, delta: ToolCallDelta, *, own: bool) -> list[Event]:
        fields = delta.extra if own and delta.extra else _NOTHING
        call = self._calls.get(key)
        if call is not None:
            return call.add(delta, fields)
        events = self._close()
        self._begin("")
        if self._told:
            events += self._close_calls()
        kind = call_kind(fields)
        item = {"id": self._id(kind), "type": kind, "call_id": delta.id or f"call_{key}", "name": delta.name or ""}
        if kind == "function_call":
            item["status"] = "in_progress"
        call = self._calls[key] = Called(len(self.items), {**item, CALLS[kind]: "", **rest(fields, ("type",))})
        events += self._start(call)
        return events + call.add(delta, _NOTHING)

    def _add_part(self, part: Part, *, own: bool) -> list[Event]:
        """Add a part that came whole."""
        extra = part.extra if own and not isinstance(part, Other) else _NOTHING
        if isinstance(part, Reasoning):
            return self._complete(part, extra)
        if isinstance(part, Text):
            self._begin("")
            events = self._close() + self._say(part.text, extra) + self._close()
            self._begin("")
            return events
        if isinstance(part, ToolCall):
            delta = ToolCallDelta(0, part.id, part.name, part.arguments, extra)
            return self._call(-1 - len(self._calls), delta, own=own)
        if isinstance(part, Other) and own:
            return self._stand(dict(part.data))
        return []

    def _complete(self, part: Reasoning, extra: Mapping[str, Any]) -> list[Event]:
        """Complete the reasoning that grows, or add one that stands for itself."""
        signature = write_signature(part, self._dialect)
        if not part.text and signature is None and not extra and not isinstance(self._open, Thought):
            return []
        events: list[Event] = []
        thought = self._open
        if part.text or not isinstance(thought, Thought):
            thought, events = self._reason(extra)
            if part.text:
                events += self._think(part.text, extra)
        thought.update(rest(extra, (PIECES,)))
        if signature is not None:
            thought.data["encrypted_content"] = signature
        self._begin("")
        return events + self._close()

    def _stand(self, data: dict[str, Any]) -> list[Event]:
        """Add an item that aigw does not model, or complete it if its events were passed on."""
        events = self._close()
        self._begin("")
        index = self._foreign.pop(data.get("id"), None)
        if index is None:
            index = len(self.items)
            self.items.append(data)
            events.append({"type": "response.output_item.added", "output_index": index, "item": data})
        self.items[index] = data
        return [*events, {"type": "response.output_item.done", "output_index": index, "item": data}]

    def _pass_on(self, event: Mapping[str, Any]) -> list[Event]:
        """Hand on an event that aigw does not model; what it says of an item is put where that item stands now."""
        item = event.get("item")
        events: list[Event] = []
        if event.get("type") == "response.output_item.added" and isinstance(item, dict):
            events = self._close()
            self._foreign[item.get("id")] = len(self.items)
            self.items.append(item)
        identity = event.get("item_id") if item is None else item.get("id")
        index = self._foreign.get(identity)
        return [*events, dict(event) if index is None else {**event, "output_index": index}]
