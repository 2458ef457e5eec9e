"""What comes out where it goes in: a format through itself loses nothing, and another is translated both ways."""

from __future__ import annotations

import json

import pytest

from aigw import Fallback, Gateway, Target
from aigw.wire import anthropic_messages, gemini, openai_chat, openai_responses
from dropin.wired import Wired, events

CHAT_REQUEST = {
    "model": "smart",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi", "novelty": {"a": 1}}, {"type": "hologram", "x": 1}],
        },
        {"role": "assistant", "content": "hello", "mood": "good"},
    ],
    "temperature": 0.5,
    "web_search_options": {"depth": 3},
    "metadata": {"k": "v"},
    "store": True,
}
CHAT_ANSWER = {
    "id": "chatcmpl-9",
    "object": "chat.completion",
    "created": 1,
    "model": "large",
    "service_tier": "flex",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "hi", "refusal": None, "annotations": [{"type": "new"}]},
            "novelty": 7,
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "odd_tokens": 4},
}
MESSAGES_REQUEST = {
    "model": "smart",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "hologram", "x": 1}]}],
    "container": "c_1",
    "top_k": 5,
}
MESSAGES_ANSWER = {
    "id": "msg_9",
    "type": "message",
    "role": "assistant",
    "model": "large",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
        {"type": "text", "text": "hi", "novelty": 1},
    ],
    "stop_reason": "pause_turn",
    "stop_sequence": None,
    "container": {"id": "c_1"},
    "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard"},
}
CONTENT_REQUEST = {
    "contents": [{"role": "user", "parts": [{"text": "hi"}, {"hologram": {"x": 1}}]}],
    "generationConfig": {"temperature": 0.5, "topK": 5},
    "safetySettings": [{"category": "C", "threshold": "T"}],
}
CONTENT_ANSWER = {
    "candidates": [
        {
            "index": 0,
            "finishReason": "STOP",
            "content": {"role": "model", "parts": [{"text": "hi", "thoughtSignature": "c2ln"}]},
            "groundingMetadata": {"q": 1},
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 1,
        "candidatesTokenCount": 2,
        "totalTokenCount": 3,
        "trafficType": "ON_DEMAND",
    },
    "modelVersion": "large",
    "responseId": "r9",
}
RESPONSES_REQUEST = {
    "model": "smart",
    "input": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "web_search", "depth": 3}],
    "previous_response_id": "resp_8",
    "prompt_cache_key": "k",
}
RESPONSES_ANSWER = {
    "id": "resp_9",
    "object": "response",
    "created_at": 1,
    "model": "large",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2ln"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "hi", "annotations": [{"type": "new"}], "logprobs": []}],
        },
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
SAME = {
    "openai_chat": ("openai", "/chat/completions", openai_chat, CHAT_REQUEST, CHAT_ANSWER),
    "openai_responses": ("openai", "/responses", openai_responses, RESPONSES_REQUEST, RESPONSES_ANSWER),
    "anthropic_messages": ("anthropic", "/v1/messages", anthropic_messages, MESSAGES_REQUEST, MESSAGES_ANSWER),
    "gemini": ("gemini", "/v1/models/smart:generateContent", gemini, CONTENT_REQUEST, CONTENT_ANSWER),
}


def _told(answer: dict[str, object]) -> dict[str, object]:
    """Leave out the time, which is ours, and what says nothing."""
    return {field: value for field, value in answer.items() if value is not None and "created" not in field}


@pytest.mark.parametrize("name", SAME)
def test_a_format_through_itself_loses_nothing(name):
    """Fields, parts and finish reasons that aigw does not model reach the target, and come back, as they are."""
    sdk, path, wire, request, answer = SAME[name]
    provider = Wired(wire, answer)
    gateway = Gateway({"smart": Target(provider, model="large")})
    with gateway.http_client(sdk) as client:
        got = client.post(path, json=request).json()
    sent = {field: value for field, value in provider.bodies[0].items() if field != "model"}

    assert sent == {field: value for field, value in request.items() if field != "model"}
    assert _told(got) == _told(answer)


