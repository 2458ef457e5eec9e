"""Gemini's generateContent, as the types of Google's SDK have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.genai import types
from pydantic import TypeAdapter

from aigw.errors import Overloaded, ProviderRateLimited, ServerError
from contract.oracles.gemini_failures import failures  # noqa: F401  (part of what an oracle has)
from contract.said import SIGNATURE, Called, Counts, Numbers, Request, Said, halves, sprinkled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "contract-model"
ID = "Xk0aaY7oNdKFvdIP1eSbqAk"
ANSWERS_AS = "contract-model-001"
KEY = ("x-goog-api-key", "")
RAW_ARGUMENTS = (False, False)
"""Whether arguments that are no JSON can come, whole and as a stream."""
STREAM_TYPE = "text/event-stream"
SEALED = frozenset({"args"})
STAND_IN = "skip_thought_signature_validator"
"""What Google documents in place of the signature of a call that another model made."""

FIELDS = {
    "contents": list[types.Content],
    "systemInstruction": types.Content,
    "tools": list[types.Tool],
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
}
"""What a body of ours may have, and the types of the SDK for it. They refuse unknown fields."""

ADAPTERS = {name: TypeAdapter(kind) for name, kind in FIELDS.items()}

FILTERS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"}
FILTERS |= {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
EFFORTS = {"MINIMAL": "none", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}


def check(body: Any, provider: str, *, streamed: bool) -> None:
    """Raise if a request is none that the server takes."""
    assert body.keys() <= FIELDS.keys(), f"unknown fields: {body.keys() - FIELDS.keys()}"
    for name, value in body.items():
        ADAPTERS[name].validate_python(value)
        assert "_" not in "".join(_names(value, name)), "the wire has its names in camelCase"
    roles = [content["role"] for content in body["contents"]]
    assert roles[0] == "user"
    assert all(content["parts"] for content in body["contents"])


def _names(value: Any, field: str) -> Iterator[str]:
    """Yield the names of the format's own fields; schemas, arguments and results belong to the application."""
    if field in {"args", "response", "responseJsonSchema", "parametersJsonSchema"}:
        return
    if isinstance(value, list):
        for item in value:
            yield from _names(item, field)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _names(item, name)


def read(body: Any, provider: str) -> Request:
    """Return what a body says."""
    request = Request([])
    for part in body.get("systemInstruction", {}).get("parts", ()):
        request.items.append(("system", part["text"]))
    numbers = Numbers()
    open_calls: list[tuple[str, int]] = []
    for content in body["contents"]:
        speaker = {"model": "assistant"}.get(content["role"], content["role"])
        for part in content["parts"]:
            request.items += _read_part(part, speaker, (numbers, open_calls), request)
    for tool in body.get("tools", ()):
        for function in tool["functionDeclarations"]:
            schema = function.get("parametersJsonSchema", {})
            request.tools[function["name"]] = (function.get("description", ""), schema)
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    modes = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
    request.choice = calling.get("allowedFunctionNames", [modes.get(calling.get("mode"))])[0]
    _read_config(body.get("generationConfig", {}), request)
    return request


def _read_config(config: Any, request: Request) -> None:
    names = {"temperature": "temperature", "topP": "top_p", "maxOutputTokens": "max_tokens", "seed": "seed"}
    names |= {"stopSequences": "stop", "candidateCount": "n"}
    request.settings = {ours: config[name] for name, ours in names.items() if name in config}
    if "thinkingConfig" in config:
        level = config["thinkingConfig"].get("thinkingLevel")
        request.settings["reasoning"] = EFFORTS.get(level, config["thinkingConfig"])
    if config.get("responseMimeType") == "application/json":
        request.schema = config["responseJsonSchema"]


def _read_part(part: Any, speaker: str, calls: Any, request: Request) -> Iterator[tuple[Any, ...]]:
    numbers, open_calls = calls
    kind = next(name for name in part if name not in {"thought", "thoughtSignature", "mediaResolution"})
    signature = part.get("thoughtSignature")
    if part.get("thought"):
        request.thoughts.append(("thought", part["text"]))
    if signature not in (None, STAND_IN):
        request.thoughts.append((kind, signature))
    if part.get("thought"):
        return
    if kind == "text" and part["text"]:
        yield speaker, part["text"]
    elif kind == "functionCall":
        call = part[kind]
        number = numbers.of_call(call.get("id"))
        open_calls.append((call["name"], number))
        yield "call", number, call["name"], call["args"]
    elif kind == "functionResponse":
        yield from _read_result(part[kind], calls, request)
    elif kind in {"inlineData", "fileData"}:
        media = part[kind]
        request.marks.add(part.get("mediaResolution", {}).get("level"))
        url = media.get("fileUri") or f"data:{media['mimeType']};base64,{media['data']}"
        yield "image" if media.get("mimeType", "").startswith("image/") else "file", url


