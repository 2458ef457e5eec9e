"""`Metering` counts for a gateway, `CallMeter` for one call of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aigw.aside import Aside
from aigw.chunk import Usage
from aigw.metering.calibration import Calibration
from aigw.metering.counting import MANY, Measure, count, is_short, measure, ready_encoding, tokens
from aigw.metering.outputs import PRIOR, Outputs
from aigw.metering.prices import load_book
from aigw.metering.received import received_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from aigw.call import Call, Cost
    from aigw.chunk import Chunk
    from aigw.metering.prices import PriceBook
    from aigw.routing.routes import Route

_SAMPLE: Final = 1000
"""Tokens by which a price is asked for: fewer than where the prices of long prompts begin."""


class Metering:
    """What a gateway knows of tokens and prices.

    Args:
        prices: what tokens cost; ``None`` where no price is known.
    """

    def __init__(self, prices: PriceBook | None = None) -> None:
        self.prices = prices
        self.prices_ready = not hasattr(prices, "load")
        self.calibration = Calibration()
        self.outputs = Outputs()
        self.aside = Aside(1)  # more threads would take the processor from the application

    def prepare(self, models: Iterable[str]) -> None:
        """Have the encodings of models loaded by threads, so that they are there when calls come."""
        for model in models:
            ready_encoding(model)

    def after_fork(self) -> None:
        """Go on in a child process, without the locks and threads of its parent; what was learned stays."""
        self.calibration.after_fork()
        self.outputs.after_fork()
        self.aside.restart()

    def load_prices(self) -> None:
        """Have the price book read what it needs; may take some tenths of a second."""
        load_book(self.prices)
        self.prices_ready = True

    def price(self, provider: str, model: str) -> tuple[Decimal | None, Decimal | None]:
        """Tell US dollars for a million tokens of prompts and of answers, as short calls pay them."""
        if self.prices is None or not self.prices_ready:
            return None, None
        return self._million(provider, model, Usage(_SAMPLE, 0)), self._million(provider, model, Usage(0, _SAMPLE))

    def _million(self, provider: str, model: str, usage: Usage) -> Decimal | None:
        cost = cost_of(self.prices, provider, model, usage)
        return None if cost is None else cost.usd * (1_000_000 // _SAMPLE)


def cost_of(prices: PriceBook | None, provider: str, model: str, usage: Usage) -> Cost | None:
    """What a usage costs; ``None`` where that is not known."""
    try:
        return None if prices is None else prices.cost(provider, model, usage)
    except Exception:  # noqa: BLE001  (a book of the user's: an answer is not lost because its price is not known)
        return None


class CallMeter:
    """Counts the tokens and the money of one call; see `aigw.call.Meter`.

    Args:
        metering: what the gateway knows.
        find: finds a route by its name.
        route: the route that the call has taken at first.
    """

    __slots__ = ("_find", "_metering", "_remembered", "_route")

    def __init__(self, metering: Metering, find: Callable[[str], Route], route: Route) -> None:
        self._metering = metering
        self._find = find
        self._route = route
        self._remembered: _Remembered | None = None

    async def input_tokens(self, call: Call) -> int:
        """Tokens of the prompt: of several models that may serve the call, the one that needs most.

        A prompt is counted once, however many policies ask. What takes long is done beside an event loop, and estimated
        if the call's deadline comes first.
        """
        remembered = self._remember(call)
        if remembered.tokens is None:
            for model in self._models(call):
                if model not in remembered.measures:
                    remembered.measures[model] = await self._measure(call, model)
            remembered.tokens = self._most(remembered)
        return remembered.tokens

    def output_tokens(self, call: Call) -> int:
        """Tokens that the answer is likely to have."""
        if call.operation != "chat":
            return 0
        lengths = [self._metering.outputs.guess(call.route, model) for model in self._models(call)]
        likely = max((length for length in lengths if length is not None), default=PRIOR) * (call.n or 1)
        most = self.most_output_tokens(call)
        return likely if most is None else min(likely, most)

    def most_output_tokens(self, call: Call) -> int | None:
        """Tokens that the answer may have at most."""
        if call.operation != "chat":
            return 0
        return None if call.max_tokens is None else call.max_tokens * (call.n or 1)

    def guess(self, call: Call, chunks: Sequence[Chunk]) -> Usage:
        """Guess what was used: the prompt as it was counted, or by its bytes, and what came of the answer."""
        remembered = self._remember(call)
        models = self._models(call)
        asked = remembered.tokens
        if asked is None:
            # Not counted: a guess must not take long, and a call whose usage nobody told is rare.
            asked = tokens(measure(call, models[0]), models[0], self._metering.calibration)
        return Usage(asked, received_tokens(chunks, models[0], self._metering.calibration), estimated=True)

    def learn(self, call: Call, model: str, usage: Usage) -> None:
        """Take note of what a provider counted; a prompt is compared with our measure where there is one."""
        if usage.estimated:
            return
        if call.operation == "chat":
            self._metering.outputs.learn(call.route, model, usage.output // (call.n or 1))
        remembered = self._remembered
        if remembered is not None and remembered.is_of(call):
            found = remembered.measures.get(model)
            if found is not None:
                self._metering.calibration.learn(model, found.bytes, usage.input)

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """What a usage costs."""
        return cost_of(self._metering.prices, provider, model, usage)

    def dearest(self, call: Call, usage: Usage) -> Cost | None:
        """What a usage costs at the dearest target that may serve the call."""
        route = self._route if call.route == self._route.name else self._find(call.route)
        costs = [self.cost(target.priced_as, target.model, usage) for target in route.node.targets]
        known = [cost for cost in costs if cost is not None]
        return max(known, key=lambda cost: cost.usd) if known and len(known) == len(costs) else None

    def _remember(self, call: Call) -> _Remembered:
        remembered = self._remembered
        if remembered is None or not remembered.is_of(call):
            remembered = self._remembered = _Remembered(call)
        return remembered

    def _models(self, call: Call) -> Sequence[str]:
        """Name the models that may serve the call, each once."""
        route = self._route if call.route == self._route.name else self._find(call.route)
        return list(dict.fromkeys([target.model for target in route.node.targets])) or [call.model]

    async def _measure(self, call: Call, model: str) -> Measure:
        blocking = call.ports.blocking
        encoding = ready_encoding(model, blocking=blocking)
        if encoding is None:
            work, is_quick = partial(measure, call, model), len(call.messages) <= MANY
        else:
            work, is_quick = partial(count, call, model, encoding), is_short(call, encoding)
        if is_quick or blocking:
            return work()
        left = call.remaining()
        try:
            return await self._metering.aside.run(call.ports, work, None if left == float("inf") else max(left, 0.0))
        except Exception:  # noqa: BLE001  (it took too long, or failed: an estimate will do)
            return measure(call, model)

    def _most(self, remembered: _Remembered) -> int:
        calibration = self._metering.calibration
        return max(tokens(found, model, calibration) for model, found in remembered.measures.items())


class _Remembered:
    """What was found out about a prompt: the very objects, so that a changed copy of the call is counted anew."""

    __slots__ = ("_inputs", "_messages", "_query", "_schema", "_tools", "measures", "tokens")

    def __init__(self, call: Call) -> None:
        self._messages = call.messages
        self._tools = call.tools
        self._inputs = call.inputs
        self._query = call.query
        self._schema = call.schema
        self.measures: dict[str, Measure] = {}
        self.tokens: int | None = None

    def is_of(self, call: Call) -> bool:
        """Tell whether the call still asks the same."""
        return (
            call.messages is self._messages
            and call.tools is self._tools
            and call.inputs is self._inputs
            and call.query is self._query
            and call.schema is self._schema
        )