def test_a_stream_through_itself_loses_nothing():
    """So it is with the events of a stream: Anthropic's, which have blocks that aigw does not model."""
    start = {**MESSAGES_ANSWER, "content": [], "stop_reason": None}
    body = events(
        {"type": "message_start", "message": start},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "hologram", "x": 1}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "pause_turn", "stop_sequence": None},
            "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard"},
        },
        {"type": "message_stop"},
        named=True,
    )
    gateway = Gateway({"smart": Target(Wired(anthropic_messages, body), model="large")})
    with gateway.http_client("anthropic") as client:
        got = client.post("/v1/messages", json={**MESSAGES_REQUEST, "stream": True}).content

    assert _data(got) == _data(body)


def _data(stream: bytes) -> list[object]:
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]


ANSWERS = {
    openai_chat: CHAT_ANSWER,
    openai_responses: RESPONSES_ANSWER,
    anthropic_messages: {**MESSAGES_ANSWER, "stop_reason": "end_turn"},
    gemini: CONTENT_ANSWER,
}


@pytest.mark.parametrize("wire", ANSWERS, ids=lambda wire: wire.WIRE)
def test_every_sdk_reads_every_target(side, wire):
    """What a target of any format says, each SDK reads in its own."""
    answers = [ANSWERS[wire]] * 4
    gateway = Gateway({"smart": Target(Wired(wire, *answers), model="large")})
    asked = [{"role": "user", "content": "hi"}]
    chat = side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=asked))
    response = side.wait(side.openai(gateway).responses.create(model="smart", input="hi"))
    message = side.wait(side.anthropic(gateway).messages.create(model="smart", max_tokens=9, messages=asked))
    content = side.wait(side.gemini(gateway).models.generate_content(model="smart", contents="hi"))

    assert chat.choices[0].message.content == "hi"
    assert response.output_text == "hi"
    assert [block.text for block in message.content if block.type == "text"] == ["hi"]
    assert content.text == "hi"
    assert [
        chat.usage.completion_tokens,
        response.usage.output_tokens,
        message.usage.output_tokens,
        content.usage_metadata.candidates_token_count,
    ] == [2, 2, 2, 2]


def test_a_tool_crosses(side):
    """OpenAI's SDK calls a tool of a model that speaks Anthropic's format, and tells it the result."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
    first = {**MESSAGES_ANSWER, "content": [use], "stop_reason": "tool_use"}
    provider = Wired(anthropic_messages, first, {**MESSAGES_ANSWER, "stop_reason": "end_turn"}, name="anthropic")
    gateway = Gateway({"smart": Target(provider, model="large")})
    client = side.openai(gateway)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    talk = [{"role": "user", "content": "Rain?"}]
    asked = side.wait(client.chat.completions.create(model="smart", messages=talk, tools=[tool]))
    called = asked.choices[0].message.tool_calls[0]
    talk += [asked.choices[0].message, {"role": "tool", "tool_call_id": called.id, "content": "rain"}]
    side.wait(client.chat.completions.create(model="smart", messages=talk, tools=[tool]))

    assert asked.choices[0].finish_reason == "tool_calls"
    assert json.loads(called.function.arguments) == {"city": "Oslo"}
    assert provider.bodies[1]["messages"][1]["content"] == [use]
    assert provider.bodies[1]["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}
    ]


def test_signatures_stay_with_their_provider():
    """A signature comes back to the provider of its route; behind several providers it counts as the SDK's own."""
    block = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    talk = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [block]},
        MESSAGES_REQUEST["messages"][0],
    ]
    ours = Wired(anthropic_messages, MESSAGES_ANSWER, name="ours")
    east, west = (Wired(anthropic_messages, MESSAGES_ANSWER, name=name) for name in ("anthropic", "west"))
    pool = Fallback(Target(east, model="large"), Target(west, model="large"))
    gateway = Gateway({"ours": Target(ours, model="large"), "pool": pool})
    with gateway.http_client("anthropic") as client:
        for model in ("ours", "pool"):
            client.post("/v1/messages", json={"model": model, "max_tokens": 9, "messages": talk}).raise_for_status()

    assert ours.bodies[0]["messages"][1]["content"] == [block]
    assert east.bodies[0]["messages"][1]["content"] == [block]
