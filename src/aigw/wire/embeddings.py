"""The format of OpenAI embeddings, in both directions.

An answer is one `Chunk` with all vectors in the order of the inputs.
"""

from __future__ import annotations

import struct
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic_core import to_json

from aigw.call import Call
from aigw.chunk import Chunk
from aigw.errors import BadResponse, ConfigError
from aigw.wire.fields import checked, optional, rest
from aigw.wire.openai_errors import classify
from aigw.wire.usage import parse_usage, usage_rest

if TYPE_CHECKING:
    from collections.abc import Sequence

_REQUEST: Final = frozenset({"model", "input", "dimensions"})
_TOP: Final = frozenset({"object", "data", "model", "usage", "error"})
_FLOAT_SIZE: Final = 4


def render_request(call: Call, model: str) -> dict[str, Any]:
    """Render an embeddings call. Vectors are asked for as lists of numbers, unless ``call.extra`` says otherwise."""
    body: dict[str, Any] = {"model": model, "input": list(call.inputs), "encoding_format": "float"}
    if call.dimensions is not None:
        body["dimensions"] = call.dimensions
    body.update(call.extra)
    return body


def parse_request(body: Mapping[str, Any]) -> Call:
    """Read a request.

    Inputs that are tokens instead of texts stay in ``Call.extra``, and so does an ``encoding_format`` other than
    ``float``.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    if not isinstance(body, Mapping):
        raise ConfigError(f"the request must be an object, not {type(body).__name__}")
    extra = rest(body, _REQUEST)
    given = body.get("input")
    inputs = (given,) if isinstance(given, str) else tuple(checked(given, list, "input"))
    if inputs and all(isinstance(item, (int, list)) for item in inputs):
        extra["input"], inputs = given, ()
    if extra.get("encoding_format") == "float":
        del extra["encoding_format"]
    return Call(
        operation="embeddings",
        model=optional(body, "model", str) or "",
        inputs=tuple(checked(text, str, f"input[{at}]") for at, text in enumerate(inputs)),
        dimensions=optional(body, "dimensions", int),
        extra=extra,
    )


def parse_response(body: Mapping[str, Any], provider: str = "openai", model: str = "") -> list[Chunk]:
    """Read an answer; vectors may be lists of numbers or base64 of little-endian 32-bit floats.

    Args:
        body: the decoded JSON.
        provider: name of the provider, for errors.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no list of embeddings, or one of them is missing.
        ProviderError: it is an error, under status 200.
    """
    try:
        if checked(body, dict, "it").get("error"):
            raise classify(200, {}, to_json(body), provider=provider, model=model)
        vectors = _parse_vectors(checked(body.get("data"), list, "data"))
        name = optional(body, "model", str) or None
    except ConfigError as error:  # the checks of requests serve here too, but a wrong answer is the provider's fault
        raise BadResponse(f"the answer is not a list of embeddings: {error}", provider=provider, model=model) from None
    extra = rest(body, _TOP)
    if left := usage_rest(body.get("usage")):
        extra["usage"] = left
    return [
        Chunk(vectors=vectors, usage=parse_usage(body.get("usage"), has_output=False), model=name, extra=extra or None)
    ]


def _parse_vectors(items: Sequence[Any]) -> tuple[tuple[float, ...], ...]:
    """Put the vectors in the order of their ``index``; without one they count as they stand."""
    vectors: dict[int, tuple[float, ...]] = {}
    for at, item in enumerate(items):
        index = optional(checked(item, dict, f"data[{at}]"), "index", int)
        vectors[at if index is None else index] = _parse_vector(item.get("embedding"), f"data[{at}].embedding")
    if sorted(vectors) != list(range(len(items))):
        raise ConfigError("the indexes in data are not those of a whole list")
    return tuple(vectors[index] for index in range(len(items)))


def _parse_vector(data: Any, path: str) -> tuple[float, ...]:
    try:
        if isinstance(data, str):
            raw = a2b_base64(data, strict_mode=True)
            return struct.unpack(f"<{len(raw) // _FLOAT_SIZE}f", raw)
        return tuple(map(float, checked(data, list, path)))
    except (Base64Error, struct.error, TypeError, ValueError, OverflowError):
        raise ConfigError(f"{path} is neither numbers nor base64 of 32-bit floats") from None


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
            {"object": "embedding", "index": at, "embedding": _render_vector(vector, encoding)}
            for at, vector in enumerate(vectors)
        ],
        "model": next((chunk.model for chunk in chunks if chunk.model), model),
    }
    for chunk in chunks:
        if chunk.usage is not None:
            rendered["usage"] = {
                "prompt_tokens": chunk.usage.input,
                "total_tokens": chunk.usage.total,
                **((chunk.extra or {}).get("usage") or {}),
            }
        rendered.update(rest(chunk.extra or {}, ("usage",)))
    return rendered


def _render_vector(vector: Sequence[float], encoding: str) -> list[float] | str:
    if encoding == "base64":
        return b2a_base64(struct.pack(f"<{len(vector)}f", *vector), newline=False).decode()
    return list(vector)
