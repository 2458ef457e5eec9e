"""What one call asks of a `Budget`, how a refusal is told, and how a limit stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aigw.policies.budget_limits import shown

if TYPE_CHECKING:
    from decimal import Decimal

    from aigw.call import Call
    from aigw.mechanics.limits import Claim, Denial
    from aigw.mechanics.periods import Period
    from aigw.policies.budget_costs import Most
    from aigw.policies.budget_limits import Allowance
    from aigw.policies.degrade import Degrade


class BudgetStanding(NamedTuple):
    """How a limit of a budget stands.

    Args:
        dimension: what is limited, such as ``usd_per_day``.
        used: US dollars or tokens that are spent, or reserved by running calls.
        limit: what may be spent.
        ends: seconds until the period ends; ``None`` for a rolling one.
    """

    dimension: str
    used: Decimal | int
    limit: Decimal | int
    ends: float | None

    @property
    def left(self) -> Decimal | int:
        """What may still be spent; negative where more was."""
        return self.limit - self.used


class Part(NamedTuple):
    """One limit for one scope.

    Args:
        scope: whose calls are counted, such as ``principal alice``; empty for all calls together.
        allowance: what the user wrote.
        period: the period that the call falls into.
        claim: what is asked for.
    """

    scope: str
    allowance: Allowance
    period: Period
    claim: Claim


class Asked(NamedTuple):
    """What a call asks for, reserved in one step.

    Args:
        call: the call, as it goes on.
        most: what it may use at most.
        parts: limit by limit.
    """

    call: Call
    most: Most
    parts: tuple[Part, ...]

    @property
    def scopes(self) -> tuple[str, ...]:
        """In which scopes it counts."""
        return tuple(dict.fromkeys([part.scope for part in self.parts]))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the store gets."""
        return tuple([part.claim for part in self.parts])

    def part_of(self, denial: Denial) -> Part:
        """Find the part that was denied. A store that is down may count by a limit of its own, with the same key."""
        return next((part for part in self.parts if part.claim.limit.key == denial.limit.key), self.parts[0])

    def text(self, denial: Denial) -> str:
        """Tell what was denied."""
        scope, allowance, _, claim = self.part_of(denial)
        whom = f"{scope}: " if scope else ""
        if denial.unknown:
            return f"{whom}{allowance} cannot be counted, because the store does not answer"
        needs = f"this call may need {shown(allowance.unit, claim.amount)}"
        if denial.never:
            return f"{whom}{needs}, which is more than {allowance}"
        return f"{whom}{needs}, and less is left of {allowance}"


def cheaper(call: Call, how: Degrade) -> list[tuple[Call, str]]:
    """List what to try in place of a call."""
    found = []
    if how.max_tokens is not None and (call.max_tokens is None or how.max_tokens < call.max_tokens):
        call = call.evolve(max_tokens=how.max_tokens)
        found.append((call, f"at most {how.max_tokens:,} tokens of output"))
    if how.route is not None and how.route != call.route:
        found.append((call.evolve(route=how.route), f"goes to route {how.route!r}"))
    return found
