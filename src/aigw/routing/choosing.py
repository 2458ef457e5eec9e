"""The ways in which `Balance` chooses: each takes the members that may serve a call, and returns the place of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Final, Literal

from aigw.chunk import Usage
from aigw.errors import ConfigError
from aigw.mechanics import pick, score

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.routing.node import Node

By = Literal["score", "latency", "cost", "least_busy", "weighted", "round_robin", "priority"]
Chooser = Callable[["Call", "Sequence[Node]"], "Node"]
"""A user's own way: gets the call and the members that may serve it, and returns one of them."""


def by_score(call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:
    """Choose the one that is likely to be done first: by its pace, and by what it is doing already."""
    now, priority = call.clock.now(), call.priority
    best = _best(members)
    costs = [
        member.cost(best, now, priority) / weight if weight > 0 else inf
        for member, weight in zip(members, weights, strict=True)
    ]
    least = min(costs)
    if costs.count(least) == 1:
        return costs.index(least)
    return score.least(costs, [member.in_flight for member in members], rng=call.ports.rng)


def by_latency(call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:  # noqa: ARG001  (as its siblings)
    """Choose the quickest, whatever it is doing: for services that serve any number of calls at once."""
    now, best = call.clock.now(), _best(members)
    costs = [member.unhurried(best, now) for member in members]
    return score.least(costs, [member.in_flight for member in members], rng=call.ports.rng)


def least_busy(call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:
    """Choose the one with the fewest calls in flight for its weight."""
    return pick.least_busy([member.in_flight for member in members], weights, rng=call.ports.rng)


def weighted(call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:  # noqa: ARG001  (as its siblings)
    """Choose by chance, in proportion to the weights."""
    return pick.weighted(weights, rng=call.ports.rng)


def first(call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:  # noqa: ARG001  (as its siblings)
    """Choose the first that may serve the call."""
    return 0


def _best(members: Sequence[Node]) -> float:
    """Return the pace of the quickest; 0 where none is known."""
    return min([pace for member in members if (pace := member.pace) is not None], default=0.0)


STATELESS: Final[Mapping[str, Callable[[Call, Sequence[Node], Sequence[float]], int]]] = {
    "score": by_score,
    "latency": by_latency,
    "least_busy": least_busy,
    "weighted": weighted,
    "priority": first,
}


class Turns:
    """Takes turns, in proportion to the weights."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, float] = {}
        self._now = 0.0

    def __call__(self, call: Call, members: Sequence[Node], shares: Sequence[float]) -> int:  # noqa: ARG002  (as its siblings)
        """Choose the one that is furthest behind its share."""
        with self._lock:
            weights = [member.weight for member in members]
            # Who was left out for a while does not catch up on what it has missed: that would be a flood.
            turns = [
                max(self._turns.get(member.name, 0.0), self._now * weight - 1)
                for member, weight in zip(members, weights, strict=True)
            ]
            place = pick.round_robin(turns, weights)
            self._turns[members[place].name] = turns[place] + 1
            if weights[place] > 0:
                self._now = (turns[place] + 1) / weights[place]
            return place


class Own:
    """A user's own way.

    Args:
        choose: his function.
    """

    def __init__(self, choose: Chooser) -> None:
        self._choose = choose

    def __call__(self, call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:  # noqa: ARG002  (as its siblings)
        """Ask the function.

        Raises:
            ConfigError: it returned something else than one of the members.
        """
        chosen = self._choose(call, members)
        for place, member in enumerate(members):
            if member is chosen:
                return place
        raise ConfigError(f"Balance(by): the function returned {chosen!r}, which is none of the members that it got")


async def cheapest(call: Call, members: Sequence[Node], weights: Sequence[float]) -> int:
    """Choose the one where the call is likely to cost least, by score among equals; unknown prices come last."""
    usage = Usage(await call.meter.input_tokens(call), call.meter.output_tokens(call))
    prices = []
    for member in members:
        costs = [call.meter.cost(target.priced_as, target.model, usage) for target in member.targets]
        known = [cost.usd for cost in costs if cost is not None]
        prices.append(max(known) if known and len(known) == len(costs) else None)
    least = min((price for price in prices if price is not None), default=None)
    places = [place for place, price in enumerate(prices) if price == least]
    return places[by_score(call, [members[place] for place in places], [weights[place] for place in places])]
