"""Content blocks to parts: the reading half of `aigw.wire.bedrock_converse.blocks`, for requests and answers alike.

A block is an object with one member, which names its kind. What aigw does not model is kept in the ``extra`` of a part:

- a ``cachePoint`` block that follows a part, as ``{"cachePoint": {...}}``;
- unknown members beside the known one, under their names;
- unknown fields within it, under the name of the member: ``{"image": {"error": {...}}}``;
- ``{"guardContent": {...}}`` of a text that a guardrail looks at, with what stood beside the text;
- ``{"citations": [...]}`` of a text with citations, which is a ``citationsContent`` block;
- ``{"redactedContent": True}`` of reasoning that is only a signature: encrypted, and nothing to read;
- ``{"json": True}`` of a text in a tool result that was a JSON object;
- ``{"content": [[position, block], ...]}`` of a tool result: its blocks that are no text, JSON or image.

Any other block becomes `Other`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.message import File, Image, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.arguments import read_arguments
from aigw.wire.bedrock_converse.media import read_source
from aigw.wire.fields import checked, optional, required, rest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA: Final = ("image", "document", "video", "audio")
"""Blocks that have a format and a source."""

_KNOWN: Final = frozenset(
    {"text", *MEDIA, "toolUse", "toolResult", "guardContent", "reasoningContent", "citationsContent", "cachePoint"}
)
_RESERVED: Final = _KNOWN | {"citations", "redactedContent", "json", "content"}
"""Names that ``extra`` uses itself, so that no unknown member may stand there under them."""


def parse_blocks(blocks: Sequence[Any], provider: str, where: str, role: str = "user") -> tuple[Part, ...]:
    """Read the content of a message.

    Args:
        blocks: its blocks.
        provider: name of the provider, for its reasoning.
        where: path of the content, for errors.
        role: who says it.

    Raises:
        ConfigError: a block does not fit the format; the message names its path, and quotes nothing.
    """
    parts: list[Part] = []
    for at, given in enumerate(blocks):
        block = checked(given, dict, f"{where}[{at}]")
        if block.keys() == {"cachePoint"} and parts and (marked := _marked(parts[-1], block["cachePoint"])):
            parts[-1] = marked
        else:
            parts.append(parse_block(block, provider, f"{where}[{at}]", role))
    return tuple(parts)


def _marked(part: Part, point: Any) -> Part | None:
    """Put a cache point to the part before it; ``None`` where that cannot hold it."""
    if isinstance(part, Other) or "cachePoint" in part.extra:
        return None
    return replace(part, extra={**part.extra, "cachePoint": point})


def parse_block(block: Mapping[str, Any], provider: str, where: str, role: str = "user") -> Part:
    """Read one block; see `parse_blocks`."""
    named = block.keys() & _KNOWN
    beside = rest(block, _KNOWN)
    if len(named) != 1 or beside.keys() & _RESERVED:
        return Other(dict(block))
    (kind,) = named
    where = f"{where}.{kind}"
    if kind == "text":
        return Text(checked(block["text"], str, where), beside)
    if kind == "cachePoint":
        return Other(dict(block))
    inner = checked(block[kind], dict, where)
    part: Part | None
    if kind == "toolUse":
        part = _parse_call(inner, beside, where)
    elif kind == "toolResult":
        part = None if role == "assistant" else _parse_result(inner, beside, where)
    elif kind == "reasoningContent":
        part = _parse_reasoning(inner, beside, provider, where)
    elif kind in MEDIA:
        part = _parse_media(kind, inner, beside, where)
    else:
        part = _parse_guarded(inner, beside) if kind == "guardContent" else _parse_cited(inner, beside)
    return part or Other(dict(block))


def _parse_call(inner: Mapping[str, Any], beside: dict[str, Any], where: str) -> ToolCall | None:
    if inner.get("type") is not None:  # a tool of the server, which calls it itself
        return None
    if unknown := rest(inner, ("toolUseId", "name", "input")):
        beside["toolUse"] = unknown
    identity, name = required(inner, "toolUseId", str, where), required(inner, "name", str, where)
    return ToolCall(identity, name, read_arguments(inner.get("input")), beside)


def _parse_result(inner: Mapping[str, Any], beside: dict[str, Any], where: str) -> ToolResult:
    content: list[Text | Image] = []
    others: list[list[Any]] = []
    for at, given in enumerate(optional(inner, "content", list, where) or ()):
        part = _parse_result_block(checked(given, dict, f"{where}.content[{at}]"), f"{where}.content[{at}]")
        if isinstance(part, (Text, Image)):
            content.append(part)
        else:
            others.append([at, given])
    status = optional(inner, "status", str, where)
    unknown = rest(inner, ("toolUseId", "content", "status"))
    if status not in (None, "error"):
        unknown["status"] = status
    if unknown:
        beside["toolResult"] = unknown
    if others:
        beside["content"] = others
    plain = len(content) == 1 and not others and isinstance(content[0], Text) and not content[0].extra
    said: str | tuple[Text | Image, ...] = tuple(content) if content or others else ""
    if plain:
        said = content[0].text if isinstance(content[0], Text) else ""
    return ToolResult(required(inner, "toolUseId", str, where), said, status == "error", extra=beside)


def _parse_result_block(block: Mapping[str, Any], where: str) -> Part:
    if block.keys() == {"json"} and isinstance(block["json"], dict):
        return Text(to_json(block["json"]).decode(), {"json": True})
    return parse_block(block, "", where)


def _parse_media(kind: str, inner: Mapping[str, Any], beside: dict[str, Any], where: str) -> Part | None:
    url = read_source(kind, inner)
    if url is None:
        return None
    known = {"source"} if url.startswith("s3://") else {"source", "format"}  # an S3 location tells no format
    if kind == "document":
        known.add("name")
    if unknown := rest(inner, known):
        beside[kind] = unknown
    if kind == "image":
        return Image(url, extra=beside)
    return File(url, name=optional(inner, "name", str, where) if kind == "document" else None, extra=beside)


def _parse_reasoning(inner: Mapping[str, Any], beside: dict[str, Any], provider: str, where: str) -> Reasoning | None:
    if inner.keys() == {"redactedContent"}:
        signature = required(inner, "redactedContent", str, where)
        return Reasoning("", signature, provider, {**beside, "redactedContent": True})
    if inner.keys() != {"reasoningText"}:
        return None
    text = required(inner, "reasoningText", dict, where)
    where = f"{where}.reasoningText"
    if unknown := rest(text, ("text", "signature")):
        beside["reasoningContent"] = unknown
    signature_or_none = optional(text, "signature", str, where)
    return Reasoning(optional(text, "text", str, where) or "", signature_or_none, provider, beside)


def _parse_guarded(inner: Mapping[str, Any], beside: dict[str, Any]) -> Text | None:
    text = inner.get("text")
    if len(inner) != 1 or not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return None
    return Text(text["text"], {**beside, "guardContent": rest(text, ("text",))})


def _parse_cited(inner: Mapping[str, Any], beside: dict[str, Any]) -> Text | None:
    texts = read_cited(inner)
    if texts is None or len(texts) != 1 or inner.keys() != {"content", "citations"}:
        return None
    return Text(texts[0], {**beside, "citations": inner["citations"]})


def read_cited(inner: Mapping[str, Any]) -> list[str] | None:
    """Return the texts of a ``citationsContent`` block; ``None`` where it holds something else."""
    content = inner.get("content")
    if not isinstance(content, list) or not isinstance(inner.get("citations"), list):
        return None
    texts = [item["text"] for item in content if isinstance(item, dict) and isinstance(item.get("text"), str)]
    return texts if len(texts) == len(content) else None
