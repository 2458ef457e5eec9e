"""The formats without streams: vectors, rankings and verdicts, as the SDKs' types and the documentation have them."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired

from google.genai import types
from openai.types import CreateEmbeddingResponse, EmbeddingCreateParams, ModerationCreateParams
from openai.types.moderation import Categories, CategoryScores
from openai.types.moderation_create_response import ModerationCreateResponse
from typing_extensions import TypedDict

from aigw import Usage
from contract.oracles.strict import Judge

INPUTS = ("It rains in Oslo.", "The sun shines in Rome.")
VECTORS = ((0.25, -1.5, 3.0), (1.0, 0.5, -0.125))
"""They have exact values in 32 bits."""
SCORES = ((1, 0.875), (0, 0.125))
TOKENS = 7


@dataclass(frozen=True)
class Small:
    """A format without streams.

    Args:
        check: raises if a request is none that the server takes.
        read: what a request says: its model, its inputs, and what else was asked for.
        answers: ways in which servers answer, by a name for each.
        usage: the tokens that the answers tell.
        key: where the key goes.
        model: the model that the answers name.
        found: the category that a verdict tells, and its score.
        alone: each input has a request of its own; an answer is a list of what is answered to each.
    """

    check: Callable[[Any], object]
    read: Callable[[Any], tuple[Any, ...]]
    answers: Mapping[str, Any]
    usage: Usage | None
    key: tuple[str, str] = ("authorization", "Bearer ")
    model: str | None = "contract-model-1"
    found: tuple[str, float] = ("violence", 0.99)
    alone: bool = False


def _embedding(index: int, vector: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": vector}


def _packed(vector: tuple[float, ...]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _openai_list(vectors: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": TOKENS, "total_tokens": TOKENS}
    return {"object": "list", "data": list(vectors), "model": "contract-model-1", "usage": usage}


_FLOATS = _openai_list(_embedding(at, list(vector)) for at, vector in enumerate(VECTORS))
CreateEmbeddingResponse.model_validate(_FLOATS)
_EMBEDDING_JUDGE = Judge(EmbeddingCreateParams)


def _check_embedding(body: Any) -> None:
    """Mistral and Voyage have a name of their own for the dimensions."""
    _EMBEDDING_JUDGE.check({name: value for name, value in body.items() if name != "output_dimension"})


def _read_embedding(body: Any) -> tuple[Any, ...]:
    return body["model"], tuple(body["input"]), body.get("dimensions") or body.get("output_dimension")


class _GoogleRequest(TypedDict):
    model: str
    content: dict[str, Any]
    outputDimensionality: NotRequired[int]


class _GoogleBatch(TypedDict):
    requests: list[_GoogleRequest]


class _Instance(TypedDict):
    content: str


class _Parameters(TypedDict):
    outputDimensionality: NotRequired[int]


class _Prediction(TypedDict):
    instances: list[_Instance]
    parameters: NotRequired[_Parameters]


class _CohereEmbed(TypedDict):
    model: str
    texts: list[str]
    input_type: Literal["search_document", "search_query", "classification", "clustering"]
    embedding_types: list[Literal["float", "base64", "int8", "uint8", "binary", "ubinary"]]
    output_dimension: NotRequired[int]


class _Rerank(TypedDict):
    model: str
    query: str
    documents: list[str]
    top_n: NotRequired[int]
    top_k: NotRequired[int]


class _Analysis(TypedDict):
    text: str


class _Text(TypedDict):
    text: str


class _Content(TypedDict):
    text: _Text


class _Guarded(TypedDict):
    source: Literal["INPUT", "OUTPUT"]
    content: list[_Content]


def _check_batch(body: Any) -> None:
    Judge(_GoogleBatch).check(body)
    for request in body["requests"]:
        types.Content.model_validate(request["content"])


def _read_batch(body: Any) -> tuple[Any, ...]:
    (model,) = {request["model"].removeprefix("models/") for request in body["requests"]}
    (size,) = {request.get("outputDimensionality") for request in body["requests"]}
    return model, tuple(request["content"]["parts"][0]["text"] for request in body["requests"]), size


def _read_prediction(body: Any) -> tuple[Any, ...]:
    size = body.get("parameters", {}).get("outputDimensionality")
    return None, tuple(instance["content"] for instance in body["instances"]), size


def _predicted(vector: tuple[float, ...], tokens: int) -> dict[str, Any]:
    return {"embeddings": {"values": list(vector), "statistics": {"token_count": tokens, "truncated": False}}}


def _read_rerank(body: Any) -> tuple[Any, ...]:
    return body["model"], body["query"], tuple(body["documents"]), body.get("top_n") or body.get("top_k")


def _ranked(field: str = "relevance_score", **more: Any) -> list[dict[str, Any]]:
    return [{"index": index, field: score, **more} for index, score in SCORES]


_META = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
_SPENT = {"total_tokens": TOKENS}


def _verdict(categories: Any, scores: Any, *, flagged: bool | None = None, **more: Any) -> dict[str, Any]:
    told = {} if flagged is None else {"flagged": flagged}
    return {**told, "categories": categories, "category_scores": scores, **more}


_NAMES = {field.alias or name for name, field in Categories.model_fields.items()}
_SCORES = {field.alias or name: 0.01 for name, field in CategoryScores.model_fields.items()}
_CALM = _verdict(dict.fromkeys(_NAMES, False), _SCORES, flagged=False, category_applied_input_types={})
_BAD = _verdict({**dict.fromkeys(_NAMES, False), "violence": True}, {**_SCORES, "violence": 0.99}, flagged=True)
_MODERATED = {"id": "modr-1", "model": "contract-model-1", "results": [_CALM, _BAD]}
ModerationCreateResponse.model_construct(**_MODERATED)
_MISTRAL = {
    "id": "modr-1",
    "model": "contract-model-1",
    "usage": {"prompt_tokens": TOKENS, "total_tokens": TOKENS, "completion_tokens": 0},
    "results": [
        _verdict({"violence": False, "pii": False}, {"violence": 0.01, "pii": 0.01}),
        _verdict({"violence": True, "pii": False}, {"violence": 0.99, "pii": 0.01}),
    ],
}


def _analysis(severity: int) -> dict[str, Any]:
    return {"blocklistsMatch": [], "categoriesAnalysis": [{"category": "Violence", "severity": severity}]}


def _assessment(action: str, *filters: dict[str, str]) -> dict[str, Any]:
    return {"action": action, "outputs": [], "assessments": [{"contentPolicy": {"filters": list(filters)}}]}


_VIOLENCE = {"type": "VIOLENCE", "confidence": "HIGH", "action": "BLOCKED"}

SMALL: Mapping[str, Small] = {
    "openai_embeddings": Small(
        _check_embedding,
        _read_embedding,
        {
            "floats": _FLOATS,
            "base64": _openai_list(_embedding(at, _packed(vector)) for at, vector in enumerate(VECTORS)),
            "out of order": _openai_list(_embedding(at, list(VECTORS[at])) for at in (1, 0)),
        },
        Usage(TOKENS, 0),
    ),
    "gemini_embeddings": Small(
        _check_batch,
        _read_batch,
        {
            "values": {
                "embeddings": [{"values": list(vector)} for vector in VECTORS],
                "usageMetadata": {"promptTokenCount": TOKENS},
            }
        },
        Usage(TOKENS, 0),
        ("x-goog-api-key", ""),
        None,
    ),
    "vertex_embeddings": Small(
        Judge(_Prediction).check,
        _read_prediction,
        {"predictions": {"predictions": [_predicted(VECTORS[0], 3), _predicted(VECTORS[1], 4)]}},
        Usage(TOKENS, 0),
        model=None,
    ),
    "cohere_embeddings": Small(
        Judge(_CohereEmbed).check,
        lambda body: (body["model"], tuple(body["texts"]), body.get("output_dimension")),
        {
            "by type": {
                "id": "e-1",
                "embeddings": {"float": [list(vector) for vector in VECTORS]},
                "texts": list(INPUTS),
                "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": TOKENS}},
                "response_type": "embeddings_by_type",
            }
        },
        Usage(TOKENS, 0),
        model=None,
    ),
    "cohere_rerank": Small(
        Judge(_Rerank).check,
        _read_rerank,
        {"results": {"id": "r-1", "results": _ranked(), "meta": _META}},
        None,
        model=None,
    ),
    "jina_rerank": Small(
        Judge(_Rerank).check,
        _read_rerank,
        {
            "Jina": {"model": "contract-model-1", "usage": _SPENT, "results": _ranked()},
            "not sorted": {"model": "contract-model-1", "usage": _SPENT, "results": _ranked()[::-1]},
            "Together": {"object": "rerank", "model": "contract-model-1", "usage": _SPENT, "results": _ranked()},
            "older vLLM": {"id": "r-1", "model": "contract-model-1", "usage": _SPENT, "results": _ranked("score")},
        },
        Usage(TOKENS, 0),
    ),
    "voyage_rerank": Small(
        Judge(_Rerank).check,
        _read_rerank,
        {"data": {"object": "list", "model": "contract-model-1", "usage": _SPENT, "data": _ranked()}},
        Usage(TOKENS, 0),
    ),
    "openai_moderation": Small(
        Judge(ModerationCreateParams).check,
        lambda body: (body["model"], tuple(body["input"])),
        {"OpenAI": _MODERATED, "Mistral": _MISTRAL},
        None,
    ),
    "azure_content_safety": Small(
        Judge(_Analysis).check,
        lambda body: (None, (body["text"],)),
        {"severities": [_analysis(0), _analysis(6)]},
        None,
        ("ocp-apim-subscription-key", ""),
        model=None,
        found=("Violence", 6 / 7),
        alone=True,
    ),
    "bedrock_guardrail": Small(
        Judge(_Guarded).check,
        lambda body: (None, tuple(part["text"]["text"] for part in body["content"])),
        {"assessments": [_assessment("NONE"), _assessment("GUARDRAIL_INTERVENED", _VIOLENCE)]},
        None,
        model=None,
        found=("VIOLENCE", 1.0),
        alone=True,
    ),
}
"""By the names of the formats."""


def answers(wire: str, name: str) -> list[bytes]:
    """Write what is answered to the requests of a call."""
    small = SMALL[wire]
    written = small.answers[name]
    return [json.dumps(body).encode() for body in (written if small.alone else [written])]
