"""`Role`: what those who have it may do. What is not named is not allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, get_args

from aigw.access.features import Feature
from aigw.call import Priority
from aigw.checks import at_least
from aigw.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Role:
    """What those who have it may do. What is not named is not allowed; ``"*"`` names everything.

    Patterns may hold ``*`` and ``?``. A single text stands for a list of one. Whoever has several roles may do what one
    of them allows.

    Args:
        routes: patterns of what may be asked for: routes, or ``provider/model`` where the caller names one.
        models: patterns of the targets that may serve the call, by name or ``provider/model``. By default all those of
            the routes.
        tools: patterns of the names of tools that calls may bring.
        features: what calls may make use of; see `aigw.access.features`. Whoever may bring tools has the
            feature ``tools``.
        priorities: the priorities that calls may have.
        max_tokens: output tokens that a call may ask for; ``None`` for any number. A call that says nothing is bounded.
        data: classes of data that prompts may have, besides none.

    Raises:
        ConfigError: an argument makes no sense.
    """

    routes: Iterable[str] | str = ()
    models: Iterable[str] | str = "*"
    tools: Iterable[str] | str = ()
    features: Iterable[Feature | str] | str = ("stream",)
    priorities: Iterable[Priority | str] | str = ("standard", "batch")
    max_tokens: int | None = None
    data: Iterable[str] | str = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "max_tokens":
                object.__setattr__(self, field.name, _patterns(f"Role({field.name})", getattr(self, field.name)))
        if self.tools:
            object.__setattr__(self, "features", (*self.features, "tools"))
        _check("Role(features)", self.features, get_args(Feature))
        _check("Role(priorities)", self.priorities, get_args(Priority))
        if self.max_tokens is not None:
            at_least("Role(max_tokens)", self.max_tokens, 1)

    @classmethod
    def everything(cls) -> Role:
        """Make a role that may do everything."""
        return cls("*", "*", "*", "*", "*", None, "*")


def _patterns(name: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    try:
        found = tuple(given)
    except TypeError:
        raise ConfigError(f"{name} must be a text or a list of texts, not {given!r}") from None
    if not all(isinstance(one, str) and one for one in found):
        raise ConfigError(f"{name} must hold texts, not {given!r}")
    return found


def _check(name: str, given: Any, known: tuple[str, ...]) -> None:
    for one in given:
        if one not in known and one != "*":
            raise ConfigError(f"{name}: {one!r} is none of {', '.join(map(repr, known))}, and not '*'")
