"""What stands inside of a policy in these tests: an endpoint that follows a script and remembers its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw.runtime import drive
from aigw.testing import ScriptedProvider, make_call

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.reply import Reply


class Inner(ScriptedProvider):
    """An endpoint that answers as its script says."""

    async def __call__(self, call: Call) -> Reply:
        return await self.send(call, "m")


def handle(policy: Any, inner: Inner, **fields: Any) -> Reply:
    """Run a policy over an endpoint, with a call that has these fields."""
    return drive(policy.handle(make_call(**fields), inner))


def others_left(error: Any, number: int = 1) -> Any:
    """Say of an error what `Balance` would: so many other targets are left."""
    error.alternatives = number
    return error


def of_target(error: Any, name: str) -> Any:
    """Say of an error what a target would: where it happened."""
    error.target = name
    return error
