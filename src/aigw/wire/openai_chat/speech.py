"""Messages as the server reads them: what a conversation says, in the format of OpenAI chat completions.

The way back is in `aigw.wire.openai_chat.messages`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call
from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.fields import merge, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_chat.parts import write_file, write_image, write_text, write_tool_call
from aigw.wire.openai_chat.reasoning import DETAILS, write_thinking
from aigw.wire.openai_chat.turns import failed, render_turn, simplest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN_ROLES: Final = frozenset({"system", "user", "assistant"})

_HERE: Final = ("", WIRE)
"""The ``wire`` of messages that were made by hand, or read from this format: their parts go out as they are."""


def render_message(message: Message, dialect: Dialect = DEFAULT) -> list[dict[str, Any]]:
    """Render one message alone; see `MessageRenderer.render`. Nothing is noted anywhere."""
    return MessageRenderer(dialect, Losses(Call(), WIRE)).render(message)


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
        parts = message.parts
        if (
            len(parts) == 1
            and type(part := parts[0]) is Text
            and message.role in _PLAIN_ROLES
            and message.name is None
            and not message.extra
            and not part.extra
            and not self._dialect.reasoning_always
        ):
            return [{"role": message.role, "content": part.text}]
        return render_turn(message, self._losses, self._speech, self._result)

    def _speech(self, message: Message, parts: Sequence[Part], extra: Mapping[str, Any]) -> dict[str, Any]:
        speech: dict[str, Any] = {"role": message.role, "content": self._content(message, parts)}
        if message.role == "developer" and not self._dialect.developer:
            speech["role"] = "system"
        if message.name is not None:
            self._name(speech, message.name)
        if calls := [self._call(part, message.wire) for part in parts if isinstance(part, ToolCall)]:
            speech["tool_calls"] = calls
        if message.role == "assistant":
            self._think(speech, parts, message.wire)
            if not speech["content"]:
                speech["content"] = None if calls or extra else ""
        return merge(speech, extra)

    def _content(self, message: Message, parts: Sequence[Part]) -> str | list[dict[str, Any]]:
        """Render what is said: a text alone as such, how it came is how it goes out."""
        content: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Reasoning):
                if self._goes_back(part, message.wire):
                    content += self._thinking(part, message.wire)
            elif not isinstance(part, ToolCall) and (rendered := self._part(part, message)) is not None:
                content.append(rendered)
        return simplest(content)

    def _name(self, speech: dict[str, Any], name: str) -> None:
        if self._dialect.names:
            speech["name"] = name
        else:
            self._losses.tuning("the name of a speaker")

    def _part(self, part: Part, message: Message) -> dict[str, Any] | None:
        """Render a part of a content; ``None`` for one that the format cannot express and that may be lost."""
        losses, wire = self._losses, message.wire
        if isinstance(part, Text):
            return write_text(part, losses.own(part.extra, wire))
        if isinstance(part, Other):
            if losses.knows(wire):
                return dict(part.data)
            losses.content(f"a part that only {wire} knows")
            return None
        if not isinstance(part, (Image, File)):
            raise ConfigError(f"a {type(part).__name__} cannot stand in the content of a message")
        if wire not in _HERE and message.role not in ("user", "tool"):
            losses.content(f"{'an image' if isinstance(part, Image) else 'a file'} in a message of the {message.role}")
            return None
        return self._image(part, wire) if isinstance(part, Image) else self._file(part, wire)

    def _image(self, image: Image, wire: str) -> dict[str, Any] | None:
        if not self._dialect.image_urls and not image.url.startswith("data:"):
            self._losses.content("an image that the server would have to fetch")
            return None
        return write_image(image, self._losses.own(image.extra, wire))

    def _file(self, file: File, wire: str) -> dict[str, Any] | None:
        how = self._dialect.files
        inline = file.url is not None and file.url.startswith("data:")
        if how == "none" or (how == "file" and wire != WIRE and not inline and file.url is not None):
            self._losses.content("a file" if how == "none" else "a file that the server would have to fetch")
            return None
        extra = self._losses.own(file.extra, wire)
        if how == "document_url":
            if file.url is None:
                return merge({"type": "file", "file_id": file.file_id}, extra)
            named = {} if file.name is None else {"document_name": file.name}
            return merge({"type": "document_url", "document_url": file.url, **named}, extra)
        if inline and file.name is None and wire != WIRE:  # OpenAI insists on a name
            file = File(file.url, file.file_id, _name_of(file.url or ""))
        return write_file(file, extra)

    def _result(self, result: ToolResult, extra: Mapping[str, Any], wire: str) -> dict[str, Any]:
        own = self._losses.own(result.extra, wire)
        content: Any = result.content
        if not isinstance(content, str):
            message = Message("tool", wire=wire)
            said = [self._part(part, message) for part in content if self._fits_result(part, wire)]
            content = [*(part for part in said if part is not None), *own.get("content", ())]
        if result.is_error:
            self._losses.note("the mark of a tool result that it is an error", "emulated")
            content = failed(content)
        rendered: dict[str, Any] = {"role": "tool", "tool_call_id": self._id(result.id), "content": content}
        if result.name is not None and self._dialect.names:
            rendered["name"] = result.name
        return merge(merge(rendered, rest(own, ("content",))), extra)

    def _fits_result(self, part: Part, wire: str) -> bool:
        if isinstance(part, Image) and not self._dialect.tool_images and wire != WIRE:
            self._losses.content("an image in the result of a tool")
            return False
        return True

    def _call(self, call: ToolCall, wire: str) -> dict[str, Any]:
        extra = self._losses.own(call.extra, wire)
        arguments = call.arguments
        if not arguments and extra.get("type", "function") == "function":
            arguments = "{}"  # servers read it as JSON
        return write_tool_call(self._id(call.id), call.name, arguments, extra)

    def _id(self, identity: str) -> str:
        return identity if self._dialect.tool_ids == "any" else alnum9(identity)

    def _goes_back(self, part: Reasoning, wire: str) -> bool:
        """Tell whether the server may see this reasoning again; that it may not is noted once for a call."""
        known = part.provider == self._dialect.provider or (part.provider is None and wire in _HERE)
        if known and self._dialect.reasoning_back is not None:
            return True
        if not self._noted:
            self._noted = True
            self._losses.note("reasoning" if known else "reasoning of another provider")
        return False

    def _thinking(self, part: Reasoning, wire: str) -> list[dict[str, Any]]:
        """Render a block of reasoning where it stands in the content."""
        if self._dialect.reasoning_back != "content":
            return []
        return [write_thinking(part.text, part.signature, self._losses.own(part.extra, wire))]

    def _think(self, speech: dict[str, Any], parts: Sequence[Part], wire: str) -> None:
        """Put reasoning into a field of its own."""
        back = self._dialect.reasoning_back
        if back is None or back == "content":
            return
        thoughts = [part for part in parts if isinstance(part, Reasoning) and self._goes_back(part, wire)]
        if back == DETAILS:
            blocks = [block for part in thoughts for block in self._losses.own(part.extra, wire).get(DETAILS, ())]
            if blocks:
                speech[DETAILS] = blocks
        elif thoughts or self._dialect.reasoning_always:
            speech[back] = "".join([part.text for part in thoughts])


def _name_of(data_url: str) -> str:
    """Make a file name of the media type of a ``data:`` URL."""
    media_type = data_url.removeprefix("data:").partition(",")[0].partition(";")[0]
    kind = media_type.rpartition("/")[2] or "bin"
    return f"document.{'txt' if kind == 'plain' else kind}"


def alnum9(identity: str) -> str:
    """Make an id of nine letters and digits, always the same one of the same id."""
    if len(identity) == 9 and identity.isascii() and identity.isalnum():  # noqa: PLR2004  (it is one already)
        return identity
    from hashlib import blake2b

    return blake2b(identity.encode(errors="surrogatepass"), digest_size=5).hexdigest()[:9]
