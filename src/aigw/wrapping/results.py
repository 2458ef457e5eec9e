"""What a wrapped function returned, as chunks: read in the format of the SDK that it comes from, else guessed.

The objects of the SDKs are answers in the formats of `aigw.wire`, and are read as such, without any SDK.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw.assembly import assemble
from aigw.chunk import Chunk, Usage
from aigw.errors import ConfigError
from aigw.estimate import estimate_usage
from aigw.trace import CallTrace
from aigw.wrapping.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call

TellUsage = Callable[[Any], Any]
"""Finds the usage in a result or an item: a `Usage`, the usage object of an SDK, or ``None``."""

_COUNTS: Final = (
    ("prompt_tokens", "completion_tokens"),
    ("input_tokens", "output_tokens"),
    ("inputTokens", "outputTokens"),
    ("promptTokenCount", "candidatesTokenCount"),
    ("prompt_eval_count", "eval_count"),
)
"""What token counts are called: OpenAI and its kin, Anthropic and LangChain, Bedrock, Google, Ollama."""
_TEXTS: Final = ("text", "content", "output_text")
_USAGES: Final = ("usage", "usage_metadata", "usageMetadata")


def read_result(result: Any) -> list[Chunk]:
    """Read a whole result; what is in no known format counts as its text."""
    if isinstance(result, str):
        return [Chunk(result, finish_reason="stop")]
    if isinstance(result, tuple):  # a parsed value and the completion that it was parsed from, say
        return next((chunks for item in result if (chunks := _recognised(item))), None) or [guessed(result)]
    return _recognised(result) or [guessed(result)]


def _recognised(result: Any) -> list[Chunk]:
    try:
        data = plain(result)
        wire = wire_of(data)
        chunks: list[Chunk] = import_module(f"aigw.wire.{wire}").parse_response(data) if wire else []
    except Exception:  # noqa: BLE001  (whatever it is, the caller gets his result; that it was not read shows in the trace)
        return []
    return chunks


def wire_of(data: Any) -> str:
    """Tell in which format an answer is; empty if in none that is known."""
    if not isinstance(data, dict):
        return ""
    output, message = data.get("output"), data.get("message")
    signs = {
        "openai_chat": isinstance(data.get("choices"), list),
        "openai_responses": isinstance(output, list),
        "gemini": isinstance(data.get("candidates"), list),
        "anthropic_messages": isinstance(data.get("content"), list) and data.get("type") == "message",
        "bedrock_converse": isinstance(output, dict) and isinstance(output.get("message"), dict),
        "cohere_chat": isinstance(message, dict) and "finish_reason" in data,
    }
    return next((wire for wire, found in signs.items() if found), "")


def guessed(result: Any) -> Chunk:
    """Make what can be made of a result in no known format: its text, and its token counts if it has any."""
    try:
        data = plain(result)
    except Exception:  # noqa: BLE001  (as above; an object may do anything when it is looked at)
        data = None
    usage = next((found for name in _USAGES if (found := count(_field(data, name)))), None) or count(data)
    message = _field(data, "message")
    texts = [_field(place, name) for place in (data, message) for name in _TEXTS]
    text = next((text for text in texts if isinstance(text, str)), None)
    return Chunk(_shown(result, data) if text is None else text, usage=usage)


def _shown(result: Any, data: Any) -> str:
    """Write a result as a text about as long as what the model wrote."""
    if data is None:
        return "" if result is None else str(type(result).__name__)
    if isinstance(data, str):
        return data
    from pydantic_core import to_json

    return to_json(data).decode()


def count(data: Any) -> Usage | None:
    """Read token counts of whatever SDK; ``None`` where there are none."""
    for asked, answered in _COUNTS:
        given, made = _field(data, asked), _field(data, answered)
        if type(given) is int and given >= 0:
            return Usage(given, made if type(made) is int and made >= 0 else 0)
    return None


def _field(data: Any, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def told_by(tell: TellUsage | None, result: Any) -> Usage | None:
    """Ask the user's own function for the usage.

    Raises:
        ConfigError: it returned something else.
    """
    told = tell(result) if tell is not None else None
    if told is None or isinstance(told, Usage):
        return told
    usage = count(plain(told, known=True))
    if usage is None:
        raise ConfigError(f"wrap(usage=…) must return a Usage or None, not {type(told).__name__}")
    return usage


def estimated(call: Call, chunks: Sequence[Chunk], name: str) -> Usage:
    """Guess the usage of a call that nobody counted, and say so in its trace."""
    call.note(name, "estimated", "nothing told the usage")
    return estimate_usage(call, assemble(chunks, CallTrace()))
