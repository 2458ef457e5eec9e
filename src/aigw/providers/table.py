"""The table of providers. One that speaks OpenAI's format is one row of data."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from aigw.providers.azure import AzureService
from aigw.providers.bedrock import BedrockService
from aigw.providers.bedrock_guardrails import BedrockGuardrailsService
from aigw.providers.content_safety import ContentSafetyService
from aigw.providers.service import HttpService
from aigw.providers.vertex import VertexService
from aigw.providers.wires import ANTHROPIC_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.providers.service import Service


def _openai_like(
    name: str,
    base_url: str,
    *key_env: str,
    wires: tuple[str, ...] = (),
    others: tuple[str, ...] = ("openai_embeddings",),
    base_urls: Mapping[str, str] = MappingProxyType({}),
    dialects: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    **dialect: Any,
) -> HttpService:
    """Return the row of a provider that speaks OpenAI's format.

    Args:
        name: as in ``provider/model``.
        base_url: as one gives it to OpenAI's SDK.
        key_env: environment variables of the key; none where no key is needed.
        wires: other formats that it speaks for chats.
        others: formats of its other operations.
        base_urls: where those formats begin, if elsewhere.
        dialects: how it differs in those formats.
        dialect: how it differs from OpenAI's own API: arguments of `aigw.wire.openai_chat.Dialect`.
    """
    own = {"openai_chat": dialect, **dialects}
    return HttpService(name, base_url, key_env, ("openai_chat", *wires), others, own, base_urls=base_urls)


_OLDER: Final[Mapping[str, Any]] = MappingProxyType(
    {"max_tokens": "max_tokens", "developer": False, "stop_limit": None}
)
"""What most servers have in common that took the format over: they know an older form of it."""

_NO_FILES: Final[Mapping[str, Any]] = MappingProxyType({**_OLDER, "files": "none"})
_REASONING_FIRST: Final = ("reasoning", "reasoning_content")
_THINKS_BACK: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({"openai_responses": {"reasoning_back": True}})
"""Self-hosted servers want readable reasoning back, which hosted ones refuse."""

_LOCAL_WIRES: Final = ("openai_responses", "anthropic_messages")
"""What servers for self-hosted models speak besides OpenAI's chat completions, in their newer versions."""

_IDEMPOTENCY: Final = "Idempotency-Key"
"""Gateways and servers of one's own may look at it, and OpenAI does for some of its API; elsewhere it is not known."""

_VECTORS_AND_RERANK: Final = ("openai_embeddings", "jina_rerank")

