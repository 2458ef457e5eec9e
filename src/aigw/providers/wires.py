"""The wire formats as providers use them: bound to a provider's name, its dialect and its paths.

Each entry is made when a target is first used, and imports its format then: what is not used is not loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from aigw.providers.format import Format

if TYPE_CHECKING:
    from aigw.call import Operation
    from aigw.errors import ProviderError

Make = Callable[[str, str | None, Mapping[str, Any]], Format]
"""Makes a format of the provider's name, its API version and the arguments of its dialect."""

ANTHROPIC_VERSION: Final = "2023-06-01"
"""The usual version of Anthropic's API. Compatible servers know no other, and newer ones take less."""

NO_SAMPLING_SINCE: Final = "2026-10-21"
"""The version of Anthropic's API from which on it takes no ``temperature`` and ``top_p``, at no model."""

GUARDRAIL: Final = re.compile(
    r"(?P<id>[a-z0-9]+|arn:aws[a-z-]*:bedrock:[a-z0-9-]{1,20}:\d{12}:guardrail/[a-z0-9]+)"
    r"(?::(?P<version>DRAFT|[1-9]\d{0,7}))?"
)
"""A guardrail of Bedrock as the model of a target: its id or ARN, and its version."""


def at(path: str) -> Callable[[str, bool], str]:
    """Return a path that is the same for all models."""
    return lambda _model, _stream: path


def chat_format(module: Any, provider: str, dialect: Mapping[str, Any], **others: Any) -> Format:
    """Bind a chat format to a provider; all of them have the same functions."""
    own = module.Dialect(provider=provider, **dialect)
    return Format(
        wire=module.WIRE,
        render=lambda call, model, strict: module.render_request(call, model, own, strict=strict),
        parse=partial(module.parse_response, dialect=own),
        classify=module.classify,
        parser=partial(module.StreamParser, own),
        **others,
    )


