"""``generationConfig``: how the model is to answer, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.call import Schema
from aigw.wire.fields import checked, optional
from aigw.wire.gemini.names import optional_message
from aigw.wire.gemini.schema import to_json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call
    from aigw.wire.gemini.dialect import Dialect
    from aigw.wire.losses import Losses

CONFIG: Final = "generationConfig"
_THINKING: Final = "thinkingConfig"
_LEVEL: Final = "thinkingLevel"
_BUDGET: Final = "thinkingBudget"
_THOUGHTS: Final = "includeThoughts"
_JSON: Final = "application/json"
_MOST_STOPS: Final = 5
_HOTTEST: Final = 2
_SEED_BITS: Final = 31
_FIELDS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("temperature", "temperature", float),
    ("top_p", "topP", float),
    ("max_tokens", "maxOutputTokens", int),
    ("seed", "seed", int),
    ("n", "candidateCount", int),
)
"""Fields of `Call` that go out as they are, their names there, and their types."""


def render_config(call: Call, model: str, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    """Render what a call says about the answer; only what is set."""
    config: dict[str, Any] = {}
    for field, name, _ in _FIELDS:
        value = getattr(call, field)
        if value is not None and not _is_beyond(field, value):
            config[name] = value
        elif value is not None:
            losses.tuning(f"this {field}")
    if call.stop:
        if len(call.stop) > _MOST_STOPS:
            losses.tuning(f"more than {_MOST_STOPS} stop texts")
        config["stopSequences"] = list(call.stop[:_MOST_STOPS])
    if call.schema is not None:
        config["responseMimeType"] = _JSON
        config["responseJsonSchema" if dialect.json_schema else "responseSchema"] = call.schema.schema
    if call.reasoning is not None:
        config[_THINKING] = _render_thinking(call.reasoning, model, dialect, losses)
    return config


def _is_beyond(field: str, value: float) -> bool:
    if field == "temperature":
        return not 0 <= value <= _HOTTEST
    return field == "seed" and not -(2**_SEED_BITS) <= value < 2**_SEED_BITS


def _render_thinking(reasoning: str, model: str, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    effort = dialect.family(model).efforts.get(reasoning, reasoning.upper())
    said = "none" if effort == 0 else effort.lower() if isinstance(effort, str) else reasoning
    if said != reasoning or (reasoning == "none" and effort != 0):
        losses.note(f"reasoning {reasoning!r}, for {effort}", "changed")
    thinking: dict[str, Any] = {_LEVEL if isinstance(effort, str) else _BUDGET: effort}
    if dialect.include_thoughts and reasoning != "none":
        thinking[_THOUGHTS] = True
    return thinking


def take_config(extra: dict[str, Any], model: str, dialect: Dialect) -> dict[str, Any]:
    """Take out of ``generationConfig`` what `Call` models, and return it as arguments of `Call`.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    config = optional_message(extra, CONFIG)
    if config is None:
        return {}
    taken: dict[str, Any] = {}
    for field, name, kind in _FIELDS:
        if (value := optional(config, name, kind, CONFIG)) is not None:
            taken[field] = value
            del config[name]
    if stops := optional(config, "stopSequences", list, CONFIG):
        where = f"{CONFIG}.stopSequences"
        taken["stop"] = tuple(checked(text, str, f"{where}[{at}]") for at, text in enumerate(stops))
        del config["stopSequences"]
    taken["schema"] = _take_schema(config)
    taken["reasoning"] = _take_reasoning(config, model, dialect)
    if config:
        extra[CONFIG] = config
    else:
        del extra[CONFIG]
    return taken


def _take_schema(config: dict[str, Any]) -> Schema | None:
    schema = optional(config, "responseJsonSchema", dict, CONFIG)
    older = optional(config, "responseSchema", dict, CONFIG)
    if config.get("responseMimeType") != _JSON or (schema is None) == (older is None):
        return None
    del config["responseMimeType"], config["responseSchema" if schema is None else "responseJsonSchema"]
    return Schema(to_json_schema(older) if schema is None else schema)


def _take_reasoning(config: dict[str, Any], model: str, dialect: Dialect) -> str | None:
    """Take the effort out of ``thinkingConfig``; whether thoughts are wanted stays, unless it is as we would say it."""
    thinking = optional_message(config, _THINKING, CONFIG)
    if thinking is None:
        return None
    config[_THINKING] = thinking
    reasoning = _effort(thinking, dialect.family(model).efforts)
    if reasoning is None:
        return None
    wanted = thinking.pop(_THOUGHTS, False)
    thinking.pop(_LEVEL, None)
    thinking.pop(_BUDGET, None)
    if wanted != (dialect.include_thoughts and reasoning != "none"):
        thinking[_THOUGHTS] = wanted
    if not thinking:
        del config[_THINKING]
    return reasoning


def _effort(thinking: Mapping[str, Any], efforts: Mapping[str, str | int]) -> str | None:
    """Return the word that would be rendered just like this; ``None`` if none would."""
    level = optional(thinking, _LEVEL, str, f"{CONFIG}.{_THINKING}")
    budget = optional(thinking, _BUDGET, int, f"{CONFIG}.{_THINKING}")
    if level is not None and budget is None:
        level = level.upper()
        word = level.lower()
        return word if efforts.get(word, level) == level else None
    if level is None and budget is not None:
        return next((word for word, effort in efforts.items() if type(effort) is int and effort == budget), None)
    return None
