"""What models can do. `capabilities_of` looks it up in ``models.toml``; who makes a target may know better."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from aigw.errors import ConfigError
from aigw.values import Value

TUNING: Final = ("temperature", "top_p", "stop", "seed", "parallel_tool_calls", "reasoning")
"""Fields of `Call` that tune an answer, and that a model may refuse."""


@dataclass(frozen=True, slots=True)
class Capabilities(Value):
    """What a model can do. ``None`` means that it is not known, and what is not known is taken for possible.

    Args:
        vision: reads images.
        files: reads documents, such as PDF.
        tools: calls tools.
        json_schema: can be held to a JSON schema.
        reasoning: thinks before it answers, if asked.
        reasons_by_default: does so unless it is told not to.
        context_window: tokens of prompt and answer together; of an embedding model, tokens of one input.
        max_output: tokens of an answer, reasoning included.
        rejects: fields of `Call` that it refuses: some of `TUNING`. Calls are sent to it without them.
        rejects_reasoning: the same, but only while it reasons.
    """

    vision: bool | None = None
    files: bool | None = None
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool | None = None
    reasons_by_default: bool | None = None
    context_window: int | None = None
    max_output: int | None = None
    rejects: frozenset[str] = frozenset()
    rejects_reasoning: frozenset[str] = frozenset()

    def with_(self, overrides: Capabilities | Mapping[str, Any]) -> Capabilities:
        """Return a copy in which some fields are different.

        Args:
            overrides: of a mapping every entry counts, so that ``None`` forgets what was known; of `Capabilities` the
                fields that say something.

        Raises:
            ConfigError: there is no such field, or its value does not fit; names it.
        """
        if isinstance(overrides, Capabilities):
            overrides = {name: value for name in _CHECKS if (value := getattr(overrides, name)) not in _UNSAID}
        if not isinstance(overrides, Mapping):
            raise ConfigError(f"capabilities must be a mapping or Capabilities, not {type(overrides).__name__}")
        changes = {name: _checked(name, value) for name, value in overrides.items()}
        return replace(self, **changes) if changes else self


UNKNOWN: Final = Capabilities()
"""Nothing is known of a model: it is sent everything."""

_UNSAID: Final[tuple[object, ...]] = (None, frozenset())


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError("must be True, False or None")


def _tokens(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ValueError("must be a number of tokens, or None")


def _tuning(value: object) -> frozenset[str]:
    given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else (value,)
    if any(name not in TUNING for name in given):
        raise ValueError(f"may hold {', '.join(TUNING)}")
    return frozenset(name for name in TUNING if name in given)


_BY_TYPE: Final[Mapping[object, Callable[[object], object]]] = MappingProxyType(
    {"bool | None": _flag, "int | None": _tokens, "frozenset[str]": _tuning}
)
_CHECKS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {field.name: _BY_TYPE[field.type] for field in fields(Capabilities)}
)
"""What checks the value of each field."""


def _checked(name: object, value: object) -> Any:
    check = _CHECKS.get(name) if isinstance(name, str) else None
    if check is None:
        close = get_close_matches(str(name), _CHECKS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(_CHECKS)}"
        raise ConfigError(f"capabilities: there is no {name!r}; {hint}")
    try:
        return check(value)
    except ValueError as error:
        raise ConfigError(f"capabilities: {name} {error}, not {value!r}") from None


def capabilities_of(service: str, model: str) -> Capabilities:
    """Look up what a model can do.

    Args:
        service: name of the provider that serves it. At another provider than its maker's only `vision` and
            `reasoning` are known, which its weights decide, and at a server that may call its models anything, nothing.
        model: its name there, in any of the spellings that providers have.

    Returns:
        What is known; `UNKNOWN` itself if that is nothing.
    """
    name = normalised(model)
    row = next((row for row in rows() if row.fits.fullmatch(name)), None)
    return UNKNOWN if row is None else row.known_at(service)


def well_known(service: str) -> tuple[tuple[str, Capabilities], ...]:
    """List the current models of a provider that makes some, by its own names for them."""
    made = [row for row in rows() if row.at[:1] == (service,) and not row.old]
    return tuple((name, row.capabilities) for row in made for name in row.names if "*" not in name)


@dataclass(frozen=True, slots=True)
class Row:
    """Models of one maker that are alike.

    Args:
        names: how they are called; ``*`` stands for anything.
        fits: what a normalised name must match.
        capabilities: what they can do.
        at: providers where all of that holds; the maker's own one first.
        elsewhere: providers that serve them in their own way.
        old: they are on their way out, and not listed any more.
    """

    names: tuple[str, ...]
    fits: re.Pattern[str]
    capabilities: Capabilities
    at: tuple[str, ...]
    elsewhere: frozenset[str]
    old: bool

    def known_at(self, service: str) -> Capabilities:
        """Return what is known of them at a provider."""
        known = self.capabilities
        if service not in self.at:
            inherent = service in self.elsewhere
            known = Capabilities(vision=known.vision, reasoning=known.reasoning) if inherent else UNKNOWN
        return UNKNOWN if known == UNKNOWN else known


@cache
def rows() -> tuple[Row, ...]:
    """Read ``models.toml``, once."""
    import tomllib
    from importlib.resources import files

    data = tomllib.loads(files("aigw.providers").joinpath("models.toml").read_text(encoding="utf-8"))
    resellers, hosts = frozenset[str](data["resellers"]), frozenset[str](data["hosts"])
    return tuple(
        _row(dict(row), tuple(maker["at"]), resellers | hosts if maker.get("open") else resellers)
        for maker in data["maker"]
        for row in maker["model"]
    )


def _row(facts: dict[str, Any], at: tuple[str, ...], elsewhere: frozenset[str]) -> Row:
    names, old = tuple(facts.pop("names")), facts.pop("old", False)
    return Row(names, pattern_of(names), UNKNOWN.with_(facts), at, elsewhere, old)


_AHEAD: Final = re.compile(
    r"(?:(?:apac|au|ca|eu|global|jp|us|us-gov)\.)?"
    r"(?:(?:amazon|anthropic|cohere|google|meta|mistral|moonshotai|openai|qwen|zai)\.)?"
)
"""What Bedrock has before a name: a region, a maker."""

_BEHIND: Final = re.compile(r"-v?\d+:\d+(?::\w+)?$|-v1$")
"""What Bedrock has behind a name: the version of its packaging."""

_NO_VERSION: Final = r"(?:-(?!\d{1,2}(?:-|$)).*)?"
"""What may stand behind the name of a family: a date, a size, a variant; not a number that makes it another model."""


def normalised(model: str) -> str:
    """Return the one spelling of a model's name for the many that providers have.

    ``anthropic/claude-opus-4.5`` and ``claude-opus-4-5@20251101`` become the same, as do ``Meta-Llama-3.3-70B``,
    ``llama3.3:70b`` and ``accounts/fireworks/models/llama-v3p3-70b``.
    """
    name = model.lower()
    if name.startswith("ft:"):  # OpenAI's fine-tuned models: ft:gpt-4.1-mini-2025-04-14:org::id
        name = name.split(":")[1]
    name = name.rpartition("/")[2].partition("@")[0]
    name = _BEHIND.sub("", name)
    name = _AHEAD.sub("", name, count=1)
    name = re.sub(r"(?<=\d)p(?=\d)", "-", name)
    name = re.sub(r"[^a-z0-9*]+", "-", name)
    name = re.sub(r"(?<=[a-z])(?=\d)", "-", name)
    return re.sub(r"-v-(?=\d)", "-", name).removeprefix("meta-")


def pattern_of(names: Iterable[str]) -> re.Pattern[str]:
    """Make the pattern that the normalised names of a family match, whatever date, size or variant is behind them."""
    parts = [".*".join(map(re.escape, normalised(name).split("*"))) for name in names]
    return re.compile(f"(?:{'|'.join(parts)}){_NO_VERSION}")
