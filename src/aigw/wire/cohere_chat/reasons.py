"""Why an answer ended, in Cohere's words and in ours.

Two of Cohere's reasons, ``ERROR`` and ``TIMEOUT``, say that the generation failed: they are raised as the errors that
they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.errors import ConfigError
from aigw.wire.cohere_chat.errors import FAILURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.errors import ProviderError

FINISH: Final = "finish_reason"
"""Where the unknown fields of an answer keep Cohere's own word, if ours does not lead back to it."""

_READ: Final[Mapping[str, str]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
_WRITTEN: Final[Mapping[str, str]] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR_TOXIC",
}


def read_reason(given: Any, extra: dict[str, Any]) -> str | None:
    """Read a finish reason; Cohere's own word goes to the unknown fields where ours says less.

    Raises:
        ConfigError: it is not a string.
    """
    if given is None or given == "":
        return None
    if not isinstance(given, str):
        raise ConfigError("finish_reason is not a string")
    reason = _READ.get(given, given)
    if _WRITTEN.get(reason, reason) != given:
        extra[FINISH] = given
    return reason


def write_reason(reason: str | None, extra: Mapping[str, Any], *, calls: bool) -> str:
    """Render a finish reason; the reverse of `read_reason`.

    Args:
        reason: our word; ``None`` where nobody said why it ended.
        extra: the unknown fields.
        calls: whether tools are called.
    """
    own = extra.get(FINISH)
    if isinstance(own, str):
        return own
    if reason is None:
        reason = "tool_calls" if calls else "stop"
    return _WRITTEN.get(reason, reason)


def failure(data: Mapping[str, Any], provider: str, model: str) -> ProviderError | None:
    """Make an error of an answer whose generation failed, or of an error in its place; ``None`` if it is neither.

    Args:
        data: what tells the finish reason, or the whole body.
        provider: name of the provider.
        model: the model that was asked for.
    """
    reason, words = data.get(FINISH), data.get("error")
    said: dict[str, Any]
    if words or reason in ("ERROR", "TIMEOUT"):
        said = {"error": words} if isinstance(words, dict) else {"message": words or reason}
        said.setdefault("code", reason)
    elif isinstance(data.get("message"), str):
        said = {"message": data["message"], "code": data.get("code")}
    else:
        return None
    return FAILURES.classify(200, {}, to_json(said), provider=provider, model=model)
