"""The format of Azure AI Content Safety (``text:analyze``): one text in a request, a severity for each category.

Severities are 0 (safe) to 7 (high); unless ``outputType`` asks for all eight, the service tells 0, 2 (low), 4 (medium)
or 6 (high). A score is a seventh of the severity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, Verdict
from aigw.errors import ConfigError
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.fields import checked, optional, required, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.errors import classify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call

WIRE: Final = "azure_content_safety"
"""The name of this format."""

HIGHEST: Final = 7
"""The highest severity."""

LONGEST: Final = 10_000
"""Characters that a text may have at the service."""

_TOP: Final = frozenset({"blocklistsMatch", "categoriesAnalysis", "error"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is taken for harmful.

    Args:
        provider: name of the provider, for errors.
        flagged_from: the severity from which on a text is flagged, which the service leaves to its users: 4, medium, as
            Azure's own filters of models have it by default.
    """

    provider: str = "azure-content-safety"
    flagged_from: int = 4


DEFAULT: Final = Dialect()
"""The service as it is."""


def render_request(
    call: Call,
    model: str,  # noqa: ARG001  (every format has it; this service has one model)
    dialect: Dialect = DEFAULT,  # noqa: ARG001  (every format has it)
    *,
    strict: bool | None = None,
) -> dict[str, Any]:
    """Render a moderation call with one text; ``call.extra`` (``blocklistNames``, ``outputType``, …) goes over it.

    Args:
        call: the call.
        model: not used: there is one.
        dialect: not used.
        strict: what becomes of the things that the server cannot be told; see `Losses`.

    Raises:
        NoCapableTarget: it has no text, or several.
    """
    losses = Losses(call, WIRE, strict)
    extra = losses.own(call.extra, call.wire)
    if len(call.inputs) != 1:
        losses.content("no text, or several in one request")
    return {"text": "".join(call.inputs[:1]), **extra}


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read an answer. A list of blocked words that was met is a category of its own, by the name of the list.

    Args:
        body: the decoded JSON.
        dialect: what is taken for harmful.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it does not fit the format.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked_answer(body, classify, dialect.provider, model)
        severities = _severities(checked(body.get("categoriesAnalysis"), list, "categoriesAnalysis"))
        lists = _lists(optional(body, "blocklistsMatch", list) or [])
    except ConfigError as error:
        raise wrong_answer("an analysis", error, dialect.provider, model) from None
    categories = {name: severity >= dialect.flagged_from for name, severity in severities.items()}
    scores = {name: min(severity / HIGHEST, 1.0) for name, severity in severities.items()}
    categories |= dict.fromkeys(lists, True)
    scores |= dict.fromkeys(lists, 1.0)
    verdict = Verdict(any(categories.values()), categories, scores, rest(body, _TOP))
    return [Chunk(verdicts=(verdict,), wire=WIRE)]


def _severities(analysis: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, item in enumerate(analysis):
        where = f"categoriesAnalysis[{at}]"
        name = required(checked(item, dict, where), "category", str, where)
        found[name] = optional(item, "severity", int, where) or 0  # it is left out where outputType does not have it
    return found


def _lists(matches: list[Any]) -> list[str]:
    return [
        required(checked(match, dict, f"blocklistsMatch[{at}]"), "blocklistName", str, f"blocklistsMatch[{at}]")
        for at, match in enumerate(matches)
    ]
