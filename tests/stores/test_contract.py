"""What every ledger promises, in both faces: the same tests over all stores of `stores.ledgers`."""

from __future__ import annotations

import pytest

from aigw.mechanics.limits import Claim, Denial, Rate, Slots, Spend
from aigw.stores import Ledger
from stores.ledgers import Face

RPM = Rate("requests", 60, window=60.0, burst=10.0)
TPM = Rate("tokens", 60_000, window=60.0, burst=10.0)
CALLS = Slots("calls", 2)
DAY = Spend("day", 1000, piece=5, oldest=5)


def test_it_is_a_ledger(face):
    """Every store has the methods of the protocol."""
    assert isinstance(face.ledger, Ledger)


def test_all_or_nothing(face):
    """A reservation that one limit refuses leaves no trace at the others."""
    face.ticket(Claim(DAY, 1000))

    denial = face.denial(Claim(RPM, 5), Claim(CALLS, 1), Claim(TPM, 500), Claim(DAY, 1))

    assert denial == Denial(DAY, None)
    assert [face.used(limit) for limit in (RPM, CALLS, TPM)] == [0, 0, 0]


def test_a_burst_is_all_that_comes_at_once(face):
    """Of 60 in a minute with a burst of 10 s, ten come at once, and then one each second."""
    granted = [face.reserve(Claim(RPM, 1)) for _ in range(12)]
    face.stand.advance(1.0)
    later = [face.reserve(Claim(RPM, 1)) for _ in range(2)]

    assert [isinstance(outcome, Denial) for outcome in granted] == [False] * 10 + [True] * 2
    assert [isinstance(outcome, Denial) for outcome in later] == [False, True]


def test_the_wait_is_exact(face):
    """Who comes back after ``wait`` seconds is let in, and who comes a little earlier is not."""
    face.ticket(Claim(TPM, 9_700))
    denial = face.denial(Claim(TPM, 500))
    face.stand.advance(denial.wait - 0.01)
    early = face.denial(Claim(TPM, 500))
    face.stand.advance(early.wait + 2 * face.stand.exact)

    assert denial.limit == TPM
    assert denial.wait == pytest.approx(0.2, abs=max(face.stand.exact, 1e-5))
    face.ticket(Claim(TPM, 500))


def test_the_limit_that_waits_longest_is_named(face):
    """Of several that refuse it is the one which is furthest from granting: never, by others, by time."""
    face.ticket(Claim(RPM, 10), Claim(TPM, 10_000), Claim(CALLS, 2))

    by_time = face.denial(Claim(RPM, 1), Claim(TPM, 5_000))
    by_others = face.denial(Claim(RPM, 1), Claim(CALLS, 1))
    never = face.denial(Claim(CALLS, 1), Claim(DAY, 1001), Claim(RPM, 1))

    assert by_time.limit == TPM
    assert by_time.wait == pytest.approx(5.0, abs=max(face.stand.exact, 1e-5))
    assert by_others == Denial(CALLS, None)
    assert never == Denial(DAY, None, never=True)


def test_what_is_larger_than_the_burst_starts_when_nothing_is_owed(face):
    """A large request is let in by an idle limit, and others wait until it is paid off."""
    face.ticket(Claim(TPM, 40_000))
    denial = face.denial(Claim(TPM, 40_000))

    assert denial.wait == pytest.approx(40.0, abs=max(face.stand.exact, 1e-5))
    assert face.denial(Claim(TPM, 1_000)).wait == pytest.approx(31.0, abs=max(face.stand.exact, 1e-5))


def test_debt(face):
    """Who used more than was reserved is a debt, for which later calls wait."""
    ticket = face.ticket(Claim(TPM, 1_000))
    face.settle(ticket, 15_000)

    assert face.used(TPM) == 15_000
    assert face.denial(Claim(TPM, 1_000)).wait == pytest.approx(6.0, abs=max(face.stand.exact, 1e-5))


