"""Checks of the arguments of a `Budget`: each error names the argument and the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

from aigw.checks import check_choice
from aigw.errors import ConfigError
from aigw.policies.budget_costs import OnUnknownCost
from aigw.policies.degrade import Degrade

if TYPE_CHECKING:
    from aigw.policies.budget_warnings import BudgetWarning

Callback = Callable[["BudgetWarning"], object]
"""What is told of warnings."""

OnExceeded = Literal["reject", "warn"] | Degrade
"""What to do with a call that does not fit."""


def mode(value: OnExceeded) -> OnExceeded:
    """Take what to do with a call that does not fit."""
    if value not in ("reject", "warn") and not isinstance(value, Degrade):
        raise ConfigError(f"Budget(on_exceeded) must be 'reject', 'warn' or a Degrade, not {value!r}")
    return value


def callback(given: Callback | None) -> Callback | None:
    """Take a function that is told of warnings."""
    if given is not None and not callable(given):
        raise ConfigError(f"Budget(on_warning) must be a function of a BudgetWarning, not {given!r}")
    return given


def unknown(given: OnUnknownCost | None, exceeded: OnExceeded) -> OnUnknownCost:
    """Take what to do where a cost is not known; a soft budget never refuses."""
    if given is None:
        return "estimate" if exceeded == "warn" else "block"
    check_choice("Budget(on_unknown_cost)", given, get_args(OnUnknownCost))
    if given == "block" and exceeded == "warn":
        raise ConfigError("Budget(on_unknown_cost='block') refuses calls, and on_exceeded='warn' never does")
    return given
