"""The format of Amazon Bedrock's ``ApplyGuardrail``: one text in a request, and what each policy of a guardrail found.

Found is what the guardrail acts on; what it only detects has a score, but is not flagged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.chunk import Chunk, Verdict
from aigw.errors import ConfigError
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.bedrock_converse.errors import classify
from aigw.wire.fields import checked, optional, required, rest
from aigw.wire.losses import Losses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aigw.call import Call

WIRE: Final = "bedrock_guardrail"
"""The name of this format."""

LONGEST: Final = 20_000
"""Characters of a text in one request. The service counts units of 1,000, and its quotas begin at 25 in a second."""

SOURCE: Final = "source"
"""The label in ``Call.metadata`` that tells who wrote the texts: ``output`` for a model, else ``input``."""

_CONFIDENCES: Final = {"NONE": 0.0, "LOW": 1 / 3, "MEDIUM": 2 / 3, "HIGH": 1.0}
_TOP: Final = frozenset({"action", "error"})


class _List(NamedTuple):
    """Where findings stand in an assessment: the policy, its list, and the field that names what was found."""

    policy: str
    findings: str
    name: str
    otherwise: str


_LISTS: Final = (
    _List("topicPolicy", "topics", "name", "TOPIC"),
    _List("contentPolicy", "filters", "type", "CONTENT"),
    _List("wordPolicy", "customWords", "", "WORD"),  # the only name there is the word itself
    _List("wordPolicy", "managedWordLists", "type", "WORD"),
    _List("sensitiveInformationPolicy", "piiEntities", "type", "PII"),
    _List("sensitiveInformationPolicy", "regexes", "name", "REGEX"),
    _List("contextualGroundingPolicy", "filters", "type", "GROUNDING"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The service as it is.

    Args:
        provider: name of the provider, for errors.
    """

    provider: str = "bedrock-guardrails"


DEFAULT: Final = Dialect()
"""The service as it is."""


def render_request(
    call: Call,
    model: str,  # noqa: ARG001  (every format has it; the guardrail stands in the path)
    dialect: Dialect = DEFAULT,  # noqa: ARG001  (every format has it)
    *,
    strict: bool | None = None,
) -> dict[str, Any]:
    """Render a moderation call with one text; ``call.extra`` (``outputScope``, …) goes over it.

    Args:
        call: the call.
        model: not used: the path has it.
        dialect: not used.
        strict: what becomes of the things that the server cannot be told; see `Losses`.

    Raises:
        NoCapableTarget: it has no text, or several.
    """
    losses = Losses(call, WIRE, strict)
    extra = losses.own(call.extra, call.wire)
    if len(call.inputs) != 1:
        losses.content("no text, or several in one request")
    source = "OUTPUT" if call.metadata.get(SOURCE) == "output" else "INPUT"
    return {"source": source, "content": [{"text": {"text": text}} for text in call.inputs[:1]], **extra}


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read an answer. Categories are topics by their names, and the types of everything else that was found.

    Args:
        body: the decoded JSON.
        dialect: the service.
        model: the guardrail that was asked for, for errors.

    Raises:
        BadResponse: it does not fit the format.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked_answer(body, classify, dialect.provider, model)
        flagged = required(body, "action", str) != "NONE"
        assessments = optional(body, "assessments", list) or []
        found = [one for at, item in enumerate(assessments) for one in _findings(item, f"assessments[{at}]")]
    except ConfigError as error:
        raise wrong_answer("an assessment", error, dialect.provider, model) from None
    categories: dict[str, bool] = {}
    scores: dict[str, float] = {}
    for name, acted, score in found:
        categories[name] = categories.get(name, False) or acted
        scores[name] = max(scores.get(name, 0.0), score)
    return [Chunk(verdicts=(Verdict(flagged, categories, scores, rest(body, _TOP)),), wire=WIRE)]


def _findings(assessment: Any, where: str) -> Iterator[tuple[str, bool, float]]:
    """Yield what was found: its name, whether the guardrail acts on it, and how sure it is."""
    checked(assessment, dict, where)
    for policy, findings, field, otherwise in _LISTS:
        listed = optional(optional(assessment, policy, dict, where) or {}, findings, list, where) or []
        for at, item in enumerate(listed):
            path = f"{where}.{policy}.{findings}[{at}]"
            name = optional(checked(item, dict, path), field, str, path) if field else None
            acted = required(item, "action", str, path) != "NONE"
            yield name or otherwise, acted, _score(item, path, acted=acted)


def _score(item: Mapping[str, Any], where: str, *, acted: bool) -> float:
    confidence = optional(item, "confidence", str, where)
    if confidence is not None:
        return _CONFIDENCES.get(confidence, 1.0 if acted else 0.0)
    grounded = optional(item, "score", float, where)  # how well an answer is founded: the higher, the less is wrong
    if grounded is not None:
        return min(max(1.0 - grounded, 0.0), 1.0)
    return 1.0 if acted or optional(item, "detected", bool, where) else 0.0
