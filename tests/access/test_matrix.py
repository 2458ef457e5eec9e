"""Roles, what calls make use of, and targets: every combination, against a table that is written out here."""

from __future__ import annotations

from contextlib import suppress

import pytest

from aigw import (
    Access,
    AccessDenied,
    AigwError,
    Fallback,
    File,
    Gateway,
    Image,
    Message,
    NoCapableTarget,
    Other,
    Principal,
    Role,
    Target,
    Text,
    Tool,
    ToolResult,
    context,
)
from aigw.testing import ScriptedProvider

TARGETS = {"openai/gpt": "public", "azure/gpt": "eu", "gpu/llama": "private"}

USES = {
    "chat": {},
    "stream": {"how": "stream"},
    "vision": {"prompt": Message("user", [Text("see"), Image("https://x.test/a.png")])},
    "vision in a tool result": {"prompt": Message("tool", ToolResult("1", (Image("data:image/png;base64,AA=="),)))},
    "files": {"prompt": Message("user", File(file_id="f"))},
    "search": {"tools": [Tool("search")]},
    "mail": {"tools": [Tool("search"), Tool("mail")]},
    "tool results": {"prompt": Message("tool", ToolResult("1", "done"))},
    "schema": {"schema": {"type": "object"}},
    "reasoning": {"reasoning": "high"},
    "several_answers": {"n": 2},
    "extra": {"extra": {"web_search_options": {}}},
    "extra of a tool": {"tools": [Tool("search", extra={"type": "computer"})]},
    "unknown part": {"prompt": Message("user", Other({"type": "container"}))},
    "interactive": {"priority": "interactive"},
    "batch": {"priority": "batch"},
    "100 tokens": {"max_tokens": 100},
    "101 tokens": {"max_tokens": 101},
    "secret": {"tags": "secret"},
    "secret and more": {"tags": ["secret", "urgent"], "priority": "batch"},
    "embeddings": {"how": "embed", "prompt": ["a"]},
    "rerank": {"how": "rerank", "prompt": "q"},
    "moderation": {"how": "moderate", "prompt": ["a"]},
}
PLAIN = {"chat", "stream", "batch", "100 tokens", "101 tokens"}
"""What every role with routes may do that says nothing else."""

ROLES = {
    "guest": Role("*", features=(), models="openai/*"),
    "reader": Role("*", models=["openai/*", "azure/gp?"]),
    "artist": Role("*", features=["vision", "files", "several_answers"], max_tokens=100),
    "builder": Role("*", models="gpu/*", tools="s*", features=["schema", "reasoning", "extra"]),
    "postman": Role("*", tools=["search", "m*"], priorities=["interactive", "standard"]),
    "indexer": Role("*", features=["embeddings", "rerank", "moderation"]),
    "keeper": Role("*", data="secret"),
    "elsewhere": Role("azure/*"),
    "root": Role.everything(),
}
INDEXING = {"embeddings", "rerank", "moderation"}
BUILDING = {"search", "tool results", "schema", "reasoning", "extra", "extra of a tool", "unknown part"}
WRITING = {"search", "mail", "tool results", "interactive"}
DRAWING = {"vision", "files", "several_answers"}
SECRET = {"secret", "secret and more"}
MAY = {
    ("guest",): PLAIN - {"stream"},
    ("reader",): PLAIN,
    ("artist",): DRAWING | {"chat", "batch", "100 tokens"},
    ("builder",): BUILDING | PLAIN - {"stream"},
    ("postman",): WRITING | PLAIN - {"batch"},
    ("indexer",): INDEXING | PLAIN - {"stream"},
    ("keeper",): SECRET | PLAIN,
    ("elsewhere",): PLAIN,
    ("root",): {*USES},
    ("artist", "postman"): PLAIN | DRAWING | WRITING | {"vision in a tool result"},
    ("guest", "indexer"): INDEXING | PLAIN - {"stream"},
    ("builder", "keeper"): PLAIN | BUILDING | SECRET,
    ("reader", "unknown"): PLAIN,
    ("unknown",): set(),
    (): set(),
}
"""What those with these roles may do."""
SERVED_BY = {
    ("guest",): {"openai/gpt"},
    ("reader",): {"openai/gpt", "azure/gpt"},
    ("reader", "unknown"): {"openai/gpt", "azure/gpt"},
    ("builder",): {"gpu/llama"},
    ("elsewhere",): {"azure/gpt"},
}
"""The targets of those that do not have them all."""


