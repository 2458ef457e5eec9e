"""Hypothesis strategies for OpenAI Responses: calls as aigw has them, and answers as a server writes them."""

from __future__ import annotations

from hypothesis import strategies as st

from aigw.call import Call, Schema
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.openai_responses import WIRE
from strategies import counts, names, schemas, some_unknown_fields, texts, unknown_fields

words = st.text(min_size=1, max_size=12)
ids = names.map("id_{}".format)
web_items = st.builds(
    lambda identity, fields: {
        "type": "web_search_call",
        "id": identity,
        "status": "completed",
        "action": {"type": "search", "query": "q"},
        **fields,
    },
    ids,
    unknown_fields,
)
"""Items that aigw does not model."""


def _described(strategy: st.SearchStrategy, **fields: st.SearchStrategy) -> st.SearchStrategy[dict]:
    some = st.fixed_dictionaries({}, optional=fields)
    return st.builds(lambda more, unknown: {**more, **unknown}, some, strategy)


# Requests.

text_parts = st.builds(Text, texts, unknown_fields)
image_parts = st.builds(Image, words, st.none() | st.sampled_from(["low", "high", "original"]), unknown_fields)
urls = st.none() | texts.map("data:,{}".format) | texts.map("https://x/{}".format)
file_parts = st.builds(File, urls, st.none() | texts, st.none() | texts, unknown_fields)
other_parts = st.sampled_from([{"type": "input_audio", "input_audio": {}}, {"type": "input_image", "file_id": "f"}])


def _spoken(parts: tuple) -> tuple:
    return () if parts == (Text(""),) else parts  # renders as empty content, which is read back as no parts


user_messages = st.builds(
    Message,
    st.sampled_from(["system", "developer", "user"]),
    st.lists(text_parts | image_parts | file_parts | st.builds(Other, other_parts), max_size=3).map(tuple).map(_spoken),
    extra=_described(unknown_fields, id=ids, status=st.just("completed")),
    wire=st.just(WIRE),
)
lists = st.fixed_dictionaries(
    {},
    optional={name: st.lists(some_unknown_fields, min_size=1, max_size=2) for name in ("annotations", "logprobs")},
)
content_extras = st.builds(lambda some, unknown: {**some, **unknown}, lists, unknown_fields)
message_fields = _described(
    unknown_fields, id=ids, phase=st.sampled_from(["commentary", "final_answer"]), status=st.just("incomplete")
)


@st.composite
def said_texts(draw: st.DrawFn) -> tuple[Text, ...]:
    """Texts of one message of the model."""
    fields = draw(message_fields)
    first = {"pieces": [{"type": "message", **fields}]} if fields else {}
    more = draw(st.integers(0, 1))
    begins = [first, *[{"pieces": [{"type": "output_text"}]}] * more]
    return tuple(Text(draw(words), {**begin, **draw(content_extras)}) for begin in begins)


@st.composite
def reasonings(draw: st.DrawFn) -> tuple[Reasoning, ...]:
    """Reasoning with any number of summaries and readable pieces."""
    kinds = ["summary_text"] * draw(st.integers(0, 2)) + ["reasoning_text"] * draw(st.integers(0, 2))
    text, records = "", []
    for position, kind in enumerate(kinds):
        fields = draw(unknown_fields)
        if position or kind != "summary_text" or fields:
            records.append({"type": kind, **({"at": len(text)} if text else {}), **fields})
        text += ("\n\n" if position else "") + draw(words)
    extra = {**draw(_described(unknown_fields, id=ids)), **({"pieces": records} if records else {})}
    return (Reasoning(text, draw(st.none() | texts), "openai", extra),)


