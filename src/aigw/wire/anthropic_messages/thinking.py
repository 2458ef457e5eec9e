"""``Call.reasoning`` as ``thinking`` and ``output_config.effort``, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.anthropic_messages.dialect import Dialect

_ORDER: Final = ("minimal", "low", "medium", "high", "xhigh", "max")
_DEFAULT_EFFORT: Final = "high"
_LEAST_BUDGET: Final = 1024
_OFF: Final = ("disabled", "between_tools")


class Asked(NamedTuple):
    """How to ask for an amount of reasoning.

    Args:
        fields: fields of the request; empty where there is no way to ask.
        change: what is asked for in its place, where it is not the same; for a note.
        lost: there is no way to ask for it.
    """

    fields: dict[str, Any]
    change: str = ""
    lost: bool = False


def ask(reasoning: str, dialect: Dialect, max_tokens: int | None) -> Asked:
    """Return the fields that ask for reasoning.

    Args:
        reasoning: ``none``, ``minimal``, ``low`` …
        dialect: of the model.
        max_tokens: bound of the output; at most three quarters of it go into a budget. ``None`` where there is none.
    """
    if reasoning == "none":
        return _ask_for_none(dialect)
    if dialect.thinking is None:
        return Asked({}, lost=True)
    thinking: dict[str, Any] = {"type": "adaptive"}
    change = ""
    if dialect.thinking == "budget":
        budget = _budget(reasoning, dialect, max_tokens)
        if budget is None:
            return Asked({}, lost=True)
        if budget != dialect.budgets[reasoning]:
            change = f"reasoning {reasoning!r}, as {budget} tokens"
        thinking = {"type": "enabled", "budget_tokens": budget}
    if dialect.display is not None:
        thinking["display"] = dialect.display
    fields: dict[str, Any] = {"thinking": thinking}
    if dialect.efforts:
        effort = _effort(reasoning, dialect.efforts)
        fields["output_config"] = {"effort": effort}
        if effort != reasoning:
            change = f"reasoning {reasoning!r}, as {effort!r}"
    return Asked(fields, change)


def _ask_for_none(dialect: Dialect) -> Asked:
    if dialect.thinking_off is not None and dialect.thinking is not None:
        return Asked({"thinking": {"type": dialect.thinking_off}})
    if dialect.thinking is None:
        return Asked({})
    if dialect.efforts:
        least = dialect.efforts[0]
        return Asked({"output_config": {"effort": least}}, f"reasoning 'none', as {least!r}")
    return Asked({}, lost=True)


def _effort(reasoning: str, known: tuple[str, ...]) -> str:
    """Return the nearest effort below; a word that nobody knows goes out as it is."""
    if reasoning in known or reasoning not in _ORDER:
        return reasoning
    below = _ORDER[: _ORDER.index(reasoning)]
    return next((effort for effort in reversed(known) if effort in below), known[0])


def _budget(reasoning: str, dialect: Dialect, max_tokens: int | None) -> int | None:
    budget = dialect.budgets.get(reasoning)
    if budget is None or max_tokens is None:
        return budget
    budget = min(budget, max_tokens * 3 // 4)
    return budget if budget >= _LEAST_BUDGET else None


def said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields of a request say about reasoning: ``thinking``, and the effort alone."""
    found: dict[str, Any] = {}
    if fields.get("thinking") is not None:
        found["thinking"] = fields["thinking"]
    config = fields.get("output_config")
    if isinstance(config, dict) and config.get("effort") is not None:
        found["output_config"] = {"effort": config["effort"]}
    return found


def without_said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without what `said` finds in them."""
    left = {name: value for name, value in fields.items() if name != "thinking"}
    config = left.get("output_config")
    if isinstance(config, dict) and "effort" in config:
        left["output_config"] = {name: value for name, value in config.items() if name != "effort"}
        if not left["output_config"]:
            del left["output_config"]
    return left


def understand(fields: Mapping[str, Any], dialect: Dialect) -> str | None:
    """Return the word of ``Call.reasoning`` that comes nearest to what was `said`; ``None`` if nothing was."""
    thinking = fields.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind in _OFF:
        return "none"
    effort = fields.get("output_config", {}).get("effort")
    if isinstance(effort, str):
        return effort
    if kind == "adaptive":
        return _DEFAULT_EFFORT
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) and kind == "enabled" else None
    if type(budget) is not int:
        return None
    enough = [word for word in _ORDER if dialect.budgets.get(word, 0) >= budget]
    return enough[0] if enough else _ORDER[-1]


def is_on(fields: Mapping[str, Any], dialect: Dialect) -> bool:
    """Tell whether the model will think."""
    thinking = fields.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    return dialect.thinks if kind is None else kind not in _OFF


def room(fields: Mapping[str, Any], dialect: Dialect) -> int:
    """Return the tokens that thinking may take, to be added to those of the answer."""
    if not is_on(fields, dialect):
        return 0
    thinking = fields.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if type(budget) is int:
        return budget
    config = fields.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    return dialect.budgets.get(effort or _DEFAULT_EFFORT, 0)
