"""In what servers that speak OpenAI chat completions differ when they answer, after their documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

ALL: Final = frozenset({"cached", "written", "reasoning"})
MOST: Final = frozenset({"cached", "reasoning"})


@dataclass(frozen=True)
class Flavour:
    """How one server answers. The defaults are what most servers for open models do.

    Args:
        reasoning: the field of a message in which it shows reasoning; ``content`` for parts of type ``thinking``;
            empty if it shows none.
        back: where it wants to see its reasoning again: a field, ``reasoning_details``, ``content``; empty for nowhere.
        usage: ``openai``; ``apart`` where the output leaves out the reasoning; ``hits`` for DeepSeek's names.
        tells: which of the finer counts it tells.
        usage_in: the event of a stream that has the usage: one of its own, the last one with a choice, or each.
        finishes: finish reasons of its own, and what they must become.
        fields: fields of its own of a whole answer and of each event.
        choice: fields of its own of a choice.
        head: events before the first choice.
        same_index: it numbers parallel tool calls all 0, and sends each whole.
        sends: fields of requests that it knows beyond OpenAI's own.
        parts: types of parts of a content that it knows beyond OpenAI's own.
        tool_images: it takes images in the results of tools, which OpenAI does not.
    """

    reasoning: str = "reasoning_content"
    back: str = ""
    usage: Literal["openai", "apart", "hits"] = "openai"
    tells: frozenset[str] = MOST
    usage_in: Literal["own", "last", "each"] = "own"
    finishes: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)
    head: tuple[bytes, ...] = ()
    same_index: bool = False
    sends: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    tool_images: bool = False


_SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
_AZURE_HEAD = (
    b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,'
    b'"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}\n\n'
)
_AZURE = Flavour(
    reasoning="",
    tells=ALL,
    fields={"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}]},
    choice={"content_filter_results": _SAFE},
    head=(_AZURE_HEAD,),
)

FLAVOURS: Final[Mapping[str, Flavour]] = {
    "openai": Flavour(reasoning="", tells=ALL, fields={"service_tier": "default", "system_fingerprint": "fp_1"}),
    "azure": _AZURE,
    "github": _AZURE,
    "vertex": Flavour(reasoning="reasoning_content", fields={"system_fingerprint": ""}),
    "deepseek": Flavour(
        back="reasoning_content",
        usage="hits",
        usage_in="last",
        finishes={"insufficient_system_resource": "insufficient_system_resource"},
        fields={"system_fingerprint": "fp_2"},
    ),
    "mistral": Flavour(
        reasoning="content",
        back="content",
        tells=frozenset({"cached"}),
        usage_in="last",
        finishes={"model_length": "length", "error": "error"},
        sends=frozenset({"random_seed"}),
        parts=frozenset({"thinking", "document_url"}),
        tool_images=True,
    ),
    "xai": Flavour(
        usage="apart",
        usage_in="own",
        fields={"system_fingerprint": "fp_3", "service_tier": "default"},
    ),
    "groq": Flavour(
        reasoning="reasoning",
        back="reasoning",
        tool_images=True,
        usage_in="last",
        fields={"system_fingerprint": "fp_4", "x_groq": {"id": "req_1"}},
    ),
    "together": Flavour(
        reasoning="reasoning", back="reasoning", tells=frozenset({"cached"}), usage_in="last", finishes={"eos": "stop"}
    ),
    "fireworks": Flavour(back="reasoning_content", tells=frozenset({"cached"}), usage_in="last"),
    "openrouter": Flavour(
        reasoning="reasoning",
        back="reasoning_details",
        tells=ALL,
        fields={"provider": "Anthropic"},
        choice={"native_finish_reason": "end_turn"},
        tool_images=True,
        head=(b": OPENROUTER PROCESSING\n\n", b": OPENROUTER PROCESSING\n\n"),
        finishes={"error": "error"},
    ),
    "perplexity": Flavour(
        reasoning="",
        tells=frozenset(),
        usage_in="each",
        fields={"citations": ["https://example.org/a"], "search_results": [{"title": "A", "url": "https://x"}]},
    ),
    "huggingface": Flavour(finishes={"eos_token": "eos_token", "stop_sequence": "stop_sequence"}),
    "cloudflare": Flavour(tells=frozenset({"cached"})),
    "ollama": Flavour(
        reasoning="reasoning",
        back="reasoning",
        tells=frozenset(),
        same_index=True,
        fields={"system_fingerprint": "fp_ollama"},
    ),
    "vllm": Flavour(
        reasoning="reasoning",
        back="reasoning",
        tool_images=True,
        tells=frozenset({"cached"}),
        choice={"stop_reason": None, "token_ids": None},
        finishes={"abort": "abort", "repetition": "repetition"},
    ),
    "sglang": Flavour(
        back="reasoning_content", tool_images=True, choice={"matched_stop": None}, finishes={"abort": "abort"}
    ),
    "lmstudio": Flavour(reasoning="reasoning_content", tells=frozenset({"reasoning"}), fields={"stats": {}}),
    "llamacpp": Flavour(
        back="reasoning_content",
        tells=frozenset({"cached"}),
        fields={"system_fingerprint": "b7000-abc"},
        usage_in="own",
    ),
}


def flavour_of(provider: str) -> Flavour:
    """Return how a server answers; a new one like most others."""
    return FLAVOURS.get(provider, Flavour())
