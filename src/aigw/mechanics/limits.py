"""What can be limited: a rate, a number at a time, an amount in a period. Plain values; `Book` and the stores count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

LONGEST_PERIOD: Final = 32 * 86_400.0
"""Seconds; a month, and a day for those who count it late."""

WhenDown = Literal["local", "closed", "open"]
"""What a limit does while its store does not answer: count in this process alone, refuse, or let everything pass."""


@dataclass(frozen=True, slots=True)
class Rate:
    """An amount per window, which refills steadily (GCRA; see `aigw.mechanics.gcra`).

    Args:
        key: what it counts for; limits with the same key share one count.
        capacity: units per window: requests or tokens.
        window: seconds.
        burst: seconds' worth of units that may come at once.
        when_down: what to do while the store does not answer.
    """

    key: str
    capacity: int
    window: float = 60.0
    burst: float = 10.0
    when_down: WhenDown = "local"


@dataclass(frozen=True, slots=True)
class Slots:
    """A number of calls at a time. Slots of a reservation that has expired are free again.

    Args:
        key: what it counts for.
        capacity: how many.
        when_down: what to do while the store does not answer.
    """

    key: str
    capacity: int
    when_down: WhenDown = "local"


@dataclass(frozen=True, slots=True)
class Spend:
    """An amount in a period. What expires without being settled stays spent.

    A period is made of numbered pieces, so that a rolling one moves in small steps: a calendar day is one piece, the
    last 24 hours may be 60. Whoever makes the limit numbers them by wall time.

    Args:
        key: what it counts for.
        capacity: nano-dollars or tokens in the period.
        piece: the piece that is being spent in now.
        oldest: the first piece that still counts.
        when_down: what to do while the store does not answer.
        lasts: seconds after which what is spent now counts no more, at the latest. A store forgets it then, so that
            keys which are not used any more take no room.
    """

    key: str
    capacity: int
    piece: int
    oldest: int
    when_down: WhenDown = "closed"
    lasts: float = LONGEST_PERIOD


Limit = Rate | Slots | Spend


class Claim(NamedTuple):
    """What a call asks of a limit. The claims of one reservation have different keys."""

    limit: Limit
    amount: int


class Denial(NamedTuple):
    """Why a reservation was refused.

    Args:
        limit: the limit that made it wait longest.
        wait: seconds after which it may fit; ``None`` where that depends on other calls, or it never will.
        never: it asks for more than the limit has in all.
        unknown: the store does not answer, and the limit is closed without it.
    """

    limit: Limit
    wait: float | None
    never: bool = False
    unknown: bool = False
