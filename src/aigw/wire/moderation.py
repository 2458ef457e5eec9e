"""The format of OpenAI's moderation, in both directions; Mistral speaks it too, but does not tell what is flagged.

An answer is one `Chunk` with a verdict for each input, in their order. Text and images in one list are one input to the
server and get one verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call
from aigw.chunk import Chunk, Verdict
from aigw.errors import ConfigError
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.fields import checked, checked_request, merge, optional, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.errors import classify
from aigw.wire.usage import parse_usage, usage_rest
from aigw.wire.whole import id_of, model_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REQUEST: Final = frozenset({"model", "input"})
_TOP: Final = frozenset({"id", "model", "results", "usage", "error"})
_RESULT: Final = frozenset({"flagged", "categories", "category_scores"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak OpenAI's format of moderation.

    Args:
        provider: name of the provider, for errors.
        flagged: an answer tells whether an input is flagged; otherwise it is if one of its categories is (Mistral).
    """

    provider: str = "openai"
    flagged: bool = True


WIRE: Final = "openai_moderation"
"""The name of this format."""

DEFAULT: Final = Dialect()
"""OpenAI's own API; meant wherever no dialect is given."""


def render_request(
    call: Call,
    model: str,
    dialect: Dialect = DEFAULT,  # noqa: ARG001  (every format has it)
    *,
    strict: bool | None = None,
) -> dict[str, Any]:
    """Render a moderation call; ``call.extra`` goes over the rest.

    Args:
        call: the call.
        model: the model to ask for; empty for the one that the server chooses.
        dialect: not used: all servers read the same requests.
        strict: what becomes of the things that the server cannot be told; see `Losses`.

    Raises:
        NoCapableTarget: the format cannot express something that must not be lost.
    """
    losses = Losses(call, WIRE, strict)
    extra = losses.own(call.extra, call.wire)
    if not call.inputs and not losses.knows(call.wire):
        losses.content("inputs that are no texts")
    named = {"model": model} if model else {}
    return {**named, "input": list(call.inputs), **extra}


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:  # noqa: ARG001  (every format has it)
    """Read a request. Inputs with images, and conversations (Mistral), stay in ``Call.extra``.

    Args:
        body: the decoded JSON.
        dialect: not used: all servers read the same requests.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    extra = rest(body, _REQUEST)
    given = body.get("input")
    inputs = (given,) if isinstance(given, str) else tuple(checked(given, list, "input"))
    if any(isinstance(item, (dict, list)) for item in inputs):
        extra["input"], inputs = given, ()
    return Call(
        operation="moderation",
        model=optional(body, "model", str) or "",
        inputs=tuple(checked(text, str, f"input[{at}]") for at, text in enumerate(inputs)),
        extra=extra,
        wire=WIRE,
    )


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read an answer.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no list of results.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked_answer(body, classify, dialect.provider, model)
        results = checked(body.get("results"), list, "results")
        verdicts = tuple(_parse_verdict(result, f"results[{at}]") for at, result in enumerate(results))
        identity, name = optional(body, "id", str) or None, optional(body, "model", str) or None
    except ConfigError as error:
        raise wrong_answer("a list of verdicts", error, dialect.provider, model) from None
    extra = rest(body, _TOP)
    if left := usage_rest(body.get("usage")):
        extra["usage"] = left
    usage = parse_usage(body.get("usage"), has_output=False)
    return [Chunk(verdicts=verdicts, usage=usage, id=identity, model=name, extra=extra or None, wire=WIRE)]


def _parse_verdict(result: Any, where: str) -> Verdict:
    extra = rest(checked(result, dict, where), _RESULT)
    found = _take(result, "categories", (bool,), extra, where)
    scores = _take(result, "category_scores", (int, float), extra, where)
    flagged = optional(result, "flagged", bool, where)
    if flagged is None:
        if result.get("categories") is None:
            raise ConfigError(f"{where} tells neither whether it is flagged nor its categories")
        flagged = any(found.values())
    return Verdict(flagged, found, scores, extra)


def _take(
    result: Mapping[str, Any], field: str, kinds: tuple[type, ...], extra: dict[str, Any], where: str
) -> dict[str, Any]:
    """Read what is told of each category; what has an unknown type goes to the unknown fields."""
    told = rest(optional(result, field, dict, where) or {}, ())
    known = {name: value for name, value in told.items() if type(value) in kinds}
    if odd := rest(told, known):
        extra[field] = odd
    return known


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    model: str = "",
    dialect: Dialect = DEFAULT,
) -> dict[str, Any]:
    """Render an answer.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        model: the model, where the chunks name none.
        dialect: how the client wants it.
    """
    rendered: dict[str, Any] = {
        "id": id_of(chunks, id),
        "model": model_of(chunks, model),
        "results": [],
    }
    for chunk in chunks:
        known = chunk.wire in ("", WIRE)
        extra = chunk.extra if chunk.extra and known else {}
        rendered["results"] += [_render_verdict(verdict, dialect, known=known) for verdict in chunk.verdicts]
        if chunk.usage is not None:
            usage = {"prompt_tokens": chunk.usage.input, "total_tokens": chunk.usage.total}
            rendered["usage"] = merge(usage, extra.get("usage") or {})
        rendered.update(rest(extra, ("usage",)))
    return rendered


def _render_verdict(verdict: Verdict, dialect: Dialect, *, known: bool) -> dict[str, Any]:
    rendered: dict[str, Any] = {"flagged": verdict.flagged} if dialect.flagged else {}
    rendered["categories"] = dict(verdict.categories)
    rendered["category_scores"] = dict(verdict.scores)
    return merge(rendered, verdict.extra) if known else rendered
