"""A provider whose answers take time, by the clock of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.testing import ScriptedProvider

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.reply import Reply


class Timed:
    """Answers after so many seconds."""

    name = where = "timed"

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds

    def check(self) -> None:
        """All is well."""

    async def send(self, call: Call, model: str) -> Reply:
        """Wait, then answer."""
        await call.clock.sleep(self.seconds)
        return await ScriptedProvider(["hi"]).send(call, model)
