"""Hypothesis strategies for every value that travels, with all of its fields: more than any one wire format can say."""

from __future__ import annotations

from hypothesis import strategies as st

from aigw.answer import Answer, Choice, Embeddings, Ranking, Verdicts
from aigw.call import UNSET, Call, Principal, Schema, Timeouts
from aigw.chunk import Chunk, Ranked, ToolCallDelta, Usage, Verdict
from aigw.explanation import Explanation, PlannedTarget
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.quota import Allowance, QuotaHint
from aigw.trace import Attempt, CallTrace, Decision
from strategies import counts, json_values, texts

maybe_texts = st.none() | texts
maybe_counts = st.none() | counts
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe_numbers = st.none() | numbers
objects = st.dictionaries(texts, json_values, max_size=2)
switches = st.none() | st.booleans()


def tuples(of: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    """A few of something."""
    return st.lists(of, max_size=2).map(tuple)


text_parts = st.builds(Text, texts, objects)
images = st.builds(Image, texts, maybe_texts, objects)
tool_calls = st.builds(ToolCall, texts, texts, texts, objects)
tool_results = st.builds(ToolResult, texts, texts | tuples(text_parts | images), st.booleans(), maybe_texts, objects)
parts = st.one_of(
    text_parts,
    images,
    st.builds(File, maybe_texts, maybe_texts, maybe_texts, objects),
    st.builds(Reasoning, texts, maybe_texts, maybe_texts, objects),
    tool_calls,
    tool_results,
    st.builds(Other, objects),
)
messages = st.builds(
    Message,
    st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    tuples(parts),
    maybe_texts,
    objects,
    texts,
)
tools = st.builds(Tool, texts, texts, objects, switches, objects)
principals = st.builds(Principal, texts, maybe_texts, st.frozensets(texts, max_size=3))
schemas = st.builds(Schema, objects, texts, switches)
timeouts = st.builds(Timeouts, maybe_numbers, maybe_numbers, maybe_numbers, maybe_numbers)

calls = st.builds(
    Call,
    operation=st.sampled_from(["chat", "embeddings", "rerank", "moderation"]),
    model=texts,
    messages=tuples(messages),
    inputs=tuples(texts),
    query=texts,
    top_n=maybe_counts,
    tools=tuples(tools),
    tool_choice=maybe_texts,
    parallel_tool_calls=switches,
    schema=st.none() | schemas,
    temperature=maybe_numbers,
    top_p=maybe_numbers,
    max_tokens=maybe_counts,
    stop=tuples(texts),
    seed=maybe_counts,
    n=maybe_counts,
    reasoning=maybe_texts,
    dimensions=maybe_counts,
    extra=objects,
    wire=texts,
    headers=st.dictionaries(texts, texts, max_size=2),
    stream=st.booleans(),
    principal=st.none() | principals,
    priority=st.sampled_from(["interactive", "standard", "batch"]),
    tags=st.frozensets(texts, max_size=3),
    metadata=st.dictionaries(texts, texts, max_size=2),
    timeouts=timeouts,
    timeout=st.just(UNSET) | maybe_numbers,
    route=texts,
    avoid=st.frozensets(texts, max_size=3),
    attempt=counts,
    id=texts,
)

usages = st.builds(Usage, counts, counts, maybe_counts, maybe_counts, maybe_counts, st.booleans())
deltas = st.builds(ToolCallDelta, st.integers(0, 3), maybe_texts, maybe_texts, texts, st.none() | objects)
vectors = tuples(tuples(numbers))
rankings = tuples(st.builds(Ranked, counts, numbers, maybe_texts))
verdicts = tuples(
    st.builds(
        Verdict,
        st.booleans(),
        st.dictionaries(texts, st.booleans(), max_size=2),
        st.dictionaries(texts, numbers, max_size=2),
        objects,
    )
)
chunks = st.builds(
    Chunk,
    text=texts,
    reasoning=texts,
    tool_calls=tuples(deltas),
    refusal=texts,
    finish_reason=maybe_texts,
    usage=st.none() | usages,
    index=st.integers(0, 3),
    parts=tuples(parts),
    vectors=vectors,
    ranking=rankings,
    verdicts=verdicts,
    id=maybe_texts,
    model=maybe_texts,
    extra=st.none() | objects,
    wire=texts,
)

seconds = st.floats(0, 1e9)
decisions = st.builds(Decision, seconds, texts, texts, texts, st.none() | seconds)
attempts = st.builds(
    Attempt,
    at=seconds,
    target=texts,
    provider=texts,
    model=texts,
    outcome=texts,
    duration=seconds,
    time_to_first_chunk=st.none() | seconds,
    usage=st.none() | usages,
    status=maybe_counts,
    reason=texts,
)
traces = st.builds(CallTrace, texts, texts, st.lists(decisions | attempts, max_size=3), st.none() | seconds)

choices = st.builds(Choice, tuples(parts), texts, maybe_texts, st.integers(0, 3), texts)
costs = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
answers = st.builds(
    Answer,
    choices=tuples(choices),
    usage=st.none() | usages,
    cost=costs,
    model=maybe_texts,
    id=maybe_texts,
    trace=traces,
    extra=objects,
    estimated_usage=st.none() | usages,
)
embeddings = st.builds(Embeddings, vectors, st.none() | usages, costs, maybe_texts, traces)
ranked_documents = st.builds(Ranking, rankings, st.none() | usages, costs, maybe_texts, traces, objects)
all_verdicts = st.builds(Verdicts, verdicts, st.none() | usages, costs, maybe_texts, traces, objects)

allowances = st.builds(
    Allowance,
    st.sampled_from(["requests", "tokens", "input_tokens", "output_tokens"]),
    maybe_counts,
    maybe_counts,
    maybe_numbers,
    maybe_numbers,
)
quota_hints = st.builds(QuotaHint, tuples(allowances), maybe_numbers)

planned_targets = st.builds(PlannedTarget, texts, texts, texts, texts, texts)
explanations = st.builds(Explanation, texts, tuples(texts), tuples(texts), tuples(planned_targets))

KINDS = {
    "answer": answers,
    "call": calls,
    "chunk": chunks,
    "embeddings": embeddings,
    "explanation": explanations,
    "message": messages,
    "principal": principals,
    "quota": quota_hints,
    "ranking": ranked_documents,
    "tool": tools,
    "trace": traces,
    "usage": usages,
    "verdicts": all_verdicts,
}
"""A strategy for each kind of value that stands for itself; the others are parts of these."""
