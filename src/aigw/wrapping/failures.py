"""What a wrapped function raised: judged, so that policies can act on it, and in the end raised as it was."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import AigwError, ProviderError, StreamInterrupted, SuspendedError, TimedOut, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_WIRES: Final[Mapping[str, str]] = {
    "anthropic": "anthropic_messages",
    "botocore": "bedrock_converse",
    "cohere": "cohere_chat",
    "google": "gemini",
}
"""Whose codes the errors of an SDK have, by its package; all others have those of OpenAI."""
_STATUSES: Final = ("status_code", "status", "http_status", "code")
_NO_CONNECTION: Final = frozenset(
    {
        "APIConnectionError",
        "ClientConnectionError",
        "ConnectionError",
        "HTTPClientError",
        "NetworkError",
        "ProtocolError",
        "TransportError",
    }
)
"""Names of the classes, in every SDK and HTTP library, of what went wrong on the way to the server."""


class Judged:
    """Turns what the user's function raises inside of the block into an error that policies understand.

    Args:
        raised: where the original is kept.
        provider: name of the provider.
        model: the model.
    """

    __slots__ = ("_model", "_provider", "_raised")

    def __init__(self, raised: list[Exception], provider: str, model: str) -> None:
        self._raised = raised
        self._provider = provider
        self._model = model

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, (StopIteration, StopAsyncIteration)):
            return
        self._raised.append(error)
        judged = None if isinstance(error, AigwError) else judge(error, self._provider, self._model)
        if judged is None:
            return
        try:
            raise judged from error
        finally:
            del error, judged  # the traceback of the one knows this frame


def judge(error: Exception, provider: str, model: str) -> ProviderError | None:
    """Make one of our errors of what an SDK or an HTTP library raised; ``None`` for all other exceptions."""
    names = {cls.__name__ for cls in type(error).__mro__}
    response = getattr(error, "response", None)
    status = _status(error, response)
    if status is not None or "APIError" in names:
        package = type(error).__module__.partition(".")[0]
        classify = import_module(f"aigw.wire.{_WIRES.get(package, 'openai_chat')}").classify
        headers, body = _headers(error, response), _body(error, response)
        if status is not None or body:
            judged: ProviderError = classify(status or 200, headers, body, provider=provider, model=model)
            return judged
    if any("Timeout" in name for name in names):
        return TimedOut(f"the function raised {type(error).__name__}", provider=provider, model=model)
    if names & _NO_CONNECTION:
        return Unreachable(f"the function raised {type(error).__name__}", provider=provider, model=model)
    return None


def _status(error: Exception, response: Any) -> int | None:
    """Find the HTTP status, of a failure only."""
    found = [getattr(error, name, None) for name in _STATUSES]
    if isinstance(response, Mapping):  # botocore
        found.append(_inside(response, "ResponseMetadata").get("HTTPStatusCode"))
    else:
        found += [getattr(response, name, None) for name in _STATUSES]
    return next((status for status in found if type(status) is int and 400 <= status < 600), None)  # noqa: PLR2004  (statuses of failures)


def _headers(error: Exception, response: Any) -> dict[str, str]:
    if isinstance(response, Mapping):
        given: Any = _inside(response, "ResponseMetadata").get("HTTPHeaders")
    else:
        given = getattr(response, "headers", None) or getattr(error, "headers", None)
    try:
        return {str(name).lower(): str(value) for name, value in given.items()}
    except AttributeError:
        return {}


def _body(error: Exception, response: Any) -> bytes:
    """Find the body, as the SDK read it or as it came."""
    from pydantic_core import to_json

    body = getattr(error, "body", None) or getattr(error, "details", None)
    if isinstance(response, Mapping):
        said = _inside(response, "Error")
        body = {"__type": said.get("Code"), "message": said.get("Message")}
    if isinstance(body, bytes):
        return body
    if body is not None and not callable(body):
        return body.encode() if isinstance(body, str) else to_json(body, fallback=str)
    try:
        content = getattr(response, "content", b"")
    except Exception:  # noqa: BLE001  (a streamed body that was not read; its status is enough)
        return b""
    return content if isinstance(content, bytes) else b""


def _inside(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = data.get(name)
    return inner if isinstance(inner, Mapping) else {}


def original(error: BaseException, raised: Sequence[Exception]) -> Exception | None:
    """Return what the user's function raised, if that is why the call failed; ``None`` if a policy decided otherwise.

    What we made of it stays at hand: ``original.aigw_error`` has the judgement and the trace of the call, and a note
    tells it where the exception is printed.
    """
    ours: list[AigwError] = []
    cause: BaseException | None = error
    while not any(cause is known for known in raised):
        if not isinstance(cause, (ProviderError, StreamInterrupted, SuspendedError)):
            return None
        ours.append(cause)
        cause = cause.__cause__
    assert isinstance(cause, Exception)
    for judged in ours:  # they know the original, which must not know them in turn, with all that is on their way
        judged.__cause__ = judged.__context__ = None
        judged.__traceback__ = None
    if ours and not isinstance(ours[0], SuspendedError):
        _attach(cause, ours[0])
    return cause


def _attach(error: Exception, ours: AigwError) -> None:
    tries = 0 if ours.trace is None else len(ours.trace.attempts)
    try:
        error.add_note(f"aigw: {type(ours).__name__} after {tries} attempt{'' if tries == 1 else 's'} ({ours})")
        error.aigw_error = ours  # type: ignore[attr-defined]
    except AttributeError:  # an exception that takes no attributes comes without
        return
