"""Finish reasons, to and from ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STOP: Final = "STOP"
_FILTERED: Final = "SAFETY"
_OTHER: Final = "OTHER"
_FILTERS: Final = frozenset(
    {
        _FILTERED,
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "ESCALATION",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    }
)
_WRITTEN: Final[Mapping[str, str]] = {
    "stop": STOP,
    "tool_calls": STOP,
    "length": "MAX_TOKENS",
    "content_filter": _FILTERED,
}


def parse_reason(given: str, *, called: bool) -> str:
    """Return our word for a finish reason; what has none passes as it is.

    Args:
        given: the reason.
        called: whether the answer called a function: the format has no reason of its own for that.
    """
    if given == STOP:
        return "tool_calls" if called else "stop"
    if given == _WRITTEN["length"]:
        return "length"
    return "content_filter" if given in _FILTERS else given


def tells(reason: str | None, given: str) -> bool:
    """Whether our word is enough to write the same reason again."""
    return reason is not None and _WRITTEN.get(reason, reason) == given


def render_reason(reason: str, *, own: bool) -> dict[str, str]:
    """Render a finish reason, as fields of a candidate.

    Args:
        reason: our word.
        own: it may be a word of this format. Those of others become ``OTHER``, and say which in ``finishMessage``:
            clients know the reasons of this format, and warn of all others.
    """
    if reason in _WRITTEN or own:
        return {"finishReason": _WRITTEN.get(reason, reason)}
    return {"finishReason": _OTHER, "finishMessage": reason}
