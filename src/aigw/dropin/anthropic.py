"""Anthropic's API: messages, counting their tokens, models."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aigw.dropin.protocol import Api, Asked, Endpoint, Format, Known, encoded, model_in, own_id
from aigw.estimate import estimate_input
from aigw.wire import anthropic_messages
from aigw.wire.sse import render_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Call
    from aigw.dropin.failure import Failure

_MODELS: Final = re.compile(r"/models(?:/(?P<name>.+))?$")

_ERRORS: Final[Mapping[str, str]] = {
    "invalid_request": "invalid_request_error",
    "context_length": "invalid_request_error",
    "content_filter": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "quota": "rate_limit_error",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "server": "api_error",
    "timeout": "timeout_error",
}
_BY_STATUS: Final[Mapping[int, str]] = {402: "billing_error", 413: "request_too_large"}


def error(failure: Failure, request_id: str) -> dict[str, Any]:
    """Make the body of an error."""
    kind = _BY_STATUS.get(failure.status) or _ERRORS[failure.kind]
    inner = {"type": kind, "message": failure.message}
    return {"type": "error", "error": inner, "request_id": request_id or None}


def find(asked: Asked) -> Endpoint | Known | None:
    """Find what a request asks for."""
    path = asked.path.rstrip("/")
    if asked.method == "POST":
        if path.endswith("/messages"):
            return _messages(asked.json())
        return _count(asked.json()) if path.endswith("/messages/count_tokens") else None
    found = _MODELS.search(path)
    if asked.method == "GET" and found is not None:
        return Known(lambda names: _models(names, found["name"]))
    return None


API: Final = Api("anthropic", find, error, "request-id", frozenset({529}))
"""The API as a whole."""


def _messages(body: Any) -> Endpoint:
    def bind(provider: str | None) -> Format:
        return Format(
            parse=lambda: _parse(body, provider),
            whole=lambda chunks, call, _: anthropic_messages.render_response(
                chunks, id=own_id("msg_", call), model=call.model
            ),
            renderer=lambda first, call, _: anthropic_messages.StreamRenderer(
                id=first.id or own_id("msg_", call), model=first.model or call.model
            ),
            event=lambda failure, _: render_event(encoded(error(failure, "")), "error"),
        )

    return Endpoint(model_in(body), bind)


def _parse(body: Any, provider: str | None) -> Call:
    default = anthropic_messages.DEFAULT
    return anthropic_messages.parse_request(body, default if provider is None else replace(default, provider=provider))


def _count(body: Any) -> Known:
    call = _parse(body, None)
    return Known(lambda _: {"input_tokens": estimate_input(call)}, {"x-aigw-estimated": "true"})


def _models(names: Sequence[str], name: str | None) -> Any:
    models = [
        {
            "type": "model",
            "id": known,
            "display_name": known,
            "created_at": "1970-01-01T00:00:00Z",
            "lifecycle": "active",
        }
        for known in names
    ]
    if name is not None:
        return next((model for model in models if model["id"] == name), None)
    first, last = (models[0]["id"], models[-1]["id"]) if models else (None, None)
    return {"data": models, "has_more": False, "first_id": first, "last_id": last}
