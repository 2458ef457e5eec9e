"""What providers tell about their limits, in one form."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.providers.table import SERVICES
from aigw.quota import Allowance, QuotaHint
from aigw.wire.quota import parse_quota, parse_quota_failure
from aigw.wire.quota_fields import count, members, seconds, share
from strategies import json_values
from wire.quota_samples import NOW, SAMPLES, VARIANTS, Sample

EVERYTHING = {**SAMPLES, **VARIANTS}


def parsed(headers: dict[str, str], **more: object) -> QuotaHint | None:
    """Read headers at a fixed time."""
    return parse_quota(headers, now=lambda: NOW, **more)


def one(headers: dict[str, str]) -> Allowance:
    """Read headers that tell of one limit."""
    hint = parsed(headers)
    assert hint is not None

    (allowance,) = hint.allowances
    return allowance


@pytest.mark.parametrize("sample", EVERYTHING.values(), ids=list(EVERYTHING))
def test_each_provider_is_understood(sample: Sample) -> None:
    """What each provider sends means what its documentation says."""
    hint = parsed(dict(sample.headers), retry_after=sample.retry_after, error=sample.error)

    assert hint == sample.expected


def test_every_provider_has_a_sample() -> None:
    """Whoever adds a provider says what it tells about its limits, if only that it tells nothing."""
    assert set(SERVICES) <= set(SAMPLES)


@pytest.mark.parametrize("sample", EVERYTHING.values(), ids=list(EVERYTHING))
def test_headers_may_be_those_of_httpx(sample: Sample) -> None:
    """The transport's own headers can be read as they are, in whatever case the server wrote them."""
    headers = httpx.Headers({name.title(): value for name, value in sample.headers.items()})

    hint = parsed(headers, retry_after=sample.retry_after, error=sample.error)

    assert hint == sample.expected


@pytest.mark.parametrize("sample", EVERYTHING.values(), ids=list(EVERYTHING))
def test_a_hint_travels_as_json(sample: Sample) -> None:
    """A hint is a value like the others: it round-trips through JSON."""
    hint = sample.expected or QuotaHint()

    assert QuotaHint.from_json(hint.to_json()) == hint


def test_without_anything_there_is_no_hint() -> None:
    """An answer that tells nothing gives no hint, and no clock is read for it."""

    def never() -> float:
        raise AssertionError("read the clock")

    assert parse_quota({}, now=never) is None
    assert parse_quota({"content-type": "text/plain", "x-rate": "5"}, now=never) is None


def test_the_clock_is_the_wall_clock() -> None:
    """Without a clock of one's own, times of day are compared with the time of the system."""
    hint = parse_quota({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "1000000000"})

    assert hint is not None
    assert hint.allowances[0].resets_after == 0.0


def test_a_wait_alone_is_a_hint() -> None:
    """Seconds to wait are told even where no limit is."""
    assert parsed({}, retry_after=2.5) == QuotaHint((), 2.5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x-ratelimit-limit-tokens-per-minute", Allowance("tokens", 5, window=60.0)),
        ("x-ratelimit-limit-input-tokens", Allowance("input_tokens", 5)),
        ("x-ratelimit-limit-output-tokens-day", Allowance("output_tokens", 5, window=86400.0)),
        ("ratelimit-limit-requests-second", Allowance("requests", 5, window=1.0)),
        ("x-ratelimit-remaining", Allowance("requests", remaining=5)),
        ("x-ratelimit-remaining-month", Allowance("requests", remaining=5, window=2592000.0)),
    ],
)
def test_names_are_read_by_their_words(name: str, expected: Allowance) -> None:
    """A provider that nobody has heard of is understood if it uses the usual words."""
    assert one({name: "5"}) == expected


@pytest.mark.parametrize(
    "name",
    [
        "x-ratelimit-limit-images",
        "x-ratelimit-remaining-audio-seconds",
        "x-ratelimit-limit-connections",
        "x-ratelimit-limit-tokens-fortnight",
        "x-ratelimit-used",
        "x-ratelimit-over-limit",
        "x-ratelimit-",
        "x-ratelimit",
        "anthropic-ratelimit-unified-overage-utilization",
        "content-limit",
    ],
)
def test_what_is_counted_in_other_ways_is_left_out(name: str) -> None:
    """Images, seconds of audio and the like are no tokens; they are not taken for any."""
    assert parsed({name: "5"}) is None