def _read_result(result: Any, calls: Any, request: Request) -> Iterator[tuple[Any, ...]]:
    numbers, open_calls = calls
    if "id" in result:
        number = numbers.of_result(result["id"])
    else:
        number = next(number for name, number in open_calls if name == result["name"])
        open_calls.remove((result["name"], number))
    if "error" in result["response"]:
        request.failed.append(number)
    yield "result", number, next(iter(result["response"].values()), "")
    for part in result.get("parts", ()):
        yield "image", f"data:{part['inlineData']['mimeType']};base64,{part['inlineData']['data']}"


def thinks(provider: str) -> bool:
    """It shows summaries of its thoughts."""
    return True


def signs(provider: str) -> bool:
    """What goes back holds `SIGNATURE`."""
    return True


def back(said: Said, provider: str) -> list[Any]:
    """The thought goes back, and the signature on the part on which it came: the first call, or the text."""
    signed = ("functionCall" if said.calls else "text", SIGNATURE)
    return [signed] if said.hidden else [("thought", said.thought), signed]


def hides(provider: str) -> bool:
    """It shows no thoughts unless it is asked to, and signs all the same."""
    return True


def tells(provider: str) -> frozenset[str]:
    """It does not tell what was written to the cache."""
    return frozenset({"cached", "reasoning"})


def finishes(provider: str) -> Mapping[str, str]:
    """Every reason that the SDK knows: its own word, unless there is a common one."""
    own = {reason.value: reason.value for reason in types.FinishReason if "UNSPECIFIED" not in reason.value}
    return {**own, **dict.fromkeys(FILTERS, "content_filter"), "STOP": "stop", "MAX_TOKENS": "length"}


def whole(said: Said, provider: str) -> bytes:
    """Write a whole answer."""
    parts = [*_thought_parts([said.thought] if said.thought else []), *_parts(said, [said.text] if said.text else [])]
    return json.dumps(_event(said, parts, _reason(said), usage=True)).encode()


def events(said: Said, provider: str) -> list[bytes]:
    """Write a streamed answer, event by event; the tokens are told with each."""
    groups = [[part] for part in (*_thought_parts(halves(said.thought)), *_parts(said, said.pieces))] or [[]]
    bodies = [
        _event(said, parts, _reason(said) if at == len(groups) - 1 else None, usage=True, also=at == 0)
        for at, parts in enumerate(groups)
    ]
    if said.strange:
        bodies.insert(1, {"x_unheard_of": {"since": 2027}})
    return [as_event(json.dumps(body).encode()) for body in bodies]


def as_event(body: bytes) -> bytes:
    """Write a body as the event of a stream."""
    return b"data: " + body + b"\r\n\r\n"


def _reason(said: Said) -> str:
    return said.finish or "STOP"


def _thought_parts(texts: list[str]) -> list[dict[str, Any]]:
    return [{"text": text, "thought": True} for text in texts]


def _parts(said: Said, texts: list[str]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": text} for text in texts]
    parts += [_call(call) for call in said.calls]
    if said.thought or said.hidden:
        signed = next((part for part in parts if "functionCall" in part), parts[-1])
        signed["thoughtSignature"] = SIGNATURE
    if said.strange:
        parts.insert(0, {"xUnheardOf": {"since": 2027}})
    return parts


def _call(call: Called) -> dict[str, Any]:
    return {"functionCall": {"name": call.name, "args": json.loads(call.arguments or "{}")}}


def _event(said: Said, parts: Any, reason: str | None, *, usage: bool, also: bool = True) -> dict[str, Any]:
    content = {"role": "model", "parts": parts}
    first = {"content": content, "index": 0, **({"finishReason": reason} if reason else {})}
    others = [
        {"content": {"role": "model", "parts": [{"text": text}]}, "index": at, "finishReason": "STOP"}
        for at, text in enumerate(said.also if also else (), 1)
    ]
    body: dict[str, Any] = {
        "candidates": [first, *others],
        "modelVersion": ANSWERS_AS,
        "responseId": ID,
    }
    if usage and said.counts is not None:
        body["usageMetadata"] = _usage(said.counts)
    if not said.strange and (said.finish is None or said.finish in types.FinishReason.__members__):
        types.GenerateContentResponse.model_validate(body)
    return sprinkled(body, SEALED) if said.strange else body


def _usage(counts: Counts) -> dict[str, Any]:
    return {
        "promptTokenCount": counts.input,
        "candidatesTokenCount": counts.output - counts.reasoning,
        "totalTokenCount": counts.input + counts.output,
        "cachedContentTokenCount": counts.cached,
        "thoughtsTokenCount": counts.reasoning,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": counts.input}],
    }


def _late(code: int, message: str, status: str) -> bytes:
    return as_event(json.dumps({"error": {"code": code, "message": message, "status": status}}).encode())


LATE_FAILURES = {
    "overloaded": (_late(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"), Overloaded),
    "internal": (_late(500, "An internal error has occurred.", "INTERNAL"), ServerError),
    "too fast": (
        _late(429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"),
        ProviderRateLimited,
    ),
    "no event": (
        (
            b'{\n  "error": {\n    "code": 503,\n    "message": "The service is currently unavailable.",\n'
            b'    "status": "UNAVAILABLE"\n  }\n}\n'
        ),
        Overloaded,
    ),
}
"""Errors in the middle of a stream; the last one is JSON that is no event."""
