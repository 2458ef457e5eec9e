"""`Dialect`: what servers and models that speak the Anthropic Messages format do differently, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

WIRE: Final = "anthropic_messages"
"""The name of this format."""

BUDGETS: Final[Mapping[str, int]] = MappingProxyType(
    {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 27648}
)
"""How many tokens to think with, for each word of ``Call.reasoning``. The largest leaves room for an answer below the
32,000 output tokens that the smallest of the thinking Claude models can give."""

_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")

_NEW: Final[Mapping[str, Any]] = {
    "thinking": "adaptive",
    "thinks": True,
    "display": "summarized",
    "efforts": _EFFORTS,
    "sampling": "none",
    "inline_system": True,
    "unsigned_thinking": False,
}
_ALWAYS_THINKS: Final[Mapping[str, Any]] = {**_NEW, "thinking_off": None}
_NO_FORCE: Final[Mapping[str, Any]] = {**_ALWAYS_THINKS, "forced_tools": False}
_OPUS_4_8: Final[Mapping[str, Any]] = {**_NEW, "thinks": False}
_OPUS_4_7: Final[Mapping[str, Any]] = {**_OPUS_4_8, "inline_system": False}
_4_6: Final[Mapping[str, Any]] = {
    "thinking": "adaptive",
    "efforts": ("low", "medium", "high", "max"),
    "sampling": "one",
    "inline_system": False,
    "unsigned_thinking": False,
}
_OLD: Final[Mapping[str, Any]] = {**_4_6, "thinking": "budget", "efforts": ()}

CLAUDE: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("claude-3-7", _OLD),
    ("claude-3", {**_OLD, "thinking": None}),
    ("claude-opus-4-5", {**_OLD, "efforts": ("low", "medium", "high")}),
    ("claude-opus-4-6", _4_6),
    ("claude-opus-4-7", _OPUS_4_7),
    ("claude-opus-4-8", _OPUS_4_8),
    ("claude-opus-4", _OLD),
    ("claude-sonnet-4-6", _4_6),
    ("claude-sonnet-4", _OLD),
    ("claude-haiku-4", _OLD),
    ("claude-mythos-preview", {**_ALWAYS_THINKS, "inline_system": False}),
    ("claude-opus-5-5", _NO_FORCE),
    ("claude-opus-5", _NEW),
    ("claude-sonnet-5-5", {**_NO_FORCE, "thinking_off": "between_tools"}),
    ("claude-sonnet-5", _NEW),
    ("claude-haiku-5", _NEW),
    ("claude-fable-5-", _NO_FORCE),
    ("claude-mythos-5-", _NO_FORCE),
    ("claude-", _ALWAYS_THINKS),
)
"""In what the Claude models differ: a part of the name, and changes to the dialect.

The first that fits counts; the last stands for models that are newer than this table."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server or model differs from the others that speak Anthropic Messages.

    The defaults are those of a server of which nothing else is known. For a model with ``claude-`` in its name the
    table `CLAUDE` says more, wherever it is served.

    Args:
        provider: name of the provider, for errors, and for the signatures of its thinking.
        default_max_tokens: the format insists on ``max_tokens``; this is sent for a call that sets none. It is meant
            for the answer alone: where the model thinks, the tokens for that (`budgets`) come on top.
        thinking: how a model is asked to think: ``adaptive`` (it decides how much), ``budget`` (a number of tokens),
            ``None`` if it cannot.
        thinking_off: the type of ``thinking`` that turns it off; ``None`` if it cannot be turned off.
        thinks: it thinks even if it is not asked to.
        display: what to ask for as ``thinking.display``; ``None`` leaves that to the server.
        efforts: words that ``output_config.effort`` takes, the smallest first; empty where the field is not known.
        budgets: tokens to think with for each word of ``Call.reasoning``.
        sampling: which of ``temperature`` and ``top_p`` it takes: ``any``; ``one`` of the two, and next to none while
            it thinks; ``none``.
        max_temperature: largest temperature; what is above is cut down to it.
        forced_tools: a tool choice may force a call.
        inline_system: system messages may stand within the conversation, behind a user's message; ``None`` where that
            is not known: then only requests that were read from this format keep them there.
        unsigned_thinking: thinking without a signature may go back to the server (llama.cpp and others want it back).
        output_schema: it knows ``output_config.format``; otherwise an instruction asks for the schema.
        models: changes for models with a certain text in their names, over the fields above; the first that fits.
    """

    provider: str = "anthropic"
    default_max_tokens: int = 4096
    thinking: Literal["adaptive", "budget"] | None = "budget"
    thinking_off: Literal["disabled", "between_tools"] | None = "disabled"
    thinks: bool = False
    display: str | None = None
    efforts: tuple[str, ...] = ()
    budgets: Mapping[str, int] = field(default_factory=lambda: BUDGETS)
    sampling: Literal["any", "one", "none"] = "any"
    max_temperature: float = 1.0
    forced_tools: bool = True
    inline_system: bool | None = None
    unsigned_thinking: bool = True
    output_schema: bool = True
    models: tuple[tuple[str, Mapping[str, Any]], ...] = CLAUDE

    def for_model(self, model: str) -> Dialect:
        """Return the dialect of one model."""
        name = model.replace(".", "-")
        changes = next((changes for part, changes in self.models if part in name), None)
        return self if changes is None else replace(self, **changes)


DEFAULT: Final = Dialect()
"""Anthropic's own API; meant wherever no dialect is given."""
