"""Failures of providers: from a status, headers and a body to one of our errors, by tables.

The status and the body's codes decide. The message is looked at only where nothing else tells. What the provider wrote
goes to ``ProviderError.detail`` and never into the message.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json, to_json

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
    ContentFiltered,
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
from aigw.wire.quota import parse_quota

Kind = type[ProviderError]

_BY_STATUS: Final[Mapping[int, Kind]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    408: TimedOut,
    409: ServerError,  # a conflict within the provider, or (425) too early: both pass
    413: ContextTooLong,
    422: BadRequest,
    425: ServerError,
    429: ProviderRateLimited,
    503: Overloaded,
    504: TimedOut,
    524: TimedOut,  # Cloudflare gave up waiting for the server behind it
    529: Overloaded,
}

_BY_CENTURY: Final[Mapping[int, Kind]] = {4: BadRequest, 5: ServerError}
"""What the table above leaves open. Everything else, redirects among it, is a `BadResponse`."""

_MEANING: Final[Mapping[Kind, str]] = {
    BadRequest: "the provider refused the request as wrong",
    ContextTooLong: "the request is longer than the model can take",
    ContentFiltered: "the provider's content filter refused the prompt",
    AuthenticationFailed: "the provider refused the key",
    PermissionDenied: "the key may not do this",
    NotFound: "the provider does not know this model or path",
    QuotaExhausted: "the account has no quota or money left",
    ProviderRateLimited: "the provider limits the rate of requests",
    Overloaded: "the provider has no capacity just now",
    ServerError: "the provider failed",
    TimedOut: "the provider took too long and gave up",
    BadResponse: "the status is none that an answer has",
}
_REDIRECT: Final = "the server sent a redirect; redirects are not followed, the base URL is probably wrong"

_DETAIL_LIMIT: Final = 2000
_TOKEN_LIMIT: Final = 100
_TOO_FAST: Final = 429
_VAGUE: Final = frozenset({400, 412, 422, _TOO_FAST})
"""Statuses under which servers put very different things."""

_REQUEST_IDS: Final = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-goog-request-id")


@dataclass(frozen=True, slots=True)
class Said:
    """What the body of a failure says, in whatever shape.

    Args:
        message: the provider's words.
        codes: its codes, types and reasons, the one that says most first.
        status: an HTTP status that the body has of its own.
        retry_after: seconds to wait, where the body tells them (Google).
        fields: the error as it stands in the body.
    """

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Failures:
    """The failures of one API, as data.

    Args:
        by_code: codes and types that say more than the status, whatever it is.
        by_type: codes and types of an error inside an answer with status 200, which says nothing. All others are a
            `ServerError`.
        by_message: what is said under a plain 400, 412 or 422, in lower case, with no code that tells it from any other
            wrong request; under 429 only what is a `QuotaExhausted`.
        by_status: statuses that mean something else here than elsewhere.
    """

    by_code: Mapping[str, Kind] = field(default_factory=dict)
    by_type: Mapping[str, Kind] = field(default_factory=dict)
    by_message: tuple[tuple[str, Kind], ...] = ()
    by_status: Mapping[int, Kind] = field(default_factory=dict)

    def classify(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        provider: str,
        model: str,
        now: Callable[[], float] | None = None,
    ) -> ProviderError:
        """Make an error of a failed request. Never raises, whatever the body holds.

        Args:
            status: the HTTP status; 200 for an error inside an answer or a stream, whose own numeric ``code`` then
                counts.
            headers: headers of the answer, looked up in lower case.
            body: the body, or the JSON text of the error.
            provider: name of the provider.
            model: the model that was asked for.
            now: wall-clock time in seconds, for a ``retry-after`` that is a date; ``None`` is `time.time`.
        """
        said = read_said(body)
        if status // 100 == 2 and said.status is not None:  # noqa: PLR2004  (2xx)
            status = said.status
        kind = self._kind(status, said)
        wait = retry_after(headers, now)
        wait = said.retry_after if wait is None else wait
        quota = parse_quota(headers, retry_after=wait, now=now, error=said.fields)
        if kind is ProviderRateLimited and quota is not None and quota.is_used_up:
            kind = QuotaExhausted
        error = kind(
            _REDIRECT if status // 100 == 3 else _MEANING[kind],  # noqa: PLR2004  (3xx)
            provider=provider,
            model=model,
            status=status,
            code=said.codes[0] if said.codes else None,
            request_id=next(filter(None, (_token(headers.get(name)) for name in _REQUEST_IDS)), None),
            retry_after=wait,
            detail=said.message[:_DETAIL_LIMIT],
        )
        error.quota = quota
        return error

    def _kind(self, status: int, said: Said) -> Kind:
        specific = _first(self.by_code, said.codes)
        if specific is not None:
            return specific
        if status in _VAGUE and (found := self._by_words(status, said)) is not None:
            return found
        if status // 100 == 2 and said != Said():  # noqa: PLR2004  (2xx)
            return _first(self.by_type, said.codes) or ServerError
        known = self.by_status.get(status) or _BY_STATUS.get(status)
        return known or _BY_CENTURY.get(status // 100, BadResponse)

    def _by_words(self, status: int, said: Said) -> Kind | None:
        text = said.message.lower()
        found = next((kind for fragment, kind in self.by_message if fragment in text), None)
        return found if status != _TOO_FAST or found is QuotaExhausted else None


def _first(table: Mapping[str, Kind], codes: tuple[str, ...]) -> Kind | None:
    return next((table[code] for code in codes if code in table), None)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] | None = None) -> float | None:
    """Return the seconds that the provider asks to wait: ``retry-after-ms``, else ``retry-after`` (seconds or a date).

    ``None`` where it does not say, and for what makes no sense: negative, infinite, a date that is over.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is None and given:
        wait = _date(given) - (now or time.time)()
        seconds = wait if wait >= 0 else None
    return seconds


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str) -> float:
    from datetime import UTC  # few answers have a date, and these two take a while to load
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return -math.inf


