"""Warnings that a budget is nearly used up: once for each share, period and scope, in each process."""

from __future__ import annotations

import logging
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.periods import Period

MOST_KEYS: Final = 4096
"""Limits for which it is remembered what was warned of; the oldest is forgotten beyond it."""

logger: Final = logging.getLogger("aigw")


class BudgetWarning(NamedTuple):
    """A share of a budget is used up.

    Args:
        policy: name of the policy.
        scope: whom the budget is for, such as ``team search``; empty where it holds for everybody.
        dimension: what is limited, such as ``usd_per_day``.
        share: the share that was passed, such as 0.8.
        used: what is spent, or reserved by running calls: US dollars or tokens.
        limit: what may be spent.
        refused: a call has just not fitted into what is left, which passes all shares up to 1.
    """

    policy: str
    scope: str
    dimension: str
    share: float
    used: Decimal | int
    limit: Decimal | int
    refused: bool = False

    def __str__(self) -> str:
        whom = f" of {self.scope}" if self.scope else ""
        if self.refused:
            left = f"{_plain(self.used)} of {_plain(self.limit)} are used up"
            return f"{self.policy}: a call does not fit into {self.dimension}{whom} any more ({left})"
        amounts = f"{_plain(self.used)} of {_plain(self.limit)}"
        return f"{self.policy}: {self.share:.0%} of {self.dimension}{whom} are used up ({amounts})"


class Warned:
    """Remembers which shares were warned of.

    Args:
        shares: the shares, such as ``(0.8, 1.0)``; nothing for no warnings.

    Raises:
        ConfigError: they make no sense.
    """

    def __init__(self, shares: Sequence[float]) -> None:
        if not isinstance(shares, (list, tuple)) or not all(_is_share(share) for share in shares):
            raise ConfigError(f"Budget(warn_at) must be shares such as (0.8, 1.0), not {shares!r}")
        self.shares: tuple[float, ...] = tuple(sorted(set(shares)))
        self._exact = tuple(Decimal(str(share)) for share in self.shares)
        self._lock = threading.Lock()
        self._done: dict[str, tuple[int, int]] = {}

    def is_left(self, key: str, period: Period) -> bool:
        """Tell whether there is still something to warn of."""
        return self._count(key, period) < len(self.shares)

    def passed(self, key: str, period: Period, used: int, capacity: int) -> float | None:
        """Return the highest share that was passed and not warned of, once.

        Args:
            key: of the limit.
            period: the period.
            used: what is used of the limit.
            capacity: the limit.
        """
        count = sum(1 for share in self._exact if used >= share * capacity)
        with self._lock:
            if count <= self._count(key, period):
                return None
            if key not in self._done and len(self._done) >= MOST_KEYS:
                del self._done[next(iter(self._done))]
            self._done[key] = (period.piece, count)
        return self.shares[count - 1]

    def _count(self, key: str, period: Period) -> int:
        """How many shares were warned of in this period; a rolling one is new when the last warning has left it."""
        piece, count = self._done.get(key, (-1, 0))
        return count if piece >= period.oldest else 0


def _plain(amount: Decimal | int) -> str:
    text = f"{Decimal(amount):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 100  # noqa: PLR2004  (more is a mistake for percent)
