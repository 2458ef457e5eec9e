"""`AuditLog`: where audit records are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aigw.audit.record import AuditRecord


@runtime_checkable
class AuditLog(Protocol):
    """Keeps audit records. One log may serve several gateways, and all of their threads and event loops."""

    @property
    def trouble(self) -> str:
        """Why records cannot be kept now; empty while nothing is wrong."""
        ...

    def add(self, record: AuditRecord) -> None:
        """Keep a record. Never waits and never raises.

        It is called from any thread, and from finalizers: in the middle of whatever that thread does.
        """
        ...

    def close(self) -> None:
        """Write down what is not written yet, and let go of files and threads. May block; closing twice is fine."""
        ...
