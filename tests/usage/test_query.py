"""Questions about usage: what is grouped, filtered and added up, and how it is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import ConfigError
from aigw.usage.query import NAMES, check_filters, groups, summarize
from aigw.usage.when import moment, zone_of
from usage.any_records import NOON, record, records

ONE_EACH = [name for name in NAMES if name != "tag"]


def asked(some, *by, where=None, zone="UTC"):
    """Ask for sums."""
    return summarize(some, groups(by), where or {}, zone_of("zone", zone))


@settings(max_examples=60)
@given(some=st.lists(records, max_size=20), by=st.sets(st.sampled_from(ONE_EACH), max_size=3))
def test_groups_add_up_to_the_whole(some, by):
    """However records are grouped, the rows together are the sum of all records, and money is exact."""
    rows = asked(some, *by)

    assert sum(row.calls for row in rows) == len(some)
    assert sum(row.tokens for row in rows) == sum(one.input + one.output for one in some)
    assert sum(row.known_cost for row in rows) == sum(Decimal(one.known_cost) for one in some) / 10**9
    assert sum(row.unknown_costs for row in rows) == sum(one.cost is None for one in some)
    assert sum(row.cached or 0 for row in rows) == sum(one.cached or 0 for one in some)
    assert sum(row.mean_duration * row.calls for row in rows) == pytest.approx(sum(one.duration for one in some))
    assert len({tuple(row.group.items()) for row in rows}) == len(rows)


@settings(max_examples=60)
@given(some=st.lists(records, max_size=20), name=st.sampled_from(["principal", "team", "model", "outcome", "tag"]))
def test_a_filter_is_a_group(some, name):
    """Filtering by the value of a group finds the calls of that group."""
    for row in asked(some, name):
        (alone,) = asked(some, where={name: row.group[name]})
        assert alone.calls == row.calls


def test_tags():
    """A call with several tags counts in each of them, and one without any in a group of its own."""
    rows = asked([record(tags=("a", "b")), record(tags=("b",)), record()], "tag")

    assert [(row.group["tag"], row.calls) for row in rows] == [("a", 1), ("b", 2), (None, 1)]


def test_an_unknown_cost_is_not_zero():
    """A row with a call of unknown cost has no cost; what is known of it is told, and how many calls are not."""
    some = [record(cost=1_500_000_000, known_cost=1_500_000_000), record(cost=None, known_cost=250_000_000), record()]
    (row,) = asked(some)

    assert row.cost is None
    assert row.known_cost == Decimal("1.75")
    assert row.unknown_costs == 1


def test_a_known_cost():
    """A cost that is known is exact, to the nano-dollar; a call that used nothing cost nothing."""
    (row,) = asked([record(cost=1, known_cost=1), record(cost=0)])

    assert row.cost == Decimal("0.000000001")


def test_what_counts_as_failed():
    """Errors and refusals are failures; leaving a stream and cancelling are the caller's choice."""
    outcomes = ["ok", "abandoned", "cancelled", "TimedOut"]
    (row,) = asked([*(record(outcome=one) for one in outcomes), record(outcome="RateLimited", refused_by="RateLimit")])

    assert (row.calls, row.failed, row.refused) == (5, 2, 1)


def test_days_begin_in_their_zone():
    """A day is a day of the zone that is asked for."""
    evening = record(11.5 * 3600)

    assert asked([evening], "day")[0].group == {"day": "2026-11-01"}
    assert asked([evening], "day", zone="Europe/Berlin")[0].group == {"day": "2026-11-02"}
    assert asked([evening], "hour", zone="Asia/Kolkata")[0].group == {"hour": "2026-11-02T05:00+05:30"}


def test_several_values():
    """A filter takes several values, ``None`` among them."""
    some = [record(principal="alice"), record(principal="bob"), record()]

    assert asked(some, where={"principal": ["alice", None]})[0].calls == 2
    assert len(asked(some, where={"principal": "nobody"})) == 0


def test_the_table():
    """The table names the groups, puts figures under each other, and marks what is guessed or not known."""
    table = asked(
        [
            record(principal="alice", input=1200, output=30, cached=7, cost=12_345_678, known_cost=12_345_678),
            record(principal="bob", estimated=True, input=5, cost=None, known_cost=2_000_000),
            record(principal="carol\nand co", cost=None, outcome="TimedOut"),
            record(cost=10, known_cost=10),
        ],
        "principal",
    )

    assert str(table).splitlines() == [
        "principal     calls  failed  input  output  cached  reasoning    cost (USD)  mean time",
        "alice             1       0  1,200      30       7          -      0.012346    1.000 s",
        "bob               1       0     ~5      ~0       -          -  0.002000 + ?    1.000 s",
        "carol and co      1       1      0       0       -          -             ?    1.000 s",
        "-                 1       0      0       0       -          -     <0.000001    1.000 s",
        "?: a part of the cost, or all of it, is not known",
    ]
    assert str(asked([])) == "no usage records"


def test_a_table_is_a_sequence_of_rows():
    """Rows are read by place, by slice and in turn."""
    table = asked([record(model="m"), record(model="n")], "model")

    assert [row.group["model"] for row in table] == ["m", "n"]
    assert table[-1] is table.rows[1]
    assert list(table[:1]) == [table[0]]
    assert len(table) == 2


@pytest.mark.parametrize("by", ["colour", ("model", "colour"), ("model", "model"), ("",)])
def test_wrong_groups(by):
    """What cannot be grouped by is refused, and the message names what can."""
    with pytest.raises(ConfigError, match="usage"):
        groups(by)


def test_wrong_filters():
    """A filter that is not known is refused, so that a misspelled one does not count everybody's calls."""
    with pytest.raises(ConfigError, match="usage\\(\\) has no filter 'principle'; there are model, operation"):
        check_filters({"principle": "alice"})


PLUS_TWO = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        (datetime(2026, 11, 1, 12, tzinfo=UTC), NOON),
        (datetime(2026, 11, 1, 14, tzinfo=PLUS_TWO), NOON),
        (date(2026, 11, 1), NOON - 14 * 3600),
        (timedelta(hours=1), NOON + 6400),
        ("24h", NOON + 10_000 - 86_400),
        ("7d", NOON + 10_000 - 7 * 86_400),
        ("90 s", NOON + 9910),
        ("2w", NOON + 10_000 - 14 * 86_400),
        ("30m", NOON + 8200),
        ("2026-11-01", NOON - 14 * 3600),
        ("2026-11-01T12:00", NOON - 2 * 3600),
        ("2026-11-01T12:00Z", NOON),
        ("2026-11-01T12:00+02:00", NOON - 2 * 3600),
    ],
)
def test_moments(given, seconds):
    """Moments are taken as people write them; those that name no zone are in the one that is asked for."""
    assert moment("since", given, NOON + 10_000, PLUS_TWO) == seconds


@pytest.mark.parametrize("given", [datetime(2026, 11, 1), "yesterday", "7 moons", "", 5, "2026-13-01", "d"])  # noqa: DTZ001  (that is wrong)
def test_wrong_moments(given):
    """What could mean several moments, or none, is refused, and the argument is named."""
    with pytest.raises(ConfigError, match=r"^since"):
        moment("since", given, NOON, UTC)


@pytest.mark.parametrize("given", ["Nowhere/Land", "", "../etc/passwd", 5, None, "Europe"])
def test_wrong_zones(given):
    """A zone that is not there is refused, and the argument is named."""
    with pytest.raises(ConfigError, match=r"^zone must be a time zone"):
        zone_of("zone", given)
