"""A budget of retries: they may be a share of the calls, so that they cannot multiply the load of an outage."""

from __future__ import annotations


class RetryBudget:
    """A bucket of tokens: every call puts in a share of a token, every retry takes one out.

    Args:
        share: tokens for each call; 0.1 allows one retry for ten calls.
        capacity: tokens that the bucket holds, and starts with.
        floor: seconds in which one token grows by itself, so that a route with few calls can retry too.

    Source: the retry budgets of Finagle and of gRFC A6, with a floor for the low rates of LLM calls.
    """

    __slots__ = ("_capacity", "_floor", "_share", "_since", "_tokens")

    def __init__(self, *, share: float = 0.1, capacity: float = 10.0, floor: float = 10.0) -> None:
        self._share = share
        self._capacity = capacity
        self._floor = floor
        self._tokens = capacity
        self._since: float | None = None

    def deposit(self, now: float) -> None:
        """Count a call."""
        self._grow(now)
        self._tokens = min(self._capacity, self._tokens + self._share)

    def withdraw(self, now: float) -> bool:
        """Take the token for a retry; tell whether there was one."""
        self._grow(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _grow(self, now: float) -> None:
        if self._since is not None and now > self._since:
            self._tokens = min(self._capacity, self._tokens + (now - self._since) / self._floor)
        self._since = now if self._since is None else max(now, self._since)
