"""Audit records for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aigw.audit import AuditRecord
from aigw.chunk import Usage
from aigw.trace import Attempt, Decision

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def record(number: int = 0, **fields: Any) -> AuditRecord:
    """Make a record; all that are made with one number are equal."""
    events = (
        Decision(0.0, "Access", "allowed", "principal alice"),
        Attempt(0.1, "t", "p", "m", "ok", 0.5, 0.2, Usage(3, 4, cached=1), cost=Decimal("0.0012"), prices="v1"),
    )
    plain = {"id": f"call_{number:04}", "started": NOON + timedelta(seconds=number), "duration": 0.5, "events": events}
    return AuditRecord(**{**plain, **fields})
