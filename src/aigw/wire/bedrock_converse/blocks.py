"""Parts to content blocks: the writing half of `aigw.wire.bedrock_converse.parts`, which says what ``extra`` holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from aigw.message import File, Image, Other, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.arguments import write_arguments
from aigw.wire.bedrock_converse.dialect import WIRE
from aigw.wire.bedrock_converse.media import Names, kind_of, write_source
from aigw.wire.fields import merge, rest

if TYPE_CHECKING:
    from aigw.message import Part
    from aigw.wire.bedrock_converse.dialect import Dialect
    from aigw.wire.bedrock_converse.families import Family
    from aigw.wire.losses import Losses

Block = dict[str, Any]

_ILLEGAL_ID: Final = re.compile(r"[^a-zA-Z0-9_.:-]")
_LONGEST_ID: Final = 64
_FAILED: Final = "The tool failed and said nothing."


class Scribe:
    """Writes the parts of one request: knows its model, and what has been written already.

    Args:
        losses: what becomes of things that cannot be said.
        dialect: how the server differs.
        family: what the model takes.
    """

    def __init__(self, losses: Losses, dialect: Dialect, family: Family) -> None:
        self.losses = losses
        self._dialect = dialect
        self._family = family
        self._names = Names()
        self._ids: dict[str, str] = {}
        self._calls_without_id = 0
        self._results_without_id = 0
        self._reasoning_left_out = False

    def write(self, part: Part, origin: str) -> list[Block]:
        """Write a part: a block, and a cache point if one follows; nothing for a part that is left out.

        Args:
            part: the part.
            origin: the ``wire`` of its message.

        Raises:
            NoCapableTarget: it cannot be said, and must not be left out.
        """
        own = origin == WIRE
        extra = {} if isinstance(part, Other) else dict(self.losses.own(part.extra, origin))
        point = extra.pop("cachePoint", None)
        block = self._block(part, extra, own=own, origin=origin)
        if not block:
            return []
        return [block] if point is None else [block, {"cachePoint": point}]

    def _block(self, part: Part, extra: Block, *, own: bool, origin: str) -> Block | None:  # noqa: PLR0911  (a case each)
        if isinstance(part, Text):
            return self._text(part.text, extra)
        if isinstance(part, Image):
            if part.detail is not None:
                self.losses.tuning("the detail of an image")
            return self._media("image", part.url, {}, extra, own=own)
        if isinstance(part, File):
            return self._file(part, extra, own=own)
        if isinstance(part, ToolCall):
            call = {
                "toolUseId": self._call_id(part.id, own=own),
                "name": part.name,
                "input": write_arguments(part.arguments),
            }
            return merge({"toolUse": call}, extra)
        if isinstance(part, ToolResult):
            return self._result(part, extra, own=own)
        if isinstance(part, Reasoning):
            return self._reasoning(part, extra, origin)
        if self.losses.knows(origin):
            return dict(part.data)
        self.losses.content(f"a part that only {origin} knows")
        return None

    def _text(self, text: str, extra: Block) -> Block | None:
        if not text.strip():  # the server refuses it
            if text:
                self.losses.note("a text of nothing but spaces")
            return None
        guarded, citations = extra.pop("guardContent", None), extra.pop("citations", None)
        if isinstance(guarded, Mapping):
            return merge({"guardContent": {"text": {"text": text, **guarded}}}, extra)
        if citations is not None:
            return merge({"citationsContent": {"content": [{"text": text}], "citations": citations}}, extra)
        return merge({"text": text}, extra)

    def _media(self, kind: str, url: str, more: Block, extra: Block, *, own: bool) -> Block | None:
        written = write_source(kind, url, own=own)
        if written is None:
            what = url.partition(";")[0][:60] if url.startswith("data:") else "a URL"
            self.losses.content(f"{kind} content as {what}; it takes data: URLs of some formats, and s3: URLs")
            return None
        block = merge({kind: {**written, **more}}, extra)
        if "format" not in block[kind] and kind != "document":
            self.losses.content(f"{kind} content whose name does not tell its format")
            return None
        return block

    def _file(self, part: File, extra: Block, *, own: bool) -> Block | None:
        if part.url is None:
            self.losses.content("an uploaded file of another provider")
            return None
        kind = kind_of(part.url)
        if kind != "document":
            return self._media(kind, part.url, {}, extra, own=own)
        name = part.name if own and part.name else self._names.take(part.name)
        if part.name is not None and name != part.name:
            self.losses.note("the name of a document", "changed")
        return self._media(kind, part.url, {"name": name}, extra, own=own)

    def _result(self, part: ToolResult, extra: Block, *, own: bool) -> Block:
        content = self._result_content(part, own=own)
        for position, block in extra.pop("content", ()):
            content.insert(position, block)
        if part.is_error and not content:  # the server wants to hear why
            content = [{"text": _FAILED}]
        result: Block = {"toolUseId": self._result_id(part.id, own=own), "content": content}
        if part.is_error and (own or self._family.tool_status):
            result["status"] = "error"
        elif part.is_error:
            self.losses.note("that a tool failed, beyond what it said")
        return merge({"toolResult": result}, extra)

    def _result_content(self, part: ToolResult, *, own: bool) -> list[Block]:
        if isinstance(part.content, str):
            return [{"text": part.content}] if part.content else []
        content: list[Block] = []
        for inner in part.content:
            extra = dict(inner.extra) if own else rest(inner.extra, ("json",))
            if isinstance(inner, Image):
                block = self._media("image", inner.url, {}, extra, own=own)
            elif extra.pop("json", False):
                block = {"json": from_json(inner.text)}
            else:
                block = {"text": inner.text, **extra}
            if block is not None:
                content.append(block)
        return content

    def _reasoning(self, part: Reasoning, extra: Block, origin: str) -> Block | None:
        ours = part.provider == self._dialect.provider
        redacted = extra.pop("redactedContent", False)
        kind = "unsigned" if part.signature is None else "redacted" if redacted else "signed"
        taken = kind in self._family.reasoning_back
        known = (ours or (taken and origin == WIRE)) if kind == "unsigned" else (ours and taken)
        if not known:
            if not self._reasoning_left_out:
                self._reasoning_left_out = True
                self.losses.note("reasoning of another provider" if not ours else "reasoning of another model")
            return None
        if redacted:
            return merge({"reasoningContent": {"redactedContent": part.signature}}, extra)
        text = {"text": part.text} if part.signature is None else {"text": part.text, "signature": part.signature}
        return {"reasoningContent": {"reasoningText": {**text, **extra.pop("reasoningContent", {})}}, **extra}

    def _call_id(self, identity: str, *, own: bool) -> str:
        if identity:
            return identity if own else self._legal_id(identity)
        self._calls_without_id += 1
        return f"call_{self._calls_without_id - 1}"

    def _result_id(self, identity: str, *, own: bool) -> str:
        if identity:
            return identity if own else self._legal_id(identity)
        self._results_without_id += 1
        return f"call_{self._results_without_id - 1}"

    def _legal_id(self, identity: str) -> str:
        """Return the id as the server takes it; the same one for a call and its result, and for no other."""
        known = self._ids.get(identity)
        if known is None:
            known = _ILLEGAL_ID.sub("_", identity)[:_LONGEST_ID]
            if known != identity:
                known = f"{known[: _LONGEST_ID - 8]}_{len(self._ids)}"
            self._ids[identity] = known
        return known
