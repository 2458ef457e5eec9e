"""Output items, whole or in pieces, to chunks.

Servers differ in what they send of a stream: some leave out the events that begin and end an item, some the indexes,
some send nothing but the end. An item is therefore known by its id, its index or its type, whatever there is, and what
has been told of it is compared with the item as it is at its end.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, ToolCallDelta
from aigw.message import Other, Reasoning
from aigw.wire.fields import checked, rest
from aigw.wire.openai_responses.dialect import WIRE, Dialect
from aigw.wire.openai_responses.items import (
    CALLS,
    message_fields,
    read_call,
    read_reasoning,
    read_signature,
    reasoning_fields,
)
from aigw.wire.openai_responses.pieces import LISTS, PIECES, SEPARATOR, Places
from aigw.wire.openai_responses.said import content_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MODELLED: Final = frozenset({"message", "reasoning", *CALLS})


@dataclass(slots=True, eq=False)
class Item:
    """An item of the output, and what has been told of it.

    Args:
        kind: its type.
        id: its id, where the server gave one.
        index: its place in the output, where the server gave one.
        call: which of the tool calls it is.
        fields: the fields that are known of it; they are told with its first piece.
        begun: something of it has been told.
        announced: the server said that it begins; else its pieces came without that.
        over: all of it has been told.
        said: its texts so far, by the type and index of the content.
        closed: the contents that are complete.
    """

    kind: str
    id: str | None = None
    index: int | None = None
    call: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    begun: bool = False
    announced: bool = True
    over: bool = False
    said: defaultdict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    closed: set[tuple[str, int]] = field(default_factory=set)

    def left(self, place: tuple[str, int], whole: str) -> str:
        """Return what has not been told of a text; nothing if what was told is something else."""
        told = "".join(self.said[place])
        return whole[len(told) :] if whole.startswith(told) else ""


class Reader:
    """Turns the items of one answer into chunks.

    Args:
        dialect: whose signatures the reasoning has.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._items: list[Item] = []
        self._calls = 0
        self._slot = ""  # the part of ours that grows: "text", "reasoning" or none
        self._place: tuple[Item, tuple[str, int]] | None = None
        self._places = Places()

    @property
    def has_calls(self) -> bool:
        """Whether the model called a tool."""
        return self._calls > 0

    def find(self, kind: str, identity: Any, index: Any) -> Item:
        """Return the item that a piece belongs to; a new one if the server did not say that it begins."""
        unknown = None
        for item in reversed(self._items):
            if item.kind != kind or item.over:
                continue
            if (identity is not None and item.id == identity) or (index is not None and item.index == index):
                return item
            if (item.announced or identity is None) and (index is None or item.index is None):
                unknown = unknown or item  # its id is given in another form, or not at all
        return unknown or self._new(kind, identity, index, announced=False)

    def added(self, data: Mapping[str, Any], index: Any) -> list[Chunk] | None:
        """Begin an item, whose fields are told with its first piece; ``None`` for one that aigw does not model."""
        kind = str(data.get("type"))
        if kind not in _MODELLED:
            return None
        item = self._new(kind, data.get("id"), index)
        if kind in CALLS:
            return self._call(item, data)
        item.fields = (message_fields if kind == "message" else reasoning_fields)(data)
        return []

    def said(self, item: Item, index: int, text: str, fields: Mapping[str, Any] | None = None) -> list[Chunk]:
        """Tell a piece of a text, and the fields of its content part if they are known."""
        if not text:
            return []
        place = ("output_text", index)
        if self._slot != "text":
            self._begin("text")
        records = []
        begins = None
        if not item.begun:
            begins = self._places.begin("message", item.fields)
        elif self._place != (item, place):
            begins = self._places.begin("output_text", {})
        if begins is not None and begins != {"type": "message"}:
            records.append(begins)
        item.begun = True
        self._place = (item, place)
        self._places.grow(text, {})
        part = self._closing(fields or {}, records)
        item.said[place].append(text)
        return [Chunk(text=text, extra={"part": part} if part else None, wire=WIRE)]

    def refused(self, item: Item, index: int, text: str) -> list[Chunk]:
        """Tell a piece of a refusal."""
        if not text:
            return []
        extra = None if item.begun or not item.fields else {"message": item.fields}
        item.begun = True
        item.said["refusal", index].append(text)
        return [Chunk(refusal=text, extra=extra, wire=WIRE)]

    def thought(self, item: Item, kind: str, index: int, text: str) -> list[Chunk]:
        """Tell a piece of readable reasoning."""
        if not text:
            return []
        place = (kind, index)
        item.said[place].append(text)
        part: dict[str, Any] = {}
        if not item.begun:
            part.update(item.fields)
        if self._slot != "reasoning":
            self._begin("reasoning")
            if kind != "summary_text":
                part[PIECES] = [self._places.begin(kind, {})]
        elif self._place != (item, place):
            part[PIECES] = [self._places.begin(kind, {})]
            text = SEPARATOR + text
        item.begun = True
        self._place = (item, place)
        self._places.grow(text, {})
        return [Chunk(reasoning=text, extra={"part": part} if part else None, wire=WIRE)]

    def called(self, item: Item, arguments: str) -> list[Chunk]:
        """Tell a piece of the arguments of a tool call."""
        if not arguments:
            return []
        self._begin_call(item)
        item.said["", 0].append(arguments)
        return [_call_chunk(ToolCallDelta(item.call, arguments=arguments))]

    def content_done(self, item: Item, index: int, part: Any) -> list[Chunk]:
        """Tell what is left of a content part: the rest of its text, its annotations and other fields."""
        part = checked(part, dict, "a content part")
        kind = str(part.get("type"))
        if (kind, index) in item.closed:
            return []
        item.closed.add((kind, index))
        if kind == "output_text":
            return self._text_done(item, index, part)
        if kind == "refusal":
            return self.refusal_done(item, index, checked(part.get("refusal") or "", str, "a refusal"))
        if kind in ("reasoning_text", "summary_text"):
            return self.thought_done(item, kind, index, part.get("text"))
        self._begin("")
        return [Chunk(parts=(Other({"type": "message", "role": "assistant", "content": [part]}),), wire=WIRE)]

    def text_done(self, item: Item, index: int, text: str) -> list[Chunk]:
        """Tell what is left of a text."""
        return self.said(item, index, item.left(("output_text", index), text))

    def refusal_done(self, item: Item, index: int, text: str) -> list[Chunk]:
        """Tell what is left of a refusal."""
        return self.refused(item, index, item.left(("refusal", index), text))

    def _text_done(self, item: Item, index: int, part: Mapping[str, Any]) -> list[Chunk]:
        place = ("output_text", index)
        left = item.left(place, checked(part.get("text") or "", str, "a text"))
        fields = content_fields(part)
        if left:
            return self.said(item, index, left, fields)
        if fields and self._place == (item, place) and self._slot == "text":
            return [Chunk(extra={"part": self._closing(fields, [])}, wire=WIRE)]
        return []

    def _closing(self, fields: Mapping[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
        """Lay the fields of a content part out: lists stand beside the text, the others are told with its end."""
        part = {name: fields[name] for name in LISTS if name in fields}
        if others := rest(fields, LISTS):
            records.append(self._places.begin("output_text.done", others))
        self._places.grow("", part)
        return {**part, PIECES: records} if records else part

    def thought_done(self, item: Item, kind: str, index: int, text: Any) -> list[Chunk]:
        """Tell what is left of a piece of readable reasoning."""
        whole = checked(text or "", str, "a piece of reasoning")
        return self.thought(item, kind, index, item.left((kind, index), whole))

    def call_done(self, item: Item, arguments: Any) -> list[Chunk]:
        """Tell what is left of the arguments of a tool call."""
        whole = checked(arguments or "", str, "the arguments of a tool call")
        return self.called(item, item.left(("", 0), whole))

    def done(self, data: Any, index: Any) -> list[Chunk]:
        """Tell what is left of an item that is complete."""
        data = checked(data, dict, "an item of the output")
        kind = str(data.get("type"))
        if kind not in _MODELLED:
            return self._stand(data)
        item = self._match(kind, data, index)
        item.over = True
        if kind == "message":
            return self._message_done(item, data)
        if kind == "reasoning":
            return self._reasoning_done(item, data)
        return self._call(item, data)

    def rest(self, output: Sequence[Any]) -> list[Chunk]:
        """Tell what is left of the whole output at the end of the answer."""
        told = [item for item in self._items if item.over]
        unknown = []
        for data in output:
            identity = checked(data, dict, "an item of the output").get("id")
            known = next((item for item in told if item.id == identity and item.kind == str(data.get("type"))), None)
            if known is None or identity is None:
                unknown.append(data)
            else:
                told.remove(known)
        chunks = []
        for data in unknown:
            known = next((item for item in told if item.kind == str(data.get("type"))), None)
            if known is None:
                chunks += self.done(data, None)
            else:
                told.remove(known)
        return chunks

    def _new(self, kind: str, identity: Any, index: Any, *, announced: bool = True) -> Item:
        item = Item(
            kind,
            identity if isinstance(identity, str) else None,
            index if type(index) is int else None,
            announced=announced,
        )
        if kind in CALLS:
            item.call = self._calls
            self._calls += 1
        self._items.append(item)
        return item

    def _match(self, kind: str, data: Mapping[str, Any], index: Any) -> Item:
        """Find an item that is complete among those that are not; some servers change its id on the way."""
        items = [item for item in self._items if item.kind == kind and not item.over]
        for item in items:
            if item.id is not None and item.id == data.get("id"):
                return item
        for item in items:
            if index is None or item.index is None or item.index == index:
                return item
        new = self._new(kind, data.get("id"), index)
        if kind not in CALLS:
            new.fields = (message_fields if kind == "message" else reasoning_fields)(data)
        return new

    def _begin(self, slot: str) -> None:
        self._slot = slot
        self._places = Places()
        self._place = None

    def _stand(self, data: dict[str, Any]) -> list[Chunk]:
        """Tell an item that aigw does not model."""
        self._begin("")
        item = self._new(str(data.get("type")), data.get("id"), None)
        item.over = True
        return [Chunk(parts=(Other(data),), wire=WIRE)]

    def _message_done(self, item: Item, data: Mapping[str, Any]) -> list[Chunk]:
        fields = message_fields(data)
        if not item.begun:
            item.fields = fields
        chunks = []
        for index, part in enumerate(checked(data.get("content") or [], list, "the content of a message")):
            chunks += self.content_done(item, index, part)
        late = {name: value for name, value in fields.items() if item.fields.get(name) != value}
        if late and item.begun:
            if self._slot == "text" and self._place is not None and self._place[0] is item:
                record = self._places.begin("message.done", late)
                chunks.append(Chunk(extra={"part": {PIECES: [record]}}, wire=WIRE))
            else:
                chunks.append(Chunk(extra={"message": late}, wire=WIRE))
        return chunks

    def _reasoning_done(self, item: Item, data: Mapping[str, Any]) -> list[Chunk]:
        fields = reasoning_fields(data)
        if not item.begun:
            whole = read_reasoning(data, self._dialect)
            self._begin("")
            if not whole.text:
                return [Chunk(parts=(whole,), wire=WIRE)]
            extra = {"part": whole.extra} if whole.extra else None
            closing = Reasoning("", whole.signature, whole.provider)
            return [Chunk(reasoning=whole.text, parts=(closing,), extra=extra, wire=WIRE)]
        chunks = []
        for name, kind in (("summary", "summary_text"), ("content", "reasoning_text")):
            for index, piece in enumerate(checked(data.get(name) or [], list, f"the {name} of reasoning")):
                chunks += self.thought_done(item, kind, index, checked(piece, dict, "a piece of reasoning").get("text"))
        signature, provider = read_signature(data, self._dialect.provider)
        late = {name: value for name, value in fields.items() if item.fields.get(name) != value}
        self._begin("")
        return [*chunks, Chunk(parts=(Reasoning("", signature, provider, late),), wire=WIRE)]

    def _call(self, item: Item, data: Mapping[str, Any]) -> list[Chunk]:
        """Tell of a tool call what is not told yet."""
        identity, name, arguments, fields = read_call(data)
        late = {field: value for field, value in fields.items() if item.fields.get(field) != value}
        left = item.left(("", 0), arguments)
        unnamed = not item.announced or not item.begun
        self._begin_call(item)
        item.said["", 0].append(left)
        item.fields = {**item.fields, **fields}
        item.announced = True
        if unnamed:
            identity = identity or f"call_{item.call}"
            return [_call_chunk(ToolCallDelta(item.call, identity, name, left, late or None))]
        return [_call_chunk(ToolCallDelta(item.call, arguments=left, extra=late or None))] if left or late else []

    def _begin_call(self, item: Item) -> None:
        if not item.begun:
            self._begin("")
        item.begun = True


def _call_chunk(delta: ToolCallDelta) -> Chunk:
    return Chunk(tool_calls=(delta,), wire=WIRE)
