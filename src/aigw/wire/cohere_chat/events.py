"""The events of a streamed answer in Cohere's chat format, as chunks."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aigw.chunk import Chunk
from aigw.message import Other
from aigw.wire.cohere_chat.answer import MESSAGE, end_of_reasoning, parse_call
from aigw.wire.cohere_chat.dialect import WIRE
from aigw.wire.cohere_chat.parts import CITATIONS, PLAN, PLAN_MARK
from aigw.wire.cohere_chat.reasons import FINISH, read_reason
from aigw.wire.cohere_chat.usage import parse_usage, usage_rest
from aigw.wire.fields import checked, rest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EVENT: Final = frozenset({"type", "index", "delta", "id"})
_DELTA: Final = frozenset({"message", "error", FINISH, "usage"})
_BLOCK: Final = ("type", "text", "thinking")
_PLAIN: Final = (None, "text", "thinking")
LOGPROBS: Final = "logprobs"
"""A list in a whole answer, one item of it in an event; in chunks always a list."""


class EventReader:
    """Reads event after event. Blocks that a server does not open or close are opened and closed all the same.

    Args:
        provider: whose answer it is.
    """

    __slots__ = ("_block", "_calls", "_fields", "_identity", "_plans", "_provider", "_reasons", "ended")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._reasons = False  # reasoning is being written
        self._plans = False  # and it is the plan
        self._block: dict[str, Any] | None = None  # a block of an unknown kind, until it is complete
        self._fields: dict[str, Any] = {}  # unknown fields of the block, until they can be told
        self._calls: dict[Any, int] = {}
        self._identity: str | None = None
        self.ended = False
        """The last event has come."""

    def read(self, event: Mapping[str, Any], name: str | None) -> list[Chunk]:
        """Read an event.

        Args:
            event: its data.
            name: its name on the stream, where the data does not tell its type.

        Raises:
            ConfigError: it does not fit the format.
        """
        kind = event.get("type") or name
        handle = self._HANDLERS.get(kind) if isinstance(kind, str) else None
        if handle is None:
            named = event if "type" in event or name is None else {"type": name, **event}
            return [Chunk(extra={"events": [named]}, wire=WIRE)]
        delta = event.get("delta")
        delta = checked({} if delta is None else delta, dict, "delta")
        message = delta.get("message")
        message = checked({} if message is None else message, dict, "delta.message")
        return handle(self, event, message, _unknown(event, delta, message))

    def _start_message(
        self, event: Mapping[str, Any], _message: Mapping[str, Any], extra: dict[str, Any]
    ) -> list[Chunk]:
        self._identity = self._id(event)
        if self._identity is None and not extra:
            return []
        return [Chunk(id=self._identity, extra=extra or None, wire=WIRE)]

    def _id(self, event: Mapping[str, Any]) -> str | None:
        identity = event.get("id")
        return None if identity is None else checked(identity, str, "id") or None

    def _start_content(
        self, _event: Mapping[str, Any], message: Mapping[str, Any], extra: dict[str, Any]
    ) -> list[Chunk]:
        content = _content_of(message)
        chunks = self._close()
        if content.get("type") not in _PLAIN:
            self._block = content
        else:
            self._fields = rest(content, _BLOCK)
            self._reasons = content.get("type") == "thinking"
            content = {name: content[name] for name in ("text", "thinking") if content.get(name)}
        return [*chunks, *self._write(content if self._block is None else {}, extra)]

    def _go_on(self, _event: Mapping[str, Any], message: Mapping[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        return self._write(_content_of(message), extra)

    def _write(self, content: dict[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        if self._block is not None:
            join_block(self._block, content)
            return [Chunk(extra=extra, wire=WIRE)] if extra else []
        text = checked(content.get("text") or "", str, "text")
        reasoning = checked(content.get("thinking") or "", str, "thinking")
        fields = {} if len(content) == 1 and (text or reasoning) else rest(content, _BLOCK)
        chunks = self._close() if (reasoning and self._plans) or (text and self._reasons) else []
        if reasoning:
            self._reasons = True
        elif text and self._fields:
            fields = {**self._fields, **fields}
            self._fields = {}
        if fields:
            extra["part"] = fields
        if text or reasoning or extra:
            chunks.append(Chunk(text, reasoning, extra=extra or None, wire=WIRE))
        return chunks

    def _end_content(
        self, event: Mapping[str, Any], _message: Mapping[str, Any], _extra: dict[str, Any]
    ) -> list[Chunk]:
        if len(event) > 2:  # noqa: PLR2004  (type and index)
            self._fields.update(rest(event, _EVENT))
        return self._close()

    def _close(self) -> list[Chunk]:
        """End the block that is being written, if there is one."""
        block, fields = self._block, self._fields
        reasons = self._reasons
        self._block, self._fields = None, {}
        self._reasons = self._plans = False
        if block is not None:
            return [Chunk(parts=(Other({**block, **fields}),), wire=WIRE)]
        if reasons:
            return [Chunk(parts=(end_of_reasoning(self._provider, fields),), wire=WIRE)]
        return [Chunk(extra={"part": fields}, wire=WIRE)] if fields else []

    def _plan(self, _event: Mapping[str, Any], message: Mapping[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        plan = checked(message.get(PLAN) or "", str, PLAN)
        if not plan:
            return [Chunk(extra=extra, wire=WIRE)] if extra else []
        chunks = [] if self._plans else self._close()
        self._reasons = self._plans = True
        return [*chunks, Chunk(reasoning=plan, extra={**extra, "part": PLAN_MARK}, wire=WIRE)]

    def _call(self, event: Mapping[str, Any], message: Mapping[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        position = self._calls.setdefault(event.get("index"), len(self._calls))
        delta = parse_call(position, message.get("tool_calls") or {})
        return [*self._close(), Chunk(tool_calls=(delta,), extra=extra or None, wire=WIRE)]

    def _cite(self, _event: Mapping[str, Any], message: Mapping[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        given = message.get(CITATIONS)
        citations = given if isinstance(given, list) else [given] if given else []
        part = {"part": {CITATIONS: citations}} if citations else {}
        return [Chunk(extra={**extra, **part}, wire=WIRE)] if part or extra else []

    def _skip(self, _event: Mapping[str, Any], _message: Mapping[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        return [Chunk(extra=extra, wire=WIRE)] if extra else []

    def _end_message(self, event: Mapping[str, Any], _message: Mapping[str, Any], extra: dict[str, Any]) -> list[Chunk]:
        delta = event.get("delta") or {}
        if counts := usage_rest(delta.get("usage")):
            extra["usage"] = counts
        self.ended = True
        return [
            *self._close(),
            Chunk(
                finish_reason=read_reason(delta.get(FINISH), extra),
                usage=parse_usage(delta.get("usage")),
                id=self._id(event) if self._identity is None else None,
                extra=extra or None,
                wire=WIRE,
            ),
        ]

    _HANDLERS: ClassVar[Mapping[str, Callable[..., list[Chunk]]]] = MappingProxyType(
        {
            "message-start": _start_message,
            "content-start": _start_content,
            "content-delta": _go_on,
            "content-end": _end_content,
            "tool-plan-delta": _plan,
            "tool-call-start": _call,
            "tool-call-delta": _call,
            "tool-call-end": _skip,
            "citation-start": _cite,
            "citation-end": _skip,
            "message-end": _end_message,
        }
    )


def _unknown(event: Mapping[str, Any], delta: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the unknown fields of an event, except those of a block."""
    extra = {} if _EVENT.issuperset(event) else rest(event, _EVENT)
    if LOGPROBS in extra and not isinstance(extra[LOGPROBS], list):
        extra[LOGPROBS] = [extra[LOGPROBS]]
    if not _DELTA.issuperset(delta):
        extra.update(rest(delta, _DELTA))
    if not MESSAGE.issuperset(message) and (fields := rest(message, MESSAGE)):
        extra["message"] = fields
    return extra


def _content_of(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, list):  # an empty list stands for none
        content = content[0] if content else {}
    return dict(checked({} if content is None else content, dict, "delta.message.content"))


def join_block(block: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Add a piece to a block of an unknown kind: texts and lists grow, of anything else the last counts."""
    for name, value in piece.items():
        grows = name != "type" and type(block.get(name)) is type(value) and isinstance(value, (str, list))
        block[name] = block[name] + value if grows else value
