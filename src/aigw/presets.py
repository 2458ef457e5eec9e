"""A good list of policies to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.policies.attempt_timeout import AttemptTimeout
from aigw.policies.deadline import Deadline
from aigw.policies.retry import Retry

if TYPE_CHECKING:
    from datetime import timedelta

    from aigw.policy import Policy


def standard(
    *,
    timeout: float | timedelta | None = 300.0,
    attempts: int = 3,
    first_chunk: float | timedelta | None = 30.0,
    between_chunks: float | timedelta | None = 20.0,
) -> list[Policy]:
    """Return the policies that most applications want, in a right order. It is a plain list: change it as you like.

    Args:
        timeout: seconds for a whole call, all attempts included; ``None`` leaves `Deadline` out.
        attempts: tries of a call; 1 leaves `Retry` out.
        first_chunk: seconds until a stream must have begun; ``None`` is no limit.
        between_chunks: seconds that a stream may pause; ``None`` is no limit.
    """
    policies: list[Policy] = []
    if timeout is not None:
        policies.append(Deadline(timeout))
    if attempts != 1:
        policies.append(Retry(attempts))
    policies.append(AttemptTimeout(first_chunk=first_chunk, between_chunks=between_chunks))
    return policies
