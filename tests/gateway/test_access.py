"""`Access` in a gateway: every request that leaves is one that some role of its principal allows."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import (
    Access,
    AccessDenied,
    AigwError,
    AsyncGateway,
    Balance,
    Budget,
    ConfigError,
    Degrade,
    Fallback,
    File,
    Gateway,
    Image,
    Message,
    NoCapableTarget,
    Principal,
    RateLimit,
    RateLimited,
    Retry,
    Role,
    ServerError,
    Target,
    Tool,
    VirtualKeys,
    context,
)
from aigw.testing import FakeClock, ScriptedProvider

TARGETS = {"openai/gpt": "public", "azure/gpt": "eu", "gpu/llama": "private"}


def who(*roles, name="alice"):
    """Make a principal."""
    return Principal(name, roles=frozenset(roles))


def tree(**outcomes):
    """Make routes over scripted targets; return both."""
    providers = {
        name: ScriptedProvider.repeat(outcomes.get(name.partition("/")[0], name), name=name.partition("/")[0])
        for name in TARGETS
    }
    target = {
        name: (lambda name=name: Target(providers[name], model=name.partition("/")[2], tags=TARGETS[name]))
        for name in TARGETS
    }
    routes = {
        "all": Fallback(*(make() for make in target.values())),
        "pool": Balance(*(make() for make in target.values())),
        "public": target["openai/gpt"](),
        "private": target["gpu/llama"](),
    }
    return routes, providers


@pytest.mark.parametrize(
    ("role", "options", "words"),
    [
        (Role("all"), {}, ""),
        (Role("private"), {}, "use route 'all'"),
        (Role("*"), {"prompt": Message("user", Image("https://x.test/a.png"))}, "vision"),
        (Role("*", features="vision"), {"prompt": Message("user", Image("https://x.test/a.png"))}, ""),
        (Role("*"), {"prompt": Message("user", File(file_id="f"))}, "files"),
        (Role("*"), {"tools": [Tool("search")]}, "make use of tools"),
        (Role("*", tools="s*"), {"tools": [Tool("search")]}, ""),
        (Role("*", tools="s*"), {"tools": [Tool("search"), Tool("mail")]}, "bring the tool 'mail'"),
        (Role("*"), {"reasoning": "high"}, "reasoning"),
        (Role("*"), {"schema": {"type": "object"}}, "schema"),
        (Role("*"), {"extra": {"tools": []}}, "extra"),
        (Role("*"), {"n": 2}, "several_answers"),
        (Role("*"), {"priority": "interactive"}, "priority interactive"),
        (Role("*", priorities="interactive"), {"priority": "interactive"}, ""),
        (Role("*", max_tokens=100), {"max_tokens": 101}, "101 tokens of output"),
        (Role("*", max_tokens=100), {"max_tokens": 100}, ""),
        (Role("*"), {"tags": "secret"}, "data of the class 'secret'"),
        (Role("*", data="secret"), {"tags": "secret"}, ""),
        (Role.everything(), {"tools": [Tool("x")], "n": 3, "tags": "secret", "priority": "interactive"}, ""),
    ],
)
def test_a_role_allows_what_it_names(face, role, options, words):
    """And nothing else: the error says who may not do what, nothing is sent, and the trace tells the decision."""
    routes, providers = tree()
    made = face(routes, [Access({"r": role}, data={"secret": "private"})])
    options = {"prompt": "hello", "model": "all", "principal": who("r"), **options}
    if not words:
        assert made.chat(**options).trace.decisions[0].action == "allowed"
        return
    with pytest.raises(AccessDenied, match=words) as caught:
        made.chat(**options)

    assert caught.value.scope == "principal alice"
    assert caught.value.policy == "Access"
    assert caught.value.trace.decisions[0].action == "denied"
    assert not any(provider.calls for provider in providers.values())


def test_nobody_is_anybody_by_default(face):
    """Without a role, or with one that is not known, a call is denied, unless there is a default."""
    routes, _ = tree()
    made = face(routes, [Access({"r": Role("*")})])
    for principal in (None, who(), who("other"), "alice"):
        with pytest.raises(AccessDenied, match="has no role"):
            made.chat(model="all", principal=principal)

    assert face(routes, [Access({"r": Role("*")}, default="r")]).chat(model="all").text == "openai/gpt"


def test_rights_of_several_roles_add_up(face):
    """Each thing must be allowed by one of them."""
    routes, _ = tree()
    made = face(routes, [Access({"a": Role("public"), "b": Role("private", tools="*", max_tokens=5)})])

    assert made.chat(model="public", principal=who("a", "b"), tools=[Tool("t")], max_tokens=500).text == "openai/gpt"
    with pytest.raises(AccessDenied):
        made.chat(model="public", principal=who("a"), tools=[Tool("t")])


def test_a_call_without_a_limit_gets_that_of_its_role(face):
    """So that no answer is longer than the role allows."""
    routes, providers = tree()
    made = face(routes, [Access({"r": Role("*", max_tokens=77)})])
    made.chat(model="public", principal=who("r"))

    assert providers["openai/gpt"].calls[0].max_tokens == 77


@pytest.mark.parametrize("route", ["all", "pool"])
def test_confidential_data_goes_only_to_targets_with_the_tag(face, route):
    """Whatever the route has besides; and nowhere, where no target has it."""
    routes, providers = tree()
    access = Access({"r": Role("*", data="*")}, data={"secret": "private", "top": ("private", "mars")})
    made = face(routes, [access])
    for _ in range(5):
        assert made.chat(model=route, principal=who("r"), tags="secret").text == "gpu/llama"
    with pytest.raises(NoCapableTarget, match="mars"):
        made.chat(model=route, principal=who("r"), tags="top")

    assert not providers["openai/gpt"].calls + providers["azure/gpt"].calls


def test_a_fallback_does_not_lead_out_of_the_fence(face):
    """Where the only allowed target fails, the call fails."""
    routes, providers = tree(gpu=ServerError)
    made = face(routes, [Access({"r": Role("*", data="*")}, data={"secret": "private"}), Retry(3)])
    with pytest.raises(Exception, match="llama"):
        made.chat(model="all", principal=who("r"), tags="secret")

    assert len(providers["gpu/llama"].calls) >= 1
    assert not providers["openai/gpt"].calls + providers["azure/gpt"].calls


def test_a_detour_does_not_lead_to_a_route_that_is_not_allowed(face):
    """A budget that degrades to another route does so only for those who may use it."""
    routes, providers = tree()
    budget = Budget(usd_per_day="0.000001", on_exceeded=Degrade(route="public"), on_unknown_cost="allow")
    limit = RateLimit(requests_per_minute=1, on_exceeded=Degrade(route="public"))
    made = face(routes, [Access({"r": Role("private")}), budget, limit])
    made.chat(model="private", principal=who("r"))
    with pytest.raises(NoCapableTarget, match="access to route 'public'"):
        made.chat(model="private", principal=who("r"))

    assert not providers["openai/gpt"].calls


def test_models_of_a_role_are_those_that_serve(face):
    """The others of the route are passed over."""
    routes, _ = tree()
    made = face(routes, [Access({"r": Role("*", models=["azure/*", "gpu/*"])})])

    assert made.chat(model="all", principal=who("r")).text == "azure/gpt"
    with pytest.raises(NoCapableTarget):
        made.chat(model="public", principal=who("r"))


def test_a_policy_further_in_does_not_open_the_fence_of_one_further_out(face):
    """Where two stand around a target, both must allow it: its tags, its route and its name."""
    routes, providers = tree()
    inner = Access({"r": Role("*", data="*")}, data={"secret": "private", "home": "eu"})
    for outer, words in (
        (Access({"r": Role("*", models="gpu/*")}), "access for this principal"),
        (Access({"r": Role("*", data="*")}, data={"home": "private"}), "the tags private"),
    ):
        made = face({"all": Fallback(*routes["all"].children[:2], policies=[inner])}, [outer])
        with pytest.raises(NoCapableTarget, match=words):
            made.chat(model="all", principal=who("r"), tags="home")

    assert not any(provider.calls for provider in providers.values())


def test_whoever_asks_may_ask_for_tags_himself(face):
    """``require=`` holds without any policy, and adds to what the policy asks for; a context adds to it as well."""
    routes, _ = tree()
    assert face(routes).chat(model="all", require="eu").text == "azure/gpt"
    made = face(routes, [Access({"r": Role("*", data="*")}, data={"secret": "private"})])
    with pytest.raises(NoCapableTarget):
        made.chat(model="all", require="eu", tags="secret", principal=who("r"))


def test_content_may_be_classified(face):
    """By a function of the call; one that fails, or names a class without a rule, denies."""
    routes, _ = tree()

    def classify(call):
        text = call.messages[-1].text
        if text == "boom":
            raise RuntimeError(text)
        return {"salary": "secret", "odd": "unknown"}.get(text)

    made = face(routes, [Access({"r": Role("*", data="*")}, data={"secret": "private"}, classify=classify)])

    assert made.chat("hello", model="all", principal=who("r")).text == "openai/gpt"
    assert made.chat("salary", model="all", principal=who("r")).text == "gpu/llama"
    with pytest.raises(AccessDenied, match="no rule says"):
        made.chat("odd", model="all", principal=who("r"))
    with pytest.raises(AccessDenied, match="could not be classified") as caught:
        made.chat("boom", model="all", principal=who("r"))
    assert "boom" not in str(caught.value)


def test_a_credential_makes_the_principal(face):
    """Of an argument or a context; a wrong one denies, and so does none, but for principals that the program names."""
    routes, providers = tree()
    keys = VirtualKeys()
    key = keys.issue(who("r"))
    made = face(routes, [Access({"r": Role("*")}, verify=keys.verify)])

    assert made.chat(model="all", token=key).text == "openai/gpt"
    assert providers["openai/gpt"].calls[0].principal == who("r")
    assert made.chat(model="all", principal=who("r")).text == "openai/gpt"
    for options in ({}, {"token": "aigw-x-y"}, {"token": "aigw-x-y", "principal": who("r")}):
        with pytest.raises(AccessDenied):
            made.chat(model="all", **options)
    assert key not in repr(providers["openai/gpt"].calls[0]) + str(providers["openai/gpt"].calls[0].to_json())


def test_usage_is_that_of_whoever_the_credential_belongs_to():
    """Reports and limits by principal see who was found, not who was named."""
    routes, _ = tree()
    keys = VirtualKeys()
    limit = RateLimit(requests_per_minute=1, key="principal", on_exceeded="reject")
    gateway = Gateway(routes, [Access({"r": Role("*")}, verify=keys.verify), limit])
    for name in ("alice", "bob"):
        gateway.chat("x", model="all", token=keys.issue(who("r", name=name)))
    with pytest.raises(RateLimited, match="principal bob"):
        gateway.chat("x", model="all", token=keys.issue(who("r", name="bob")))

    assert {row.group["principal"]: row.calls for row in gateway.usage(by="principal")} == {"alice": 1, "bob": 2}


def test_a_resolver_that_fails_denies(face):
    """Whatever it raises or returns; its words stay out of the message."""
    routes, _ = tree()

    def verify(token):
        if token != "none":
            raise ValueError(f"bad signature: {token}")

    made = face(routes, [Access({"r": Role("*")}, verify=verify)])
    for token in ("none", "eyJ.secret"):
        with pytest.raises(AccessDenied, match="was not accepted") as caught:
            made.chat(model="all", token=token)
        assert token not in str(caught.value)


def test_a_context_gives_the_credential_to_wrapped_functions():
    """As it does for the calls of SDKs."""
    routes, _ = tree()
    keys = VirtualKeys()
    gateway = Gateway(routes, [Access({"r": Role("*")}, verify=keys.verify)])

    @gateway.wrap(model="all")
    def ask(prompt: str) -> str:
        return prompt

    with pytest.raises(AccessDenied):
        ask("hello")
    with context(token=keys.issue(who("r"))):
        assert ask("hello") == "hello"


def test_a_shadow_denies_nobody(face):
    """It tells what it would have done."""
    routes, _ = tree()
    answer = face(routes, [Access({"r": Role("none")}, shadow=True)]).chat(model="all", principal=who("r"))

    assert answer.text == "openai/gpt"
    assert answer.trace.decisions[0].action == "would deny"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Access({"r": "all"}), "must be a mapping"),
        (lambda: Access({"r": Role()}, default="x"), "there is no role 'x'"),
        (lambda: Access({"r": Role(data="secret")}), "does not know the class 'secret'"),
        (lambda: Access({"r": Role()}, verify="x"), "verify"),
        (lambda: Role(features="visions"), "'visions' is none of"),
        (lambda: Role(priorities="high"), "'high' is none of"),
        (lambda: Role(max_tokens=0), "max_tokens"),
        (lambda: Role(routes=5), "routes"),
    ],
)
def test_wrong_arguments_are_told_at_once(make, words):
    """With what is wrong about them."""
    with pytest.raises(ConfigError, match=words):
        make()


ROLES = {
    "public": Role(["public", "all"], models="openai/*"),
    "european": Role(["all", "pool"], models="azure/*", tools="search"),
    "analyst": Role(["all", "pool", "private"], models=["azure/*", "gpu/*"], data="secret", max_tokens=100),
    "batch": Role("*", models="gpu/*", priorities="batch"),
}


def is_allowed(roles, target, call):
    """Tell by the roles themselves whether a request may have reached a target."""
    mine = [ROLES[name] for name in roles]
    secret = "secret" in call.tags
    return (
        any(any(target.startswith(pattern.rstrip("*")) for pattern in role.models) for role in mine)
        and any(call.route in role.routes or role.routes == ("*",) for role in mine)
        and all(any(tool.name in role.tools for role in mine) for tool in call.tools)
        and any(call.priority in role.priorities for role in mine)
        and (not secret or (TARGETS[target] == "private" and any("secret" in role.data for role in mine)))
        and any(role.max_tokens is None or (call.max_tokens or 10**9) <= role.max_tokens for role in mine)
    )


CALLS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["all", "pool", "public", "private"]),
        "tools": st.sets(st.sampled_from(["search", "mail"])).map(lambda names: [Tool(name) for name in sorted(names)]),
        "priority": st.sampled_from(["interactive", "standard", "batch"]),
        "tags": st.sampled_from([(), "secret"]),
        "max_tokens": st.sampled_from([None, 50, 500]),
        "principal": st.sets(st.sampled_from(sorted(ROLES))).map(lambda roles: who(*roles)),
    }
)


@given(call=CALLS, failing=st.sets(st.sampled_from(["openai", "azure", "gpu"])))
@settings(max_examples=300, deadline=None)
def test_no_combination_reaches_a_target_that_is_forbidden(call, failing):
    """Whatever fails on the way, and whatever the roles: every request that a provider gets was allowed."""
    routes, providers = tree(**dict.fromkeys(failing, ServerError))
    with (
        Gateway(
            routes, [Access(ROLES, data={"secret": "private"}), Retry(3)], usage=None, clock=FakeClock()
        ) as gateway,
        suppress(AigwError),
    ):  # most are denied, or fail; what was sent is what counts
        gateway.chat("x", **call)

    for target, provider in providers.items():
        for sent in provider.calls:
            assert is_allowed(call["principal"].roles, target, sent)


def test_the_async_face_awaits_its_resolver():
    """A coroutine function may ask a server about a credential."""
    routes, _ = tree()

    async def verify(token):
        await asyncio.sleep(0)
        return who("r")

    async def main():
        gateway = AsyncGateway(routes, [Access({"r": Role("*")}, verify=verify)])
        return (await gateway.chat("x", model="all", token="t")).text

    assert asyncio.run(main()) == "openai/gpt"
