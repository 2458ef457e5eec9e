"""How servers of one's own say no: bodies as they send them, and what they must become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import AuthenticationFailed, BadRequest, ContextTooLong, NotFound, Overloaded
from contract.said import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping


def _plain(message: str, kind: str, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


_UNAUTHORIZED: Final = Failure("wrong key", 401, {"error": "Unauthorized"}, AuthenticationFailed)
_TOO_LONG: Final = "This model's maximum context length is 4096 tokens. However, you requested 5012 tokens."

LOCALS: Final[Mapping[str, tuple[Failure, ...]]] = {
    "ollama": (
        Failure(
            "no such model",
            404,
            _plain('model "x" not found, try pulling it first', "api_error"),
            NotFound,
            "api_error",
        ),
        Failure("no tools", 400, _plain("x does not support tools", "api_error"), BadRequest, "api_error"),
        Failure(
            "busy",
            503,
            _plain("server busy, please try again.  maximum pending requests exceeded", "api_error"),
            Overloaded,
            "api_error",
        ),
    ),
    "vllm": (
        _UNAUTHORIZED,
        Failure(
            "too long, older",
            400,
            {"object": "error", "message": _TOO_LONG, "type": "BadRequestError", "param": None, "code": 400},
            ContextTooLong,
            "BadRequestError",
        ),
        Failure("too long", 400, _plain(_TOO_LONG, "BadRequestError", 400), ContextTooLong, "BadRequestError"),
        Failure(
            "no such model",
            404,
            _plain("The model `x` does not exist.", "NotFoundError", 404),
            NotFound,
            "NotFoundError",
        ),
    ),
    "sglang": (
        _UNAUTHORIZED,
        Failure(
            "too long",
            400,
            _plain(
                "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
                "BadRequestError",
                400,
            ),
            ContextTooLong,
            "BadRequestError",
        ),
    ),
    "lmstudio": (
        Failure(
            "too long",
            400,
            {"error": "The number of tokens to keep from the initial prompt is greater than the context length."},
            ContextTooLong,
        ),
    ),
    "llamacpp": (
        Failure(
            "wrong key",
            401,
            {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}},
            AuthenticationFailed,
            "authentication_error",
        ),
        Failure(
            "too long",
            400,
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available context size (4096 tokens), try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 5012,
                    "n_ctx": 4096,
                }
            },
            ContextTooLong,
            "exceed_context_size_error",
        ),
        Failure(
            "loading",
            503,
            {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
            Overloaded,
            "unavailable_error",
        ),
    ),
}
"""Failures by the names of the providers."""
