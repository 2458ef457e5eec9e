"""Messages: to the turns of user and assistant that this format has, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aigw.message import Message, ToolResult
from aigw.wire.bedrock_converse.blocks import Block
from aigw.wire.bedrock_converse.dialect import WIRE
from aigw.wire.bedrock_converse.parts import parse_blocks
from aigw.wire.fields import checked, required, rest
from aigw.wire.roles import read_role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.wire.bedrock_converse.blocks import Scribe

_SYSTEM: Final = ("system", "developer")
_ROLES: Final = ("user", "assistant", "system")
_IN_SYSTEM: Final = frozenset({"text", "guardContent", "cachePoint"})
_BESIDE_DOCUMENT: Final = "See the document."


@dataclass(slots=True)
class _Turn:
    """What one side says until the other does."""

    role: str
    own: bool
    content: list[Block] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def render(self, scribe: Scribe) -> dict[str, Any]:
        if not self.own and self.role == "user":
            # A model wants to hear of its tools before anything else.
            self.content.sort(key=lambda block: "toolResult" not in block)
            kinds = {kind for block in self.content for kind in block}
            if "document" in kinds and "text" not in kinds:
                scribe.losses.note("a document without a text beside it", "emulated")
                self.content.append({"text": _BESIDE_DOCUMENT})
        return {"role": self.role, "content": self.content, **self.extra}


def render_messages(messages: Sequence[Message], scribe: Scribe) -> tuple[list[Block], list[dict[str, Any]]]:
    """Render a conversation.

    Messages of the same side in a row become one, with the results of tools first. System messages go before all
    others, but one that was read from this format stays where it stood.

    Returns:
        The content of ``system``, and the ``messages``.

    Raises:
        NoCapableTarget: something in it cannot be said.
    """
    system: list[list[Block]] = []
    turns: list[_Turn] = []
    for message in messages:
        own = message.wire == WIRE
        if message.name is not None:
            scribe.losses.tuning("the name of a speaker")
        content = [block for part in message.parts for block in scribe.write(part, message.wire)]
        if not content:  # it says nothing, and the server refuses such a message
            continue
        if message.role in _SYSTEM and not (turns and own):
            if turns:
                scribe.losses.note("the place of a system message in the midst of a conversation", "changed")
            system.append(content if own else _checked_system(content, scribe))
            continue
        role = message.role if message.role in _ROLES else "user"
        if not turns or turns[-1].role != role:
            turns.append(_Turn(role, own))
        turns[-1].own = turns[-1].own and own
        turns[-1].content += content
        turns[-1].extra.update(scribe.losses.own(message.extra, message.wire))
    if system and not turns and messages[-1].wire != WIRE:
        scribe.losses.note("a conversation of nothing but system messages", "emulated")
        turns.append(_Turn("user", own=True, content=system.pop()))
    return [block for content in system for block in content], [turn.render(scribe) for turn in turns]


def _checked_system(content: list[Block], scribe: Scribe) -> list[Block]:
    allowed = [block for block in content if block.keys() & _IN_SYSTEM]
    if len(allowed) < len(content):
        scribe.losses.content("anything but text in a system message")
    return allowed


def parse_messages(body: Mapping[str, Any], provider: str) -> tuple[Message, ...]:
    """Read ``system`` and ``messages`` of a request. All of ``system`` becomes one message.

    A message of the user that holds nothing but results of tools gets the role ``tool``.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    messages: list[Message] = []
    system = checked(body.get("system") or [], list, "system")
    if system:
        messages.append(Message("system", parse_blocks(system, provider, "system"), wire=WIRE))
    for at, given in enumerate(checked(body.get("messages") or [], list, "messages")):
        where = f"messages[{at}]"
        messages.append(_parse_message(checked(given, dict, where), provider, where))
    return tuple(messages)


def _parse_message(data: Mapping[str, Any], provider: str, where: str) -> Message:
    role = read_role(data, _ROLES, where)
    parts = parse_blocks(required(data, "content", list, where), provider, f"{where}.content", role)
    if role == "user" and parts and all(isinstance(part, ToolResult) for part in parts):
        role = "tool"
    return Message(role, parts, extra=rest(data, ("role", "content")), wire=WIRE)
