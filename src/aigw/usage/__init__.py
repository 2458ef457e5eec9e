"""Usage records: a row for each call, where they are kept, and the questions that they answer."""

from aigw.usage.log import UsageLog
from aigw.usage.memory import MemoryUsage
from aigw.usage.query import UsageFilters
from aigw.usage.record import UsageRecord
from aigw.usage.sqlite import SqliteUsage
from aigw.usage.table import UsageRow, UsageTable

__all__ = ["MemoryUsage", "SqliteUsage", "UsageFilters", "UsageLog", "UsageRecord", "UsageRow", "UsageTable"]
