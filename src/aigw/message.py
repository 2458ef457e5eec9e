"""Messages, their parts, and tools: what a conversation is made of, for every provider alike.

Every part has a ``type``, named as the OpenAI API names it where it has a name, and most have an ``extra`` mapping that
holds the fields that aigw does not model, as the wire format gave them (``cache_control``, say). Which format that was
tells ``Message.wire``: other formats leave such fields out, because their servers would refuse them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aigw.values import Value

Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text(Value):
    """A piece of text."""

    text: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Image(Value):
    """An image, by URL.

    Args:
        url: ``https:`` or ``data:``. aigw never fetches it.
        detail: how closely the model should look: ``low``, ``high`` or ``auto``.
    """

    url: str
    detail: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["image"] = "image"

    @classmethod
    def from_bytes(cls, data: bytes, media_type: str) -> Image:
        """Make an inline image, for example ``Image.from_bytes(path.read_bytes(), "image/png")``."""
        return cls(_data_url(data, media_type))


@dataclass(frozen=True, slots=True)
class File(Value):
    """A document.

    Args:
        url: ``data:`` URL with the content, or ``None`` for an uploaded file.
        file_id: the provider's id of an uploaded file.
        name: file name.
    """

    url: str | None = None
    file_id: str | None = None
    name: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["file"] = "file"

    @classmethod
    def from_bytes(cls, data: bytes, media_type: str, name: str) -> File:
        """Make an inline file."""
        return cls(_data_url(data, media_type), name=name)


@dataclass(frozen=True, slots=True)
class Reasoning(Value):
    """What the model thought before it answered.

    Args:
        text: the readable part; may be empty where a provider shows none.
        signature: opaque data that the provider wants back unchanged; never sent to another provider.
        provider: name of the provider whose signature it is.
    """

    text: str = ""
    signature: str | None = None
    provider: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["reasoning"] = "reasoning"


@dataclass(frozen=True, slots=True)
class ToolCall(Value):
    """The model wants a tool to be called.

    Args:
        id: links the call to its `ToolResult`.
        name: the tool.
        arguments: JSON text as the model wrote it, which may be invalid.
    """

    id: str
    name: str
    arguments: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["tool_call"] = "tool_call"

    def parse(self) -> dict[str, Any]:
        """Parse the arguments; none at all is ``{}``.

        Raises:
            ValueError: the model wrote something that is not a JSON object.
        """
        value = json.loads(self.arguments or "{}")
        if not isinstance(value, dict):
            raise ValueError(  # noqa: TRY004  (what the model wrote is wrong, not a type in the program)
                f"the arguments of tool call {self.name!r} are not a JSON object"
            )
        return value


@dataclass(frozen=True, slots=True)
class ToolResult(Value):
    """What a tool gave back.

    Args:
        id: id of the `ToolCall` that it answers.
        content: text, or parts (text and images).
        is_error: the tool failed, and `content` says how.
        name: the tool, where a format wants to hear it again.
    """

    id: str
    content: str | tuple[Text | Image, ...] = ""
    is_error: bool = False
    name: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    type: Literal["tool_result"] = "tool_result"


@dataclass(frozen=True, slots=True)
class Other(Value):
    """A part that aigw does not model, kept as the wire format gave it."""

    data: Mapping[str, Any]
    type: Literal["other"] = "other"


Part = Text | Image | File | Reasoning | ToolCall | ToolResult | Other


@dataclass(frozen=True, slots=True, init=False)
class Message(Value):
    """One message of a conversation.

    ``Message("user", "hello")`` and ``Message("user", ["What is this?", Image(url)])`` work: strings become `Text`.

    Args:
        role: who speaks.
        parts: what is said; a string or a part stands for a tuple of one.
        name: name of the speaker, where a format has one.
        extra: fields that aigw does not model.
        wire: the wire format that it was read from, whose fields its ``extra`` and those of its parts hold, and which
            alone understands its `Other` parts. Empty for a message that was made by hand: every format sends all of
            its fields.
    """

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    wire: str = field(default="", compare=False)

    def __init__(
        self,
        role: Role,
        parts: str | Part | Iterable[str | Part] = (),
        name: str | None = None,
        extra: Mapping[str, Any] | None = None,
        wire: str = "",
    ) -> None:
        if isinstance(parts, str):
            known: tuple[Part, ...] = (Text(parts),)
        elif isinstance(parts, Value):
            known = (parts,)
        else:
            known = tuple([Text(part) if isinstance(part, str) else part for part in parts])
        object.__setattr__(self, "role", role)
        object.__setattr__(self, "parts", known)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "extra", {} if extra is None else extra)
        object.__setattr__(self, "wire", wire)

    @property
    def text(self) -> str:
        """All its text, joined; without reasoning and tool results."""
        return "".join(part.text for part in self.parts if type(part) is Text)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Its tool calls."""
        return tuple(part for part in self.parts if type(part) is ToolCall)


@dataclass(frozen=True, slots=True)
class Tool(Value):
    """A function that the model may ask to be called.

    Args:
        name: its name; not ``auto``, ``none`` or ``required``, which mean something else in ``tool_choice``.
        description: tells the model what it is good for.
        parameters: JSON schema of its arguments.
        strict: the provider must hold the model to the schema; ``None`` leaves that to the provider.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    strict: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def _data_url(data: bytes, media_type: str) -> str:
    from base64 import b64encode

    return f"data:{media_type};base64,{b64encode(data).decode()}"
