"""The formats of reranking, in both directions: Cohere's, and those that grew out of it.

=================  ==============================  ====================================================
format             servers                         what is different
=================  ==============================  ====================================================
``cohere_rerank``  Cohere (``/v2/rerank``)         counts stand in ``meta``
``jina_rerank``    Jina, Together, vLLM,           counts stand in ``usage``; documents may be repeated
                   OpenRouter, llama.cpp
``voyage_rerank``  Voyage                          ``top_k`` and ``data``; repeated documents are texts
=================  ==============================  ====================================================

All of them are read alike. An answer is one `Chunk` with the documents in the order of their scores. Unknown fields of
its results are kept in ``Chunk.extra["results"]``, each with the ``index`` of its document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from aigw.call import Call
from aigw.chunk import Chunk, Ranked, Usage
from aigw.errors import ConfigError
from aigw.wire import usage as openai_usage
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.cohere_chat import usage as cohere_usage
from aigw.wire.fields import checked, checked_request, merge, optional, required, rest
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.errors import classify
from aigw.wire.whole import id_of, last_usage, model_of, own_extras

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOP: Final = frozenset({"id", "object", "model", "results", "data", "usage", "meta", "error"})
_RESULT: Final = frozenset({"index", "relevance_score", "score", "document", "object"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that rerank documents.

    The defaults are Cohere's own API.

    Args:
        provider: name of the provider, for errors.
        wire: name of the format.
        top_n: name of the field for how many documents to return.
        results: name of the list of results.
        counts: where the answer counts its tokens.
        document: how an answer repeats a document: ``object`` is ``{"text": …}``.
    """

    provider: str = "cohere"
    wire: str = "cohere_rerank"
    top_n: str = "top_n"
    results: str = "results"
    counts: Literal["meta", "usage"] = "meta"
    document: Literal["object", "text"] = "object"


COHERE: Final = Dialect()
"""Cohere's own API."""

DEFAULT: Final = COHERE
"""Meant wherever no dialect is given."""

JINA: Final = Dialect("jina", "jina_rerank", counts="usage")
"""Jina's API, which most other servers speak."""

VOYAGE: Final = Dialect("voyage", "voyage_rerank", top_n="top_k", results="data", counts="usage", document="text")
"""Voyage's API."""


def render_request(call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None) -> dict[str, Any]:
    """Render a rerank call; ``call.extra`` goes over the rest.

    Args:
        call: the call.
        model: the model to ask for.
        dialect: how the server differs.
        strict: what becomes of the things that the server cannot be told; see `Losses`.

    Raises:
        NoCapableTarget: the format cannot express something that must not be lost.
    """
    losses = Losses(call, dialect.wire, strict)
    extra = losses.own(call.extra, call.wire)
    if not call.inputs and not losses.knows(call.wire):
        losses.content("documents that are no texts")
    body: dict[str, Any] = {"model": model, "query": call.query, "documents": list(call.inputs)}
    if call.top_n is not None:
        body[dialect.top_n] = call.top_n
    body.update(extra)
    return body


