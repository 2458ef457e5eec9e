"""The format of Cohere's embeddings (``/v2/embed``), in both directions.

An answer may have the same vectors in several types. Those of ``float`` are taken if there are any, else those of
``base64``, else the numbers of whichever type comes first (packed vectors are not unpacked). Which type was taken
stands in ``Chunk.extra["embedding_type"]`` unless it was ``float``, the other types in
``Chunk.extra["embeddings"]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.call import Call
from aigw.chunk import Chunk
from aigw.errors import ConfigError
from aigw.wire.answers import wrong_answer
from aigw.wire.cohere_chat.errors import classify
from aigw.wire.cohere_chat.usage import parse_usage, render_usage, usage_rest
from aigw.wire.embeddings.vectors import read_vector, write_vector
from aigw.wire.fields import checked, checked_request, optional, rest
from aigw.wire.losses import Losses
from aigw.wire.whole import id_of, last_usage, own_extras

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REQUEST: Final = frozenset({"model", "texts", "output_dimension"})
_TOP: Final = frozenset({"id", "embeddings", "meta", "response_type"})
_TYPE: Final = "embedding_type"
_FLOAT: Final = "float"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak Cohere's format of embeddings.

    Args:
        provider: name of the provider, for errors.
        input_type: what the vectors are for, where ``call.extra`` does not tell: the server insists on it.
    """

    provider: str = "cohere"
    input_type: str = "search_document"


WIRE: Final = "cohere_embeddings"
"""The name of this format."""

DEFAULT: Final = Dialect()
"""Cohere's own API; meant wherever no dialect is given."""


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render an embeddings call.

    ``call.extra`` goes over the rest: queries for a search, say, are embedded with
    ``extra={"input_type": "search_query"}``.

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
    body: dict[str, Any] = {"model": model}
    if call.inputs or not extra.keys() & {"images", "inputs"}:
        body["texts"] = list(call.inputs)
    if call.wire != WIRE:
        body["input_type"] = dialect.input_type
        body["embedding_types"] = [_FLOAT]
    if call.dimensions is not None:
        body["output_dimension"] = call.dimensions
    body.update(extra)
    return body


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:  # noqa: ARG001  (every format has it)
    """Read a request. Images, and inputs that mix them with texts, stay in ``Call.extra``.

    Args:
        body: the decoded JSON.
        dialect: not used: all servers read the same requests.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    return Call(
        operation="embeddings",
        model=optional(body, "model", str) or "",
        inputs=tuple(checked(text, str, f"texts[{at}]") for at, text in enumerate(optional(body, "texts", list) or ())),
        dimensions=optional(body, "output_dimension", int),
        extra=rest(body, _REQUEST),
        wire=WIRE,
    )


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read an answer.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it has no embeddings.
        ProviderError: it is an error, under status 200.
    """
    try:
        if "embeddings" not in checked(body, dict, "it") and isinstance(body.get("message"), str):
            raise classify(200, {}, to_json(body), provider=dialect.provider, model=model)
        extra = rest(body, _TOP)
        vectors = _take_vectors(body.get("embeddings"), extra)
        identity = optional(body, "id", str) or None
    except ConfigError as error:
        raise wrong_answer("a list of embeddings", error, dialect.provider, model) from None
    meta = body.get("meta")
    if left := usage_rest(meta):
        extra["meta"] = left
    usage = parse_usage(meta, has_output=False)
    return [Chunk(vectors=vectors, usage=usage, id=identity, extra=extra or None, wire=WIRE)]


def _take_vectors(given: Any, extra: dict[str, Any]) -> tuple[tuple[float, ...], ...]:
    if isinstance(given, list):  # the answer of version 1 of the API
        given = {_FLOAT: given}
    types = rest(checked(given, dict, "embeddings"), ())
    if not types:
        raise ConfigError("embeddings holds none")
    kind = next((name for name in (_FLOAT, "base64") if name in types), next(iter(types)))
    where = f"embeddings.{kind}"
    vectors = checked(types.pop(kind), list, where)
    if kind != _FLOAT:
        extra[_TYPE] = kind
    if types:
        extra["embeddings"] = types
    return tuple(read_vector(vector, f"{where}[{at}]") for at, vector in enumerate(vectors))


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    types: Sequence[str] = (_FLOAT,),
) -> dict[str, Any]:
    """Render an answer.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        types: the ``embedding_types`` that the client asked for. Of those that the chunks do not have, only ``float``
            and ``base64`` can be made; the others are left out.
    """
    vectors = [vector for chunk in chunks for vector in chunk.vectors]
    extra = own_extras(chunks, WIRE)
    kind = extra.get(_TYPE)
    wanted = {kind} if kind else {name for name in types if name in (_FLOAT, "base64")} or {_FLOAT}
    embeddings: dict[str, Any] = {name: [_written(vector, name) for vector in vectors] for name in sorted(wanted)}
    rendered: dict[str, Any] = {
        "id": id_of(chunks, id),
        "response_type": "embeddings_by_type",
        "embeddings": {**embeddings, **(extra.get("embeddings") or {})},
        **rest(extra, ("embeddings", "meta", _TYPE)),
    }
    usage = last_usage(chunks)
    if usage is not None:
        rendered["meta"] = render_usage(usage, extra.get("meta"), has_output=False)
    elif extra.get("meta"):
        rendered["meta"] = extra["meta"]
    return rendered


def _written(vector: Sequence[float], kind: str) -> list[float] | list[int] | str:
    if kind in (_FLOAT, "base64"):
        return write_vector(vector, kind)
    return [int(number) for number in vector]
