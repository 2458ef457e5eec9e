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

    def share(self, now: float) -> float:  # noqa: ARG002  (a target's own may change)
        """Return its weight as it counts now: less while it recovers from failures."""
        return self.weight

    @property
    def pace(self) -> float | None:
        """Seconds that it takes for a unit of work, as its quickest target was seen; see `aigw.mechanics.health`."""
        return min((target.pace for target in self.targets if target.pace is not None), default=None)

    @property
    def at_once(self) -> float:
        """Calls that its targets serve at once without slowing down; see `aigw.mechanics.load`."""
        return sum(target.at_once for target in self.targets)

    def expected_pace(self, now: float, best: float | None, *, idle: bool) -> float:
        """Return the pace to expect of the next call; see `Health.expected_pace`."""
        return min(target.expected_pace(now, best, idle=idle) for target in self.targets)

    def is_fresh(self, avoid: frozenset[str]) -> bool:
        """Tell whether it has a target that this call has not failed at."""
        return not avoid or any(target.name not in avoid for target in self.targets)

    def ejected(self, now: float) -> bool:
        """Tell whether the policies around its targets would refuse a call at each of them."""
        return all(target.ejected(now) for target in self.targets)

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
