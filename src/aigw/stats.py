"""How targets are doing: the answer of `Gateway.stats`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from aigw.values import Value


@dataclass(frozen=True, slots=True)
class TargetStats(Value):
    """How a target of a route is doing, as this process has seen it. Everything fades: lately counts more.

    Args:
        route: name of the route.
        name: name of the target.
        in_flight: calls that it is serving now.
        answers: attempts that were answered.
        failures: attempts that failed by its fault.
        error_rate: share of failures, lately.
        pace: seconds for a unit of work: a token of the answer, where the work before the first one counts as some
            more. Without what other calls of this process made it slower, as far as that can be told; ``None`` where
            nothing was seen.
        first_chunk: seconds to the first output of a stream; ``None`` where none was seen.
        at_once: calls that it seems to serve at once without slowing down.
        availability: share of its traffic that it should get: less than 1 while a `Breaker` lets it recover, 0 while it
            is left alone.
        headroom: share of its quota that is left, from 0 to 1, by the tightest limit: of a `RateLimit` around it that
            counts in this process, else as its provider told last; ``None`` where neither is known.
        input_price: US dollars for a million tokens of prompts; ``None`` where it is not known.
        output_price: US dollars for a million tokens of answers.
        draining: it takes no new calls; see `Gateway.drain`.
    """

    route: str
    name: str
    in_flight: int
    answers: int
    failures: int
    error_rate: float
    pace: float | None
    first_chunk: float | None
    at_once: float
    availability: float
    headroom: float | None
    input_price: Decimal | None
    output_price: Decimal | None
    draining: bool
