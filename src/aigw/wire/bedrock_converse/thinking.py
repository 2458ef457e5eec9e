"""How hard a model shall think: ``Call.reasoning`` as fields of the model's own, and back.

They stand in ``additionalModelRequestFields``. Those of Claude are those of Anthropic's API, and so is what each Claude
can do: `aigw.wire.anthropic_messages.dialect` has the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.wire.anthropic_messages.dialect import Dialect as Claude
from aigw.wire.anthropic_messages.thinking import ask, is_on, said, understand, without_said
from aigw.wire.bedrock_converse.dialect import WIRE
from aigw.wire.bedrock_converse.tools import is_forced
from aigw.wire.fields import merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call
    from aigw.wire.bedrock_converse.families import Family
    from aigw.wire.losses import Losses

MODEL_FIELDS: Final = "additionalModelRequestFields"

_CLAUDE: Final = Claude()


class Thinking(NamedTuple):
    """What is asked of the model beyond the API's own fields.

    Args:
        fields: the fields of the model's own.
        on: it will think, in the way that is incompatible with tools that it must call.
        sampling: which of ``temperature`` and ``top_p`` it takes: ``any``, ``one``, ``none``.
    """

    fields: dict[str, Any]
    on: bool = False
    sampling: str = "any"


def claude(model: str) -> Claude | None:
    """Return what a Claude can do; ``None`` for other models."""
    return _CLAUDE.for_model(model) if "claude" in model else None


def decide(call: Call, model: str, family: Family, given: Mapping[str, Any], losses: Losses) -> Thinking:
    """Decide how to ask the model to think.

    Args:
        call: the call.
        model: the model.
        family: its family.
        given: fields of the model's own that the caller gave; what they say about thinking counts more.
        losses: what becomes of an effort that cannot be asked for.
    """
    able = claude(model)
    if able is None:
        return Thinking(merge(_asked_by_table(call, family, losses), given))
    words = said(given)
    if words and call.wire == WIRE and call.reasoning is not None and understand(words, able) != call.reasoning:
        given = without_said(given)  # a policy has changed it since the request was read
        words = {}
    fields = merge({} if words else _asked_of_claude(call, able, losses), given)
    return Thinking(fields, is_on(fields, able), able.sampling)


def _asked_of_claude(call: Call, able: Claude, losses: Losses) -> dict[str, Any]:
    reasoning = call.reasoning
    forced = is_forced(call)
    if forced and reasoning not in (None, "none"):
        losses.tuning("reasoning beside a tool choice that forces a call")
        reasoning = None
    if forced and reasoning is None and able.thinks and able.thinking_off and call.wire != WIRE:
        reasoning = "none"  # it would think all the same, and the server refuses that
    if reasoning is None:
        return {}
    asked = ask(reasoning, able, call.max_tokens)
    if asked.lost:
        losses.tuning(f"reasoning {reasoning!r}")
    if asked.change:
        losses.note(asked.change, "changed")
    return dict(asked.fields)


def _asked_by_table(call: Call, family: Family, losses: Losses) -> dict[str, Any]:
    if call.reasoning is None:
        return {}
    effort = family.instead.get(call.reasoning, call.reasoning)
    if (call.max_tokens, call.temperature, call.top_p) != (None, None, None):
        effort = family.unbounded.get(effort, effort)
    fields = family.efforts.get(effort)
    if fields is None:
        losses.tuning(f"reasoning {call.reasoning!r}")
        return {}
    if effort != call.reasoning:
        losses.note(f"reasoning {call.reasoning!r}, as {effort!r}", "changed")
    return dict(fields)


def take(
    given: Mapping[str, Any], model: str, family: Family, max_tokens: int | None
) -> tuple[str | None, Mapping[str, Any]]:
    """Read how hard to think out of a request's fields of the model's own.

    Returns:
        The effort, ``None`` where nothing is said; and the fields that are left. Those that say the effort are among
        them, unless we would ask with the same ones.
    """
    able = claude(model)
    if able is not None:
        words = said(given)
        reasoning = understand(words, able) if words else None
        same = reasoning is not None and ask(reasoning, able, max_tokens).fields == words
        return reasoning, without_said(given) if same else given
    for effort, fields in family.efforts.items():
        if all(given.get(name) == value for name, value in fields.items()):
            return effort, {name: value for name, value in given.items() if name not in fields}
    return None, given
