"""Gemini's API, and Vertex AI's, which differs only in the paths: content, embeddings, counting tokens, models."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from aigw.dropin.protocol import Api, Asked, Endpoint, Format, Known, encoded, own_id
from aigw.estimate import estimate_input
from aigw.wire import gemini
from aigw.wire.gemini import embeddings
from aigw.wire.sse import render_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw.call import Call
    from aigw.chunk import Chunk
    from aigw.dropin.failure import Failure

_METHOD: Final = re.compile(r"/models/(?P<model>.+):(?P<method>[A-Za-z]+)$")
_MODELS: Final = re.compile(r"/models(?:/(?P<name>[^:]+))?$")

_STATUSES: Final[Mapping[str, str]] = {
    "invalid_request": "INVALID_ARGUMENT",
    "context_length": "INVALID_ARGUMENT",
    "content_filter": "INVALID_ARGUMENT",
    "authentication": "UNAUTHENTICATED",
    "permission": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "quota": "RESOURCE_EXHAUSTED",
    "rate_limit": "RESOURCE_EXHAUSTED",
    "overloaded": "UNAVAILABLE",
    "server": "INTERNAL",
    "timeout": "DEADLINE_EXCEEDED",
}
_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"


def error(failure: Failure, request_id: str) -> dict[str, Any]:  # noqa: ARG001  (it stands in a header here)
    """Make the body of an error."""
    inner: dict[str, Any] = {
        "code": failure.status,
        "message": failure.message,
        "status": _STATUSES[failure.kind],
    }
    if failure.retry_after is not None:
        inner["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{max(failure.retry_after, 0.0):g}s"}]
    return {"error": inner}


def find(asked: Asked) -> Endpoint | Known | None:
    """Find what a request asks for."""
    path = asked.path.rstrip("/")
    if asked.method == "POST":
        found = _METHOD.search(path)
        make = _METHODS.get(found["method"]) if found is not None else None
        return None if found is None or make is None else make(asked, found["model"])
    listed = _MODELS.search(path)
    if asked.method == "GET" and listed is not None:
        return Known(lambda names: _models(names, listed["name"]))
    return None


API: Final = Api("gemini", find, error, "x-request-id")
"""The API as a whole."""


def _content(asked: Asked, model: str, *, stream: bool = False) -> Endpoint:
    body = asked.json()
    listed = stream and parse_qs(asked.query).get("alt") != ["sse"]  # a stream without events is a list of answers

    def bind(provider: str | None) -> Format:
        dialect = gemini.DEFAULT if provider is None else replace(gemini.DEFAULT, provider=provider)

        def whole(chunks: Sequence[Chunk], call: Call, _: int) -> Any:
            answer = gemini.render_response(chunks, id=own_id("", call), model=call.model, dialect=dialect)
            return [answer] if listed else answer

        return Format(
            parse=lambda: gemini.parse_request(body, model=model, stream=stream and not listed, dialect=dialect),
            whole=whole,
            renderer=lambda first, call, _: gemini.StreamRenderer(
                id=first.id or own_id("", call), model=first.model or call.model, dialect=dialect
            ),
            event=lambda failure, _: render_event(encoded(error(failure, ""))),
        )

    return Endpoint(model, bind)


def _stream(asked: Asked, model: str) -> Endpoint:
    return _content(asked, model, stream=True)


def _embed(asked: Asked, model: str, *, single: bool = True) -> Endpoint:
    body = asked.json()
    made = Format(
        parse=lambda: embeddings.parse_request(body, model=model),
        whole=lambda chunks, _, __: embeddings.render_response(chunks, single=single),
    )
    return Endpoint(model, lambda _: made)


def _embed_batch(asked: Asked, model: str) -> Endpoint:
    return _embed(asked, model, single=False)


def _count(asked: Asked, model: str) -> Known:
    body = asked.json()
    inner = body.get("generateContentRequest") if isinstance(body, dict) else None
    call = gemini.parse_request(body if inner is None else inner, model=model)
    return Known(lambda _: {"totalTokens": estimate_input(call)}, {"x-aigw-estimated": "true"})


_METHODS: Final[Mapping[str, Callable[[Asked, str], Endpoint | Known]]] = {
    "generateContent": _content,
    "streamGenerateContent": _stream,
    "embedContent": _embed,
    "batchEmbedContents": _embed_batch,
    "countTokens": _count,
}


def _models(names: Sequence[str], name: str | None) -> Any:
    methods = [method for method in _METHODS if not method.startswith("embed")]
    models = [
        {"name": f"models/{known}", "displayName": known, "supportedGenerationMethods": methods} for known in names
    ]
    if name is None:
        return {"models": models}
    return next((model for model in models if model["displayName"] == name), None)