@pytest.mark.parametrize("value", ["", "-1", "many", "nan", "inf", "1e999", "0x10", "9" * 2000, "unlimited", ","])
def test_values_that_make_no_sense_are_unknown(value: str) -> None:
    """Unknown is never zero, and never a limit of some other size."""
    assert one({"x-ratelimit-limit-requests": value, "x-ratelimit-remaining-requests": "7"}).limit is None
    assert parsed({"x-ratelimit-remaining-requests": value}) is None


def test_when_it_resets_is_nothing_without_a_limit() -> None:
    """A time alone says nothing about a limit."""
    assert parsed({"x-ratelimit-reset-requests": "12s"}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6m0s", 360.0),
        ("17ms", 0.017),
        ("1h2m3.5s", 3723.5),
        ("2m59.56s", 179.56),
        ("500us", 0.0005),
        ("500\N{MICRO SIGN}s", 0.0005),
        ("500\N{GREEK SMALL LETTER MU}s", 0.0005),
        ("7ns", 7e-9),
        ("2d", 172800.0),
        ("0s", 0.0),
        ("12", 12.0),
        ("0", 0.0),
        ("33011.382867", 33011.382867),
        ("1790000060", 60.0),
        ("1790000060000", 60.0),
        ("1600000000", 0.0),
        ("1600000000000", 0.0),
        ("2026-09-21T14:14:20Z", 60.0),
        ("2026-09-21T14:14:20.500Z", 60.5),
        ("2026-09-21T16:14:20+02:00", 60.0),
        ("2026-09-21T14:14:20", 60.0),
        ("2020-01-01T00:00:00Z", 0.0),
        ("0001-01-01T00:00:00+14:00", 0.0),
        ("-1", None),
        ("-5s", None),
        ("", None),
        ("soon", None),
        ("5 minutes", None),
        ("1m2", None),
        ("s", None),
        ("9" * 400 + "h", None),
        ("9" * 1001, None),
        ("2026-13-41T99:99:99Z", None),
        (None, None),
    ],
)
def test_resets_are_seconds_from_now(text: str | None, expected: float | None) -> None:
    """However a reset is written, it becomes seconds from now; a time that is over is 0, never less."""
    found = seconds(text, NOW)

    assert found == (None if expected is None else pytest.approx(expected, abs=1e-6))


@pytest.mark.parametrize(
    ("text", "expected"), [("0.42", 0.42), ("42%", 0.42), ("120%", 1.2), ("1", 1.0), ("%", None), ("-3%", None)]
)
def test_shares_may_be_percentages(text: str, expected: float | None) -> None:
    """A share is a number or a percentage; more than all is possible."""
    assert share(text) == (None if expected is None else pytest.approx(expected))


def test_members_of_structured_fields() -> None:
    """Names, parameters, quotation marks with separators in them, and one that is never closed."""
    found = members('"a,b;c";q=1;W = 2, x;"y";pk=:dQ==:, ,"z=1')

    assert [(member.names, member.parameters) for member in found] == [
        (("a,b;c",), {"q": "1", "w": "2"}),
        (("x", "y"), {"pk": ":dQ==:"}),
        ((), {"z": "1"}),
    ]


def test_the_tightest_limit_holds_for_every_call() -> None:
    """The least that is left counts, of the limits that hold for every call; other scopes only when asked for."""
    day, minute = Allowance("requests", 1000, 3, window=86400.0), Allowance("requests", 30, 29, window=60.0)
    fast = Allowance("requests", 0, 0, scope="fast")
    unknown = Allowance("requests", 10)
    hint = QuotaHint((unknown, minute, day, fast, Allowance("tokens", 5, 5)))

    assert hint.tightest("requests") == day
    assert hint.tightest("requests", "fast") == fast
    assert hint.tightest("input_tokens") is None
    assert QuotaHint((unknown,)).tightest("requests") == unknown


def test_the_tightest_share() -> None:
    """Where only shares are told, the one of which most is used up."""
    week, hours = Allowance("capacity", used=0.9), Allowance("capacity", used=0.2)

    assert QuotaHint((hours, week)).tightest("capacity") == week
    assert week.left == pytest.approx(0.1)
    assert Allowance("tokens").left == math.inf


