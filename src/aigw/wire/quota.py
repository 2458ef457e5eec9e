"""What providers tell about their limits, to one `QuotaHint`.

Headers are read by the words that their names are made of, not provider by provider: a family such as ``x-ratelimit-``,
a field such as ``remaining``, what is counted, and the window where it is named. So servers that imitate others are
understood too, and new windows of known ones.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.quota import Allowance, Dimension, QuotaHint
from aigw.wire.quota_failure import enclosed_headers, parse_quota_failure
from aigw.wire.quota_fields import DAY, MINUTE, MONTH, SPANS, count, named_span, number, seconds, share
from aigw.wire.quota_policies import read_policies, read_ratelimit, window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aigw.wire.quota_policies import Policy

_FIELDS: Final = frozenset({"limit", "remaining", "reset", "renewalperiod", "utilization"})
"""The word of a name that says what its value is; the first or the last after the family."""


@dataclass(frozen=True, slots=True)
class _Family:
    """What the first words of a name say.

    Args:
        dimension: what is counted where no further word says it.
        window: length of the window where no further word says it.
        scope: the kind of calls.
    """

    dimension: Dimension = "requests"
    window: float | None = None
    scope: str = ""


_FAMILIES: Final[Mapping[str, _Family]] = {
    "anthropic-fast-": _Family(window=MINUTE, scope="fast"),
    "anthropic-priority-": _Family(window=MINUTE, scope="priority"),
    "anthropic-ratelimit-": _Family(window=MINUTE),
    "anthropic-ratelimit-unified-": _Family("capacity"),  # accounts with a subscription
    "azure-openai-deployment-": _Family("capacity"),  # provisioned throughput
    "ratelimit-": _Family(),
    "ratelimitbysize-": _Family("tokens"),  # Mistral, in its older form
    "x-endpoint-monthly-call-": _Family(window=MONTH),  # Cohere
    "x-ratelimit-": _Family(),
    "x-ratelimitbysize-": _Family("tokens"),
    "x-tokenlimit-": _Family("tokens", window=1.0),  # Together, which counts by the second
    "x-trial-endpoint-call-": _Family(window=MINUTE),  # Cohere
}
_NAME: Final = re.compile(f"({'|'.join(sorted(_FAMILIES, key=len, reverse=True))})(.+)")

_KINDS: Final[Mapping[str, tuple[Dimension, float | None]]] = {
    "requests": ("requests", None),
    "req": ("requests", None),
    "tokens": ("tokens", None),
    "project-tokens": ("tokens", None),
    "input-tokens": ("input_tokens", None),
    "output-tokens": ("output_tokens", None),
    "tokens-prompt": ("input_tokens", MINUTE),  # these three: Fireworks, which counts by the minute
    "tokens-cache-adjusted-prompt": ("input_tokens", MINUTE),
    "tokens-generated": ("output_tokens", MINUTE),
}
"""What is counted, and the window where only one provider uses the word and documents how long it is."""

_SIGNS: Final[Mapping[str, Mapping[str, float]]] = {
    "x-groq-region": {"requests": DAY, "tokens": MINUTE},
    "x-tokenlimit-limit": {"": 1.0, "dynamic": 1.0},
}
"""Headers that show whose ``x-ratelimit-`` these are, and the windows that this provider documents for them."""

_ALL: Final = frozenset({"", "dynamic"})
"""What a family counts as such: ``x-ratelimit-limit``, and Together's ``x-ratelimit-limit-dynamic``."""

_STATE: Final = "ratelimit"
_POLICY: Final = "ratelimit-policy"

_Name = tuple[str, str]
"""The family of a header, and what it counts in it."""