def test_refund(face):
    """What was reserved and not used is free for others."""
    ticket = face.ticket(Claim(TPM, 10_000), Claim(DAY, 1000), Claim(CALLS, 2))
    face.settle(ticket, 500, 100, 0)

    assert [face.used(limit) for limit in (TPM, DAY, CALLS)] == [500, 100, 0]
    face.ticket(Claim(TPM, 9_500), Claim(DAY, 900), Claim(CALLS, 2))


def test_none_is_as_much_as_was_reserved(face):
    """``None``, or no amount at all, leaves a claim as it was; slots are free nevertheless."""
    ticket = face.ticket(Claim(RPM, 1), Claim(DAY, 10), Claim(CALLS, 1))
    short = face.ticket(Claim(RPM, 1), Claim(DAY, 10), Claim(CALLS, 1))
    face.settle(ticket, None, None, None)
    face.settle(short, 0)

    assert [face.used(limit) for limit in (RPM, DAY, CALLS)] == [1, 20, 0]


def test_a_ticket_is_settled_once(face):
    """The second settlement does nothing, whatever it says."""
    ticket = face.ticket(Claim(TPM, 1_000), Claim(DAY, 10), Claim(CALLS, 1))
    other = face.ticket(Claim(CALLS, 1))
    face.settle(ticket, 500, 5, 1)
    face.settle(ticket, 0, 0, 0)
    ticket.settled = False  # as another process would see it that had the same ticket
    face.settle(ticket, 9_000, 900, 1)

    assert [face.used(limit) for limit in (TPM, DAY, CALLS)] == [500, 5, 1]
    face.settle(other, None)


def test_slots_count_amounts(face):
    """A claim may hold several slots."""
    both = face.ticket(Claim(CALLS, 2))
    denial = face.denial(Claim(CALLS, 1))
    face.settle(both, None)

    assert denial == Denial(CALLS, None)
    face.ticket(Claim(CALLS, 1))
    assert face.used(CALLS) == 1


def test_what_expires_frees_its_slots_and_stays_spent(face):
    """When a reservation outlives its time, its slots are free; what it may have spent stays spent."""
    face.ticket(Claim(CALLS, 2), Claim(DAY, 400), lasts=30.0)
    face.stand.advance(29.0)
    before = face.denial(Claim(CALLS, 1))
    face.stand.advance(1.5)

    assert before == Denial(CALLS, None)
    assert face.used(CALLS) == 0
    assert face.used(DAY) == 400
    face.ticket(Claim(CALLS, 2))


def test_a_late_settlement_is_none(face):
    """Who settles after the reservation has expired changes nothing, and raises nothing."""
    ticket = face.ticket(Claim(CALLS, 1), Claim(DAY, 400), Claim(TPM, 1_000), lasts=30.0)
    face.stand.advance(31.0)
    held = face.ticket(Claim(CALLS, 2))
    face.settle(ticket, 0, 0, 60_000)

    assert [face.used(limit) for limit in (CALLS, DAY, TPM)] == [2, 400, 0]
    face.settle(held, None)


def test_a_period_is_its_pieces(face):
    """A rolling period counts the pieces from the oldest on; what is older is free again."""
    first, second, third = (Spend("rolling", 100, piece=n, oldest=n - 1) for n in (10, 11, 12))
    face.ticket(Claim(first, 60))
    ticket = face.ticket(Claim(second, 40))
    full = face.denial(Claim(second, 1))
    face.ticket(Claim(third, 60))
    face.settle(ticket, 10)

    assert full == Denial(second, None)
    assert face.used(third) == 70
    assert face.denial(Claim(third, 31)) == Denial(third, None)


def test_a_settlement_counts_in_the_piece_of_its_reservation(face):
    """What was reserved yesterday is settled there, and takes nothing of today."""
    yesterday, today = (Spend("days", 100, piece=n, oldest=n) for n in (1, 2))
    ticket = face.ticket(Claim(yesterday, 90))
    face.ticket(Claim(today, 100))
    face.settle(ticket, 10)

    assert face.used(today) == 100


