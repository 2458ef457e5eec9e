"""`Queue`: at most so many calls inside at a time, and a fair order for those who wait."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_args

from aigw.call import Priority
from aigw.checks import at_least, seconds, weight
from aigw.errors import ConfigError, QueueFull
from aigw.mechanics.fair_queue import INPUT_COST, OUTPUT_COST, FairQueue
from aigw.policies.gate import Gate, Guest
from aigw.policies.scopes import reader
from aigw.policies.used import mark, used_since, when_over

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import timedelta

    from aigw.call import Call
    from aigw.policies.scopes import Key
    from aigw.policy import Next
    from aigw.reply import Reply

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({"interactive": 16, "standard": 4, "batch": 1})
"""Shares of the classes."""


class Queue:
    """Lets at most so many calls in at a time; the others wait, and are let in by a fair order.

    The class of a call is its `priority`. While all classes have calls waiting, they get service by their weights, and
    inside a class each tenant gets as much as any other, counted in tokens: an input token is 1, an output token 2.
    A call that finds a place is not queued, nor counted.

    Args:
        concurrency: calls inside at a time.
        weights: shares of ``interactive``, ``standard`` and ``batch``; 16, 4 and 1 where none is given.
        key: who is a tenant; see `RateLimit`.
        max_wait: seconds that a call may wait, also as a `timedelta`. Its deadline bounds it as well.
        most: calls that may wait.
        most_per_tenant: calls of one tenant in one class that may wait.
        strict: a class waits for all that are more urgent; after half of `max_wait` a call moves up one class.
        name: its name in the trace and in errors.
        shadow: write into the trace what would have happened, but never act.

    Raises:
        ConfigError: an argument makes no sense.
        QueueFull: (from a call) too many wait, or it was not let in, or will not be, in time; nothing was sent.
            `retry_after` is a guess by how long places were held lately.
    """

    inside: Mapping[str, str] = MappingProxyType({"Cache": "an answer from the cache needs no place"})
    outside: Mapping[str, str] = MappingProxyType(
        {"Retry": "a call stands in line once, not once for each attempt; its place is kept for the next one"}
    )

    def __init__(
        self,
        concurrency: int,
        *,
        weights: Mapping[str, float] | None = None,
        key: Key = "principal",
        max_wait: float | timedelta = 60.0,
        most: int = 10_000,
        most_per_tenant: int = 1_000,
        strict: bool = False,
        name: str | None = None,
        shadow: bool = False,
    ) -> None:
        self.concurrency = at_least("Queue(concurrency)", concurrency, 1)
        self.weights = _weights(weights)
        self.key = key
        self.max_wait = seconds("Queue(max_wait)", max_wait)
        self.most = at_least("Queue(most)", most, 1)
        self.most_per_tenant = at_least("Queue(most_per_tenant)", most_per_tenant, 1)
        self.strict = strict
        self.name = _text("Queue" if name is None else name)
        self.shadow = shadow
        self._read = reader("Queue(key)", key)
        self._gates: dict[int, Gate] = {}

    def __repr__(self) -> str:
        usual = {"key": "principal", "max_wait": 60.0, "most": 10_000, "most_per_tenant": 1_000}
        usual |= {"strict": False, "name": "Queue", "shadow": False}
        shown = [str(self.concurrency)]
        shown += [f"weights={self.weights!r}"] if self.weights != WEIGHTS else []
        shown += [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        return f"Queue({', '.join(shown)})"

    @property
    def in_flight(self) -> int:
        """Calls that have a place now."""
        return self._gate().taken

    @property
    def waiting(self) -> int:
        """Calls that wait for one."""
        return len(self._gate().queue)

    def at_target(self, target: object) -> Queue:  # noqa: ARG002  (as the hook has it)
        """Return one that counts for this target alone."""
        return self._placed()

    def at_node(self, node: object) -> Queue:  # noqa: ARG002  (as the hook has it)
        """Return one that counts for this node alone."""
        return self._placed()

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Take a place, or wait for one; go on; give it back when it is over."""
        gate = self._gate()
        guest = None if gate.take() else await self._full(call, gate)
        stay = _Stay(gate, call, guest)
        try:
            reply = await inner(call)
        except BaseException:
            stay.failed()
            raise
        reply.when_done(lambda _: stay.over())
        return reply

    async def _full(self, call: Call, gate: Gate) -> Guest | None:
        """Do what is to be done with a call that finds no place; return it as a guest that has got one."""
        group = call.priority if call.priority in self.weights else "standard"
        tenant = self._read(call)
        wait = gate.wait(group, tenant)
        if self.shadow:
            call.note(self.name, "would wait", self._reason(gate), wait=wait)
            gate.take(anyway=True)
            return None
        tokens = await call.meter.input_tokens(call)
        cost = INPUT_COST * tokens + OUTPUT_COST * call.meter.output_tokens(call)
        longest = min(call.remaining(), self.max_wait)
        if longest <= 0 or (wait is not None and wait > longest):
            raise self._refusal(call, gate, f"; its turn would not come within {max(longest, 0):.3g} s", wait)
        began = call.clock.now()
        guest = Guest(call.ports.flag(), cost, began, math.inf if longest == math.inf else began + longest)
        call.note(self.name, "waits", self._reason(gate), wait=wait)
        if not gate.join(group, tenant, guest):
            raise self._refusal(call, gate, "; there is no room for more", wait)
        await self._wait(call, gate, guest, longest, (group, tenant))
        waited = call.clock.now() - began
        call.note(self.name, "admitted", f"after {waited:.3g} s", wait=waited)
        return guest

    async def _wait(self, call: Call, gate: Gate, guest: Guest, longest: float, place: tuple[str, Hashable]) -> None:
        try:
            await guest.flag.wait(longest)
        except BaseException:
            gate.give_up(guest, call.clock.now())
            raise
        if not gate.has_place(guest):
            raise self._refusal(call, gate, f"; its turn did not come within {longest:.3g} s", gate.wait(*place))

    def _refusal(self, call: Call, gate: Gate, why: str, wait: float | None) -> QueueFull:
        message = f"{self._reason(gate)}{why}"
        call.note(self.name, "refused", message)
        return QueueFull(message, policy=self.name, retry_after=wait, dimension="concurrency")

    def _reason(self, gate: Gate) -> str:
        calls = "1 call is" if self.concurrency == 1 else f"{self.concurrency} calls are"
        return f"at most {calls} let in at a time, and {len(gate.queue)} wait"

    def _placed(self) -> Queue:
        placed = copy(self)
        placed._gates = {}  # noqa: SLF001  (a copy of itself)
        return placed

    def _gate(self) -> Gate:
        """Return the gate of this process: after a fork, calls of the parent are none of the child's."""
        gate = self._gates.get(os.getpid())
        return gate or self._gates.setdefault(os.getpid(), Gate(self.concurrency, self._queue()))

    def _queue(self) -> FairQueue:
        return FairQueue(
            self.weights,
            most=self.most,
            most_per_tenant=self.most_per_tenant,
            strict=self.strict,
            aging=self.max_wait / 2,
        )


