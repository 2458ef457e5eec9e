"""The protocol of a provider: what a target sends its calls to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.reply import Reply


@runtime_checkable
class Provider(Protocol):
    """Something that answers calls: a service behind HTTP, a model in this process, a script in a test."""

    @property
    def name(self) -> str:
        """Its name in errors and traces, as in ``provider/model``."""
        ...

    @property
    def where(self) -> str:
        """Where calls go, for people to read: a base URL, a file. Never a key."""
        ...

    def check(self) -> None:
        """Look whether it could work at all, without sending anything.

        Raises:
            ConfigError: a key or a file is missing; names it and says what to do.
        """
        ...

    async def send(self, call: Call, model: str) -> Reply:
        """Ask `model` to answer the call.

        Raises:
            ProviderError: it failed before it answered.
        """
        ...
