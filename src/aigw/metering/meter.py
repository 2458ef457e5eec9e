"""`Metering` counts for a gateway, `CallMeter` for one call of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.chunk import Usage
from aigw.estimate import estimate_input, estimate_output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw.call import Call, Cost
    from aigw.chunk import Chunk
    from aigw.metering.prices import PriceBook
    from aigw.routing.routes import Route


class Metering:
    """What a gateway knows of tokens and prices.

    Args:
        prices: what tokens cost; ``None`` where no price is known.
    """

    def __init__(self, prices: PriceBook | None = None) -> None:
        self.prices = prices


class CallMeter:
    """Counts the tokens and the money of one call; see `aigw.call.Meter`.

    Args:
        metering: what the gateway knows.
        find: finds a route by its name.
        route: the route that the call has taken at first.
    """

    __slots__ = ("_find", "_metering", "_route")

    def __init__(self, metering: Metering, find: Callable[[str], Route], route: Route) -> None:
        self._metering = metering
        self._find = find
        self._route = route

    async def input_tokens(self, call: Call) -> int:
        """Tokens of the prompt."""
        return estimate_input(call)

    def output_tokens(self, call: Call) -> int:
        """Tokens that the answer is likely to have."""
        most = self.most_output_tokens(call)
        return 500 if most is None else min(most, 500)

    def most_output_tokens(self, call: Call) -> int | None:
        """Tokens that the answer may have at most."""
        if call.operation != "chat":
            return 0
        return None if call.max_tokens is None else call.max_tokens * (call.n or 1)

    def guess(self, call: Call, chunks: Sequence[Chunk]) -> Usage:
        """Guess what was used."""
        return Usage(estimate_input(call), estimate_output(chunks), estimated=True)

    def learn(self, call: Call, model: str, usage: Usage) -> None:
        """Take note of what a provider counted."""

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """What a usage costs."""
        prices = self._metering.prices
        return None if prices is None else prices.cost(provider, model, usage)

    def dearest(self, call: Call, usage: Usage) -> Cost | None:
        """What a usage costs at the dearest target that may serve the call."""
        route = self._route if call.route == self._route.name else self._find(call.route)
        costs = [self.cost(target.provider.name, target.model, usage) for target in route.node.targets]
        known = [cost for cost in costs if cost is not None]
        return max(known, key=lambda cost: cost.usd) if known and len(known) == len(costs) else None
