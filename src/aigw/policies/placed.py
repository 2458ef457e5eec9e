"""`Placed`: what policies that count have in common when they stand around a node of the tree."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Placed:
    """A policy that takes another form around a target, and may count each try around any other node."""

    outside: Mapping[str, str]
    """See `aigw.policy.Policy`; it holds only among the policies of the gateway."""

    def at_target(self, target: Any) -> Self:
        """Return the form that it takes around a target: see the class."""
        placed = copy(self)
        placed.outside = {}
        placed._stand_around(target)  # noqa: SLF001  (a copy of itself)
        return placed

    def at_node(self, node: object) -> Self:  # noqa: ARG002  (as the hook has it)
        """Return the form that it takes around a node of the tree: there it may count each try of a `Retry` outside."""
        placed = copy(self)
        placed.outside = {}
        return placed

    def _stand_around(self, target: Any) -> None:
        """Become the form for this target."""
        raise NotImplementedError
