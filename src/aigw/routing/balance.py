"""`Balance`: spreads calls over targets that can do the same."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, get_args

from aigw.errors import ConfigError, NoCapableTarget, ProviderError, Refused, failed_targets
from aigw.mechanics import pick
from aigw.routing.node import Node, blame, check_members, name_of
from aigw.routing.target import as_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.policy import Policy
    from aigw.reply import Reply
    from aigw.routing.target import Target

By = Literal["weighted", "round_robin", "least_busy"]


class Balance(Node):
    """Sends each call to one of its members.

    Members that cannot serve the call are left out (see ``Target(capabilities=…)``), and so are those that it has
    failed at already, while others are left. A failure is raised: `Retry` tries another member, and a `Fallback` around
    it does so too before it leaves the pool.

    Args:
        members: targets, texts such as ``"openai/gpt-5.5"``, or other nodes.
        by: ``weighted`` picks at random in proportion to the weights, ``round_robin`` takes turns in the same
            proportion, ``least_busy`` takes the member with the fewest calls in flight for its weight.
        name: its name in traces and errors.
        weight: its share in a `Balance` around it.
        policies: policies around it, outermost first.
    """

    def __init__(
        self,
        *members: Node | str,
        by: By = "weighted",
        name: str | None = None,
        weight: float = 1.0,
        policies: Sequence[Policy] = (),
    ) -> None:
        if by not in get_args(By):
            raise ConfigError(f"Balance(by={by!r}): choose one of {', '.join(get_args(By))}")
        self.by = by
        self.members = tuple(as_node(member, "Balance") for member in members)
        check_members("Balance", self.members)
        self._lock = threading.Lock()
        self._turns = [0.0] * len(self.members)
        super().__init__(name=name or name_of("Balance", self.members), weight=weight, policies=policies)

    def __repr__(self) -> str:
        return f"{self.name}, by {self.by}"

    @property
    def children(self) -> tuple[Node, ...]:
        """Its members."""
        return self.members

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets below."""
        return tuple(target for member in self.members for target in member.targets)

    async def _route(self, call: Call) -> Reply:
        able = [position for position, member in enumerate(self.members) if not member.lacks(call)]
        if not able:
            raise NoCapableTarget(self.lacks(call), policy=self.name)
        unable: list[str] = []
        while True:
            fresh = [position for position in able if self.members[position].is_fresh(call.avoid)]
            candidates = fresh or able
            chosen = candidates[0] if len(candidates) == 1 else candidates[self._pick(call, candidates)]
            member = self.members[chosen]
            try:
                return await member(call)
            except NoCapableTarget as error:  # its wire format cannot say the call: nothing was sent
                unable.append(f"{member.name}: {error}")
            except (ProviderError, Refused) as error:
                self._blame(call, error, member)
                raise
            able.remove(chosen)
            if not able:
                raise NoCapableTarget("; ".join(unable), policy=self.name)
            call.note(self.name, "skipped", unable[-1])

    def _blame(self, call: Call, error: ProviderError | Refused, member: Node) -> None:
        """Note who failed, and how many are left to try."""
        blame(error, member)
        failed = failed_targets(error)
        if failed:  # else a whole member refused, and trying again would come to the same
            tried = call.avoid | failed
            error.alternatives = sum(target.name not in tried for target in self.targets)

    def _pick(self, call: Call, candidates: Sequence[int]) -> int:
        """Return a position in `candidates`."""
        weights = [self.members[position].weight for position in candidates]
        rng = call.ports.rng
        if self.by == "least_busy":
            return pick.least_busy([self.members[position].in_flight for position in candidates], weights, rng=rng)
        if self.by == "weighted":
            return pick.weighted(weights, rng=rng)
        with self._lock:
            choice = pick.round_robin([self._turns[position] for position in candidates], weights)
            self._turns[candidates[choice]] += 1
            return choice

    def _line(self) -> str:
        return f"{self.name}, by {self.by}"
