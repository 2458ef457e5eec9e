"""`Queue`: who is next of those who wait for a limit, by priority and fairly among tenants."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_args

from aigw.call import Priority
from aigw.checks import at_least, seconds, weight
from aigw.errors import ConfigError
from aigw.mechanics.fair_queue import Rules
from aigw.policies.scopes import reader
from aigw.policies.turn import Turn
from aigw.policies.used import when_over

if TYPE_CHECKING:
    from datetime import timedelta

    from aigw.call import Call
    from aigw.policies.scopes import Key
    from aigw.policy import Next
    from aigw.reply import Reply

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({"interactive": 16.0, "standard": 4.0, "batch": 1.0})
"""Shares of the classes, the most urgent first."""

AGING: Final = 15.0
"""Seconds after which a waiter moves up one class where `Queue` sets no `max_wait`: half of what limits let wait."""


class Queue:
    """Orders those who wait for the limits inside of it: every `RateLimit` and `Concurrency`, around a target too.

    How many may go on is a matter of those limits, and who is next one of the queue. The class of a call is its
    `priority`. While all classes have calls waiting, they get service by their weights, and inside a class each tenant
    gets as much as any other, counted in tokens: an input token is 1, an output token 2; what the call has really used
    is put in the place of a guess when it is over. Without a queue whoever comes first goes first.

    A call that need not wait costs next to nothing: no line is touched, and it is not counted.

    Args:
        weights: shares of ``interactive``, ``standard`` and ``batch``; 16, 4 and 1 where none is given.
        key: who is a tenant; see `RateLimit`. Calls for which it names nobody are one tenant.
        max_wait: seconds that a call may wait for one limit, also as a `timedelta`, in place of the limit's `max_wait`;
            ``None`` leaves that. The deadline of the call bounds it as well.
        most: calls that may wait for one limit.
        most_per_tenant: calls of one tenant in one class that may wait for one limit.
        strict: a class waits for all that are more urgent; after half of `max_wait` (15 s by default) a call moves up
            one class, once.

    Raises:
        ConfigError: an argument makes no sense.
        QueueFull: (from a call at a `Concurrency`) too many wait, or its turn did not, or would not, come in time.
        RateLimited: (from a call at a `RateLimit`) likewise.
    """

    outside: Mapping[str, str] = MappingProxyType(
        {"Retry": "a call keeps its place in the order from one attempt to the next"}
    )
    inside: Mapping[str, str] = MappingProxyType({"Cache": "an answer from the cache waits for nothing"})

    def __init__(
        self,
        *,
        weights: Mapping[str, float] | None = None,
        key: Key = "principal",
        max_wait: float | timedelta | None = None,
        most: int = 10_000,
        most_per_tenant: int = 1_000,
        strict: bool = False,
    ) -> None:
        self.weights = _weights(weights)
        self.key = key
        self.max_wait = None if max_wait is None else seconds("Queue(max_wait)", max_wait)
        self.most = at_least("Queue(most)", most, 1)
        self.most_per_tenant = at_least("Queue(most_per_tenant)", most_per_tenant, 1)
        self.strict = strict
        self._read = reader("Queue(key)", key)
        aging = AGING if self.max_wait is None else self.max_wait / 2
        self._rules = Rules(self.weights, self.most, self.most_per_tenant, strict, aging)

    def __repr__(self) -> str:
        usual = {"key": "principal", "max_wait": None, "most": 10_000, "most_per_tenant": 1_000, "strict": False}
        shown = [f"weights={self.weights!r}"] if self.weights != WEIGHTS else []
        shown += [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        return f"Queue({', '.join(shown)})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Give the call its turn; when it is over, and had to wait, settle what it has cost."""
        group = call.priority if call.priority in self.weights else "standard"
        turn = Turn(self._rules, group, lambda: self._read(call), self.max_wait)
        earlier = len(call.opened or ())
        try:
            reply = await inner(call.evolve(turn=turn))
        except BaseException:
            if turn.has_waited:  # a policy inside may have failed with a reply in its hand, which is still served
                when_over(call, earlier, lambda: turn.over(call))
            raise
        if turn.has_waited:
            reply.when_done(lambda _: turn.over(call))
        return reply


def _weights(given: object) -> Mapping[str, float]:
    if given is None:
        return WEIGHTS
    if not isinstance(given, Mapping) or set(given) - set(get_args(Priority)):
        raise ConfigError(f"Queue(weights) must be a mapping of interactive, standard and batch, not {given!r}")
    checked = {name: weight(f"Queue(weights[{name!r}])", given.get(name, usual)) for name, usual in WEIGHTS.items()}
    if not all(checked.values()):
        raise ConfigError(f"Queue(weights) must be greater than 0, not {given!r}: a class without weight would starve")
    return checked
