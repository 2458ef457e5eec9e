"""`Node`: what the routing tree is made of. Every node is an endpoint: a call goes in, a reply comes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from aigw.checks import weight as check_weight
from aigw.errors import AigwError, ConfigError, Refused
from aigw.pipeline import as_policies, stack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from aigw.call import Call
    from aigw.policy import Policy
    from aigw.reply import Reply
    from aigw.routing.target import Target


class Node(ABC):
    """A place in the routing tree, with its own policies around it.

    Args:
        name: its name in traces and errors.
        weight: its share among the members of a `Balance`.
        policies: policies around this node alone, outermost first.
    """

    def __init__(self, *, name: str, weight: float, policies: Sequence[Policy]) -> None:
        self.name = name
        self.weight = check_weight(f"{name}: weight", weight)
        self.policies = tuple(map(self._placed, as_policies(policies, name)))
        self._endpoint = stack(self.policies, self._route)

    def __call__(self, call: Call) -> Awaitable[Reply]:
        """Serve a call: through the node's policies, and on."""
        return self._endpoint(call)

    @abstractmethod
    async def _route(self, call: Call) -> Reply:
        """Serve a call, inside of the node's own policies."""

    @property
    @abstractmethod
    def children(self) -> tuple[Node, ...]:
        """The nodes below."""

    @property
    @abstractmethod
    def targets(self) -> tuple[Target, ...]:
        """All targets below, in order."""

    @property
    def in_flight(self) -> int:
        """Calls that its targets are serving now."""
        return sum(target.in_flight for target in self.targets)

    @property
    def pace(self) -> float | None:
        """Seconds that it takes for a unit of work, as its quickest target was seen; see `aigw.mechanics.health`."""
        return min([target.pace for target in self.targets if target.pace is not None], default=None)

    def cost(self, best: float, now: float, priority: str) -> float:
        """Return the score of its best target; see `aigw.mechanics.score`."""
        return min([target.cost(best, now, priority) for target in self.targets])

    def unhurried(self, best: float, now: float) -> float:
        """Return the pace to expect of its best target, whatever that is doing; see `aigw.mechanics.score`."""
        return min([target.unhurried(best, now) for target in self.targets])

    def availability(self, now: float) -> float:
        """Return the share of its traffic that it should get now: none where all of its targets would refuse."""
        return 1.0 if any(target.availability(now) > 0 for target in self.targets) else 0.0

    def headroom(self, now: float) -> float | None:
        """Return the share of the quota that is left at the target where most is, where that is known of all."""
        lefts = [target.headroom(now) for target in self.targets]
        return None if None in lefts else max(left for left in lefts if left is not None)

    @property
    def window(self) -> int | None:
        """The largest context window of its targets, in tokens; ``None`` where one is not known."""
        windows = [target.window for target in self.targets]
        return None if None in windows else max(window for window in windows if window is not None)

    def is_fresh(self, avoid: frozenset[str]) -> bool:
        """Tell whether it has a target that this call has not failed at."""
        return not avoid or any(target.name not in avoid for target in self.targets)

    def ejected(self, now: float) -> bool:
        """Tell whether the policies around its targets would refuse a call at each of them."""
        return self.availability(now) <= 0

    def lacks(self, call: Call) -> str:
        """Tell what the call needs and no target below can do; empty if one can, as far as is known."""
        found = []
        for child in self.children:
            lacking = child.lacks(call)
            if not lacking:
                return ""
            found.append(lacking)
        return "; ".join(found)

    def paths(self, above: tuple[Policy, ...] = ()) -> Iterator[tuple[str, tuple[Policy, ...]]]:
        """Yield each way to a target: its names, and the policies on it, outermost first."""
        policies = (*above, *self.policies)
        if not self.children:
            yield self.name, policies
        for child in self.children:
            for names, found in child.paths(policies):
                yield f"{self.name} > {names}", found

    def describe(self, depth: int = 0) -> Iterator[str]:
        """Yield the tree as lines of text."""
        yield "  " * depth + self._line()
        for policy in self.policies:
            yield "  " * depth + f"  | {policy!r}"
        for child in self.children:
            yield from child.describe(depth + 1)

    def _placed(self, policy: Policy) -> Policy:
        """Return the form of a policy that it takes around this node."""
        place: Callable[[Node], Policy] | None = getattr(policy, "at_node", None)
        return policy if place is None else place(self)

    def _line(self) -> str:
        return self.name


def blame(error: AigwError, node: Node) -> None:
    """Note which target's own policies refused, so that the call can avoid it."""
    if isinstance(error, Refused) and error.target is None and not node.children:
        error.target = node.name


def name_of(kind: str, members: Sequence[Node]) -> str:
    """Make a name for a node that was given none."""
    return f"{kind}({', '.join(member.name for member in members)})"


def check_members(owner: str, members: Sequence[object]) -> None:
    """Raise a ConfigError unless there is at least one member, and no two targets share a name."""
    if not members:
        raise ConfigError(f"{owner} needs at least one target")
    known: dict[str, Target] = {}
    for member in members:
        assert isinstance(member, Node)
        for target in member.targets:
            if known.setdefault(target.name, target) is not target:
                raise ConfigError(f"{owner}: two targets are called {target.name!r}; tell them apart with name=")
