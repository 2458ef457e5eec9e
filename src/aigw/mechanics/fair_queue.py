"""`FairQueue`: who of those who wait is next, fair to classes by weight and, inside a class, to tenants.

The virtual token counter of Sheng and others (Fairness in Serving Large Language Models, OSDI 2024), in two levels:
each class and each tenant of a class counts the service that it has got, and the one that has got least is next.
Between two that always have somebody waiting, what they have got differs by at most twice the dearest call.
Whoever comes back after a pause starts from the least of those who wait, so that nobody saves up a claim by being idle.

Steps cost the logarithm of the number of tenants that wait. Not safe for threads by itself; time is an argument.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

INPUT_COST: Final = 1.0
"""Cost of an input token."""
OUTPUT_COST: Final = 2.0
"""Cost of an output token."""
SLACK: Final = 64
"""Entries that a heap may hold beyond twice those that count, before it is made anew."""


class Waiter:
    """Somebody who waits.

    Args:
        cost: what its call is likely to cost, in weighted tokens.
        since: when it came.
        until: when it is of no use any more; infinity for never.
    """

    __slots__ = ("_tenant", "cost", "since", "until")

    def __init__(self, cost: float, since: float, until: float) -> None:
        self.cost = cost
        self.since = since
        self.until = until
        self._tenant: _Tenant | None = None


class Rules(NamedTuple):
    """What a `FairQueue` goes by.

    Args:
        weights: share of each class while all have somebody waiting; the most urgent class first.
        most: how many may wait.
        most_per_tenant: how many of one tenant of a class.
        strict: a class waits for all classes before it; weights do not count.
        aging: seconds after which a waiter moves up one class, once, where `strict`.
    """

    weights: Mapping[str, float]
    most: int = 10_000
    most_per_tenant: int = 1_000
    strict: bool = False
    aging: float = 30.0


class FairQueue:
    """Those who wait.

    Args:
        weights: see `Rules`, as the others.
        most: how many may wait.
        most_per_tenant: how many of one tenant of a class.
        strict: whether weights do not count.
        aging: seconds after which a waiter moves up one class.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        most: int = 10_000,
        most_per_tenant: int = 1_000,
        strict: bool = False,  # noqa: FBT001, FBT002  (they are the fields of Rules)
        aging: float = 30.0,
    ) -> None:
        self._classes = {name: _Class(weight, most) for name, weight in weights.items()}
        self._ranked = list(self._classes.values())
        self._most = most
        self._most_per_tenant = most_per_tenant
        self._strict = strict
        self._aging = aging
        self._floor = 0.0
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def ahead(self, name: str, key: Hashable, *, joined: bool = False) -> float:
        """Tell about how many calls will be let in before one that comes now.

        Args:
            name: its class.
            key: its tenant.
            joined: it waits already, as the last of its tenant.
        """
        own = self._classes[name]
        others = self._waiting - joined
        if self._strict:
            return float(sum(len(group.ages) for group in self._ranked[: self._ranked.index(own) + 1]) - joined)
        tenant = own.find(key)
        tenants = len(own.active) + (tenant is None or not tenant.line)
        rounds = (len(tenant.line) if tenant else 0) + 1 - joined
        weights = sum(group.weight for group in self._ranked if group.active or group is own)
        return min(float(others), rounds * tenants * weights / own.weight - 1)

    def full(self, name: str, key: Hashable) -> bool:
        """Tell whether there is no room for one more."""
        tenant = self._classes[name].find(key)
        return self._waiting >= self._most or (tenant is not None and len(tenant.line) >= self._most_per_tenant)

    def join(self, name: str, key: Hashable, waiter: Waiter) -> bool:
        """Let somebody wait; tell whether there was room.

        Args:
            name: its class.
            key: its tenant.
            waiter: itself.
        """
        if self.full(name, key):
            return False
        self._join(self._classes[name], key, waiter)
        return True

    def leave(self, waiter: Waiter) -> bool:
        """Take somebody out; tell whether it was still waiting."""
        tenant = waiter._tenant  # noqa: SLF001  (of this module)
        if tenant is None or waiter not in tenant.line:
            return False
        tenant.group.remove(tenant, waiter)
        self._waiting -= 1
        return True

    def next(self, now: float, *, charge: bool = True) -> tuple[Waiter | None, list[Waiter]]:
        """Take out who is next.

        Args:
            now: the time.
            charge: charge it, as it goes on now; else it is charged with `charge`, or `put_back`.

        Returns:
            The waiter, ``None`` if there is none; and those who were taken out because their time is over.
        """
        late: list[Waiter] = []
        if self._strict:
            self._age(now)
        while self._waiting:
            groups = [group for group in self._ranked if group.active]
            group = groups[0] if self._strict else min(groups, key=lambda group: group.counter)
            tenant = group.least()
            waiter = next(iter(tenant.line))
            if waiter.until <= now:
                self.leave(waiter)
                late.append(waiter)
                continue
            self._floor = group.counter
            group.floor = tenant.counter
            self.leave(waiter)
            if charge:
                _charge(tenant, waiter.cost)
            return waiter, late
        return None, late

    def put_back(self, waiter: Waiter) -> bool:
        """Take back somebody who was taken out and not charged: it is the first of its tenant again.

        Returns:
            Whether it was taken out of this queue, and is waiting again.
        """
        tenant = waiter._tenant  # noqa: SLF001  (of this module)
        if tenant is None or tenant.group not in self._ranked:
            return False
        tenant.group.add_again(tenant, waiter)
        self._waiting += 1
        return True

    def charge(self, waiter: Waiter) -> None:
        """Charge somebody who was taken out and goes on."""
        tenant = waiter._tenant  # noqa: SLF001  (of this module)
        if tenant is not None:
            _charge(tenant, waiter.cost)

    def settle(self, waiter: Waiter, cost: float) -> None:
        """Correct the charge of somebody who was let in, once, by what the call has really cost."""
        tenant, waiter._tenant = waiter._tenant, None  # noqa: SLF001  (of this module)
        if tenant is not None:
            _charge(tenant, cost - waiter.cost)

    def _join(self, group: _Class, key: Hashable, waiter: Waiter) -> None:
        if not group.active:
            least = min((other.counter for other in self._ranked if other.active), default=self._floor)
            group.counter = max(group.counter, least)
        group.add(key, waiter)
        self._waiting += 1

    def _age(self, now: float) -> None:
        for above, group in zip(self._ranked, self._ranked[1:], strict=False):
            while group.ages:
                waiter = next(iter(group.ages))
                if now - waiter.since <= self._aging:
                    break
                tenant = waiter._tenant  # noqa: SLF001  (of this module)
                if tenant is None:
                    break
                self.leave(waiter)
                self._join(above, tenant.key, waiter)
                # Not among those who age: it moves up once.
                above.ages.pop(waiter, None)


