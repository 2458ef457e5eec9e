"""The messages of a conversation in Gemini's format: ``systemInstruction`` and ``contents``, in both directions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.arguments import is_valid
from aigw.wire.fields import merge, optional, rest
from aigw.wire.gemini.calls import CALL, MADE_UP, RESULT, render_call, render_result
from aigw.wire.gemini.dialect import WIRE
from aigw.wire.gemini.media import render_media
from aigw.wire.gemini.names import message as fields_of
from aigw.wire.gemini.parts import Writer, parse_part
from aigw.wire.gemini.signatures import SIGNATURE, SKIP, give, is_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Call
    from aigw.wire.gemini.dialect import Dialect
    from aigw.wire.losses import Losses

_SYSTEM: Final = ("system", "developer")
_MODEL: Final = "model"
_USER: Final = "user"


class Contents:
    """Renders the messages of one call.

    Args:
        call: the call.
        model: the model that will read them.
        dialect: how the server differs.
        losses: decides what becomes of the things that this format cannot say.
    """

    __slots__ = ("_dialect", "_family", "_foreign", "_losses", "_names", "_without_id", "contents", "system")

    def __init__(self, call: Call, model: str, dialect: Dialect, losses: Losses) -> None:
        self._dialect = dialect
        self._family = dialect.family(model)
        self._losses = losses
        self._names: dict[str, str] = {}
        self._without_id: dict[str, bool] = {}
        self._foreign = False
        self.system: dict[str, Any] | None = None
        """The ``systemInstruction``: all system messages before the conversation."""
        self.contents: list[dict[str, Any]] = []
        """The ``contents``."""
        before: Message | None = None
        for message in call.messages:
            if message.role in _SYSTEM and not self.contents:
                self._add_instruction(message)
            elif message.role == "tool" and self.contents and before is not None and before.role == "tool":
                self.contents[-1]["parts"] += self._parts(message)  # all results of one answer stand together
            else:
                self._add(message)
            before = message
        if self._family.signed_calls:
            self._sign_calls()

    def _add_instruction(self, message: Message) -> None:
        parts = self._parts(message)
        if self.system is None:
            self.system = {"parts": parts}
        else:
            self.system["parts"] += parts
        merge(self.system, self._losses.own(message.extra, message.wire))

    def _add(self, message: Message) -> None:
        parts = self._parts(message)
        if not parts:  # the server refuses an empty message; what it held was noted
            return
        if message.role in _SYSTEM:
            self._losses.note("a system message within the conversation", "emulated")
            parts = [{"text": "<system>\n"}, *parts, {"text": "\n</system>"}]
        content = {"role": _MODEL if message.role == "assistant" else _USER, "parts": parts}
        self.contents.append(merge(content, self._losses.own(message.extra, message.wire)))

    def _parts(self, message: Message) -> list[dict[str, Any]]:
        if message.name is not None:
            self._losses.tuning("the name of a speaker")
        writer = Writer(self._dialect.provider)
        for part in message.parts:
            self._write(part, message, writer)
        return writer.parts

    def _write(self, part: Part, message: Message, writer: Writer) -> None:
        if isinstance(part, Other):
            if self._losses.knows(message.wire):
                self._note_foreign(part.data)
                writer.add(give(part.data, self._dialect.provider))
            else:
                self._losses.content(f"a part that only {message.wire} knows")
            return
        extra = self._losses.own(part.extra, message.wire)
        self._note_foreign(extra)
        if isinstance(part, Text):
            writer.add_text(part.text, extra)
        elif isinstance(part, Reasoning):
            self._write_reasoning(part, message, extra, writer)
        elif isinstance(part, ToolCall):
            self._names[part.id] = part.name
            self._without_id[part.id] = bool(extra.get(MADE_UP))
            if not is_valid(part.arguments):
                self._losses.note("arguments of a tool call that are no JSON object", "emulated")
            writer.add(render_call(part, extra, self._dialect))
        elif isinstance(part, ToolResult):
            writer.add(self._result(part, message, extra))
        elif message.role in _SYSTEM and message.wire != self._losses.wire:
            self._losses.content("a system message with an image or file")
        else:
            self._write_media(part, extra, writer)

    def _write_reasoning(self, part: Reasoning, message: Message, extra: Mapping[str, Any], writer: Writer) -> None:
        foreign = part.provider is not None and part.provider != self._dialect.provider
        if foreign or (part.signature is not None and part.provider is None) or not self._losses.knows(message.wire):
            self._note_reasoning()
        else:
            writer.add_reasoning(part, extra)

    def _write_media(self, part: Image | File, extra: Mapping[str, Any], writer: Writer) -> None:
        rendered = render_media(self._looked_at(part), extra, self._dialect)
        if rendered is None:
            self._losses.content("a file that was uploaded to another provider")
        else:
            writer.add(rendered)

    def _looked_at(self, part: Image | File) -> Image | File:
        """Leave out how closely an image is to be looked at, where the model takes no such wish."""
        if isinstance(part, File) or part.detail is None or self._family.media_detail:
            return part
        self._losses.tuning("the detail of an image")
        return replace(part, detail=None)

    def _result(self, result: ToolResult, message: Message, extra: Mapping[str, Any]) -> dict[str, Any]:
        name = result.name or self._names.get(result.id)
        if not name:
            self._losses.content("a tool result whose call is not in the conversation")
            name = result.id
        if not isinstance(result.content, str):
            result = replace(result, content=tuple(self._result_parts(result.content, message)))
        if self._without_id.get(result.id):
            result = replace(result, id="")
        return render_result(result, name, extra, self._dialect)

    def _result_parts(self, parts: Sequence[Text | Image], message: Message) -> list[Text | Image]:
        kept: list[Text | Image] = []
        for part in parts:
            if isinstance(part, Text):
                kept.append(part)
            elif not self._family.media_results:
                self._losses.content("an image in a tool result")
            else:
                kept.append(replace(part, extra=self._losses.own(part.extra, message.wire)))
        return kept

    def _note_foreign(self, fields: Mapping[str, Any]) -> None:
        if is_foreign(fields, self._dialect.provider):
            self._note_reasoning()

    def _note_reasoning(self) -> None:
        if not self._foreign:
            self._foreign = True
            self._losses.note("reasoning of another provider")

    def _sign_calls(self) -> None:
        """Put Google's word for it where the model wants a signature and there is none.

        That is at the first function call of each answer since the user last spoke.
        """
        start = max((at for at, content in enumerate(self.contents) if _is_speech(content)), default=0)
        emulated = False
        for content in self.contents[start:]:
            calls = [part for part in content["parts"] if CALL in part] if content["role"] == _MODEL else []
            if calls and SIGNATURE not in calls[0]:
                calls[0][SIGNATURE] = SKIP
                emulated = True
        if emulated:
            self._losses.note("the thought signature of a function call of another model", "emulated")


def _is_speech(content: Mapping[str, Any]) -> bool:
    return content["role"] == _USER and not any(RESULT in part for part in content["parts"])


class Reader:
    """Reads the messages of one request.

    Ids that are missing are made up, ``call_0`` and so on. A result without an id belongs to the first call of its
    function that has no result yet.

    Args:
        provider: whose thought signatures they hold.
    """

    __slots__ = ("_made_up", "_open", "_provider", "_taken")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._open: list[tuple[str, str]] = []
        self._taken: set[str] = set()
        self._made_up = 0

    def read_instruction(self, data: Any) -> Message:
        """Read a ``systemInstruction``.

        Raises:
            ConfigError: it does not fit the format; the message names the path of the field.
        """
        where = "systemInstruction"
        if isinstance(data, str):
            return Message("system", data, wire=WIRE)
        content = fields_of(data, where)
        return Message("system", self._parts(content, where), extra=rest(content, ("role", "parts")), wire=WIRE)

    def read(self, data: Any, where: str) -> Message:
        """Read one of the ``contents``.

        Raises:
            ConfigError: it does not fit the format; the message names the path of the field.
        """
        content = fields_of(data, where)
        role = optional(content, "role", str, where) or _USER
        parts = self._parts(content, where)
        extra = rest(content, ("role", "parts"))
        if role == _MODEL:
            return Message("assistant", parts, extra=extra, wire=WIRE)
        if role != _USER:
            extra["role"] = role
        only_results = bool(parts) and all(isinstance(part, ToolResult) for part in parts)
        return Message("tool" if only_results else "user", parts, extra=extra, wire=WIRE)

    def _parts(self, content: Mapping[str, Any], where: str) -> list[Part]:
        parts: list[Part] = []
        for at, item in enumerate(optional(content, "parts", list, where) or ()):
            parts += map(self._with_id, parse_part(item, self._provider, f"{where}.parts[{at}]"))
        return parts

    def _with_id(self, part: Part) -> Part:
        if isinstance(part, ToolCall):
            if not part.id:
                part = replace(part, id=self._new_id(), extra={**part.extra, MADE_UP: True})
            self._taken.add(part.id)
            self._open.append((part.id, part.name))
        elif isinstance(part, ToolResult):
            if not part.id:
                known = next((identity for identity, name in self._open if name == part.name), None)
                part = replace(part, id=known or self._new_id())
            self._open = [call for call in self._open if call[0] != part.id]
        return part

    def _new_id(self) -> str:
        while (made_up := f"call_{self._made_up}") in self._taken:
            self._made_up += 1
        self._made_up += 1
        return made_up