def read_said(body: bytes) -> Said:
    """Find what a body says, in any of the shapes that servers use.

    ``{"error": {...}}``, ``{"error": "text"}``, ``{"message": …, "code": …}``, ``{"detail": …}``, AWS's ``__type``,
    Google's ``status`` and ``details``, a list that begins with one of them, plain text or HTML.
    """
    try:
        value = from_json(body)
    except ValueError:
        return Said(body[: 4 * _DETAIL_LIMIT].decode(errors="replace").strip())
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return Said(value)
    if not isinstance(value, dict):
        return Said()
    inner = value.get("error")
    several = value.get("errors")  # Cloudflare
    if inner is None and isinstance(several, list) and several:
        inner = several[0]
    fields = inner if isinstance(inner, dict) else value
    number = fields.get("code")
    if isinstance(number, str) and number.isdecimal():
        number = int(number[:4])
    return Said(
        message=_words(inner if isinstance(inner, str) else fields.get("message") or fields.get("detail")),
        codes=tuple(dict.fromkeys(_codes(fields))),
        status=number if type(number) is int and 400 <= number < 600 else None,  # noqa: PLR2004  (statuses of failures)
        retry_after=next((wait for detail in _details(fields) if (wait := _delay(detail)) is not None), None),
        fields=fields,
    )


def _codes(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes of an error, the one that says most first."""
    given = [detail.get("reason") or detail.get("error_code") for detail in _details(fields)]
    given += [fields.get("code"), fields.get("type")]
    kind = fields.get("__type")  # AWS: "com.amazon.coral.service#ThrottlingException", or the last part alone
    given += [kind.rpartition("#")[2] if isinstance(kind, str) else None, fields.get("status")]
    yield from filter(None, map(_token, given))


def _details(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the details of an error: a list of them (Google), or a single one (Anthropic)."""
    details = fields.get("details")
    given = details if isinstance(details, list) else [details]
    yield from (detail for detail in given if isinstance(detail, dict))


def _delay(detail: Mapping[str, Any]) -> float | None:
    """Read Google's ``RetryInfo``: ``{"retryDelay": "34s"}``."""
    delay = detail.get("retryDelay")
    return _number(delay.removesuffix("s")) if isinstance(delay, str) else None


def _words(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return to_json(value).decode(errors="replace")


def _token(value: Any) -> str | None:
    """Keep a code or id that is one short word, so that no prose gets into the messages of errors."""
    if isinstance(value, str) and len(value) <= _TOKEN_LIMIT and value.isprintable() and value.split() == [value]:
        return value
    return None