def parse_request(body: Mapping[str, Any], dialect: Dialect = DEFAULT) -> Call:
    """Read a request. A query or documents that are objects instead of texts stay in ``Call.extra``.

    Args:
        body: the decoded JSON.
        dialect: how the server differs to which such requests go.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    checked_request(body)
    extra = rest(body, {"model", "query", "documents", dialect.top_n})
    query = body.get("query")
    if isinstance(query, dict):
        extra["query"], query = query, ""
    documents = required(body, "documents", list)
    if any(isinstance(document, dict) for document in documents):
        extra["documents"], documents = documents, []
    return Call(
        operation="rerank",
        model=optional(body, "model", str) or "",
        query=checked(query, str, "query"),
        inputs=tuple(checked(text, str, f"documents[{at}]") for at, text in enumerate(documents)),
        top_n=optional(body, dialect.top_n, int),
        extra=extra,
        wire=dialect.wire,
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
        extra = rest(body, _TOP)
        ranking = _take_ranking(body, extra)
        identity, name = optional(body, "id", str) or None, optional(body, "model", str) or None
    except ConfigError as error:
        raise wrong_answer("a list of ranked documents", error, dialect.provider, model) from None
    for field, left in (("usage", openai_usage.usage_rest), ("meta", cohere_usage.usage_rest)):
        if unknown := left(body.get(field)):
            extra[field] = unknown
    usage = _parse_usage(body)
    return [Chunk(ranking=ranking, usage=usage, id=identity, model=name, extra=extra or None, wire=dialect.wire)]


def _take_ranking(body: Mapping[str, Any], extra: dict[str, Any]) -> tuple[Ranked, ...]:
    name = "data" if body.get("results") is None and "data" in body else "results"
    ranking: list[Ranked] = []
    unknown: list[dict[str, Any]] = []
    for at, item in enumerate(checked(body.get(name), list, name)):
        where = f"{name}[{at}]"
        index = required(checked(item, dict, where), "index", int, where)
        field = "score" if item.get("relevance_score") is None and "score" in item else "relevance_score"
        left = rest(item, _RESULT)
        ranking.append(Ranked(index, float(required(item, field, float, where)), _take_document(item, left)))
        if left:
            unknown.append({"index": index, **left})
    if unknown:
        extra["results"] = unknown
    return tuple(sorted(ranking, key=lambda ranked: -ranked.score))  # not every server sorts them


def _take_document(item: Mapping[str, Any], left: dict[str, Any]) -> str | None:
    """Return the text of a document; all else of it goes to the unknown fields."""
    document = item.get("document")
    if document is None or isinstance(document, str):
        return document
    text = document.get("text") if isinstance(document, dict) else None
    if not isinstance(text, str):
        left["document"] = document
        return None
    if unknown := rest(document, ("text",)):
        left["document"] = unknown
    return text


def _parse_usage(body: Mapping[str, Any]) -> Usage | None:
    counts = body.get("usage")
    if isinstance(counts, dict) and counts.get("prompt_tokens") is None:  # some servers tell only the total
        counts = {**counts, "prompt_tokens": counts.get("total_tokens")}
    told = openai_usage.parse_usage(counts, has_output=False)
    return told or cohere_usage.parse_usage(body.get("meta"), has_output=False)


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
    extra = own_extras(chunks, dialect.wire)
    unknown = {item["index"]: rest(item, ("index",)) for item in extra.get("results") or ()}
    rendered: dict[str, Any] = {
        dialect.results: [
            merge(_render_result(ranked, dialect), unknown.get(ranked.index) or {})
            for chunk in chunks
            for ranked in chunk.ranking
        ]
    }
    if identity := id_of(chunks, id):
        rendered["id"] = identity
    if name := model_of(chunks, model):
        rendered["model"] = name
    usage = last_usage(chunks)
    if counts := _render_counts(usage, extra.get(dialect.counts), dialect):
        rendered[dialect.counts] = counts
    rendered.update(rest(extra, ("results", dialect.counts)))
    return rendered


def _render_result(ranked: Ranked, dialect: Dialect) -> dict[str, Any]:
    rendered: dict[str, Any] = {"index": ranked.index, "relevance_score": ranked.score}
    if ranked.document is not None:
        rendered["document"] = ranked.document if dialect.document == "text" else {"text": ranked.document}
    return rendered


def _render_counts(usage: Usage | None, unknown: Any, dialect: Dialect) -> dict[str, Any]:
    known: Mapping[str, Any] = unknown or {}
    if usage is None:
        return dict(known)
    if dialect.counts == "meta":
        return cohere_usage.render_usage(usage, known, has_output=False)
    return merge({"prompt_tokens": usage.input, "total_tokens": usage.total}, known)
