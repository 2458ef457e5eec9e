"""A good list of policies to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.policies.attempt_timeout import AttemptTimeout
from aigw.policies.budget import Budget
from aigw.policies.concurrency import Concurrency
from aigw.policies.deadline import Deadline
from aigw.policies.guard import Guard
from aigw.policies.queue import Queue
from aigw.policies.rate_limit import RateLimit
from aigw.policies.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from aigw.guards.span import Detector
    from aigw.policies.budget_limits import Money
    from aigw.policy import Policy
    from aigw.stores.ledger import Ledger


def standard(
    *,
    timeout: float | timedelta | None = 300.0,
    attempts: int = 3,
    first_chunk: float | timedelta | None = 30.0,
    between_chunks: float | timedelta | None = 20.0,
    tokens_per_minute: int | None = None,
    requests_per_minute: int | None = None,
    concurrency: int | None = None,
    usd_per_day: Money | None = None,
    guards: Sequence[Detector] = (),
    store: Ledger | None = None,
) -> list[Policy]:
    """Return the policies that most applications want, in a right order. It is a plain list: change it as you like.

    Args:
        timeout: seconds for a whole call, all attempts included; ``None`` leaves `Deadline` out.
        attempts: tries of a call; 1 leaves `Retry` out.
        first_chunk: seconds until a stream must have begun; ``None`` is no limit.
        between_chunks: seconds that a stream may pause; ``None`` is no limit.
        tokens_per_minute: tokens of all calls together; ``None`` is no limit. Calls wait; see `RateLimit`.
        requests_per_minute: requests, likewise.
        concurrency: calls at a time, likewise; see `Concurrency`. Where one of the three is set, a `Queue` decides who
            is next: by priority, and fairly among principals.
        usd_per_day: US dollars of all calls together, per day in UTC; what does not fit is refused; see `Budget`.
        guards: detectors that look through prompts and answers, such as ``[Pii(), Secrets()]``; see `Guard`.
        store: where limits are counted; in this process by default.
    """
    policies: list[Policy] = []
    if timeout is not None:
        policies.append(Deadline(timeout))
    if guards:
        policies.append(Guard(*guards))
    if usd_per_day is not None:
        policies.append(Budget(usd_per_day=usd_per_day, store=store))
    if (tokens_per_minute, requests_per_minute, concurrency) != (None, None, None):
        policies.append(Queue())
    if tokens_per_minute is not None or requests_per_minute is not None:
        policies.append(
            RateLimit(tokens_per_minute=tokens_per_minute, requests_per_minute=requests_per_minute, store=store)
        )
    if attempts != 1:
        policies.append(Retry(attempts))
    if concurrency is not None:
        policies.append(Concurrency(concurrency))
    policies.append(AttemptTimeout(first_chunk=first_chunk, between_chunks=between_chunks))
    return policies
