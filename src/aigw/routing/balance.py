"""`Balance`: spreads calls over targets that can do the same."""

from __future__ import annotations

from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Final, get_args

from aigw.call import UNSET, Unset
from aigw.errors import (
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    NoCapableTarget,
    ProviderError,
    QueueFull,
    RateLimited,
    Refused,
    failed_targets,
)
from aigw.mechanics import score
from aigw.mechanics.pool import Pool
from aigw.routing.affinity import Affinity, Kind, lighter
from aigw.routing.choosing import STATELESS, By, Own, Turns, cheapest
from aigw.routing.node import Node, blame, check_members, name_of
from aigw.routing.target import as_node
from aigw.routing.windows import roomy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.mechanics.prefix import Blocks
    from aigw.policy import Policy
    from aigw.reply import Reply
    from aigw.routing.choosing import Chooser
    from aigw.routing.target import Target

FULL: Final = (CircuitOpen, QueueFull, RateLimited)
"""What the policies of a target say that takes no call now: nothing was sent, so another one can be asked."""

LEAST_HEADROOM: Final = 0.05
"""The share of its quota that a target is taken to have left at least, when calls of a batch are weighed."""


class Balance(Node):
    """Sends each call to one of its members.

    First members are left out that cannot serve the call: whose model lacks something that it needs, whose context
    window is too small for its prompt, that lack a tag which it requires; and while others are left also those that it
    has failed at already, and whose own policies would refuse it: a `Breaker` that is open, a `RateLimit` (the quota of
    the provider) or a `Concurrency` that is full. If such a policy refuses all the same, the next member is chosen. Any
    other failure is raised: `Retry` tries another member, and a `Fallback` around it does so too before it leaves the
    pool.

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
        affinity: what the score holds together, for the caches of providers and servers: ``prefix`` (the default)
            long prompts with the same beginning, ``session`` calls with the same ``session`` in their `metadata`,
            ``None`` nothing. It is a part of the score, so a member that is busy or slow loses them.
        name: its name in traces and errors.
        weight: its share in a `Balance` around it.
        policies: policies around it, outermost first.
    """

    def __init__(
        self,
        *members: Node | str,
        by: By | Chooser = "score",
        affinity: Kind | Unset | None = UNSET,
        name: str | None = None,
        weight: float = 1.0,
        policies: Sequence[Policy] = (),
    ) -> None:
        if not callable(by) and by not in get_args(By):
            raise ConfigError(f"Balance(by={by!r}): choose one of {', '.join(get_args(By))}, or give a function")
        self.by = getattr(by, "__qualname__", type(by).__name__) if callable(by) else by
        self._choose = Own(by) if callable(by) else Turns() if by == "round_robin" else STATELESS.get(by)
        self._draws = by == "score"
        self._affinity = _affinity(affinity, self.by)
        self.members = tuple(as_node(member, "Balance") for member in members)
        check_members("Balance", self.members)
        super().__init__(name=name or name_of("Balance", self.members), weight=weight, policies=policies)
        self._may_eject = any(target.may_be_ejected for target in self.targets)
        self._watched = tuple(target for target in self.targets if target.is_watched)
        pool = Pool(len(self.targets))
        for target in self.targets:
            target.join(pool)

    def __repr__(self) -> str:
        return f"{self.name}, by {self.by}"

    @property
    def affinity(self) -> Kind | None:
        """What it holds together."""
        return None if self._affinity is None else self._affinity.kind

    @property
    def children(self) -> tuple[Node, ...]:
        """Its members."""
        return self.members

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets below."""
        return tuple(target for member in self.members for target in member.targets)

    async def _route(self, call: Call) -> Reply:
        for target in self._watched:
            target.attend(call)
        able = [position for position, member in enumerate(self.members) if not member.lacks(call)]
        if not able:
            raise NoCapableTarget(self.lacks(call), policy=self.name)
        able = await roomy(call, self.members, able)
        blocks = self._affinity.blocks(call) if self._affinity is not None and len(able) > 1 else None
        full: list[Refused] = []
        try:
            return await self._try(call, able, blocks, full)
        finally:
            full.clear()  # their tracebacks know this list: the garbage collector alone could free them all

    async def _try(self, call: Call, able: list[int], blocks: Blocks | None, full: list[Refused]) -> Reply:
        """Choose among these positions until one takes the call."""
        unable: list[str] = []
        while able:
            chosen = await self._chosen(call, able, blocks)
            member = self.members[chosen]
            try:
                reply = await member(call)
            except NoCapableTarget as error:  # its wire format cannot say the call: nothing was sent
                unable.append(f"{member.name}: {error}")
                call.note(self.name, "skipped", unable[-1])
            except (ProviderError, Refused) as error:
                if member.children or not isinstance(error, Refused) or not _sent_nothing(error, call):
                    self._blame(call, error, member, full)
                    raise
                blame(error, member)
                full.append(error)
            else:
                if blocks is not None and self._affinity is not None:
                    self._affinity.learn(blocks, member, call.clock.now())
                return reply
            able.remove(chosen)
        raise self._refusal(call, unable, full)

    async def _chosen(self, call: Call, able: Sequence[int], blocks: Blocks | None) -> int:
        """Choose one of these positions."""
        members = self.members
        fresh = [position for position in able if members[position].is_fresh(call.avoid)] if call.avoid else able
        fresh = fresh or able
        shares = [members[position].weight for position in fresh]
        if self._may_eject:
            fresh, shares = self._standing(call, able, fresh, shares)
        if len(fresh) == 1:
            return fresh[0]
        now = call.clock.now()
        read = {} if blocks is None or self._affinity is None else self._affinity.read(blocks, now)
        if self._draws and len(fresh) > score.ALL:
            knowing = set(islice(read, score.DRAWN))
            also = [place for place, position in enumerate(fresh) if members[position].name in knowing]
            places = score.drawn(len(fresh), rng=call.ports.rng, also=also)
            fresh, shares = [fresh[place] for place in places], [shares[place] for place in places]
        candidates = [members[position] for position in fresh]
        if blocks is not None and read:
            shares = lighter(shares, candidates, blocks, read)
        if call.priority == "batch":
            shares = _sparing(shares, candidates, now)
        if self._choose is None:
            return fresh[await cheapest(call, candidates, shares)]
        return fresh[self._choose(call, candidates, shares)]

    def _standing(
        self, call: Call, able: Sequence[int], fresh: Sequence[int], shares: list[float]
    ) -> tuple[Sequence[int], list[float]]:
        """Leave out the members whose targets would all refuse, unless all would; let those that recover have less.

        One that should get a tenth of its traffic is a candidate for a tenth of the calls. A tenth of its weight would
        come to nothing where the others are idle, and nobody would find out that it has recovered.
        """
        now, rng = call.clock.now(), call.ports.rng
        lets_in = [self.members[position].availability(now) for position in able]
        if min(lets_in) >= 1:
            return fresh, shares
        left = {position: share for position, share in zip(able, lets_in, strict=True) if share > 0}
        standing = [position for position in fresh if position in left] or list(left) or fresh
        lucky = [position for position in standing if (share := left.get(position, 1.0)) >= 1 or rng.random() < share]
        standing = lucky or standing
        return standing, [self.members[position].weight for position in standing]

    def _blame(self, call: Call, error: ProviderError | Refused, member: Node, full: Sequence[Refused] = ()) -> None:
        """Note who failed, and how many are left to try."""
        blame(error, member)
        failed = failed_targets(error)
        if failed:  # else a whole member refused, and trying again would come to the same
            tried = call.avoid | failed | {refused.target for refused in full}
            now = call.clock.now()
            error.alternatives = sum(target.name not in tried and not target.ejected(now) for target in self.targets)

    def _refusal(self, call: Call, unable: Sequence[str], full: Sequence[Refused]) -> Refused:
        """Make the error of a call that no member has taken: the one that can be over first."""
        if not full:
            return NoCapableTarget("; ".join(unable), policy=self.name)
        error = min(full, key=lambda refused: inf if refused.retry_after is None else refused.retry_after)
        failed = failed_targets(error)
        if failed:
            self._blame(call, error, self, full)
        return error

    def _line(self) -> str:
        return f"{self.name}, by {self.by}"


def _sent_nothing(error: Refused, call: Call) -> bool:
    """Tell whether a target takes no call now, or is too slow for this one, so that another can be asked at once."""
    if isinstance(error, DeadlineExceeded):  # with a cause it has come while the target was being asked
        return error.__cause__ is None and call.remaining() > 0
    return isinstance(error, FULL)


def _sparing(shares: Sequence[float], members: Sequence[Node], now: float) -> list[float]:
    """Take weight from members whose quota is nearly used up: calls of a batch leave that to others."""
    lefts = [member.headroom(now) for member in members]
    return [
        share if left is None else share * max(left, LEAST_HEADROOM) for share, left in zip(shares, lefts, strict=True)
    ]


def _affinity(given: Kind | Unset | None, by: str) -> Affinity | None:
    scored = by in {"score", "cost"}
    if given is UNSET:
        given = "prefix" if scored else None
    if given is None:
        return None
    if given not in get_args(Kind):
        raise ConfigError(f"Balance(affinity={given!r}): choose one of {', '.join(get_args(Kind))}, or None")
    if not scored:
        raise ConfigError(f"Balance(affinity={given!r}): it is a part of the score; leave it out with by={by!r}")
    return Affinity(given)
