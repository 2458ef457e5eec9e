"""Composition: policies around an endpoint, the order that they must have, and how that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.errors import ConfigError
from aigw.policy import Policy, constraints

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import Reply


def stack(policies: Sequence[Policy], endpoint: Next) -> Next:
    """Wrap an endpoint in policies; the first of them sees a call first."""
    for policy in reversed(policies):
        endpoint = _around(policy, endpoint)
    return endpoint


def _around(policy: Policy, inner: Next) -> Next:
    handle = policy.handle

    def layer(call: Call) -> Awaitable[Reply]:
        return handle(call, inner)

    return layer


def as_policies(policies: object, owner: str) -> tuple[Policy, ...]:
    """Check what a user gave as ``policies=``.

    Raises:
        ConfigError: it is not a list of policies; the message names `owner` and the position.
    """
    if not isinstance(policies, (list, tuple)):
        raise ConfigError(f"{owner}: policies must be a list, not {type(policies).__name__}")
    for position, policy in enumerate(policies):
        if isinstance(policy, type):
            raise ConfigError(
                f"{owner}: policies[{position}] is the class {policy.__name__}; write {policy.__name__}()"
            )
        if not isinstance(policy, Policy):
            raise ConfigError(f"{owner}: policies[{position}] is {policy!r}, which has no method handle(call, inner)")
    return tuple(policies)


def check_order(policies: Sequence[Policy], where: str = "policies") -> None:
    """Check the order of the policies on one way from the gateway to a target.

    The order is never changed silently: a wrong one is an error that says why.

    Raises:
        ConfigError: names the two policies and the reason that the one declares.
    """
    for position, outer in enumerate(policies):
        for inner in policies[position + 1 :]:
            for name in _names(inner) & constraints(outer, "inside").keys():
                raise ConfigError(_misplaced(outer, "inside", inner, constraints(outer, "inside")[name], where))
            for name in _names(outer) & constraints(inner, "outside").keys():
                raise ConfigError(_misplaced(inner, "outside", outer, constraints(inner, "outside")[name], where))
            loner = next((kind for kind in type(outer).__mro__ if "alone" in vars(kind)), None)
            if loner is not None and isinstance(inner, loner):
                raise ConfigError(f"{where}: two {loner.__name__} on the way to one target: {vars(loner)['alone']}")


def _misplaced(policy: Policy, side: str, other: Policy, reason: str, where: str) -> str:
    return f"{where}: {type(policy).__name__} must stand {side} {type(other).__name__}: {reason}"


def _names(policy: Policy) -> frozenset[str]:
    return frozenset(base.__name__ for base in type(policy).__mro__)


def describe(policies: Iterable[Policy]) -> list[str]:
    """Show a stack, a line for each policy with its settings, the outermost first."""
    return [repr(policy) for policy in policies]
