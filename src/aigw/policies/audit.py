"""`Audit`: writes down who asked for what, what was decided about it, and where it went."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, get_args

from aigw.aside import beside
from aigw.audit.file import FileAudit
from aigw.audit.log import AuditLog
from aigw.audit.record import record_of
from aigw.checks import check_choice, text
from aigw.errors import AuditUnavailable, ConfigError

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.policy import Next
    from aigw.ports import Runtime
    from aigw.reply import Reply

OnFailure = Literal["block", "allow"]
"""What becomes of calls while records cannot be written."""


class Audit:
    """Has a record of each call kept: who asked, every decision and attempt of the trace, and the outcome.

    Refusals are written down like everything else. Neither prompts nor answers are; of tools it has the names. Stands
    outside of whatever decides something.

    Args:
        log: the path of a file (see `aigw.audit.FileAudit`), or a log of your own. The record of a call is added when
            it is over, and written soon after.
        on_failure: ``block`` refuses calls while records cannot be written, after the first that could not; ``allow``
            lets them go on, and keeps their records in memory until they can.
        name: its name in the trace and in errors.

    Raises:
        ConfigError: an argument makes no sense, or the file cannot be used.
        AuditUnavailable: (from a call) records cannot be written.
    """

    def __init__(
        self,
        log: str | PathLike[str] | AuditLog,
        *,
        on_failure: OnFailure = "block",
        name: str | None = None,
    ) -> None:
        self._owned = isinstance(log, (str, PathLike))
        self.log: AuditLog = _log_of(log)
        check_choice("Audit(on_failure)", on_failure, get_args(OnFailure))
        self.on_failure = on_failure
        self.name = text("Audit(name)", "Audit" if name is None else name)
        why = "it writes down what the others decide, refusals included"
        self.outside = dict.fromkeys(
            ("Access", "Deadline", "Guard", "Cache", "Coalesce", "Budget", "RateLimit", "Queue", "Retry"), why
        )

    def __repr__(self) -> str:
        return f"Audit({self.log!r})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Go on, and write down what became of it."""
        began, started = call.clock.now(), call.clock.time()

        def write(outcome: str, error: BaseException | None) -> None:
            self.log.add(record_of(call, started, call.clock.now() - began, outcome, error))

        try:
            self._check(call)
            reply = await inner(call)
        except BaseException as error:  # whatever it is, it is written down
            write(type(error).__name__, error)
            raise
        reply.when_done(lambda end: write(end.outcome, end.error))
        return reply

    def _check(self, call: Call) -> None:
        """Refuse a call that could not be written down."""
        if self.on_failure == "block" and (trouble := self.log.trouble):
            call.note(self.name, "refused", "records cannot be written")
            raise AuditUnavailable(f"audit records cannot be written now: {trouble}", policy=self.name)

    async def close(self, runtime: Runtime) -> None:
        """Write down what is not written yet, and close a file that was given by its path."""
        if self._owned:
            await beside(runtime, self.log.close)


def _log_of(given: Any) -> AuditLog:
    if isinstance(given, (str, PathLike)):
        return FileAudit(given)
    if isinstance(given, type) or not isinstance(given, AuditLog):
        raise ConfigError(f"Audit(log) must be a path, or a log (trouble, add, close), not {given!r}")
    return given
