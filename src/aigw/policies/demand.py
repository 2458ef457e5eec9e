"""`Demand`: what one call asks of the limits of a `RateLimit`, and how a refusal is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aigw.errors import RateLimited
from aigw.mechanics import gcra
from aigw.mechanics.limits import Denial, Rate

if TYPE_CHECKING:
    from aigw.mechanics.limits import Claim
    from aigw.policies.windows import AtATime, Limit


class Part(NamedTuple):
    """One limit for one scope.

    Args:
        scope: whose calls are counted, such as ``principal alice``; empty for all calls together.
        limit: what the user wrote.
        claim: what is asked of it.
    """

    scope: str
    limit: Limit | AtATime
    claim: Claim


class Demand(NamedTuple):
    """What a call asks for, reserved in one step.

    Args:
        scopes: in which scopes it counts.
        parts: limit by limit.
    """

    scopes: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the store gets."""
        return tuple([part.claim for part in self.parts])

    @property
    def costs(self) -> tuple[float, ...]:
        """Seconds that each of its limits takes to let it through; zero where that cannot be told."""
        return tuple(
            [
                gcra.cost(part.claim.limit, part.claim.amount) if isinstance(part.claim.limit, Rate) else 0.0
                for part in self.parts
            ]
        )

    def behind_others(self, wait: float | None) -> Denial:
        """Make the denial of a call that would have to stand in line for too long."""
        costs = self.costs
        return Denial(self.parts[costs.index(max(costs))].claim.limit, wait)

    def part_of(self, denial: Denial) -> Part:
        """Find the part that was denied. A store that is down may count by a limit of its own, with the same key."""
        return next((part for part in self.parts if part.claim.limit.key == denial.limit.key), self.parts[0])

    def text(self, denial: Denial) -> str:
        """Tell what was denied: ``principal alice: 90,000 tokens per minute are used up``."""
        scope, limit, claim = self.part_of(denial)
        whom = f"{scope}: " if scope else ""
        if denial.unknown:
            return f"{whom}{limit} cannot be counted, because the store does not answer"
        if denial.never:
            unit = limit.counts.replace("_", " ")
            return f"{whom}this call needs {claim.amount:,} {unit}, which is more than {limit}"
        return f"{whom}{limit} {'is' if limit.amount == 1 else 'are'} used up"

    def refusal(self, denial: Denial, policy: str) -> RateLimited:
        """Make the error that the caller gets."""
        part = self.part_of(denial)
        return RateLimited(
            self.text(denial),
            policy=policy,
            retry_after=denial.wait,
            scope=part.scope,
            dimension=part.limit.dimension,
        )