def _openai_chat(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import openai_chat

    return chat_format(openai_chat, provider, dialect, path=at("/chat/completions"))


def _openai_responses(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import openai_responses

    return chat_format(openai_responses, provider, dialect, path=at("/responses"))


def _anthropic_messages(provider: str, version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import anthropic_messages

    version = version or ANTHROPIC_VERSION
    own = dict(dialect)
    if version >= NO_SAMPLING_SINCE:
        models = own.get("models", anthropic_messages.DEFAULT.models)
        own["sampling"] = "none"
        own["models"] = tuple((part, {**changes, "sampling": "none"}) for part, changes in models)
    return chat_format(
        anthropic_messages,
        provider,
        own,
        path=at("/v1/messages"),
        headers=(("anthropic-version", version),),
        key_header=("x-api-key", ""),
    )


def gemini_path(version: str | None, method: str, stream_method: str | None = None) -> Callable[[str, bool], str]:
    """Return the path of a method of Google's API: ``/v1/models/gemini-…:generateContent``."""

    def path(model: str, stream: bool) -> str:  # noqa: FBT001  (the signature of Format.path)
        name = model if "/" in model else f"models/{model}"  # tuned models have folders of their own
        called = f"{stream_method}?alt=sse" if stream and stream_method else method
        return f"/{version}/{quote(name, safe='/')}:{called}"

    return path


def _gemini(provider: str, version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import gemini

    path = gemini_path(version, "generateContent", "streamGenerateContent")
    return chat_format(gemini, provider, dialect, path=path, key_header=("x-goog-api-key", ""))


def _cohere_chat(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import cohere_chat

    return chat_format(cohere_chat, provider, dialect, path=at("/v2/chat"))


def _small_format(module: Any, wire: str, dialect: Any, path: str, classify: Callable[..., ProviderError]) -> Format:
    """Bind a format without streams to a provider; all of them have the same functions."""
    return Format(
        wire=wire,
        path=at(path),
        render=lambda call, model, strict: module.render_request(call, model, dialect, strict=strict),
        parse=partial(module.parse_response, dialect=dialect),
        classify=classify,
    )


def _openai_embeddings(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import embeddings, openai_chat

    own = embeddings.Dialect(provider=provider, **dialect)
    return _small_format(embeddings, "openai_embeddings", own, "/embeddings", openai_chat.classify)


def _openai_moderation(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import moderation, openai_chat

    own = moderation.Dialect(provider=provider, **dialect)
    return _small_format(moderation, "openai_moderation", own, "/moderations", openai_chat.classify)


def _azure_content_safety(provider: str, version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import content_safety, openai_chat

    own = content_safety.Dialect(provider=provider, **dialect)
    path = f"/contentsafety/text:analyze?api-version={quote(version or '')}"
    made = _small_format(content_safety, content_safety.WIRE, own, path, openai_chat.classify)
    return replace(made, key_header=("ocp-apim-subscription-key", ""))


def _bedrock_guardrail(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import bedrock_converse, bedrock_guardrail

    own = bedrock_guardrail.Dialect(provider=provider, **dialect)
    made = _small_format(bedrock_guardrail, bedrock_guardrail.WIRE, own, "", bedrock_converse.classify)
    return replace(made, path=_guardrail_path)


def _guardrail_path(model: str, _stream: bool) -> str:  # noqa: FBT001  (the signature of Format.path)
    named = GUARDRAIL.fullmatch(model)
    guardrail, version = (model, None) if named is None else (named["id"], named["version"])
    return f"/guardrail/{quote(guardrail, safe='')}/version/{version or 'DRAFT'}/apply"


def _cohere_embeddings(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import cohere_chat
    from aigw.wire.embeddings import cohere

    own = cohere.Dialect(provider=provider, **dialect)
    return _small_format(cohere, "cohere_embeddings", own, "/v2/embed", cohere_chat.classify)


def _cohere_rerank(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import cohere_chat, rerank

    own = replace(rerank.COHERE, provider=provider, **dialect)
    return _small_format(rerank, "cohere_rerank", own, "/v2/rerank", cohere_chat.classify)


def _jina_rerank(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import openai_chat, rerank

    own = replace(rerank.JINA, provider=provider, **dialect)
    return _small_format(rerank, "jina_rerank", own, "/rerank", openai_chat.classify)


def _voyage_rerank(provider: str, _version: str | None, dialect: Mapping[str, Any]) -> Format:
    from aigw.wire import openai_chat, rerank

    own = replace(rerank.VOYAGE, provider=provider, **dialect)
    return _small_format(rerank, "voyage_rerank", own, "/rerank", openai_chat.classify)


def _gemini_embeddings(provider: str, version: str | None, _dialect: Mapping[str, Any]) -> Format:
    from aigw.wire.gemini import classify, embeddings

    return Format(
        wire="gemini_embeddings",
        path=gemini_path(version, "batchEmbedContents"),
        render=lambda call, model, strict: embeddings.render_request(call, model, strict=strict),
        parse=partial(embeddings.parse_response, provider=provider),
        classify=classify,
        key_header=("x-goog-api-key", ""),
    )


FORMATS: Final[Mapping[str, tuple[Operation, Make]]] = MappingProxyType(
    {
        "openai_chat": ("chat", _openai_chat),
        "openai_responses": ("chat", _openai_responses),
        "anthropic_messages": ("chat", _anthropic_messages),
        "gemini": ("chat", _gemini),
        "cohere_chat": ("chat", _cohere_chat),
        "openai_embeddings": ("embeddings", _openai_embeddings),
        "gemini_embeddings": ("embeddings", _gemini_embeddings),
        "cohere_embeddings": ("embeddings", _cohere_embeddings),
        "cohere_rerank": ("rerank", _cohere_rerank),
        "jina_rerank": ("rerank", _jina_rerank),
        "voyage_rerank": ("rerank", _voyage_rerank),
        "openai_moderation": ("moderation", _openai_moderation),
        "azure_content_safety": ("moderation", _azure_content_safety),
        "bedrock_guardrail": ("moderation", _bedrock_guardrail),
    }
)
"""Every wire format by its name, and the operation that it serves."""
