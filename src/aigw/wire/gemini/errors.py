"""Failures of servers that speak Gemini's format, as a table; see `aigw.wire.failures`.

Google's statuses say nothing that the HTTP status does not say, with a few exceptions. ``RESOURCE_EXHAUSTED`` is not
among them: it stands for a rate (429), for a quota of the day (429) and for used up credit (402) alike. What is used up
for the day is seen in the details of the error, see `aigw.wire.quota_failure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from aigw.wire.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.failures import Kind

_BY_CODE: Final[Mapping[str, Kind]] = {
    "API_KEY_INVALID": AuthenticationFailed,  # under status 400
    "API_KEY_EXPIRED": AuthenticationFailed,
    "ACCESS_TOKEN_EXPIRED": AuthenticationFailed,
    "CREDENTIALS_MISSING": AuthenticationFailed,
    "UNAUTHENTICATED": AuthenticationFailed,
    "BILLING_DISABLED": QuotaExhausted,  # under status 403
    "FAILED_PRECONDITION": PermissionDenied,  # under status 400: no free tier in this country, billing is off
}

_BY_TYPE: Final[Mapping[str, Kind]] = {
    "INVALID_ARGUMENT": BadRequest,
    "OUT_OF_RANGE": BadRequest,
    "PERMISSION_DENIED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "RESOURCE_EXHAUSTED": ProviderRateLimited,
    "UNAVAILABLE": Overloaded,
    "DEADLINE_EXCEEDED": TimedOut,
}

_BY_MESSAGE: Final[tuple[tuple[str, Kind], ...]] = (
    ("input token count", ContextTooLong),  # "The input token count (…) exceeds the maximum number of tokens allowed"
    ("request payload size exceeds", ContextTooLong),
    ("api key not valid", AuthenticationFailed),
    ("api key not found", AuthenticationFailed),
    ("api key expired", AuthenticationFailed),
    ("user location is not supported", PermissionDenied),
)

_BY_STATUS: Final[Mapping[int, Kind]] = {
    499: ServerError,  # CANCELLED, which the server also says of requests that nobody cancelled
}

FAILURES: Final = Failures(by_code=_BY_CODE, by_type=_BY_TYPE, by_message=_BY_MESSAGE, by_status=_BY_STATUS)
"""What these servers answer when they fail."""

classify: Final = FAILURES.classify