def ask(made, use, **options):
    """Make a call that makes use of something."""
    options = {"prompt": "hello", "how": "chat", **use, **options}
    prompt, how = options.pop("prompt"), options.pop("how")
    if how == "stream":
        return made.read(prompt, **options)
    more = (["a", "b"],) if how == "rerank" else ()
    return made.call(made.gateway, how, prompt, *more, **options)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("roles", MAY, ids=" and ".join)
def test_a_target_gets_what_the_table_says(face, roles, use):
    """A call reaches a target if the table allows both; else it is refused with a reason, and nothing is sent."""
    providers = {name: ScriptedProvider.repeat("{}", name=name.partition("/")[0]) for name in TARGETS}
    made = face(
        {name: Target(providers[name], model=name.partition("/")[2], tags=TARGETS[name]) for name in TARGETS},
        [Access(ROLES, data={"secret": "private"})],
    )
    principal = Principal("alice", roles=frozenset(roles))
    for name, provider in providers.items():
        allowed = use in MAY[roles]
        serves = name in SERVED_BY.get(roles, TARGETS) and (use not in SECRET or TARGETS[name] == "private")
        error = None
        try:
            ask(made, USES[use], model=name, principal=principal)
        except AigwError as raised:
            error = raised

        assert len(provider.calls) == (allowed and serves), name
        if not allowed:
            assert isinstance(error, AccessDenied)
            assert [(one.by, one.action) for one in error.trace.decisions] == [("Access", "denied")]
        elif not serves:
            assert isinstance(error, (AccessDenied, NoCapableTarget))


def test_decisions_are_in_the_trace(face):
    """Who was allowed what with which data, who was not and why, and which targets were passed over."""
    providers = [ScriptedProvider.repeat("fine", name=name) for name in ("openai", "gpu")]
    route = Fallback(Target(providers[0], model="gpt"), Target(providers[1], model="llama", tags="private"))
    made = face({"smart": route}, [Access(ROLES, data={"secret": "private"})])
    keeper = Principal("kim", roles=frozenset({"keeper"}))
    trace = made.chat(model="smart", principal=keeper, tags="secret").trace
    with pytest.raises(AccessDenied) as caught:
        made.chat(model="smart", principal=keeper, priority="interactive")

    first = trace.decisions[0]
    assert (first.by, first.action, first.reason) == ("Access", "allowed", "principal kim, data secret")
    assert [attempt.provider for attempt in trace.attempts] == ["gpu"]
    assert "openai/gpt lacks the tags private" in str(trace)
    (denied,) = caught.value.trace.decisions
    assert (denied.by, denied.action) == ("Access", "denied")
    assert denied.reason == "principal kim may not have the priority interactive"


def test_a_gateway_in_front_of_another_adds_its_own_rules(face):
    """A call that goes through two gateways needs leave of both; what the first denies, the second never sees."""
    behind = ScriptedProvider.repeat("fine", name="openai")
    inner = face({"smart": Target(behind, model="gpt")}, [Access(ROLES, data={"secret": "private"})])
    outer = Gateway(
        {"smart": Target(ScriptedProvider(), model="none")}, [Access(ROLES, data={"secret": "private"})], usage=None
    )

    @outer.wrap(model="smart")
    def ask(prompt):
        return inner.chat(prompt, model="smart", principal=Principal("alice", roles=frozenset({"reader"}))).text

    for role, seen in (("keeper", 1), ("root", 1), ("reader", 0), ("unknown", 0)):
        behind.calls.clear()
        alice = Principal("alice", roles=frozenset({role}))
        with context(principal=alice), suppress(AccessDenied, NoCapableTarget):
            ask("hello")

        assert len(behind.calls) == seen
