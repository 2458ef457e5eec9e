"""`UsageBook`: the usage of one gateway. It writes the records, and answers questions about them."""

from __future__ import annotations

import logging
import threading
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

from aigw.aside import beside
from aigw.call import UNSET, Unset
from aigw.errors import ConfigError
from aigw.usage.log import UsageLog
from aigw.usage.memory import MemoryUsage
from aigw.usage.query import check_filters, groups, summarize
from aigw.usage.record import record_of
from aigw.usage.sqlite import SqliteUsage
from aigw.usage.when import moment, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from aigw.call import Call
    from aigw.ports import Runtime
    from aigw.reply import End
    from aigw.usage.record import UsageRecord
    from aigw.usage.table import UsageTable
    from aigw.usage.when import Moment

GivenLog = UsageLog | str | PathLike[str] | Unset | None
"""What a user gives as ``Gateway(usage=…)``."""

RESTS_AFTER: Final = 200
"""Records that are read in one go while an event loop waits."""
REST: Final = 0.0002
"""Seconds."""

_LOG: Final = logging.getLogger("aigw.usage")


class UsageBook:
    """Keeps the usage records of a gateway.

    Args:
        given: a log, the path of a SQLite file, nothing for the newest 10,000 in memory, or ``None`` to keep none.

    Raises:
        ConfigError: it is none of these, or the file cannot be used.
    """

    def __init__(self, given: GivenLog = UNSET) -> None:
        self._owned = not isinstance(given, UsageLog)
        self.log = _log_of(given)
        """Where records are kept; ``None`` where none are."""

    def write(self, call: Call, started: float, outcome: str, error: BaseException | None) -> None:
        """Write down a call that is over; see `record_of`. Never raises."""
        if self.log is None:
            return
        try:
            self.log.add(record_of(call, started, outcome, error))
        except Exception:  # noqa: BLE001  (a log of the application that breaks its promise must not cost an answer)
            _LOG.exception("the usage of a call was not recorded")

    def writer(self, call: Call, started: float) -> Callable[[End], None]:
        """Make what writes down a call when its reply is over."""
        return lambda end: self.write(call, started, end.outcome, end.error)

    async def ask(
        self,
        runtime: Runtime,
        *,
        by: str | Sequence[str] | None,
        since: Moment,
        until: Moment,
        zone: str | tzinfo,
        where: Mapping[str, Any],
    ) -> UsageTable:
        """Answer a question; see `aigw.gateway.Gateway.usage`.

        Raises:
            ConfigError: an argument makes no sense, or no records are kept.
        """
        log = self.log
        if log is None:
            raise ConfigError("this gateway keeps no usage records: it was made with Gateway(usage=None)")
        names, place, now = groups(by), zone_of("usage(zone)", zone), runtime.clock.time()
        check_filters(where)
        start, end = moment("usage(since)", since, now, place), moment("usage(until)", until, now, place)

        def answer() -> UsageTable:
            records = log.records(start, end)
            return summarize(records if runtime.blocking else _gently(records), names, where, place)

        return await beside(runtime, answer)

    @property
    def owns_file(self) -> bool:
        """Whether `close` has something to close: the user gave a path."""
        return self._owned and isinstance(self.log, SqliteUsage)

    async def close(self, runtime: Runtime) -> None:
        """Close the log, unless it is the user's own."""
        if self.log is not None and self.owns_file:
            await beside(runtime, self.log.close)


def _gently(records: Iterator[UsageRecord]) -> Iterator[UsageRecord]:
    """Rest now and then: a thread that computes holds up the others, a loop among them, for 5 ms at a time."""
    rest = threading.Event()
    for number, record in enumerate(records):
        if number % RESTS_AFTER == RESTS_AFTER - 1:
            rest.wait(REST)
        yield record


def _log_of(given: object) -> UsageLog | None:
    if given is UNSET:
        return MemoryUsage()
    if given is None:
        return None
    if isinstance(given, (str, PathLike)):
        return SqliteUsage(given)
    if isinstance(given, UsageLog) and not isinstance(given, type):
        return given
    raise ConfigError(
        f"Gateway(usage) must be a path, a log (add, records, close), or None for no records, not {given!r}"
    )
