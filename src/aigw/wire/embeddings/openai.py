"""The format of OpenAI embeddings, in both directions. Jina, Voyage and Mistral speak it with other names of fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from aigw.call import Call
from aigw.chunk import Chunk, Usage
from aigw.errors import ConfigError
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.embeddings.vectors import read_vector, write_vector
from aigw.wire.fields import checked, checked_request, optional, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.errors import classify
from aigw.wire.usage import parse_usage, usage_rest
from aigw.wire.whole import model_of, own_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOP: Final = frozenset({"object", "data", "model", "usage", "error"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak OpenAI's format of embeddings.

    The defaults are OpenAI's own API. Voyage, for one, is
    ``Dialect("voyage", dimensions="output_dimension", encoding_format=False)``.

    Args:
        provider: name of the provider, for errors.
        dimensions: name of the field for the length of the vectors; ``None`` where it has no such field.
        encoding_format: it takes ``encoding_format: "float"``; others send numbers where nothing is asked for.
    """

    provider: str = "openai"
    dimensions: str | None = "dimensions"
    encoding_format: bool = True


WIRE: Final = "openai_embeddings"
"""The name of this format."""

DEFAULT: Final = Dialect()
"""OpenAI's own API; meant wherever no dialect is given."""


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render an embeddings call. Vectors are asked for as lists of numbers, unless ``call.extra`` says otherwise.

    Args:
        call: the call.
        model: the model to ask for.
        dialect: how the server differs.
        strict: what becomes of the things that the server cannot be told; see `Losses`.

    Raises:
        NoCapableTarget: the format cannot express something that must not be lost.
    """
    losses = Losses(call, WIRE, strict)
    extra = losses.own(call.extra, call.wire)
    if not call.inputs and not losses.knows(call.wire):
        losses.content("inputs that are no texts")
    body: dict[str, Any] = {"model": model, "input": list(call.inputs)}
    if dialect.encoding_format:
        body["encoding_format"] = "float"
    if call.dimensions is not None:
        if dialect.dimensions is None:
            losses.content("the length of the vectors")
        else:
            body[dialect.dimensions] = call.dimensions
    body.update(extra)
    return body


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:
    """Read a request.

    Inputs that are tokens or images (Jina) instead of texts stay in ``Call.extra``, and so does an ``encoding_format``
    other than ``float``.

    Args:
        body: the decoded JSON.
        dialect: how the server differs to which such requests go.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    length = dialect.dimensions
    extra = rest(body, {"model", "input", length or "model"})
    given = body.get("input")
    inputs = (given,) if isinstance(given, str) else tuple(checked(given, list, "input"))
    if inputs and (all(isinstance(one, (int, list)) for one in inputs) or any(isinstance(one, dict) for one in inputs)):
        extra["input"], inputs = given, ()
    if extra.get("encoding_format") == "float":
        del extra["encoding_format"]
    return Call(
        operation="embeddings",
        model=optional(body, "model", str) or "",
        inputs=tuple(checked(text, str, f"input[{at}]") for at, text in enumerate(inputs)),
        dimensions=None if length is None else optional(body, length, int),
        extra=extra,
        wire=WIRE,
    )


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read an answer; vectors may be lists of numbers or base64 of little-endian 32-bit floats.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no list of embeddings, or one of them is missing.
        ProviderError: it is an error, under status 200.
    """
    try:
        body = checked_answer(body, classify, dialect.provider, model)
        vectors = _parse_vectors(checked(body.get("data"), list, "data"))
        name = optional(body, "model", str) or None
    except ConfigError as error:
        raise wrong_answer("a list of embeddings", error, dialect.provider, model) from None
    extra = rest(body, _TOP)
    if left := usage_rest(body.get("usage")):
        extra["usage"] = left
    return [Chunk(vectors=vectors, usage=read_usage(body.get("usage")), model=name, extra=extra or None, wire=WIRE)]


def read_usage(data: Any) -> Usage | None:
    """Read the token counts of an answer without output; some servers tell only the total."""
    usage = parse_usage(data, has_output=False)
    if usage is None and isinstance(data, dict):
        return parse_usage({"prompt_tokens": data.get("total_tokens")}, has_output=False)
    return usage


def _parse_vectors(items: Sequence[Any]) -> tuple[tuple[float, ...], ...]:
    """Put the vectors in the order of their ``index``; without one they count as they stand."""
    vectors: dict[int, tuple[float, ...]] = {}
    for at, item in enumerate(items):
        index = optional(checked(item, dict, f"data[{at}]"), "index", int)
        vectors[at if index is None else index] = read_vector(item.get("embedding"), f"data[{at}].embedding")
    if sorted(vectors) != list(range(len(items))):
        raise ConfigError("the indexes in data are not those of a whole list")
    return tuple(vectors[index] for index in range(len(items)))


def render_response(
    chunks: Sequence[Chunk], *, model: str = "", encoding: Literal["float", "base64"] = "float"
) -> dict[str, Any]:
    """Render an answer. Usage that is not known stays out, although the format asks for it: unknown is not zero.

    Args:
        chunks: all its chunks.
        model: the model, where the chunks name none.
        encoding: how the client wants the vectors.
    """
    vectors = [vector for chunk in chunks for vector in chunk.vectors]
    rendered: dict[str, Any] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": at, "embedding": write_vector(vector, encoding)}
            for at, vector in enumerate(vectors)
        ],
        "model": model_of(chunks, model),
    }
    for chunk in chunks:
        extra = own_extra(chunk, WIRE)
        if chunk.usage is not None:
            rendered["usage"] = {
                "prompt_tokens": chunk.usage.input,
                "total_tokens": chunk.usage.total,
                **(extra.get("usage") or {}),
            }
        rendered.update(rest(extra, ("usage",)))
    return rendered
