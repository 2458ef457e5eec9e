"""Gemini embeddings, ``batchEmbedContents`` and ``embedContent``, in both directions.

The Gemini API has the options of a request right in it, Vertex AI has them in an object of their own: that is `nested`.
Vertex AI's older models are asked by ``predict``, see `aigw.wire.gemini.predict`. An answer is one `Chunk` with all
vectors in the order of the inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.call import Call
from aigw.chunk import Chunk, Usage
from aigw.errors import ConfigError
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.fields import checked, optional, required, rest
from aigw.wire.gemini.dialect import WIRE
from aigw.wire.gemini.errors import classify
from aigw.wire.gemini.names import merged, message, optional_message
from aigw.wire.gemini.usage import parse_usage, usage_rest
from aigw.wire.losses import Losses
from aigw.wire.whole import own_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTIONS: Final = "embedContentConfig"
_DIMENSIONS: Final = "outputDimensionality"
_TOP: Final = frozenset({"embeddings", "embedding", "usageMetadata", "error", "items", "usage"})


def render_request(call: Call, model: str, *, nested: bool = False, strict: bool | None = None) -> dict[str, Any]:
    """Render an embeddings call. ``call.extra`` holds options for each of its requests: ``{"taskType": "…"}``.

    Args:
        call: the call.
        model: the model to ask for.
        nested: the options stand in an object of their own, and the model only in the URL (Vertex AI).
        strict: what becomes of things that this format cannot say; see `Losses`.
    """
    losses = Losses(call, WIRE, strict)
    options = dict(losses.own(call.extra, call.wire))
    named = {} if nested else {"model": model if "/" in model else f"models/{model}"}
    if (raw := options.pop("requests", None)) is not None:
        return {"requests": [{**request, **named} for request in raw]}
    if call.dimensions is not None:
        options = {_DIMENSIONS: call.dimensions, **options}
    placed = {_OPTIONS: options} if nested and options else options
    return {"requests": [{**named, "content": {"parts": [{"text": text}]}, **placed} for text in call.inputs]}


def parse_request(body: Mapping[str, Any], *, model: str = "") -> Call:
    """Read a request.

    Requests that are more than a text each, or differ in their options, stay in ``Call.extra`` as they are.

    Args:
        body: the decoded JSON; that of ``embedContent`` is taken too.
        model: the model that the URL names.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    fields = message(body, "the request")
    given = [fields] if "content" in fields else required(fields, "requests", list)
    requests = [message(request, f"requests[{at}]") for at, request in enumerate(given)]
    named = model or next((name for one in requests if (name := optional(one, "model", str))), "")
    asked = named.removeprefix("models/")
    texts, options = [], []
    for at, request in enumerate(requests):
        own = rest(request, ("model", "content", _OPTIONS))
        own |= optional_message(request, _OPTIONS, f"requests[{at}]") or {}
        texts.append(_only_text(optional_message(request, "content", f"requests[{at}]") or {}))
        options.append(own)
    inputs = tuple(text for text in texts if text is not None)
    if len(inputs) < len(texts) or any(one != options[0] for one in options):
        raw = {"requests": [rest(request, ("model",)) for request in requests]}
        return Call(operation="embeddings", model=asked, extra=raw, wire=WIRE)
    extra = options[0] if options else {}
    dimensions = optional(extra, _DIMENSIONS, int, "requests[0]")
    extra.pop(_DIMENSIONS, None)
    return Call(operation="embeddings", model=asked, inputs=inputs, dimensions=dimensions, extra=extra, wire=WIRE)


def _only_text(content: Mapping[str, Any]) -> str | None:
    """Return the text of a content that holds nothing else."""
    parts = content.get("parts")
    if not isinstance(parts, list) or len(parts) != 1 or content.get("role", "user") != "user":
        return None
    part = parts[0]
    return part["text"] if isinstance(part, dict) and part.keys() == {"text"} and type(part["text"]) is str else None


def parse_response(body: Any, provider: str = "gemini", model: str = "") -> list[Chunk]:
    """Read an answer. Fields of a single vector are kept in ``Chunk.extra["items"]``, in their order.

    Args:
        body: the decoded JSON; that of ``embedContent`` is taken too.
        provider: name of the provider, for errors.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it holds no embeddings.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked_answer(body, classify, provider, model)
        single = body.get("embedding")
        items = checked(body.get("embeddings") if single is None else [single], list, "embeddings")
        vectors, others = read_vectors(items, "embeddings")
    except ConfigError as error:
        raise wrong_answer("a list of embeddings", error, provider, model) from None
    counts = body.get("usageMetadata")
    usage = parse_usage(counts, has_output=False)
    extra = rest(body, _TOP)
    if any(others):
        extra["items"] = others
    if left := usage_rest(counts, usage):
        extra["usage"] = left
    return [Chunk(vectors=vectors, usage=usage, extra=extra or None, wire=WIRE)]


def read_vectors(items: Sequence[Any], where: str) -> tuple[tuple[tuple[float, ...], ...], list[dict[str, Any]]]:
    """Read vectors, ``{"values": […]}`` each.

    Returns:
        The vectors, and the other fields of each.

    Raises:
        ConfigError: one of them is none; the message names its path.
    """
    vectors, others = [], []
    for at, item in enumerate(items):
        path = f"{where}[{at}]"
        fields = checked(item, dict, path)
        values = required(fields, "values", list, path)
        vectors.append(tuple([float(checked(value, float, f"{path}.values")) for value in values]))
        others.append(rest(fields, ("values",)))
    return tuple(vectors), others


def render_response(chunks: Sequence[Chunk], *, single: bool = False) -> dict[str, Any]:
    """Render an answer; usage that is not known stays out.

    Args:
        chunks: all its chunks.
        single: the client asked ``embedContent``, which takes one input.
    """
    extra: dict[str, Any] = {}
    usage: Usage | None = None
    for chunk in chunks:
        extra.update(own_extra(chunk, WIRE))
        usage = chunk.usage or usage
    vectors = [vector for chunk in chunks for vector in chunk.vectors]
    others = extra.get("items") or [{}] * len(vectors)
    items = [{"values": list(vector), **other} for vector, other in zip(vectors, others, strict=False)]
    rendered: dict[str, Any] = {"embedding": items[0] if items else {}} if single else {"embeddings": items}
    if usage is not None:
        rendered["usageMetadata"] = {"promptTokenCount": usage.input, **extra.get("usage", {})}
    return merged(rendered, rest(extra, ("items", "usage")))