class _Tenant:
    __slots__ = ("counter", "group", "key", "line", "stamp")

    def __init__(self, group: _Class, key: Hashable) -> None:
        self.group = group
        self.key = key
        self.counter = 0.0
        self.line: OrderedDict[Waiter, None] = OrderedDict()
        self.stamp = 0


class _Class:
    """A class, and a heap of its tenants. An entry of the heap counts if it bears the tenant's last stamp."""

    def __init__(self, weight: float, most_idle: int) -> None:
        self.weight = weight
        self.counter = 0.0
        self.floor = 0.0
        self.active: dict[Hashable, _Tenant] = {}
        self.ages: OrderedDict[Waiter, None] = OrderedDict()
        self._idle: OrderedDict[Hashable, _Tenant] = OrderedDict()
        self._most_idle = most_idle
        self._heap: list[tuple[float, int, _Tenant]] = []
        self._stamps = count(1)

    def find(self, key: Hashable) -> _Tenant | None:
        return self.active.get(key) or self._idle.get(key)

    def add(self, key: Hashable, waiter: Waiter) -> None:
        tenant = self.active.get(key)
        if tenant is None:
            tenant = self._idle.pop(key, None) or _Tenant(self, key)
            tenant.counter = max(tenant.counter, self.least().counter if self.active else self.floor)
            self.active[key] = tenant
            self.push(tenant)
        tenant.line[waiter] = None
        self.ages[waiter] = None
        waiter._tenant = tenant  # noqa: SLF001  (of this module)

    def add_again(self, tenant: _Tenant, waiter: Waiter) -> None:
        """Put a waiter before all others of its tenant, which has not got what it was taken out for: no lift."""
        tenant = self.active.get(tenant.key, tenant)
        if tenant.key not in self.active:
            self._idle.pop(tenant.key, None)
            self.active[tenant.key] = tenant
            self.push(tenant, first=True)
        for line in (tenant.line, self.ages):
            line[waiter] = None
            line.move_to_end(waiter, last=False)
        waiter._tenant = tenant  # noqa: SLF001  (of this module)

    def remove(self, tenant: _Tenant, waiter: Waiter) -> None:
        del tenant.line[waiter]
        self.ages.pop(waiter, None)
        if not tenant.line:
            del self.active[tenant.key]
            tenant.stamp = 0
            self._idle[tenant.key] = tenant
            if len(self._idle) > self._most_idle:
                self._idle.popitem(last=False)
            self._tidy()

    def least(self) -> _Tenant:
        while self._heap[0][1] != self._heap[0][2].stamp:
            heapq.heappop(self._heap)
        return self._heap[0][2]

    def push(self, tenant: _Tenant, *, first: bool = False) -> None:
        tenant.stamp = next(self._stamps) * (-1 if first else 1)
        heapq.heappush(self._heap, (tenant.counter, tenant.stamp, tenant))
        self._tidy()

    def _tidy(self) -> None:
        if len(self._heap) > 2 * len(self.active) + SLACK:
            self._heap = [entry for entry in self._heap if entry[1] == entry[2].stamp]
            heapq.heapify(self._heap)


def _charge(tenant: _Tenant, cost: float) -> None:
    tenant.counter += cost
    tenant.group.counter += cost / tenant.group.weight
    if tenant.line:
        tenant.group.push(tenant)
