"""Where limits are counted: in this process, on this machine, or on many.

Ledgers that need a database are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw.stores.ledger import Ledger
from aigw.stores.memory import MemoryLedger

if TYPE_CHECKING:
    from aigw.stores.redis import RedisLedger
    from aigw.stores.sqlite import SqliteLedger

__all__ = ["Ledger", "MemoryLedger", "RedisLedger", "SqliteLedger"]

_HOMES: Final = {"RedisLedger": "aigw.stores.redis", "SqliteLedger": "aigw.stores.sqlite"}


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelled name for granted

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'aigw.stores' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
