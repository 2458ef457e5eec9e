"""Questions to usage records: filtered, grouped and added up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from aigw.errors import ConfigError
from aigw.usage.table import Sums, UsageTable

if TYPE_CHECKING:
    from datetime import tzinfo

    from aigw.usage.record import UsageRecord

By = Literal[
    "day",
    "hour",
    "model",
    "operation",
    "outcome",
    "principal",
    "priority",
    "provider",
    "refused_by",
    "route",
    "tag",
    "target",
    "team",
]
"""What records can be grouped and filtered by."""

Wanted = str | None | Collection[str | None]
"""The value that is wanted, or several; ``None`` for records that have none."""


class UsageFilters(TypedDict, total=False):
    """Only calls of these: a value or several of them, ``None`` for calls that have none.

    ``principal="alice"``, ``outcome=["TimedOut", "Overloaded"]``, ``team=None``.
    """

    model: Wanted
    operation: Wanted
    outcome: Wanted
    principal: Wanted
    priority: Wanted
    provider: Wanted
    refused_by: Wanted
    route: Wanted
    tag: Wanted
    target: Wanted
    team: Wanted


Values = tuple[str | None, ...]
Reader = Callable[["UsageRecord"], Values]

PLAIN: Final = (
    "model",
    "operation",
    "outcome",
    "principal",
    "priority",
    "provider",
    "refused_by",
    "route",
    "target",
    "team",
)
NAMES: Final = tuple(sorted((*PLAIN, "day", "hour", "tag")))
"""What records can be grouped by; by all but the times they can be filtered too."""


def groups(by: str | Sequence[str] | None) -> tuple[str, ...]:
    """Take what a user groups by: a name of `NAMES`, several, or nothing.

    Raises:
        ConfigError: one is not known, or stands there twice.
    """
    names = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in NAMES:
            raise ConfigError(f"usage(by) may be {', '.join(NAMES)}, or several of them, not {name!r}")
    if len(set(names)) != len(names):
        raise ConfigError(f"usage(by={names!r}) names one thing twice")
    return names


def summarize(
    records: Iterable[UsageRecord], by: tuple[str, ...], where: Mapping[str, Wanted], zone: tzinfo
) -> UsageTable:
    """Add records up.

    Args:
        records: the records.
        by: what to group them by; see `groups`. A call with several tags counts in the group of each.
        where: only those that have these values.
        zone: where days and hours begin.

    Raises:
        ConfigError: there is no such filter.
    """
    readers = [_reader(name, zone) for name in by]
    filters = [_filter(name, wanted, zone) for name, wanted in where.items()]
    sums: dict[Values, Sums] = {}
    for record in records:
        if all(fits(record) for fits in filters):
            for key in product(*[read(record) for read in readers]):
                found = sums.get(key)
                if found is None:
                    found = sums[key] = Sums()
                found.add(record)
    ordered = sorted(sums.items(), key=lambda item: [(value is None, value or "") for value in item[0]])
    return UsageTable(by, tuple(row.close(dict(zip(by, key, strict=True))) for key, row in ordered))


def check_filters(where: Mapping[str, object]) -> None:
    """Look whether there are such filters.

    Raises:
        ConfigError: one is not known.
    """
    for name in where:
        if name not in (*PLAIN, "tag"):
            raise ConfigError(f"usage() has no filter {name!r}; there are {', '.join(sorted((*PLAIN, 'tag')))}")


def _filter(name: str, wanted: Wanted, zone: tzinfo) -> Callable[[UsageRecord], bool]:
    read = _reader(name, zone)
    values = frozenset((wanted,) if wanted is None or isinstance(wanted, str) else wanted)
    return lambda record: not values.isdisjoint(read(record))


def _reader(name: str, zone: tzinfo) -> Reader:
    if name == "tag":
        return lambda record: record.tags or (None,)
    if name == "day":
        return lambda record: (datetime.fromtimestamp(record.started, zone).date().isoformat(),)
    if name == "hour":
        return lambda record: (
            datetime.fromtimestamp(record.started, zone)
            .replace(minute=0, second=0, microsecond=0)
            .isoformat(timespec="minutes"),
        )
    return lambda record: (getattr(record, name),)
