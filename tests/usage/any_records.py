"""Records for tests: one by one, and any that there could be."""

from __future__ import annotations

from hypothesis import strategies as st

from aigw.usage import UsageRecord

NOON = 1_793_534_400.0
"""1 November 2026, 12:00 UTC."""


def record(number=0, **fields):
    """Make a record; `number` is its name and the seconds after noon at which it began."""
    return UsageRecord(**{"id": f"call_{number:04}", "started": NOON + number, "duration": 1.0, **fields})


counts = st.integers(0, 2**40)
words = st.text(max_size=5)
known = st.none() | counts

records = st.builds(
    UsageRecord,
    id=words,
    started=st.integers(0, 2_000_000).map(lambda seconds: NOON + seconds / 16),
    duration=st.integers(0, 1000).map(lambda seconds: seconds / 16),
    time_to_first_chunk=st.none() | st.floats(0, 1000),
    operation=st.sampled_from(["chat", "embeddings", "rerank", "moderation"]),
    asked=words,
    route=words,
    principal=st.sampled_from([None, "alice", "bob", ""]),
    team=st.sampled_from([None, "red"]),
    tags=st.sets(st.sampled_from(["a", "b", "c"])).map(lambda tags: tuple(sorted(tags))),
    priority=st.sampled_from(["interactive", "standard", "batch"]),
    metadata=st.dictionaries(words, words, max_size=2),
    target=st.none() | words,
    provider=st.none() | words,
    model=st.sampled_from([None, "m", "n"]),
    input=counts,
    output=counts,
    cached=known,
    cache_written=known,
    reasoning=known,
    estimated=st.booleans(),
    cost=known,
    known_cost=counts,
    prices=words,
    outcome=st.sampled_from(["ok", "abandoned", "cancelled", "TimedOut", "RateLimited"]),
    attempts=st.integers(0, 5),
    failures=st.lists(words, max_size=2).map(tuple),
    refused_by=st.sampled_from([None, "RateLimit"]),
)
