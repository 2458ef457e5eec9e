"""Items that requests and answers have in common: reasoning and tool calls, to and from parts.

The ids of items that aigw makes up are marked, and dropped when they come back: they mean nothing to any server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.errors import ConfigError
from aigw.message import Reasoning
from aigw.wire.fields import checked, optional, rest
from aigw.wire.openai_responses.pieces import PIECES, SEPARATOR, Places, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.openai_responses.dialect import Dialect

CALLS: Final[Mapping[str, str]] = {"function_call": "arguments", "custom_tool_call": "input"}
"""The types of tool calls, and the field that holds what the tool is called with."""

OUTPUTS: Final[Mapping[str, str]] = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
}
"""The types of the results of tools, and the type of the call that they answer."""

_SPOKEN: Final = frozenset({"type", "role", "content"})
_REASONED: Final = frozenset({"type", "summary", "content", "encrypted_content"})
_UNSAID: Final = frozenset({"completed", "in_progress"})
"""What ``status`` says of every item, sooner or later."""

_LISTS: Final[Mapping[str, str]] = {"summary": "summary_text", "content": "reasoning_text"}
_PREFIXES: Final[Mapping[str, str]] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
}
_MADE: Final = "_aigw_"
_WRAPPED: Final = "aigw:"


def made_up_id(kind: str, owner: str, index: int) -> str:
    """Make an id for an item (or a ``response``) that has none, unlike that of any other answer.

    Args:
        kind: type of the item.
        owner: id of the answer.
        index: place of the item in it.
    """
    return f"{_PREFIXES.get(kind, 'resp')}{_MADE}{owner.rpartition('_')[2]}_{index}"


def is_made_up(identity: object) -> bool:
    """Tell whether aigw made an id up."""
    return isinstance(identity, str) and _MADE in identity


def item_fields(item: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return the fields of an item that aigw does not model; a ``status`` that says nothing is left out."""
    fields = rest(item, known)
    if is_made_up(fields.get("id")):
        del fields["id"]
    if fields.get("status") in _UNSAID:
        del fields["status"]
    return fields


def message_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a message that aigw does not model."""
    return item_fields(item, _SPOKEN)


def reasoning_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of reasoning that aigw does not model."""
    return item_fields(item, _REASONED)


def read_signature(item: Mapping[str, Any], provider: str) -> tuple[str | None, str]:
    """Return the signature of reasoning, and the provider whose it is; see `write_signature`."""
    signature = item.get("encrypted_content")
    if not isinstance(signature, str):
        return None, provider
    if signature.startswith(_WRAPPED):
        owner, found, own = signature.removeprefix(_WRAPPED).partition(":")
        if found:
            return own, owner
    return signature, provider


def write_signature(part: Reasoning, dialect: Dialect) -> str | None:
    """Return what ``encrypted_content`` says.

    A client gives it back unread, with the next request. The signature of another provider is therefore wrapped with
    that provider's name, so that it finds its way back to him and to nobody else.
    """
    if part.signature is None or (part.provider == dialect.provider and not part.signature.startswith(_WRAPPED)):
        return part.signature
    return f"{_WRAPPED}{part.provider or ''}:{part.signature}"


def read_reasoning(item: Mapping[str, Any], dialect: Dialect) -> Reasoning:
    """Read a whole reasoning item: its summaries, then its content, with `SEPARATOR` between them."""
    extra = reasoning_fields(item)
    places = Places()
    texts: list[str] = []
    records: list[dict[str, Any]] = []
    for name, usual in _LISTS.items():
        pieces = item.get(name)
        if pieces and not _is_readable(pieces):
            extra[name] = pieces
            continue
        for piece in pieces or ():
            kind, fields = piece.get("type") or usual, rest(piece, ("type", "text"))
            if not piece["text"] and not fields:
                continue
            if fields or texts or kind != "summary_text":
                records.append(places.begin(kind, fields))
            texts.append(SEPARATOR + piece["text"] if texts else piece["text"])
            places.grow(texts[-1], {})
    if records:
        extra[PIECES] = records
    signature, provider = read_signature(item, dialect.provider)
    return Reasoning("".join(texts), signature, provider, extra)


def _is_readable(pieces: Any) -> bool:
    return isinstance(pieces, list) and all(
        isinstance(piece, dict) and isinstance(piece.get("text"), str) for piece in pieces
    )


def write_reasoning(
    text: str, extra: Mapping[str, Any], signature: str | None, usual: str = "summary_text"
) -> dict[str, Any]:
    """Render reasoning as an item.

    Args:
        text: the readable part.
        extra: fields of the item, and the pieces of the text.
        signature: what ``encrypted_content`` says; ``None`` leaves it out.
        usual: type of a text that does not say what it is.
    """
    item: dict[str, Any] = {"type": "reasoning", "summary": []}
    for position, piece in enumerate(cut(text, {PIECES: extra.get(PIECES)})):
        if not piece.begins and not piece.text:
            continue
        kind = piece.begins or usual
        said = piece.text.removeprefix(SEPARATOR) if position else piece.text
        name = "summary" if kind == "summary_text" else "content"
        item.setdefault(name, []).append({"type": kind, "text": said, **piece.item})
    if signature is not None:
        item["encrypted_content"] = signature
    item.update(rest(extra, (PIECES,)))
    return item


def read_call(item: Mapping[str, Any]) -> tuple[str | None, str | None, str, dict[str, Any]]:
    """Read a tool call.

    A call of a ``custom`` tool is a call whose arguments are free text, and says so in its extra fields:
    ``{"type": "custom_tool_call"}``.

    Returns:
        The id that links it to its result, its name, its arguments, and the fields that aigw does not model.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    kind = item["type"]
    field = CALLS[kind]
    extra = item_fields(item, frozenset({"type", "call_id", "name", field}))
    if kind != "function_call":
        extra["type"] = kind
    arguments = item.get(field)
    if isinstance(arguments, dict):  # some servers forget that it is JSON within JSON
        arguments = to_json(arguments).decode()
    elif arguments is not None:
        checked(arguments, str, field)
    identity = optional(item, "call_id", str) or optional(item, "id", str)
    return identity or None, optional(item, "name", str) or None, arguments or "", extra


def call_kind(extra: Mapping[str, Any]) -> str:
    """Return the type of a tool call with these extra fields."""
    kind = extra.get("type")
    return kind if isinstance(kind, str) and kind in CALLS else "function_call"


def write_call(identity: str, name: str, arguments: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render a tool call; the reverse of `read_call`."""
    kind = call_kind(extra)
    return {"type": kind, "call_id": identity, "name": name, CALLS[kind]: arguments, **rest(extra, ("type",))}


def checked_item(item: Any, path: str) -> dict[str, Any]:
    """Return an item if it is an object with a type, or a message, which needs none.

    Raises:
        ConfigError: it is not; the message names its path.
    """
    known = checked(item, dict, path)
    if not isinstance(known.get("type"), (str, type(None))):
        raise ConfigError(f"{path}.type must be a string")
    return known
