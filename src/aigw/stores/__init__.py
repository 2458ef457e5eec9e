"""Where limits are counted: in this process, on this machine, or on many."""

from aigw.stores.ledger import Ledger
from aigw.stores.memory import MemoryLedger

__all__ = ["Ledger", "MemoryLedger"]
