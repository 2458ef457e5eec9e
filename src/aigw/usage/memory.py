"""`MemoryUsage`: the newest usage records, in this process."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from aigw.checks import at_least

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.usage.record import UsageRecord


class MemoryUsage:
    """Keeps the newest records in memory: about 1 kB each. Forgotten when the process ends.

    Args:
        keep: how many.

    Raises:
        ConfigError: `keep` is not a positive whole number.
    """

    def __init__(self, keep: int = 10_000) -> None:
        self._records: deque[UsageRecord] = deque(maxlen=at_least("MemoryUsage(keep)", keep, 1))

    def __repr__(self) -> str:
        return f"MemoryUsage({self._records.maxlen})"

    def add(self, record: UsageRecord) -> None:
        """Keep a record, and drop the oldest where there are too many; see `UsageLog.add`."""
        self._records.append(record)  # one step, which needs no lock: a finalizer may come in between anything else

    def records(self, since: float | None = None, until: float | None = None) -> Iterator[UsageRecord]:
        """Yield the records of a time; see `UsageLog.records`."""
        for record in self._copy():
            if (since is None or record.started >= since) and (until is None or record.started < until):
                yield record

    def close(self) -> None:
        """Nothing to close."""

    def _copy(self) -> list[UsageRecord]:
        while True:
            try:
                return list(self._records)
            except RuntimeError:  # a finalizer has added one in the middle of it
                continue
