"""`UsageLog`: where usage records are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.usage.record import UsageRecord


@runtime_checkable
class UsageLog(Protocol):
    """Keeps usage records. One log may serve several gateways, and all of their threads and event loops."""

    def add(self, record: UsageRecord) -> None:
        """Keep a record. Never waits and never raises.

        It is called from any thread, and from finalizers: in the middle of whatever that thread does.
        """
        ...

    def records(self, since: float | None = None, until: float | None = None) -> Iterator[UsageRecord]:
        """Yield the records of calls that have begun in a time, those that were added before included. May block.

        Args:
            since: the first moment that counts, in seconds since 1970; ``None`` for all that there are.
            until: the first moment that no longer counts; ``None`` for no end.
        """
        ...

    def close(self) -> None:
        """Write down what is not written yet, and let go of files and threads. May block; closing twice is fine."""
        ...
