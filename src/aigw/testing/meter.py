"""`FixedMeter`: a meter that counts what it is told, for tests of policies."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from aigw.call import Cost
from aigw.chunk import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.chunk import Chunk


class FixedMeter:
    """A meter whose counts are given.

    Args:
        input: tokens of every prompt.
        output: tokens that an answer is likely to have.
        most: tokens that an answer may have, where the call itself sets no `max_tokens`; ``None`` for no bound.
        usd_per_million: price of a million tokens of either kind; ``None`` where it is not known.
    """

    def __init__(
        self,
        input: int = 100,  # noqa: A002  (named as in Usage)
        output: int = 50,
        *,
        most: int | None = None,
        usd_per_million: Decimal | float | None = None,
    ) -> None:
        self.input = input
        self.output = output
        self.most = most
        self.usd_per_million = usd_per_million
        self.learned: list[Usage] = []
        """What providers counted."""

    async def input_tokens(self, call: Call) -> int:  # noqa: ARG002  (as the protocol has it)
        """Return what was given."""
        return self.input

    def output_tokens(self, call: Call) -> int:
        """Return what was given, at most `max_tokens`."""
        most = self.most_output_tokens(call)
        return self.output if most is None else min(self.output, most)

    def most_output_tokens(self, call: Call) -> int | None:
        """Return the call's `max_tokens`, or what was given."""
        return call.max_tokens if call.max_tokens is not None else self.most

    def guess(self, call: Call, chunks: Sequence[Chunk]) -> Usage:  # noqa: ARG002  (as the protocol has it)
        """Count a token for each chunk."""
        return Usage(self.input, len(chunks), estimated=True)

    def learn(self, call: Call, model: str, usage: Usage) -> None:  # noqa: ARG002  (as the protocol has it)
        """Write it down."""
        self.learned.append(usage)

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:  # noqa: ARG002  (as the protocol has it)
        """Compute the cost by the one price."""
        if self.usd_per_million is None:
            return None
        return Cost(usage.total * Decimal(str(self.usd_per_million)) / 1_000_000, "fixed")

    def dearest(self, call: Call, usage: Usage) -> Cost | None:  # noqa: ARG002  (as the protocol has it)
        """Compute the cost by the one price."""
        return self.cost("", "", usage)
