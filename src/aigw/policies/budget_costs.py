"""What a call may cost at most, and what it has cost: the two amounts between which a `Budget` keeps its promise."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from aigw.chunk import Usage
from aigw.policies.budget_limits import Unit, nano_up
from aigw.policies.used import used_since

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call
    from aigw.trace import Attempt

OnUnknownCost = Literal["block", "estimate", "allow"]
"""What to do with a call whose cost cannot be told, before it or after it."""

MARGIN: Final = 10
"""Percent by which the tokens of prompts are reserved higher than they are counted: not every tokenizer is public."""

_EXACT: Final = Context(prec=120)


class Priced(Protocol):
    """A target, as far as it matters here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def model(self) -> str:
        """Its model."""
        ...

    @property
    def priced_as(self) -> str:
        """Name of the provider whose prices it has."""
        ...


class Most(NamedTuple):
    """What a call may use at most.

    Args:
        amounts: nano-dollars and tokens.
        priced: whether the money is known; otherwise none is counted.
    """

    amounts: Mapping[Unit, int]
    priced: bool = True


@dataclass(frozen=True, slots=True)
class Costs:
    """Knows what calls cost, as far as that can be known.

    Args:
        on_unknown: what to do where it cannot.
        unknown_price: nano-dollars for a million tokens that have no known price.
        counts_money: whether there is a limit of money.
        name: name of the policy, for the trace.
        target: the target that it stands around; ``None`` for all that may serve a call.
    """

    on_unknown: OnUnknownCost
    unknown_price: int | None
    counts_money: bool
    name: str
    target: Priced | None = None

    async def most(self, call: Call, output: int) -> Most:
        """Tell what a call may use at most, with at most so many tokens of output."""
        counted = await call.meter.input_tokens(call)
        asked = -(-counted * (100 + MARGIN) // 100)
        amounts: dict[Unit, int] = {"tokens": asked + output, "usd": 0}
        if not self.counts_money:
            return Most(amounts)
        nano = self._price(call, Usage(asked, output), everything=True)
        if nano is None:
            return Most(amounts, priced=False)
        amounts["usd"] = nano
        return Most(amounts)

    def used(self, call: Call, place: int, reserved: Most) -> Mapping[Unit, int] | None:
        """Tell what a call has used since `place` in its trace.

        Returns:
            Nano-dollars and tokens; ``None`` where nothing can be told, so that all that was reserved counts.
        """
        if call.trace is None:
            return None
        name = None if self.target is None else self.target.name
        known, unknown, tokens, free = Decimal(0), 0, 0, 0
        for attempt in used_since(call, place, name).attempts:
            if attempt.usage is not None:
                tokens += self._tokens(attempt.usage, reserved)
            if attempt.cost is not None:
                known = _EXACT.add(known, attempt.cost)
            elif self.counts_money:
                nano = self._unknown(call, attempt, reserved)
                unknown += nano
                free += not nano
        if free:
            call.note(self.name, "not counted", f"{free} attempts of unknown cost")
        return {"usd": nano_up(known) + unknown, "tokens": tokens}

    def _tokens(self, usage: Usage, reserved: Most) -> int:
        if usage.estimated and self.on_unknown == "block":
            return max(usage.total, reserved.amounts["tokens"])
        return usage.total

    def _unknown(self, call: Call, attempt: Attempt, reserved: Most) -> int:
        """Charge an attempt whose cost is not known."""
        if self.on_unknown == "allow":
            return 0
        guessed = None
        if self.on_unknown == "estimate" and attempt.usage is not None:
            guessed = self._price(call, attempt.usage)
        return reserved.amounts["usd"] if guessed is None else guessed

    def _price(self, call: Call, usage: Usage, *, everything: bool = False) -> int | None:
        """Return nano-dollars; with `everything` for whatever kinds of tokens these may turn out to be."""
        cost = self._cost(call, usage)
        if cost is None:
            if self.on_unknown != "estimate" or self.unknown_price is None:
                return None
            return -(-usage.total * self.unknown_price // 1_000_000)
        if everything:  # tokens written to a cache, or spent on reasoning, may be dearer than plain ones
            for written in (None, usage.input):
                for reasoning in (None, usage.output):
                    other = self._cost(call, Usage(usage.input, usage.output, None, written, reasoning))
                    cost = cost if other is None else max(cost, other)
        return nano_up(cost)

    def _cost(self, call: Call, usage: Usage) -> Decimal | None:
        if self.target is not None:
            cost = call.meter.cost(self.target.priced_as, self.target.model, usage)
        else:
            cost = call.meter.dearest(call, usage)
        return None if cost is None else cost.usd