def test_a_clock_that_is_set_back_spends_nothing_twice(face):
    """After a period was left by mistake, what was spent in it still counts."""
    today, tomorrow = (Spend("days", 100, piece=n, oldest=n) for n in (1, 2))
    face.ticket(Claim(today, 100))
    face.ticket(Claim(tomorrow, 5))

    assert face.denial(Claim(today, 1)).limit == today


def test_push(face):
    """A blocked rate admits nothing until the time is over, and then has no burst."""
    face.push(RPM, 20.0)
    face.push(RPM, 5.0)
    denial = face.denial(Claim(RPM, 1))
    face.stand.advance(denial.wait + 2 * face.stand.exact)

    assert denial.wait == pytest.approx(21.0, abs=max(face.stand.exact, 1e-5))
    face.ticket(Claim(RPM, 1))
    assert isinstance(face.reserve(Claim(RPM, 1)), Denial)


def test_a_refund_does_not_end_a_block(face):
    """Calls that run when a rate is blocked give back what they did not use, and the block lasts as long as before."""
    tickets = [face.ticket(Claim(RPM, 5)), face.ticket(Claim(RPM, 5))]
    face.push(RPM, 8.0)
    for ticket in tickets:
        face.settle(ticket, 0)

    assert face.denial(Claim(RPM, 1)).wait >= 8.0 - 2 * max(face.stand.exact, 1e-5)


def test_drain(face):
    """A limit is tightened to what the provider says is left, and never loosened."""
    face.drain(RPM, 3)
    face.drain(RPM, 8)
    outcomes = [face.reserve(Claim(RPM, 1)) for _ in range(4)]

    assert [isinstance(outcome, Denial) for outcome in outcomes] == [False, False, False, True]


def test_used(face):
    """It tells what is used or reserved now; of a rate, what is not yet paid off."""
    face.ticket(Claim(RPM, 6), Claim(CALLS, 1), Claim(DAY, 7))
    now = [face.used(limit) for limit in (RPM, CALLS, DAY, TPM)]
    face.stand.advance(4.0)

    assert now == [6, 1, 7, 0]
    assert face.used(RPM) == 2


def test_keys_are_counted_each_for_itself(face):
    """Principals have counts of their own, whatever their names are made of."""
    names = ["a", "b", "a:b", "ä/ö", "{x}", "*", "o'r", "\ud800", "nul\0nul", ""]
    limits = [Spend(f"{name}|day", 10, piece=1, oldest=1) for name in names]
    for number, limit in enumerate(limits):
        face.ticket(Claim(limit, number), Claim(Rate(f"{names[number]}|rpm", 60), 1))

    assert [face.used(limit) for limit in limits] == list(range(len(names)))


def test_many_keys(face):
    """A thousand principals are counted at the same time."""
    limits = [Rate(f"p{number}", 60, burst=2.0) for number in range(1000)]
    for limit in limits:
        face.ticket(Claim(limit, 2))

    assert all(face.used(limit) == 2 for limit in limits[::50])
    assert isinstance(face.reserve(Claim(limits[0], 1)), Denial)


def test_ledgers_share_their_counts(face):
    """Two ledgers over the same store count together, also where one blocks and the other has an event loop."""
    other = Face(face.stand, "blocking" if face.kind == "loop" else "loop")
    ticket = face.ticket(Claim(DAY, 600), Claim(CALLS, 1))
    denial = other.denial(Claim(DAY, 600))
    face.settle(ticket, 100, 0)
    settled = face.used(DAY)
    other.settle(other.ticket(Claim(DAY, 600), Claim(CALLS, 2)), None, None)

    assert denial == Denial(DAY, None)
    assert settled == 100
    assert [face.used(DAY), other.used(CALLS)] == [700, 0]
    other.close()


def test_closing_twice_is_fine(face):
    """A ledger may be closed again, and what was settled before is counted."""
    ticket = face.ticket(Claim(DAY, 600))
    face.settle(ticket, 50)
    face.ledger.close()
    face.ledger.close()

    assert Face(face.stand, "blocking").used(DAY) == 50
