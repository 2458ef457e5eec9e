"""`Balance`: spreads calls over targets that can do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from aigw.errors import CircuitOpen, ConfigError, NoCapableTarget, ProviderError, Refused, failed_targets
from aigw.mechanics.pool import Pool
from aigw.routing.choosing import STATELESS, By, Own, Turns, cheapest
from aigw.routing.node import Node, blame, check_members, name_of
from aigw.routing.target import as_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.policy import Policy
    from aigw.reply import Reply
    from aigw.routing.choosing import Chooser
    from aigw.routing.target import Target


class Balance(Node):
    """Sends each call to one of its members.

    Members that cannot serve the call are left out (see ``Target(capabilities=…)``), and so are those that it has
    failed at already or whose `Breaker` would refuse, while others are left. A failure is raised: `Retry` tries another
    member, and a `Fallback` around it does so too before it leaves the pool.

    Args:
        members: targets, texts such as ``"openai/gpt-5.5"``, or other nodes.
        by: how it chooses.
            ``score``: the member that is likely to be done first, by its measured pace and the calls that it has;
            ``latency``: the quickest one, however busy, for services that serve any number of calls;
            ``cost``: where the call is likely to cost least, by score among equals;
            ``least_busy``: the fewest calls in flight for its weight;
            ``weighted``: at random in proportion to the weights; ``round_robin``: in turn, in the same proportion;
            ``priority``: the first of the list that may serve the call;
            or a function of the call and the members that may serve it, which returns one of them.
        name: its name in traces and errors.
        weight: its share in a `Balance` around it.
        policies: policies around it, outermost first.
    """

    def __init__(
        self,
        *members: Node | str,
        by: By | Chooser = "score",
        name: str | None = None,
        weight: float = 1.0,
        policies: Sequence[Policy] = (),
    ) -> None:
        if not callable(by) and by not in get_args(By):
            raise ConfigError(f"Balance(by={by!r}): choose one of {', '.join(get_args(By))}, or give a function")
        self.by = getattr(by, "__qualname__", type(by).__name__) if callable(by) else by
        self._choose = Own(by) if callable(by) else Turns() if by == "round_robin" else STATELESS.get(by)
        self.members = tuple(as_node(member, "Balance") for member in members)
        check_members("Balance", self.members)
        super().__init__(name=name or name_of("Balance", self.members), weight=weight, policies=policies)
        self._may_eject = any(target.may_be_ejected for target in self.targets)
        pool = Pool(len(self.targets))
        for target in self.targets:
            target.join(pool)

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
            candidates = self._standing(call, fresh) or self._standing(call, able) or fresh or able
            chosen = candidates[0] if len(candidates) == 1 else candidates[await self._pick(call, candidates)]
            member = self.members[chosen]
            try:
                return await member(call)
            except NoCapableTarget as error:  # its wire format cannot say the call: nothing was sent
                unable.append(f"{member.name}: {error}")
            except (ProviderError, Refused) as error:
                if not self._was_ejected(call, error, member) or len(able) == 1:
                    self._blame(call, error, member)
                    raise
                able.remove(chosen)  # somebody else was quicker to probe it: nothing was sent
                continue
            able.remove(chosen)
            if not able:
                raise NoCapableTarget("; ".join(unable), policy=self.name)
            call.note(self.name, "skipped", unable[-1])

    def _standing(self, call: Call, positions: Sequence[int]) -> Sequence[int]:
        """Leave out the members whose targets would all refuse."""
        if not self._may_eject:
            return positions
        now = call.clock.now()
        return [position for position in positions if not self.members[position].ejected(now)]

    def _was_ejected(self, call: Call, error: ProviderError | Refused, member: Node) -> bool:
        return isinstance(error, CircuitOpen) and member.ejected(call.clock.now())

    def _blame(self, call: Call, error: ProviderError | Refused, member: Node) -> None:
        """Note who failed, and how many are left to try."""
        blame(error, member)
        failed = failed_targets(error)
        if failed:  # else a whole member refused, and trying again would come to the same
            tried = call.avoid | failed
            error.alternatives = sum(
                target.name not in tried and not target.ejected(call.clock.now()) for target in self.targets
            )

    async def _pick(self, call: Call, candidates: Sequence[int]) -> int:
        """Return a position in `candidates`."""
        members = [self.members[position] for position in candidates]
        return await cheapest(call, members) if self._choose is None else self._choose(call, members)

    def _line(self) -> str:
        return f"{self.name}, by {self.by}"
