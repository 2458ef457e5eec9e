"""OpenAI's API: chat completions, responses, embeddings, moderations, models."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aigw.dropin.protocol import Api, Asked, Endpoint, Format, Known, encoded, model_in, own_id
from aigw.wire import embeddings, moderation, openai_chat, openai_responses
from aigw.wire.sse import render_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw.dropin.failure import Failure

Dialect = TypeVar("Dialect", openai_chat.Dialect, openai_responses.Dialect)
_MODELS: Final = re.compile(r"/models(?:/(?P<name>.+))?$")

_ERRORS: Final[Mapping[str, tuple[str, str | None]]] = {
    "invalid_request": ("invalid_request_error", None),
    "context_length": ("invalid_request_error", "context_length_exceeded"),
    "content_filter": ("invalid_request_error", "content_filter"),
    "authentication": ("authentication_error", "invalid_api_key"),
    "permission": ("permission_error", None),
    "not_found": ("not_found_error", "model_not_found"),
    "quota": ("insufficient_quota", "insufficient_quota"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded": ("overloaded_error", "server_is_overloaded"),
    "server": ("server_error", "server_error"),
    "timeout": ("timeout_error", "timeout"),
}
"""The type of each kind of error, and the code where nothing says more."""
_FIXED: Final = frozenset({"context_length", "content_filter", "not_found"})
"""Kinds whose code programs look for, whatever the provider called it."""


def error(failure: Failure, request_id: str) -> dict[str, Any]:  # noqa: ARG001  (it stands in a header here)
    """Make the body of an error."""
    kind, code = _ERRORS[failure.kind]
    own = code if failure.kind in _FIXED else failure.code or code
    return {"error": {"message": failure.message, "type": kind, "param": None, "code": own}}


def find(asked: Asked) -> Endpoint | Known | None:
    """Find what a request asks for."""
    path = asked.path.rstrip("/")
    if asked.method == "POST":
        make = next((make for end, make in _POSTS.items() if path.endswith(end)), None)
        return None if make is None else make(asked.json())
    found = _MODELS.search(path)
    if asked.method == "GET" and found is not None:
        return Known(lambda names: _models(names, found["name"]))
    return None


API: Final = Api("openai", find, error, "x-request-id")
"""The API as a whole."""


def _chat(body: Any) -> Endpoint:
    options = body.get("stream_options") if isinstance(body, dict) else None
    usage = isinstance(options, dict) and options.get("include_usage") is True

    def bind(provider: str | None) -> Format:
        dialect = _dialect(openai_chat.DEFAULT, provider)
        return Format(
            parse=lambda: openai_chat.parse_request(body, dialect),
            whole=lambda chunks, call, created: openai_chat.render_response(
                chunks, id=own_id("chatcmpl-", call), model=call.model, created=created, dialect=dialect
            ),
            renderer=lambda first, call, created: openai_chat.StreamRenderer(
                id=first.id or own_id("chatcmpl-", call),
                model=first.model or call.model,
                created=created,
                include_usage=usage,
                dialect=dialect,
            ),
            event=lambda failure, _: render_event(encoded(error(failure, ""))),
        )

    return Endpoint(model_in(body), bind)


def _responses(body: Any) -> Endpoint:
    def bind(provider: str | None) -> Format:
        dialect = _dialect(openai_responses.DEFAULT, provider)
        return Format(
            parse=lambda: openai_responses.parse_request(body, dialect),
            whole=lambda chunks, call, created: openai_responses.render_response(
                chunks, id=own_id("resp_aigw_", call), model=call.model, created=created, dialect=dialect
            ),
            renderer=lambda first, call, created: openai_responses.StreamRenderer(
                id=first.id or own_id("resp_aigw_", call),
                model=first.model or call.model,
                created=created,
                dialect=dialect,
            ),
            event=_responses_event,
        )

    return Endpoint(model_in(body), bind)


def _responses_event(failure: Failure, sent: int) -> bytes:
    """Tell it in the format's own way, and as an ``error`` too: that is what the SDK raises an exception for."""
    inner = error(failure, "")["error"]
    event = {"type": "error", "code": inner["code"], "message": inner["message"], "param": None}
    return render_event(encoded({**event, "sequence_number": sent, "error": inner}), "error")


def _embeddings(body: Any) -> Endpoint:
    encoding = body.get("encoding_format") if isinstance(body, dict) else None
    made = Format(
        parse=lambda: embeddings.parse_request(body),
        whole=lambda chunks, call, _: embeddings.render_response(
            chunks, model=call.model, encoding="base64" if encoding == "base64" else "float"
        ),
    )
    return Endpoint(model_in(body), lambda _: made)


def _moderations(body: Any) -> Endpoint:
    made = Format(
        parse=lambda: moderation.parse_request(body),
        whole=lambda chunks, call, _: moderation.render_response(chunks, id=own_id("modr-", call), model=call.model),
    )
    return Endpoint(model_in(body), lambda _: made)


_POSTS: Final[Mapping[str, Callable[[Any], Endpoint]]] = {
    "/chat/completions": _chat,
    "/responses": _responses,
    "/embeddings": _embeddings,
    "/moderations": _moderations,
}


def _dialect(default: Dialect, provider: str | None) -> Dialect:
    return default if provider is None else replace(default, provider=provider)


def _models(names: Sequence[str], name: str | None) -> Any:
    models = [{"id": known, "object": "model", "created": 0, "owned_by": "aigw"} for known in names]
    if name is None:
        return {"object": "list", "data": models}
    return next((model for model in models if model["id"] == name), None)
