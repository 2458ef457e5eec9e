"""`Book` itself: how much it remembers. What it counts is tested over all ledgers, in ``tests/stores``."""

from __future__ import annotations

import pytest

from aigw.mechanics.book import REMEMBERED, Book, rank
from aigw.mechanics.forgetful import Forgetful
from aigw.mechanics.limits import Claim, Denial, Rate, Slots, Spend


def size(book):
    """Count everything that a book remembers."""
    return sum(len(table) for table in vars(book).values())


def reserve(book, number, now, **settled):
    """Reserve under limits of their own, as principals that come once do."""
    claims = [
        Claim(Rate(f"rate{number}", 60), 1),
        Claim(Slots(f"slots{number}", 2), 1),
        Claim(Spend(f"spend{number}", 100, 1, 1, lasts=1000.0), 5),
    ]
    assert book.reserve(str(number), claims, now, now + 100.0) is None


@pytest.mark.parametrize("settled", [True, False])
def test_keys_that_come_without_end_take_no_room(settled):
    """A principal that came once is forgotten when it owes nothing, whether its call was settled or died."""
    book = Book()
    for number in range(20_000):
        now = number * 10.0
        reserve(book, number, now)
        if settled:
            book.settle(str(number), [1, None, 3], now + 1)

    alive = REMEMBERED / 10 + 100.0 / 10 * 2 + 1000.0 / 10
    assert size(book) <= 6 * alive + 5 * 64


def test_nothing_that_counts_is_forgotten():
    """However many others come: debts, slots in use and what was spent stay."""
    book = Book()
    rate, slots, spend = Rate("r", 60), Slots("s", 1), Spend("d", 100, 1, 1)
    book.reserve("long", [Claim(rate, 1), Claim(slots, 1), Claim(spend, 60)], 0.0, 1e6)
    for number in range(5000):
        reserve(book, number, number * 10.0)
    now = 50_000.0

    assert book.used(slots, now) == 1
    assert book.used(spend, now) == 60
    assert book.settle("long", [100_000, None, 10], now)
    assert book.used(spend, now) == 10
    assert book.used(rate, now) > 0


def test_asking_remembers_nothing():
    """What is only looked at, or refused, leaves no key behind."""
    book = Book()
    for number in range(100):
        spend = Spend(f"{number}", 5, 1, 1)
        book.used(spend, 0.0)
        book.reserve("a", [Claim(spend, 6), Claim(Slots(f"s{number}", 1), 1)], 0.0, 1.0)

    assert size(book) == 0


def test_refusals_are_ranked_by_how_long_they_last():
    """Never, then what depends on others, then by time."""
    limit = Slots("a", 1)
    denials = [Denial(limit, 5.0), Denial(limit, None, never=True), Denial(limit, 9.0), Denial(limit, None)]

    assert [(denial.wait, denial.never) for denial in sorted(denials, key=rank)] == [
        (5.0, False),
        (9.0, False),
        (None, False),
        (None, True),
    ]


def test_a_forgetful_table_keeps_what_is_needed():
    """It forgets what is over, a few keys at a time, and nothing else."""
    table = Forgetful(lambda until, now: until > now)
    for number in range(10_000):
        table.put(f"{number}", number + 100.0, float(number))
        if number % 1000 == 0:
            table.put(f"kept{number}", 1e9, float(number))

    assert len(table) < 6 * 110
    assert all(table.get(f"{number}") == number + 100.0 for number in range(9_950, 10_000))
    assert [table.pop(f"kept{number}") for number in range(0, 10_000, 1000)] == [1e9] * 10
    assert table.get("kept0") is None