call_extras = _described(unknown_fields, id=ids, namespace=names, status=st.just("incomplete"))
tool_calls = st.builds(ToolCall, names, names, st.just("{}") | texts.filter(bool), call_extras) | st.builds(
    lambda identity, name, text: ToolCall(identity, name, text, {"type": "custom_tool_call"}),
    names.map("c{}".format),  # ids of their own: how a result is written depends on whose it is
    names,
    texts,
)
said_parts = (
    said_texts()
    | reasonings()
    | tool_calls.map(lambda call: (call,))
    | web_items.map(lambda item: (Other(item),))
    | st.just((Other({"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}),))
    | st.just((Other({"id": "msg_1"}),))
)
assistant_messages = st.lists(said_parts, min_size=1, max_size=3).map(
    lambda groups: Message("assistant", [part for group in groups for part in group], wire=WIRE)
)
results = st.builds(
    ToolResult,
    id=names,
    content=texts | st.lists(text_parts | image_parts, max_size=2).map(tuple),
    name=st.none() | names,
    extra=_described(unknown_fields, id=ids, type=st.just("custom_tool_call_output")),
)
tool_messages = st.lists(results, min_size=1, max_size=2).map(lambda parts: Message("tool", parts, wire=WIRE))
instructions = texts.map(lambda text: Message("system", [Text(text)], extra={"instructions": True}, wire=WIRE))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """Messages as they are read: turns of the model, and results of tools, are never split in two."""
    messages: list[Message] = draw(st.lists(instructions, max_size=1))
    for message in draw(st.lists(user_messages | assistant_messages | tool_messages, max_size=4)):
        if not messages or message.role not in ("assistant", "tool") or messages[-1].role != message.role:
            messages.append(message)
    return tuple(messages)


tools = st.builds(Tool, names, texts, schemas, st.none() | st.booleans(), unknown_fields) | st.builds(
    lambda name, fields: Tool(name, extra={"type": "custom", "name": name, **fields}), names, unknown_fields
)
call_extra = _described(
    unknown_fields,
    store=st.booleans(),
    previous_response_id=ids,
    include=st.just(["message.output_text.logprobs"]),
    text=st.just({"verbosity": "low"}),
    reasoning=st.just({"summary": "auto"}),
)
chat_calls = st.builds(
    Call,
    model=names,
    messages=conversations(),
    tools=st.lists(tools, max_size=2).map(tuple),
    tool_choice=st.none() | st.sampled_from(["auto", "none", "required", "f"]),
    parallel_tool_calls=st.none() | st.booleans(),
    schema=st.none() | st.builds(Schema, schemas, names, st.none() | st.booleans()),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | counts,
    reasoning=st.none() | st.sampled_from(["none", "low", "high", "xhigh"]),
    extra=call_extra,
    wire=st.just(WIRE),
    stream=st.booleans(),
)
"""Calls that were read from this format."""

# Answers, as a server writes them.

annotations = st.lists(
    st.fixed_dictionaries({"type": st.just("file_path"), "file_id": names, "index": counts}), max_size=2
)
logprobs = st.lists(
    st.fixed_dictionaries(
        {"token": texts, "bytes": st.just([1]), "logprob": st.floats(-9, 0), "top_logprobs": st.just([])}
    ),
    max_size=2,
)
text_contents = st.builds(
    lambda text, cited, likely, fields: {
        "type": "output_text",
        "text": text,
        "annotations": cited,
        "logprobs": likely,
        **fields,
    },
    words,
    annotations,
    logprobs,
    unknown_fields,
)
refusals = st.builds(lambda text: {"type": "refusal", "refusal": text}, words)
message_items = st.builds(
    lambda identity, contents, phase, fields: {
        "type": "message",
        "role": "assistant",
        "id": identity,
        "status": "completed",
        "content": contents,
        **phase,
        **fields,
    },
    ids,
    st.lists(text_contents | refusals, min_size=1, max_size=3).filter(
        lambda contents: sum(part["type"] == "refusal" for part in contents) < 2
    ),
    st.fixed_dictionaries({}, optional={"phase": st.sampled_from(["commentary", "final_answer"])}),
    unknown_fields,
)


def _reasoned(kind: str) -> st.SearchStrategy[list[dict]]:
    return st.lists(st.builds(lambda text: {"type": kind, "text": text}, words), max_size=2)


reasoning_items = st.builds(
    lambda identity, summary, content, signature, fields: {
        "type": "reasoning",
        "id": identity,
        "summary": summary,
        **({"content": content} if content else {}),
        **signature,
        **fields,
    },
    ids,
    _reasoned("summary_text"),
    _reasoned("reasoning_text"),
    st.fixed_dictionaries({}, optional={"encrypted_content": texts}),
    unknown_fields,
)
call_items = st.builds(
    lambda identity, call, name, arguments, fields: {
        "type": "function_call",
        "id": identity,
        "call_id": call,
        "name": name,
        "arguments": arguments,
        "status": "completed",
        **fields,
    },
    ids,
    ids,
    names,
    texts.filter(bool),  # none go back as {}
    unknown_fields,
) | st.builds(
    lambda identity, call, name, given: {
        "type": "custom_tool_call",
        "id": identity,
        "call_id": call,
        "name": name,
        "input": given,
    },
    ids,
    ids,
    names,
    texts,
)
items = message_items | reasoning_items | call_items | web_items
outputs = st.lists(items, max_size=4, unique_by=lambda item: item["id"]).filter(
    lambda found: len({item.get("call_id", item["id"]) for item in found}) == len(found)
)
usages = st.builds(
    lambda into, out, cached, written, thought, fields: {
        "input_tokens": into,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": into + out,
        **fields,
    },
    counts,
    counts,
    counts,
    counts,
    counts,
    unknown_fields,
)
endings = st.sampled_from(
    [
        {"status": "completed", "incomplete_details": None},
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
        {"status": "incomplete", "incomplete_details": {"reason": "steered"}},
        {"status": "incomplete", "incomplete_details": None},
    ]
)
responses = st.builds(
    lambda identity, model, output, ending, usage, fields: {
        "id": identity,
        "object": "response",
        "created_at": 0,
        "model": model,
        "error": None,
        "instructions": None,
        "metadata": None,
        "temperature": None,
        "top_p": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": output,
        "usage": usage,
        **ending,
        **fields,
    },
    ids.map("resp_{}".format),
    names,
    outputs,
    endings,
    st.none() | usages,
    _described(unknown_fields, temperature=st.just(1.0), tool_choice=st.just("none")),
)
"""Whole answers."""