durations = st.lists(
    st.tuples(
        st.integers(0, 10**6), st.sampled_from([("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)])
    ),
    min_size=1,
    max_size=4,
)


@given(durations)
def test_durations_round_trip(pieces: list) -> None:
    """A duration written as Go writes it is read as what it was."""
    text = "".join(f"{amount}{unit}" for amount, (unit, _) in pieces)

    assert seconds(text, NOW) == pytest.approx(sum(amount * size for amount, (_, size) in pieces))


@given(st.floats(0, 10**7))
def test_times_round_trip(wait: float) -> None:
    """A time to come, as a Unix time or by RFC 3339, is read as the wait until then."""
    moment = datetime.fromtimestamp(NOW + wait, UTC)

    assert seconds(moment.isoformat(), NOW) == pytest.approx(wait, abs=1e-5)
    assert seconds(f"{NOW + wait:.6f}", NOW) == pytest.approx(wait, abs=1e-5)
    assert seconds(f"{(NOW + wait) * 1000:.3f}", NOW) == pytest.approx(wait, abs=1e-5)


@given(st.integers(0, 10**15))
def test_counts_round_trip(amount: int) -> None:
    """A number of tokens is read as it is written."""
    assert count(str(amount)) == amount
    assert count(f"{amount}.0") == amount


names = st.sampled_from(sorted({name for sample in EVERYTHING.values() for name in sample.headers})) | st.builds(
    "-".join,
    st.lists(
        st.sampled_from(
            ["x", "ratelimit", "anthropic", "limit", "remaining", "reset", "tokens", "requests", "day", "5h", "policy"]
        ),
        max_size=6,
    ),
)
values = (
    st.text(max_size=20)
    | st.from_regex(r"[0-9a-z;=,\". :-]{0,30}", fullmatch=True)
    | st.sampled_from([value for sample in EVERYTHING.values() for value in sample.headers.values()])
)


@settings(max_examples=300)
@given(st.dictionaries(names | st.text(max_size=20), values, max_size=8))
def test_headers_never_make_it_raise(headers: dict[str, str]) -> None:
    """Whatever the headers hold, reading them does not raise, and nothing negative or infinite comes out."""
    hint = parsed(headers)

    for allowance in hint.allowances if hint else ():
        numbers = [allowance.limit, allowance.remaining, allowance.resets_after, allowance.window, allowance.used]
        known = [number for number in numbers if number is not None]
        assert all(0 <= number < math.inf for number in known)
        assert allowance.limit is not None or allowance.remaining is not None or allowance.used is not None
    assert hint is None or QuotaHint.from_json(hint.to_json()) == hint


@given(st.fixed_dictionaries({}, optional={"details": json_values, "metadata": json_values, "violations": json_values}))
def test_bodies_never_make_it_raise(error: dict) -> None:
    """Whatever the body of a failure holds, reading it does not raise."""
    for details in (error.get("details"), [error], [{"violations": [error, error.get("details")]}]):
        assert isinstance(parse_quota_failure(details), tuple)
    hint = parsed({}, error={**error, "metadata": {"headers": error}})

    assert hint is None or isinstance(hint, QuotaHint)


def test_limits_that_were_exceeded_are_told_each() -> None:
    """Google may name several limits at once, and one of a kind that is not counted here."""
    violations = [
        {"quotaId": "GenerateContentInputTokensPerModelPerMinute-FreeTier", "quotaValue": "250000"},
        {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"},
        {"quotaId": "GenerateContentOutputTokensPerModelPerHour", "quotaValue": 7},
        {"quotaMetric": "aiplatform.googleapis.com/online_prediction_tokens_per_minute_per_base_model"},
        {"quotaId": "ImagesPerMinute", "quotaValue": "10"},
        {"subject": "project:1", "description": "no quota"},
        "nonsense",
    ]

    assert parse_quota_failure([{"violations": violations}]) == (
        Allowance("input_tokens", 250_000, 0, window=60.0),
        Allowance("requests", None, 0, window=86400.0),
        Allowance("output_tokens", None, 0, window=3600.0),
        Allowance("tokens", None, 0),
    )


def test_headers_and_body_tell_a_limit_once() -> None:
    """What stands both in the headers and in the body is one limit."""
    headers = {"x-ratelimit-limit": "80", "x-ratelimit-remaining": "0"}

    assert parsed(headers, error={"metadata": {"headers": headers}}) == QuotaHint((Allowance("requests", 80, 0),))
