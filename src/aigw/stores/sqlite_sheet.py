"""`Sheet`: the tables of `SqliteLedger`, and how a reservation changes them. All of it within a transaction of others.

What is spent is written down entry by entry, and entries are never changed; `spent` holds their sums, so that a
reservation need not add them up. A rate is one time (see `aigw.mechanics.gcra`), slots are a number, and
`reservations` holds what is neither settled nor expired.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from aigw.mechanics import gcra
from aigw.mechanics.book import REMEMBERED, rank
from aigw.mechanics.limits import LONGEST_PERIOD, Denial, Rate, Slots, Spend
from aigw.stores.database import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim, Limit

KIND: Final = Kind(
    what="limits",
    application=0x61696C67,
    version=1,
    schema="""
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seen REAL NOT NULL,
        tidied REAL NOT NULL,
        carry_at INTEGER NOT NULL
    );
    INSERT INTO state VALUES (1, 0.0, 0.0, 20000);
    CREATE TABLE rates (key TEXT PRIMARY KEY, tat REAL NOT NULL, blocked REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE slots (key TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE spent (
        key TEXT NOT NULL,
        piece INTEGER NOT NULL,
        amount INTEGER NOT NULL,
        until REAL NOT NULL,
        PRIMARY KEY (key, piece)
    ) WITHOUT ROWID;
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        piece INTEGER NOT NULL,
        amount INTEGER NOT NULL,
        at REAL NOT NULL,
        name TEXT NOT NULL
    );
    CREATE TABLE reservations (name TEXT PRIMARY KEY, expires REAL NOT NULL, slots TEXT NOT NULL) WITHOUT ROWID;
    """,
)
"""The file. Times are seconds since 1970; ``seen`` is the latest that anybody has written."""

KEPT: Final = 20_000
"""Entries that are kept one by one. Older ones are carried forward: one sum for each key and piece."""

TIDY: Final = 600.0
"""Seconds between two times of dropping what is over."""

LARGEST: Final = 2**53
"""Larger amounts are taken for this; a thousand of them can be added up in SQLite's integers."""

_DIFFERENT: Final = """
    SELECT key, piece FROM (
        SELECT key, piece, amount FROM spent UNION ALL SELECT key, piece, -amount FROM entries
    ) GROUP BY key, piece HAVING SUM(amount) <> 0
"""


class Sheet:
    """The counts of a file.

    Args:
        connection: to the file, with a transaction that the owner has begun and will commit.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._tidy_at = 0.0
        self._carry_at = KEPT
        self._last = 0

    def seen(self) -> float:
        """Return the latest time that was written down. To be called first in each transaction."""
        seen, tidied, self._carry_at = self._execute("SELECT seen, tidied, carry_at FROM state").fetchone()
        self._tidy_at = tidied + TIDY
        return float(seen)

    def saw(self, now: float) -> None:
        """Write down the time, and drop what is over if it is time for that. To be called last."""
        self._execute("UPDATE state SET seen = ?", (now,))
        if now >= self._tidy_at or self._last > self._carry_at:
            self._tidy(now)

    def reserve(self, name: str, claims: Sequence[Claim], now: float, expires: float) -> Denial | None:
        """Reserve all claims, or none; as `aigw.mechanics.book.Book.reserve`."""
        denial: Denial | None = None
        tats: dict[str, float] = {}
        for claim in claims:
            refused = self._refusal(claim, now, tats)
            if refused is not None and (denial is None or rank(refused) > rank(denial)):
                denial = refused
        if denial is not None:
            return denial
        slots: list[tuple[str, int]] = []
        for limit, amount in claims:
            key = _text(limit.key)
            if type(limit) is Rate:
                self._set_tat(key, gcra.admit(limit, tats[limit.key], amount, now))
            elif type(limit) is Spend:
                self._spend(limit, amount, now, name)
            else:
                slots.append((key, amount))
                self._hold(key, amount)
        self._execute("INSERT INTO reservations VALUES (?, ?, ?)", (name, expires, json.dumps(slots) if slots else ""))
        return None

    def settle(self, name: str, claims: Sequence[Claim], amounts: Sequence[int | None], now: float) -> bool:
        """Replace what was reserved by what was used; as `aigw.mechanics.book.Book.settle`."""
        if not self._execute("DELETE FROM reservations WHERE name = ? AND expires > ?", (name, now)).rowcount:
            return False
        for (limit, reserved), amount in zip(claims, chain(amounts, repeat(None)), strict=False):
            if type(limit) is Slots:
                self._hold(_text(limit.key), -reserved)
            elif amount is None or amount == reserved:
                continue
            elif type(limit) is Rate:
                tat, _ = self._rate(limit, now)
                self._set_tat(_text(limit.key), tat + gcra.cost(limit, amount - reserved))
            elif type(limit) is Spend:
                self._spend(limit, amount - reserved, now, name)
        return True

    def push(self, rate: Rate, seconds: float, now: float) -> None:
        """Admit nothing under this rate for so many seconds; never shortens what is so already."""
        tat, blocked = self._rate(rate, now)
        self._execute(
            "INSERT OR REPLACE INTO rates VALUES (?, ?, ?)",
            (_text(rate.key), max(tat, now + seconds + rate.burst), max(blocked, now + seconds)),
        )

    def drain(self, rate: Rate, left: float, now: float) -> None:
        """Leave at most so many units of the burst; never adds any."""
        tat, _ = self._rate(rate, now)
        self._set_tat(_text(rate.key), max(tat, now + rate.burst - gcra.cost(rate, left)))

    def used(self, limit: Limit, now: float) -> int:
        """How much of a limit is used or reserved now; for a rate, how much of it is not yet paid off."""
        if type(limit) is Rate:
            return max(0, round((self._rate(limit, now)[0] - now) * limit.capacity / limit.window))
        if type(limit) is Spend:
            return self._spent(limit)
        self._expire(now)
        return self._in_use(limit.key)

    def is_right(self) -> bool:
        """Tell whether all sums are those of the entries and reservations. Needs no transaction."""
        slots = self._execute("SELECT key, used FROM slots WHERE used <> 0").fetchall()
        return not self._execute(_DIFFERENT).fetchone() and dict(slots) == self._slots_of_reservations()

    def mend(self) -> None:
        """Compute the sums anew where they are not those of the entries and reservations."""
        for key, piece in self._execute(_DIFFERENT).fetchall():
            self._execute(
                "INSERT INTO spent SELECT ?, ?, TOTAL(amount), IFNULL(MAX(at), 0) + ? FROM entries"
                " WHERE key = ? AND piece = ? ON CONFLICT DO UPDATE SET amount = excluded.amount",
                (key, piece, LONGEST_PERIOD, key, piece),
            )
        self._execute("DELETE FROM slots")
        for key, used in self._slots_of_reservations().items():
            self._hold(key, used)

    def _refusal(self, claim: Claim, now: float, tats: dict[str, float]) -> Denial | None:
        limit, amount = claim
        if amount > limit.capacity:
            return Denial(limit, None, never=True)
        if type(limit) is Rate:
            tat, blocked = self._rate(limit, now)
            tats[limit.key] = tat
            wait = max(gcra.wait(limit, tat, amount, now), blocked - now)
            return Denial(limit, wait) if wait > 0 else None
        if type(limit) is Spend:
            return Denial(limit, None) if self._spent(limit) + amount > limit.capacity else None
        if self._in_use(limit.key) + amount > limit.capacity:
            self._expire(now)
            return Denial(limit, None) if self._in_use(limit.key) + amount > limit.capacity else None
        return None

    def _rate(self, rate: Rate, now: float) -> tuple[float, float]:
        """Return the TAT of a rate, and until when it is blocked."""
        row = self._execute("SELECT tat, blocked FROM rates WHERE key = ?", (_text(rate.key),)).fetchone()
        return (now, 0.0) if row is None else row

    def _set_tat(self, key: str, tat: float) -> None:
        self._execute(
            "INSERT INTO rates VALUES (?, ?, 0.0) ON CONFLICT DO UPDATE SET tat = excluded.tat",
            (key, tat),
        )

    def _in_use(self, key: str) -> int:
        row = self._execute("SELECT used FROM slots WHERE key = ?", (_text(key),)).fetchone()
        return 0 if row is None else int(row[0])

    def _hold(self, key: str, amount: int) -> None:
        self._execute(
            "INSERT INTO slots VALUES (?, ?) ON CONFLICT DO UPDATE SET used = used + excluded.used",
            (key, amount),
        )

    def _spent(self, limit: Spend) -> int:
        row = self._execute(
            "SELECT SUM(amount) FROM spent WHERE key = ? AND piece >= ?", (_text(limit.key), limit.oldest)
        ).fetchone()
        return int(row[0] or 0)

    def _spend(self, limit: Spend, amount: int, now: float, name: str) -> None:
        key, amount = _text(limit.key), max(-LARGEST, min(amount, LARGEST))
        added = self._execute("INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?)", (key, limit.piece, amount, now, name))
        self._last = added.lastrowid or 0
        self._execute(
            "INSERT INTO spent VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, until = MAX(until, excluded.until)",
            (key, limit.piece, amount, now + limit.lasts),
        )

    def _expire(self, now: float) -> None:
        """Free the slots of reservations that have expired. What they spent stays spent."""
        for (slots,) in self._execute("DELETE FROM reservations WHERE expires <= ? RETURNING slots", (now,)).fetchall():
            for key, amount in json.loads(slots or "[]"):
                self._hold(key, -amount)

    def _slots_of_reservations(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for (slots,) in self._execute("SELECT slots FROM reservations WHERE slots <> ''"):
            for key, amount in json.loads(slots):
                total[key] += amount
        return dict(total)

    def _tidy(self, now: float) -> None:
        """Drop what is over, and carry old entries forward."""
        self._expire(now)
        self._execute("DELETE FROM rates WHERE max(tat, blocked) <= ?", (now - REMEMBERED,))
        self._execute("DELETE FROM slots WHERE used = 0")
        self._execute(
            "INSERT INTO entries SELECT NULL, key, piece, -amount, ?, 'over' FROM spent WHERE until <= ?", (now, now)
        )
        self._execute("DELETE FROM spent WHERE until <= ?", (now,))
        if self._last > self._carry_at:
            self._carry()
        self._execute("UPDATE state SET tidied = ?", (now,))

    def _carry(self) -> None:
        """Replace the entries that are not among the last ones by their sums."""
        until = self._last - KEPT
        self._execute(
            "INSERT INTO entries SELECT NULL, key, piece, SUM(amount), MAX(at), 'carried' FROM entries"
            " WHERE id <= ? GROUP BY key, piece HAVING SUM(amount) <> 0",
            (until,),
        )
        self._execute("DELETE FROM entries WHERE id <= ?", (until,))
        last, rows = self._execute("SELECT MAX(id), COUNT(*) FROM entries").fetchone()
        self._execute("UPDATE state SET carry_at = ?", (last + max(KEPT, rows),))


def _text(key: str) -> str:
    """Make a key that can be written: one that came from a user may hold what is no character."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return key.encode("utf-8", "backslashreplace").decode()
    return key
