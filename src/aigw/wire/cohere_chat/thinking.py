"""How hard to think: Cohere takes a budget of tokens, `Call` an effort in a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw.wire.fields import rest

if TYPE_CHECKING:
    from aigw.wire.losses import Losses

_BUDGETS: Final[Mapping[str, int]] = {"minimal": 1_000, "low": 4_000, "medium": 12_000}
"""Efforts that have a budget, the smallest first, in tokens. Any other thinks for as long as it likes."""

_UNBOUNDED: Final = "high"


def render_thinking(effort: str, losses: Losses, *, here: bool) -> dict[str, Any]:
    """Render an effort.

    Args:
        effort: the effort, in a word.
        losses: hears about words that the format does not have.
        here: the word was read from this format.
    """
    if effort == "none":
        return {"type": "disabled"}
    if effort not in _BUDGETS:
        return {"type": "enabled"}
    if not here:
        losses.note("reasoning", "emulated")
    return {"type": "enabled", "token_budget": _BUDGETS[effort]}


def take_thinking(extra: dict[str, Any]) -> str | None:
    """Take the effort out of the fields that aigw does not model.

    A budget that no effort has stays there, beside the effort that comes closest, for other formats.
    """
    given = extra.get("thinking")
    if not isinstance(given, Mapping) or given.get("type") not in ("enabled", "disabled"):
        return None
    left = rest(given, ("type",))
    budget = left.get("token_budget")
    if given["type"] == "disabled":
        effort = "none"
    elif type(budget) is not int:
        effort = _UNBOUNDED
    else:
        effort = next((name for name, most in _BUDGETS.items() if budget <= most), _UNBOUNDED)
        if _BUDGETS.get(effort) == budget:
            del left["token_budget"]
    if left:
        extra["thinking"] = left
    else:
        del extra["thinking"]
    return effort
