"""`Mirror`: how a target's limits follow what its provider tells of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.errors import ProviderRateLimited, QuotaExhausted
from aigw.mechanics.limits import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.errors import ProviderError
    from aigw.mechanics.limits import Claim
    from aigw.quota import Allowance, QuotaHint

A_MINUTE: Final = 60.0
"""The window that is meant where a provider does not tell which."""

SHORT_BLOCK: Final = 1.0
"""Seconds to hold still after a 429 that does not say how long."""

LONGEST_BLOCK: Final = 3600.0
"""Seconds that a provider can make us hold still."""


class Sent(NamedTuple):
    """A call that went to the target.

    Args:
        number: the how-many-th it is.
        totals: what all calls up to this one were expected to use, for each limit.
    """

    number: int
    totals: tuple[int, ...]


class Mirror:
    """Remembers what was sent to a target, to make sense of what comes back."""

    def __init__(self) -> None:
        self._last = Sent(0, ())
        self._applied = 0
        self._lock = threading.Lock()

    def send(self, claims: Sequence[Claim]) -> Sent:
        """Take note of a call that is about to be sent."""
        with self._lock:
            totals = self._last.totals or (0,) * len(claims)
            number = self._last.number + 1
            self._last = Sent(number, tuple(map(int.__add__, totals, [claim.amount for claim in claims])))
            return self._last

    def later(self, sent: Sent) -> tuple[int, ...] | None:
        """Return what was expected of the calls after this one; ``None`` if a later one has told its news already."""
        with self._lock:
            if sent.number < self._applied:
                return None
            self._applied = sent.number
            return tuple(map(int.__sub__, self._last.totals, sent.totals))

    def tightened(
        self, sent: Sent, claims: Sequence[Claim], counts: Sequence[str], hint: QuotaHint
    ) -> Iterator[tuple[Rate, int]]:
        """Yield the rates of which less is left than a full burst, and how much.

        What was sent after the call is subtracted, since the provider may not have counted it.

        Args:
            sent: the call that brought the news.
            claims: its claims.
            counts: what each of them counts.
            hint: the news.
        """
        later = self.later(sent)
        if later is None:
            return
        for (limit, _), counted, since in zip(claims, counts, later, strict=True):
            if not isinstance(limit, Rate):
                continue
            told = [one.remaining for one in hint.allowances if _speaks_of(one, counted, limit.window)]
            left = min((remaining for remaining in told if remaining is not None), default=None)
            if left is not None and (left - since) * limit.window < limit.burst * limit.capacity:
                yield limit, max(left - since, 0)


def _speaks_of(allowance: Allowance, counted: str, window: float) -> bool:
    told = A_MINUTE if allowance.window is None else allowance.window
    return allowance.dimension == counted and not allowance.scope and told == window


def block_of(error: ProviderError) -> float | None:
    """Tell how many seconds to hold still after a failure; ``None`` where there is no reason to.

    A spent quota blocks only where it is known when it comes back: otherwise nothing would tell when to stop.
    """
    if not isinstance(error, (ProviderRateLimited, QuotaExhausted)):
        return None
    asked = error.retry_after
    if asked is None and error.quota is not None:
        asked = error.quota.retry_after
        spent = [one.resets_after for one in error.quota.allowances if one.remaining == 0 and not one.scope]
        asked = asked if asked is not None else min((wait for wait in spent if wait is not None), default=None)
    if asked is None and isinstance(error, ProviderRateLimited):
        asked = SHORT_BLOCK
    return None if asked is None else min(max(asked, 0.0), LONGEST_BLOCK)
