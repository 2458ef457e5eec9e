"""`Retry` with tenacity's strategies: they are asked with the clock of the call, one by one and combined."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.errors import BadRequest, ConfigError, Overloaded, RateLimited, ServerError, TimedOut
from aigw.policies import Retry
from aigw.policies.strategies import state_of
from aigw.testing import FakeClock
from policies.inner import Inner, handle, others_left


def sleeps(policy, *script, clock=None, **fields):
    """Make a call that fails at last; return how long it slept each time, and how often it was tried."""
    clock = clock or FakeClock()
    inner = Inner(*script) if script else Inner.repeat(Overloaded)
    with pytest.raises(Exception) as caught:  # noqa: PT011  (whatever was scripted last)
        handle(policy, inner, clock=clock, **fields)
    assert not isinstance(caught.value, AssertionError), "the script was too short"
    return clock.sleeps, len(inner.calls)


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (tenacity.wait_fixed(3), [3, 3, 3]),
        (tenacity.wait_none(), []),
        (tenacity.wait_incrementing(1, 2), [1, 3, 5]),
        (tenacity.wait_exponential(multiplier=1, max=3), [1, 2, 3]),
        (tenacity.wait_fixed(1) + tenacity.wait_incrementing(0, 1), [1, 2, 3]),
        (tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_fixed(7)), [1, 7, 7]),
        (lambda state: state.attempt_number * 10, [10, 20, 30]),
        (lambda state: state.idle_for + 1, [1, 2, 4]),
    ],
)
def test_wait_strategies(wait, expected):
    """`wait` takes the place of full jitter, alone or added up, and also as a plain function."""
    assert sleeps(Retry(4, wait=wait)) == (expected, 4)


def test_random_wait_strategies():
    """Strategies with their own randomness keep their bounds."""
    waits, _ = sleeps(Retry(6, wait=tenacity.wait_exponential_jitter(initial=1, max=4, jitter=1)))

    assert all(low <= wait <= 5 for low, wait in zip((1, 2, 4, 4, 4), waits, strict=True))


def test_what_the_provider_asks_for_is_obeyed_all_the_same():
    """A strategy may make the wait longer than ``Retry-After``, never shorter; another target is tried at once."""
    asked = Overloaded("x", retry_after=5)
    script = [asked, others_left(Overloaded("x")), asked, Overloaded]
    waits, tries = sleeps(Retry(4, wait=tenacity.wait_incrementing(1, 20)), *script)

    assert 5 <= waits[0] <= 5.5
    assert waits[1:] == [41]
    assert tries == 4


@pytest.mark.parametrize(
    ("stop", "tries"),
    [
        (tenacity.stop_after_attempt(5), 5),
        (tenacity.stop_after_delay(10), 5),
        (tenacity.stop_before_delay(10), 4),
        (tenacity.stop_after_attempt(2) | tenacity.stop_after_delay(10), 2),
        (tenacity.stop_after_attempt(9) | tenacity.stop_after_delay(4), 3),
        (tenacity.stop_after_attempt(2) & tenacity.stop_after_delay(10), 5),
        (lambda state: state.idle_for >= 6, 4),
        (lambda state: state.upcoming_sleep + state.idle_for > 6, 3),
    ],
)
def test_stop_strategies(stop, tries):
    """`stop` takes the place of `attempts`; delays are measured on the clock of the call, here in steps of 2.5 s."""
    assert sleeps(Retry(1, stop=stop, wait=tenacity.wait_fixed(2.5)), clock=FakeClock(start=1e6))[1] == tries


def test_time_spent_in_attempts_counts_as_delay():
    """`stop_after_delay` looks at the whole time since the first attempt, not only at the waits."""
    script = [[6.0, TimedOut], [6.0, TimedOut], "never"]

    assert sleeps(Retry(stop=tenacity.stop_after_delay(10), wait=tenacity.wait_none()), *script) == ([6, 6], 2)


def test_stopping_never_leaves_the_deadline_and_the_budget():
    """Even with `stop_never` the deadline of the call ends the tries, and the budget of the route does."""
    policy = Retry(stop=tenacity.stop_never, wait=tenacity.wait_fixed(1))

    assert sleeps(policy, deadline=5.0)[1] == 5
    assert sleeps(Retry(stop=tenacity.stop_never, wait=tenacity.wait_none()))[1] == 11


def test_stopping_from_outside():
    """An event that another thread sets ends the tries."""
    event = threading.Event()
    policy = Retry(stop=tenacity.stop_when_event_set(event))
    event.set()

    assert sleeps(policy)[1] == 1


@pytest.mark.parametrize(
    ("retry", "script", "tries"),
    [
        (tenacity.retry_if_exception_type(Overloaded), [Overloaded, ServerError], 2),
        (tenacity.retry_if_exception_type((Overloaded, ServerError)), [Overloaded, ServerError, BadRequest], 3),
        (tenacity.retry_if_not_exception_type(ServerError), [BadRequest, ServerError], 2),
        (
            tenacity.retry_if_exception_type(BadRequest) | tenacity.retry_if_exception_message(match=".*: x"),
            [BadRequest, Overloaded("x"), Overloaded("y")],
            3,
        ),
        (
            tenacity.retry_if_exception_type(Overloaded) & tenacity.retry_if_exception_message(match=".*: x"),
            [Overloaded("x"), Overloaded("y")],
            2,
        ),
        (tenacity.retry_if_exception(lambda error: error.status == 429), [RateLimited, Overloaded], 2),
        (tenacity.retry_never, [Overloaded], 1),
        (tenacity.retry_always, [BadRequest, RateLimited, Overloaded], 3),
    ],
)
def test_retry_strategies(retry, script, tries):
    """`retry` takes the place of the rule of what is tried again, also for refusals, alone and combined."""
    assert sleeps(Retry(retry=retry), *script)[1] == tries


def test_a_strategy_of_one_kind_leaves_the_others():
    """Who gives only `wait` keeps the attempts and the rule; who gives only `stop` keeps the jitter."""
    waits, tries = sleeps(Retry(3, wait=tenacity.wait_fixed(2)), Overloaded, BadRequest)
    jitter, more = sleeps(Retry(stop=tenacity.stop_after_attempt(4)))

    assert (waits, tries) == ([2], 2)
    assert more == 4
    assert all(wait <= bound for wait, bound in zip(jitter, (0.5, 1, 2), strict=True))


@settings(max_examples=40)
@given(st.integers(1, 9), st.floats(0, 1e6), st.floats(0, 1e4), st.floats(0, 100))
def test_what_a_strategy_is_told(attempt, started, took, idle):
    """A failed try in tenacity's terms: which it was, how long since the first, how it failed; times are ours."""
    error = Overloaded("x")
    state = state_of(attempt=attempt, started=started, now=started + took, idle=idle, error=error)

    assert (state.attempt_number, state.idle_for, state.upcoming_sleep) == (attempt, idle, 0.0)
    assert state.seconds_since_start == started + took - started
    assert state.outcome.failed
    assert state.outcome.exception() is error
    assert "Overloaded" in repr(state)