class _Stay:
    """One call that has a place. It failed or got a reply, and either is told once; so it gives its place back once."""

    __slots__ = ("_began", "_call", "_gate", "_guest", "_mark", "_opened")

    def __init__(self, gate: Gate, call: Call, guest: Guest | None) -> None:
        self._gate = gate
        self._call = call
        self._guest = guest
        self._began = call.clock.now()
        self._mark = mark(call)
        self._opened = len(call.opened or ())

    def failed(self) -> None:
        """There is no reply; but a policy inside may have failed with one in its hand, which is still served."""
        when_over(self._call, self._opened, self.over)

    def over(self) -> None:
        """Give the place back, and tell what the call has cost."""
        cost = 0.0
        if self._guest is not None:
            usage = used_since(self._call, self._mark).usage
            cost = INPUT_COST * usage.input + OUTPUT_COST * usage.output
        now = self._call.clock.now()
        self._gate.give_back(self._guest, cost, now - self._began, now)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"Queue(name) must be a text, not {value!r}")
    return value


def _weights(given: object) -> Mapping[str, float]:
    if given is None:
        return dict(WEIGHTS)
    if not isinstance(given, Mapping) or set(given) - set(get_args(Priority)):
        raise ConfigError(f"Queue(weights) must be a mapping of interactive, standard and batch, not {given!r}")
    checked = {name: weight(f"Queue(weights[{name!r}])", given.get(name, usual)) for name, usual in WEIGHTS.items()}
    if not all(checked.values()):
        raise ConfigError(f"Queue(weights) must be greater than 0, not {given!r}: a class without weight would starve")
    return checked
