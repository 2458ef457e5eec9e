"""Periods: every instant lies in exactly one, whatever the clocks of its zone do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import ConfigError
from aigw.mechanics.periods import LENGTHS, LONGEST, STEPS, calendar, rolling, time_zone

PERS = ("hour", "day", "week", "month")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # clocks were put forward at midnight
    "America/St_Johns",  # and put back a minute after it
    "America/Havana",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # skipped a day
    "Africa/Casablanca",
)

pers = st.sampled_from(PERS)
zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.floats(0, 4e9)


def at(zone, *when):
    """Return an instant by a clock of the zone."""
    return datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()


@given(pers, zones, times)
def test_a_period_ends_where_the_next_begins(per, zone, time):
    """Until its end it is the same one; from its end on the next one, or one after days that the zone has skipped."""
    period = calendar(per, zone, time)
    end = time + period.ends
    following = calendar(per, zone, end + 1e-3)

    assert 0 < period.ends <= LONGEST[per] == period.lasts
    assert period.piece == period.oldest
    if period.ends > 2e-3:
        assert calendar(per, zone, end - 1e-3).piece == period.piece
        assert calendar(per, zone, time + period.ends / 2).piece == period.piece
    assert period.piece < following.piece <= period.piece + 2


@given(pers, zones, times, st.floats(0, 4e6))
def test_numbers_never_fall(per, zone, time, later):
    """What comes later has no smaller number, also while clocks show an hour for the second time."""
    first, second = calendar(per, zone, time), calendar(per, zone, time + later)

    assert first.piece <= second.piece
    assert (first.piece == second.piece) == (later < first.ends) or abs(later - first.ends) < 1e-3


@given(pers, times, st.floats(0, 6e6))
def test_rolling_periods_forget_after_their_length(per, time, later):
    """What was spent counts for the length of the period, and at most one step longer."""
    spent, now = rolling(per, time), rolling(per, time + later)
    counts = spent.piece >= now.oldest

    assert now.ends is None
    assert now.piece - now.oldest == STEPS
    if later <= LENGTHS[per] - 1e-3:
        assert counts
    if later >= now.lasts + 1e-3:
        assert not counts


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Europe/Berlin", (2026, 7, 1), 24),
        ("America/Sao_Paulo", (2018, 11, 4), 23),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("UTC", (2026, 3, 29), 24),
    ],
)
def test_days_have_the_hours_of_their_zone(zone, day, hours):
    """A day in which clocks are changed is shorter or longer."""
    period = calendar("day", ZoneInfo(zone), at(zone, *day))

    assert period.ends == hours * 3600


def test_a_day_that_was_skipped_has_no_time():
    """On Samoa the 30th of December 2011 did not happen: the 29th ends where the 31st begins."""
    last = at("Pacific/Apia", 2011, 12, 29, 23)
    before = calendar("day", ZoneInfo("Pacific/Apia"), last)

    assert before.ends == 3600
    assert calendar("day", ZoneInfo("Pacific/Apia"), last + 3600).piece == before.piece + 2


def test_a_midnight_that_comes_twice_counts_once():
    """In St. John's clocks fell from a minute past midnight to 23:01: the new day had begun, and went on."""
    zone = ZoneInfo("America/St_Johns")
    midnight = at("America/St_Johns", 2010, 11, 7)
    pieces = [calendar("day", zone, midnight + seconds).piece for seconds in (-1, 0, 61, 1800, 3600, 7200)]

    assert datetime.fromtimestamp(midnight + 1800, zone).day == 6
    assert [piece - pieces[0] for piece in pieces] == [0, 1, 1, 1, 1, 1]


def test_a_midnight_that_is_skipped_has_its_place():
    """In Toronto clocks jumped from 23:30 over midnight: the day begins where that would have been."""
    zone = ZoneInfo("America/Toronto")
    jump = at("America/Toronto", 1919, 3, 30, 23) + 1800
    before, after = calendar("day", zone, jump - 60), calendar("day", zone, jump + 60)

    assert datetime.fromtimestamp(jump + 60, zone).day == 31
    assert (before.piece, before.ends) == (after.piece, after.ends + 120)
    assert calendar("day", zone, jump + 60 + after.ends).piece == after.piece + 1


@pytest.mark.parametrize(
    ("month", "days"), [((2026, 1), 31), ((2026, 2), 28), ((2028, 2), 29), ((2026, 4), 30), ((2026, 12), 31)]
)
def test_months_end_with_their_last_day(month, days):
    """Also those of leap years, and December."""
    period = calendar("month", UTC, at("UTC", *month, 1))

    assert period.ends == days * 86_400


def test_weeks_begin_on_monday():
    """Sunday, 1 November 2026 is the last day of its week."""
    sunday = at("UTC", 2026, 11, 1)

    assert calendar("week", UTC, sunday).ends == 86_400
    assert calendar("week", UTC, sunday + 86_400).ends == 7 * 86_400


def test_hours_begin_when_a_clock_of_the_zone_shows_them():
    """In Kolkata that is half an hour past the hour in UTC."""
    noon = at("UTC", 2026, 11, 1, 12)

    assert calendar("hour", UTC, noon).ends == 3600
    assert calendar("hour", ZoneInfo("Asia/Kolkata"), noon).ends == 1800


@pytest.mark.parametrize("name", ["Europe/Berlim", "", None, 1, "../UTC", "Europe", "a\0b"])
def test_an_unknown_zone_is_refused(name):
    """The error names the argument and the value."""
    with pytest.raises(ConfigError, match=r"Budget\(timezone\) must be the IANA name"):
        time_zone("Budget(timezone)", name)


def test_zones_may_be_objects():
    """A fixed offset works, too."""
    fixed = timezone(timedelta(hours=2))

    assert time_zone("Budget(timezone)", fixed) is fixed
    assert calendar("day", fixed, at("UTC", 2026, 11, 1, 21)).ends == 3600