@pytest.mark.parametrize("name", ["wait", "stop", "retry"])
@pytest.mark.parametrize("value", [5, "soon", tenacity.stop_after_attempt, [tenacity.wait_none()]])
def test_what_is_no_strategy(name, value):
    """A number, a text, or the class in place of an object is told when the policy is made."""
    with pytest.raises(ConfigError, match=rf"Retry\({name}\) must be a strategy of tenacity"):
        Retry(**{name: value})


def test_tenacity_is_not_loaded_for_nothing():
    """A policy without strategies retries without it: it is loaded when one is asked for the first time."""
    program = """if True:
        import sys
        from aigw.policies import Retry
        from aigw.errors import Overloaded
        from aigw.runtime import drive
        from aigw.testing import ScriptedProvider, make_call

        provider = ScriptedProvider(Overloaded, "hello")
        drive(Retry().handle(make_call(), lambda call: provider.send(call, "m")))
        sys.exit("tenacity" in sys.modules or len(provider.calls) != 2)
    """

    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_policy_shows_its_settings():
    """``repr`` has what was given, for `describe`."""
    stop = tenacity.stop_after_attempt(2)

    assert repr(Retry(5)) == "Retry(attempts=5)"
    assert repr(Retry(stop=stop)) == f"Retry(attempts=3, stop={stop!r})"
