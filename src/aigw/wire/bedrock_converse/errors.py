"""Failures of Bedrock, as a table; see `aigw.wire.failures`.

The code of a failure stands in the header ``x-amzn-errortype``, in the body's ``__type``, or, within an event stream,
in the header ``:exception-type`` of its frame. The message stands in ``message`` or ``Message``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.errors import (
    AuthenticationFailed,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from aigw.wire.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.wire.failures import Kind

_BY_CODE: Final[Mapping[str, Kind]] = {
    "ExpiredToken": AuthenticationFailed,
    "ExpiredTokenException": AuthenticationFailed,
    "IncompleteSignature": AuthenticationFailed,
    "IncompleteSignatureException": AuthenticationFailed,
    "InvalidClientTokenId": AuthenticationFailed,
    "InvalidSignatureException": AuthenticationFailed,
    "MissingAuthenticationToken": AuthenticationFailed,
    "MissingAuthenticationTokenException": AuthenticationFailed,
    "RequestExpired": AuthenticationFailed,
    "SignatureDoesNotMatch": AuthenticationFailed,
    "UnrecognizedClientException": AuthenticationFailed,
    "InvalidApiKey": AuthenticationFailed,  # our name for a refused bearer key, see below
    "AccessDenied": PermissionDenied,
    "AccessDeniedException": PermissionDenied,
    "OptInRequired": PermissionDenied,
    "ResourceNotFoundException": NotFound,
    "UnknownOperationException": NotFound,
    "ThrottlingException": ProviderRateLimited,
    "TooManyRequestsException": ProviderRateLimited,
    "TooManyTokensPerDay": QuotaExhausted,  # our name, see below
    "ServiceQuotaExceededException": QuotaExhausted,
    "ModelNotReadyException": Overloaded,
    "ServiceUnavailable": Overloaded,
    "ServiceUnavailableException": Overloaded,
    "ModelTimeoutException": TimedOut,
    "InternalFailure": ServerError,
    "InternalServerException": ServerError,
    "ModelErrorException": ServerError,
    "ModelStreamErrorException": ServerError,
}

_BY_MESSAGE: Final[tuple[tuple[str, Kind], ...]] = (  # all of them are a ValidationException
    ("too long for requested model", ContextTooLong),
    ("prompt is too long", ContextTooLong),  # Claude: "prompt is too long: 227255 tokens > 200000 maximum"
    ("exceed context limit", ContextTooLong),  # Claude: "input length and `max_tokens` exceed context limit"
    ("too many total text bytes", ContextTooLong),
    ("input tokens exceeded", ContextTooLong),  # Nova
    ("too many input tokens", ContextTooLong),
    ("maximum context length", ContextTooLong),
    ("context window", ContextTooLong),
    ("model identifier is invalid", NotFound),
    ("on-demand throughput", NotFound),  # the model is there only behind an inference profile
)

_BY_WORDS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "AccessDeniedException": (("api key", "InvalidApiKey"), ("bearer token", "InvalidApiKey")),
    "ThrottlingException": (("tokens per day", "TooManyTokensPerDay"),),
}
"""Codes that mean two things which only the message tells apart, and names for the one that the code does not name."""

FAILURES: Final = Failures(by_code=_BY_CODE, by_message=_BY_MESSAGE)
"""What Bedrock answers when it fails."""

_EXCEPTION_STATUS: Final[Mapping[str, int]] = {
    "ValidationException": 400,
    "ModelStreamErrorException": 424,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}
"""The statuses that the exceptions of a stream would have if they came before it."""


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    model: str,
    now: Callable[[], float] | None = None,
) -> ProviderError:
    """Make an error of a failed request; see `aigw.wire.failures.Failures.classify`.

    Never raises, whatever the body holds.
    """
    said = _object(body)
    code = said.get("__type") or headers.get("x-amzn-errortype")
    words = said.get("message") or said.get("Message")
    if isinstance(code, str):
        said["__type"] = _told_apart(code.partition(":")[0].rpartition("#")[2], words)
    if isinstance(words, str):
        said["message"] = words
    return FAILURES.classify(status, headers, to_json(said) if said else body, provider=provider, model=model, now=now)


def classify_exception(name: str, payload: bytes, *, provider: str, model: str) -> ProviderError:
    """Make an error of an exception that came as an event of a stream.

    Args:
        name: its ``:exception-type`` or ``:error-code``.
        payload: its payload.
        provider: name of the provider.
        model: the model that was asked for.
    """
    code = name[:1].upper() + name[1:]
    headers = {"x-amzn-errortype": code}
    return classify(_EXCEPTION_STATUS.get(code, 500), headers, payload, provider=provider, model=model)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = from_json(body)
    except ValueError:
        text = body.decode(errors="replace").strip()
        return {"message": text} if text else {}
    return value if isinstance(value, dict) else {}


def _told_apart(code: str, words: Any) -> str:
    text = words.lower() if isinstance(words, str) else ""
    return next((name for fragment, name in _BY_WORDS.get(code, ()) if fragment in text), code)
