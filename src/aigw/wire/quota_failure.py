"""What the bodies of failures tell about limits: Google names those that were exceeded, OpenRouter encloses headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw.quota import Allowance
from aigw.wire.quota_fields import count, named_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.quota import Dimension

_METRICS: Final[tuple[tuple[str, Dimension], ...]] = (
    ("inputtoken", "input_tokens"),
    ("outputtoken", "output_tokens"),
    ("token", "tokens"),
    ("request", "requests"),
)
"""What a quota of Google counts, by a word of its metric or id; the first one that is found."""


def parse_quota_failure(details: Any) -> tuple[Allowance, ...]:
    """Read the limits that Google says were exceeded: ``QuotaFailure`` in the ``details`` of an error. Never raises.

    Nothing is left of such a limit. When it resets is not known: ``RetryInfo`` names some seconds even where the limit
    is that of a day.
    """
    return tuple(one for violation in _violations(details) for one in _violated(violation))


def _violations(details: Any) -> Iterator[Mapping[str, Any]]:
    for detail in details if isinstance(details, list) else ():
        violations = detail.get("violations") if isinstance(detail, Mapping) else None
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, Mapping):
                yield violation


def _violated(violation: Mapping[str, Any]) -> Iterator[Allowance]:
    metric, identity, value = (violation.get(name) for name in ("quotaMetric", "quotaId", "quotaValue"))
    what = f"{metric} {identity}".lower().replace("_", "")
    dimension: Dimension | None = next((counted for word, counted in _METRICS if word in what), None)
    if dimension is not None:
        limit = count(value) if isinstance(value, str) else None
        yield Allowance(dimension, limit, remaining=0, window=named_span(str(identity)))


def enclosed_headers(error: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that OpenRouter puts into the body: ``{"metadata": {"headers": {...}}}``."""
    metadata = error.get("metadata")
    headers = metadata.get("headers") if isinstance(metadata, Mapping) else None
    if not isinstance(headers, Mapping):
        return {}
    return {name: value for name, value in headers.items() if isinstance(name, str) and isinstance(value, str)}