_ROWS: Final[tuple[Service, ...]] = (
    HttpService(
        "openai",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        wires=("openai_chat", "openai_responses"),
        others=("openai_embeddings", "openai_moderation"),
        idempotency_header=_IDEMPOTENCY,
    ),
    AzureService(),
    ContentSafetyService(),
    HttpService(
        "anthropic",
        "https://api.anthropic.com",
        ("ANTHROPIC_API_KEY",),
        wires=("anthropic_messages",),
        api_version=ANTHROPIC_VERSION,
    ),
    HttpService(
        "gemini",
        "https://generativelanguage.googleapis.com",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        wires=("gemini",),
        others=("gemini_embeddings",),
        api_version="v1",
    ),
    VertexService(),
    BedrockService(),
    BedrockGuardrailsService(),
    HttpService(
        "cohere",
        "https://api.cohere.com",
        ("CO_API_KEY", "COHERE_API_KEY"),
        wires=("cohere_chat",),
        others=("cohere_embeddings", "cohere_rerank"),
    ),
    _openai_like(
        "deepseek",
        "https://api.deepseek.com",
        "DEEPSEEK_API_KEY",
        wires=("anthropic_messages",),
        base_urls={"anthropic_messages": "https://api.deepseek.com/anthropic"},
        dialects={"anthropic_messages": {"max_temperature": 2.0}},
        others=(),
        **{**_NO_FILES, "stop_limit": 16},
        reasoning_fields=("reasoning_content",),
        reasoning_back="reasoning_content",
        reasoning_always=True,
        schema="json_object",
        drops=frozenset({"seed", "n", "parallel_tool_calls"}),
    ),
    _openai_like(
        "mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        others=("openai_embeddings", "openai_moderation"),
        dialects={
            "openai_embeddings": {"dimensions": "output_dimension"},
            "openai_moderation": {"flagged": False},
        },
        **_OLDER,
        stream_usage=False,
        reasoning_back="content",
        seed="random_seed",
        names=False,
        tool_ids="alnum9",
        tool_images=True,
        files="document_url",
    ),
    _openai_like(
        "xai",
        "https://api.x.ai/v1",
        "XAI_API_KEY",
        wires=("openai_responses",),
        dialects={"openai_responses": {"encrypted_reasoning": True}},
        others=(),
        files="none",
    ),
    _openai_like(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        wires=("openai_responses",),
        others=(),
        reasoning_fields=("reasoning",),
        reasoning_back="reasoning",
        names=False,
        drops=frozenset({"n"}),
        tool_images=True,
        files="none",
    ),
    _openai_like(
        "together",
        "https://api.together.ai/v1",
        "TOGETHER_API_KEY",
        others=_VECTORS_AND_RERANK,
        **_NO_FILES,
        reasoning_fields=_REASONING_FIRST,
        reasoning_back="reasoning",
        drops=frozenset({"parallel_tool_calls"}),
    ),
    _openai_like(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY",
        others=_VECTORS_AND_RERANK,
        **_NO_FILES,
        reasoning_back="reasoning_content",
    ),
    _openai_like(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        wires=("openai_responses", "anthropic_messages"),
        reasoning_fields=_REASONING_FIRST,
        reasoning_back="reasoning_details",
        tool_images=True,
        files="url",
    ),
    _openai_like(
        "perplexity",
        "https://api.perplexity.ai",
        "PERPLEXITY_API_KEY",
        others=(),
        **_NO_FILES,
        stream_usage=False,
        names=False,
        named_tool=False,
        drops=frozenset({"seed"}),
    ),
    _openai_like(
        "huggingface",
        "https://router.huggingface.co/v1",
        "HF_TOKEN",
        wires=("openai_responses",),
        others=(),
        **_NO_FILES,
        reasoning_fields=_REASONING_FIRST,
        drops=frozenset({"parallel_tool_calls"}),
    ),
    _openai_like("github", "https://models.github.ai/inference", "GITHUB_TOKEN", max_tokens="max_tokens", files="none"),
    _openai_like(
        "cloudflare",
        "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        "CLOUDFLARE_API_TOKEN",
        "CLOUDFLARE_API_KEY",
        **_NO_FILES,
    ),
    _openai_like(
        "ollama",
        "http://localhost:11434/v1",
        wires=_LOCAL_WIRES,
        dialects=_THINKS_BACK,
        **_NO_FILES,
        reasoning_fields=("reasoning",),
        reasoning_back="reasoning",
        drops=frozenset({"n", "tool_choice", "parallel_tool_calls"}),
        image_urls=False,
    ),
    _openai_like(
        "vllm",
        "http://localhost:8000/v1",
        wires=_LOCAL_WIRES,
        others=_VECTORS_AND_RERANK,
        dialects=_THINKS_BACK,
        **_NO_FILES,
        reasoning_fields=_REASONING_FIRST,
        reasoning_back="reasoning",
        tool_images=True,
    ),
    _openai_like(
        "sglang",
        "http://localhost:30000/v1",
        wires=_LOCAL_WIRES,
        dialects=_THINKS_BACK,
        **_NO_FILES,
        reasoning_back="reasoning_content",
        tool_images=True,
    ),
    _openai_like(
        "lmstudio",
        "http://localhost:1234/v1",
        wires=_LOCAL_WIRES,
        dialects=_THINKS_BACK,
        **_NO_FILES,
        named_tool=False,
        image_urls=False,
    ),
    _openai_like(
        "llamacpp",
        "http://localhost:8080/v1",
        wires=_LOCAL_WIRES,
        others=_VECTORS_AND_RERANK,
        dialects=_THINKS_BACK,
        **_NO_FILES,
        named_tool=False,
        reasoning_back="reasoning_content",
    ),
    HttpService(
        "jina",
        "https://api.jina.ai/v1",
        ("JINA_API_KEY",),
        wires=(),
        others=("openai_embeddings", "jina_rerank"),
    ),
    HttpService(
        "voyage",
        "https://api.voyageai.com/v1",
        ("VOYAGE_API_KEY",),
        wires=(),
        others=("openai_embeddings", "voyage_rerank"),
        dialects={"openai_embeddings": {"dimensions": "output_dimension", "encoding_format": False}},
    ),
)

SERVICES: Final[Mapping[str, Service]] = MappingProxyType({service.name: service for service in _ROWS})
"""Every provider that a target can name."""

_ANY_OPENAI: Final = replace(
    _openai_like("openai-compatible", "", wires=("openai_responses",), others=_VECTORS_AND_RERANK, **_OLDER),
    idempotency_header=_IDEMPOTENCY,
)

COMPATIBLE: Final[Mapping[str, Service]] = MappingProxyType(
    {
        "openai_chat": _ANY_OPENAI,
        "openai_responses": _ANY_OPENAI,
        "anthropic_messages": HttpService(
            "anthropic-compatible", "", wires=("anthropic_messages",), api_version=ANTHROPIC_VERSION
        ),
        "gemini": HttpService("gemini-compatible", "", wires=("gemini",), api_version="v1"),
        "cohere_chat": HttpService("cohere-compatible", "", wires=("cohere_chat",)),
    }
)
"""Any server that speaks one of these wire formats, by its URL."""
