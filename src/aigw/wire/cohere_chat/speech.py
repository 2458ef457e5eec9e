"""Messages as Cohere's servers read them; the way back is in `aigw.wire.cohere_chat.messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.cohere_chat.dialect import WIRE, Dialect
from aigw.wire.cohere_chat.parts import CITATIONS, PLAN, is_plan, write_thinking, write_words
from aigw.wire.fields import merge, rest
from aigw.wire.openai_chat.parts import write_image, write_tool_call
from aigw.wire.openai_chat.turns import failed, render_turn, simplest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.wire.losses import Losses

_ROLES: Final[Mapping[str, str]] = {"developer": "system"}

_HERE: Final = ("", WIRE)
"""The ``wire`` of messages that were made by hand, or read from this format: their parts go out as they are."""


class MessageRenderer:
    """Renders the messages of a call.

    Args:
        dialect: how the server differs.
        losses: decides about what the format cannot say.
    """

    __slots__ = ("_dialect", "_losses", "_noted")

    def __init__(self, dialect: Dialect, losses: Losses) -> None:
        self._dialect = dialect
        self._losses = losses
        self._noted = False

    def render(self, message: Message) -> list[dict[str, Any]]:
        """Render a message: one object, and one more of role ``tool`` for every tool result, which come first.

        That a tool failed has no field in this format: the content says it.

        Raises:
            ConfigError: a message of role ``tool`` holds something else than tool results.
            NoCapableTarget: the format cannot express a part of it.
        """
        return render_turn(message, self._losses, self._speech, self._result)

    def _speech(self, message: Message, parts: Sequence[Part], extra: Mapping[str, Any]) -> dict[str, Any]:
        if message.name is not None:
            self._losses.tuning("the name of a speaker")
        calls = [self._call(part, message.wire) for part in parts if isinstance(part, ToolCall)]
        plans = [part.text for part in parts if isinstance(part, Reasoning) and self._plans(part, message.wire)]
        if calls and message.wire != WIRE:  # the server refuses text beside tool calls, and names this field instead
            said = [part for part in parts if isinstance(part, Text)]
            parts = [part for part in parts if not isinstance(part, Text)]
            plans += [part.text for part in said if part.text]
            if said:
                self._losses.note("text beside tool calls", "emulated")
        content = self._content(message, parts)
        speech: dict[str, Any] = {"role": _ROLES.get(message.role, message.role)}
        if content or message.role != "assistant" or not (calls or plans or extra):
            speech["content"] = simplest(content)
        if plans:
            speech[PLAN] = "\n".join(plans)
        if calls:
            speech["tool_calls"] = calls
        if citations := self._citations(parts, message.wire):
            speech[CITATIONS] = citations
        return merge(speech, extra)

    def _content(self, message: Message, parts: Sequence[Part]) -> list[dict[str, Any]]:
        content = []
        for part in parts:
            if isinstance(part, ToolCall) or (isinstance(part, Reasoning) and not self._thinks(part, message.wire)):
                continue
            if isinstance(part, (Text, Reasoning)):
                rendered = self._words(part, message.wire)
            else:
                rendered = self._medium(part, message)
            if rendered is not None:
                content.append(rendered)
        return content

    def _words(self, part: Text | Reasoning, wire: str) -> dict[str, Any] | None:
        own = self._losses.own(part.extra, wire)
        fields = rest(own, (CITATIONS,)) if CITATIONS in own else own
        if isinstance(part, Reasoning):
            return write_thinking(part.text, fields)
        if not part.text and not fields and own:  # it stood for its citations alone
            return None
        return write_words(part, fields)

    def _medium(self, part: Part, message: Message) -> dict[str, Any] | None:
        """Render a part that is no text; ``None`` for one that the format cannot express and that may be lost."""
        losses, wire = self._losses, message.wire
        if isinstance(part, Other):
            if losses.knows(wire):
                return dict(part.data)
            losses.content(f"a part that only {wire} knows")
            return None
        if isinstance(part, Image):
            if wire not in _HERE and message.role != "user":
                losses.content(f"an image in a message of the {message.role}")
                return None
            return write_image(part, losses.own(part.extra, wire))
        if isinstance(part, File):
            losses.content("a file")
            return None
        raise ConfigError(f"a {type(part).__name__} cannot stand in the content of a message")

    def _result(self, result: ToolResult, extra: Mapping[str, Any], wire: str) -> dict[str, Any]:
        own = self._losses.own(result.extra, wire)
        content: Any = result.content
        if not isinstance(content, str):
            content = [
                *(self._in_result(part, wire) for part in content if self._fits_result(part, wire)),
                *own.get("content", ()),
            ]
        if result.is_error:
            self._losses.note("the mark of a tool result that it is an error", "emulated")
            content = failed(content)
        rendered = {"role": "tool", "tool_call_id": result.id, "content": content}
        return merge(merge(rendered, rest(own, ("content",))), extra)

    def _in_result(self, part: Text | Image, wire: str) -> dict[str, Any]:
        own = self._losses.own(part.extra, wire)
        return write_image(part, own) if isinstance(part, Image) else write_words(part, own)

    def _fits_result(self, part: Text | Image, wire: str) -> bool:
        if isinstance(part, Image) and wire != WIRE:
            self._losses.content("an image in the result of a tool")
            return False
        return True

    def _call(self, call: ToolCall, wire: str) -> dict[str, Any]:
        return write_tool_call(call.id, call.name, call.arguments or "{}", self._losses.own(call.extra, wire))

    def _citations(self, parts: Sequence[Part], wire: str) -> list[Any]:
        """Collect the citations of an assistant's texts."""
        citations: list[Any] = []
        for part in parts:
            if isinstance(part, (Text, Reasoning)):
                citations += self._losses.own(part.extra, wire).get(CITATIONS) or ()
        return citations

    def _plans(self, part: Reasoning, wire: str) -> bool:
        return is_plan(self._losses.own(part.extra, wire)) and self._goes_back(part, wire)

    def _thinks(self, part: Reasoning, wire: str) -> bool:
        return not is_plan(self._losses.own(part.extra, wire)) and self._goes_back(part, wire)

    def _goes_back(self, part: Reasoning, wire: str) -> bool:
        """Tell whether the server may see this reasoning again; that it may not is noted once for a call."""
        if part.provider == self._dialect.provider or (part.provider is None and wire in _HERE):
            return True
        if not self._noted:
            self._noted = True
            self._losses.note("reasoning of another provider")
        return False
