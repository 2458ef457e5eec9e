"""tenacity's strategies, asked with our clock. The only file that imports tenacity, and only once one is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from tenacity import RetryCallState
    from tenacity.retry import RetryBaseT
    from tenacity.stop import StopBaseT
    from tenacity.wait import WaitBaseT

    Wait = WaitBaseT
    Stop = StopBaseT
    When = RetryBaseT
else:
    Wait = Stop = When = Callable[..., Any]

Strategy = TypeVar("Strategy")


def strategy(name: str, given: Strategy) -> Strategy:
    """Take a strategy or ``None``.

    Raises:
        ConfigError: it is no strategy, or the class of one.
    """
    if given is not None and (isinstance(given, type) or not callable(given)):
        raise ConfigError(f"{name} must be a strategy of tenacity, an object such as wait_fixed(1), not {given!r}")
    return given


def state_of(*, attempt: int, started: float, now: float, idle: float, error: BaseException) -> RetryCallState:
    """Describe a failed try in tenacity's terms.

    tenacity reads the system's clock when it fills its state; ours may be another one, so both times are set here, and
    ``stop_after_delay`` obeys it.

    Args:
        attempt: how many tries there were, from 1.
        started: when the first began.
        now: when the last ended.
        idle: seconds spent waiting between them.
        error: how the last one failed.
    """
    from tenacity import Future, RetryCallState

    state = RetryCallState(cast("Any", None), None, (), {})
    state.attempt_number = attempt
    state.start_time = started
    state.idle_for = idle
    state.outcome = Future(attempt)
    state.outcome.set_exception(error)
    state.outcome_timestamp = now
    return state
