"""What a call would do: the answer of `explain`."""

from __future__ import annotations

from dataclasses import dataclass

from aigw.values import Value


@dataclass(frozen=True, slots=True)
class PlannedTarget(Value):
    """A target that the call could reach.

    Args:
        name: its name.
        provider: name of its provider.
        model: the model there.
        where: where the call would go.
        problem: why it could not; empty if it could.
    """

    name: str
    provider: str
    model: str
    where: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Explanation(Value):
    """What a call would do. Nothing was sent.

    Args:
        route: the route that it would take.
        policies: the gateway's policies, outermost first.
        tree: the routing tree, as lines of text.
        targets: the targets that it could reach, in the order of the tree.
    """

    route: str
    policies: tuple[str, ...]
    tree: tuple[str, ...]
    targets: tuple[PlannedTarget, ...]

    def __str__(self) -> str:
        problems = [f"! {target.name}: {target.problem}" for target in self.targets if target.problem]
        return "\n".join([*(f"| {policy}" for policy in self.policies), f"{self.route}:", *self.tree, *problems])