def parse_quota(
    headers: Mapping[str, str],
    *,
    retry_after: float | None = None,
    now: Callable[[], float] | None = None,
    error: Mapping[str, Any] | None = None,
) -> QuotaHint | None:
    """Read what an answer tells about the quota; ``None`` where it tells nothing. Never raises.

    Args:
        headers: headers of the answer.
        retry_after: seconds that a failure asked to wait.
        now: wall-clock time in seconds, for times of day; ``None`` is `time.time`.
        error: the error object of a failure's body: Google and OpenRouter tell there, not in headers.
    """
    told = _in_headers(headers, now or time.time)
    if error:
        told += parse_quota_failure(error.get("details"))
        told += _in_headers(enclosed_headers(error), now or time.time)
    if not told and retry_after is None:
        return None
    return QuotaHint(tuple(dict.fromkeys(told)), retry_after)


def _in_headers(headers: Mapping[str, str], now: Callable[[], float]) -> list[Allowance]:
    """Sort the headers by limit, then put each limit together. Most answers have none, and end with the first loop."""
    limits: dict[_Name, dict[str, str]] = {}
    others: dict[str, str] = {}
    windows: dict[str, float] = {}
    for given in headers:
        name = given.lower()
        if name in _SIGNS:
            windows.update(_SIGNS[name])
        if (found := _NAME.fullmatch(name)) is not None:
            field, kind = _field(found[2])
            (limits.setdefault((found[1], kind), {}) if field else others)[field or name] = headers[given]
        elif name == _STATE:
            others[name] = headers[given]
    if not limits and not others:
        return []
    at = now()
    policies = read_policies(others.get(_POLICY))
    told = [one for name, fields in limits.items() for one in _allowance(name, fields, policies, windows, at)]
    told += read_ratelimit(others.get(_STATE), policies, at, frozenset(one.limit for one in told))
    told += _spent(others, at)
    return told


def _field(words: str) -> tuple[str, str]:
    """Split the words after the family into the field, empty if it is none that we know, and what is counted."""
    first, _, rest = words.partition("-")
    if first in _FIELDS:
        return first, rest
    rest, _, last = words.rpartition("-")
    return (last, rest) if last in _FIELDS else ("", words)


def _allowance(
    name: _Name, fields: Mapping[str, str], policies: tuple[Policy, ...], windows: Mapping[str, float], at: float
) -> Iterator[Allowance]:
    """Put a limit together; nothing if the headers tell neither how much it is nor what is left.

    Args:
        name: its name.
        fields: its headers, by field.
        policies: policies that the answer tells, with their windows.
        windows: windows that the provider documents, by what is counted.
        at: the Unix time now.
    """
    family = _FAMILIES[name[0]]
    kind, _, model = name[1].partition("_")  # ``7d_opus``: for this model; ``tokens_usage_based``: in another way
    words, _, span = kind.rpartition("-")
    window = SPANS.get(span)
    what = kind if window is None else words.removesuffix("-per")
    dimension, usual = _KINDS.get(what) or (family.dimension if what in _ALL else None, None)
    limit = count(fields.get("limit"))
    if limit is None and (listed := read_policies(fields.get("limit"))):
        limit, policies = listed[0].limit, listed
    remaining, used = count(fields.get("remaining")), share(fields.get("utilization"))
    if dimension is None or (limit is None and remaining is None and used is None):
        return
    known = (number(fields.get("renewalperiod")), window, windows.get(what), window_of(limit, policies), usual)
    yield Allowance(
        dimension,
        limit,
        remaining,
        resets_after=seconds(fields.get("reset"), at),
        window=next((one for one in known if one is not None), family.window),
        used=used,
        scope=family.scope or model,
    )


def _spent(headers: Mapping[str, str], at: float) -> Iterator[Allowance]:
    """Read which limit GitHub Models says is used up: its other headers do not tell of it, before or after."""
    kind = headers.get("x-ratelimit-type", "").lower()
    window = named_span(kind)
    if window is not None:
        dimension: Dimension = "tokens" if "token" in kind else "requests"
        yield Allowance(
            dimension,
            remaining=0,
            resets_after=seconds(headers.get("x-ratelimit-timeremaining"), at),
            window=window,
        )
