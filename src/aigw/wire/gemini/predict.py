"""Embeddings of Vertex AI's models before Gemini, such as ``text-embedding-005``, by ``predict``, in both directions.

An answer is one `Chunk` with all vectors in the order of the inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call
from aigw.chunk import Chunk, Usage
from aigw.errors import ConfigError
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.fields import checked, optional, required, rest
from aigw.wire.gemini.dialect import WIRE
from aigw.wire.gemini.embeddings import read_vectors
from aigw.wire.gemini.errors import classify
from aigw.wire.losses import Losses
from aigw.wire.whole import own_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PARAMETERS: Final = "parameters"
_DIMENSIONS: Final = "outputDimensionality"
_TOP: Final = frozenset({"predictions", "error", "statistics"})


def render_request(call: Call, model: str, *, strict: bool | None = None) -> dict[str, Any]:  # noqa: ARG001  (all formats are called alike)
    """Render an embeddings call.

    ``call.extra`` holds options of each instance (``{"task_type": "…"}``), and ``parameters`` for all of them.

    Args:
        call: the call.
        model: the model, which stands in the URL.
        strict: what becomes of things that this format cannot say; see `Losses`.
    """
    options = dict(Losses(call, WIRE, strict).own(call.extra, call.wire))
    parameters = dict(options.pop(_PARAMETERS, {}))
    if (raw := options.pop("instances", None)) is not None:
        instances = list(raw)
    else:
        instances = [{"content": text, **options} for text in call.inputs]
    if call.dimensions is not None:
        parameters = {_DIMENSIONS: call.dimensions, **parameters}
    return {"instances": instances, **({_PARAMETERS: parameters} if parameters else {})}


def parse_request(body: Mapping[str, Any], *, model: str = "") -> Call:
    """Read a request. Instances that differ in their options stay in ``Call.extra`` as they are.

    Args:
        body: the decoded JSON.
        model: the model that the URL names.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    given = required(checked(body, dict, "the request"), "instances", list)
    instances = [checked(instance, dict, f"instances[{at}]") for at, instance in enumerate(given)]
    parameters = dict(optional(body, _PARAMETERS, dict) or {})
    dimensions = optional(parameters, _DIMENSIONS, int, _PARAMETERS)
    parameters.pop(_DIMENSIONS, None)
    inputs = tuple(required(one, "content", str, f"instances[{at}]") for at, one in enumerate(instances))
    options = [rest(instance, ("content",)) for instance in instances]
    extra: dict[str, Any] = dict(options[0]) if options else {}
    if any(one != extra for one in options):
        extra, inputs = {"instances": instances}, ()
    if parameters:
        extra[_PARAMETERS] = parameters
    return Call(operation="embeddings", model=model, inputs=inputs, dimensions=dimensions, extra=extra, wire=WIRE)


def parse_response(body: Any, provider: str = "vertex", model: str = "") -> list[Chunk]:
    """Read an answer. The statistics of each vector are kept in ``Chunk.extra["statistics"]``, in their order.

    Args:
        body: the decoded JSON.
        provider: name of the provider, for errors.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it holds no embeddings.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked_answer(body, classify, provider, model)
        predictions = checked(body.get("predictions"), list, "predictions")
        items = [checked(one, dict, f"predictions[{at}]").get("embeddings") for at, one in enumerate(predictions)]
        vectors, others = read_vectors(items, "predictions")
    except ConfigError as error:
        raise wrong_answer("a list of embeddings", error, provider, model) from None
    extra = rest(body, _TOP)
    if any(others):
        extra["statistics"] = [other.get("statistics", {}) for other in others]
    return [Chunk(vectors=vectors, usage=_count(others), extra=extra or None, wire=WIRE)]


def _count(others: Sequence[Mapping[str, Any]]) -> Usage | None:
    """Add up the tokens of the inputs; ``None`` unless each tells its own."""
    total = 0
    for other in others:
        statistics = other.get("statistics")
        tokens = statistics.get("token_count") if isinstance(statistics, dict) else None
        if not isinstance(tokens, (int, float)) or isinstance(tokens, bool):
            return None
        total += int(tokens)
    return Usage(total) if others else None


def render_response(chunks: Sequence[Chunk]) -> dict[str, Any]:
    """Render an answer.

    Usage is told only in the statistics that came with the vectors: this format has no place for a total.

    Args:
        chunks: all its chunks.
    """
    extra: dict[str, Any] = {}
    for chunk in chunks:
        extra.update(own_extra(chunk, WIRE))
    vectors = [vector for chunk in chunks for vector in chunk.vectors]
    statistics = extra.get("statistics") or [{}] * len(vectors)
    return {
        "predictions": [
            {"embeddings": {"values": list(vector), **({"statistics": own} if own else {})}}
            for vector, own in zip(vectors, statistics, strict=False)
        ],
        **rest(extra, ("statistics",)),
    }
