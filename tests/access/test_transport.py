"""What leaves, over HTTP: no request reaches a server that is forbidden to whoever asked, whatever is on the way."""

from __future__ import annotations

from contextlib import suppress

import openai
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tenacity import wait_none

from aigw import (
    Access,
    AigwError,
    Balance,
    Degrade,
    Fallback,
    Gateway,
    Hedge,
    Image,
    Message,
    Principal,
    RateLimit,
    Retry,
    Role,
    Target,
    Text,
    Tool,
    VirtualKeys,
)
from aigw.testing import FaultyUpstream, Hangup, Slow, Status
from gateway.faces import FACES

SERVERS = ("public", "eu", "private")
ROUTES = {
    "smart": {*SERVERS},
    "pool": {*SERVERS},
    "hedged": {"public", "eu"},
    "nested": {*SERVERS},
    "public": {"public"},
    "private": {"private"},
}
"""The servers of each route."""
ROLES = {
    "guest": Role(["public", "smart", "hedged"], models="public", features=()),
    "european": Role(["smart", "pool", "nested", "hedged"], models="eu", tools="search"),
    "analyst": Role("*", models=["eu", "private"], data="secret", max_tokens=100, features=["stream", "vision"]),
    "batch": Role(["pool", "nest*", "priv*"], models="private", priorities="batch", features=["several_answers"]),
    "narrow": Role("private"),
    "agent": Role("*", models=["p*"], tools=["s*", "mail"], features="*", priorities="*"),
}


@pytest.fixture(scope="module")
def servers():
    """Serve from three places."""
    with FaultyUpstream("public") as public, FaultyUpstream("eu") as eu, FaultyUpstream("private") as private:
        yield dict(zip(SERVERS, (public, eu, private), strict=True))


def tree(servers):
    """Make routes of every kind over the servers."""

    def target(name):
        return Target(servers[name].url, model="m", name=name, tags=name)

    def all_of_them():
        return [target(name) for name in SERVERS]

    return {
        "smart": Fallback(*all_of_them()),
        "pool": Balance(*all_of_them(), by="round_robin"),
        "hedged": Balance(target("public"), target("eu"), policies=[Hedge(after=0.001, calls=1.0, spend=1.0)]),
        "nested": Fallback(Balance(target("public"), target("eu")), target("private")),
        "public": target("public"),
        "private": target("private"),
    }


def policies(keys, *, detours=False):
    """Make what stands around all routes: access, a limit that sends nearly all calls down another route, retries."""
    access = Access(ROLES, data={"secret": "private"}, verify=keys.verify)
    # A policy further in that allows everything must not open what the one around it has closed.
    inner = Access({name: Role.everything() for name in ROLES}, data={"secret": ()}, name="inner")
    limit = RateLimit(requests_per_minute=1, on_exceeded=Degrade(route="public"))
    return [access, inner, *([limit] if detours else []), Retry(2, wait=wait_none(), budget=None)]


ASKED = st.fixed_dictionaries(
    {
        "route": st.sampled_from(sorted(ROUTES)),
        "roles": st.frozensets(st.sampled_from(sorted(ROLES)), max_size=2),
        "tools": st.sampled_from([(), (), (), ("search",), ("mail",), ("mail", "search")]),
        "stream": st.booleans(),
        "image": st.sampled_from([False, False, False, True]),
        "n": st.sampled_from([None, None, None, 2]),
        "max_tokens": st.sampled_from([None, None, 50, 500]),
        "priority": st.sampled_from(["standard", "standard", "batch", "interactive"]),
        "secret": st.sampled_from([False, False, True]),
        "credential": st.sampled_from(["principal", "key", "both", "key", "principal", "wrong", "none"]),
    }
)
NARROW = {
    **dict.fromkeys(("stream", "image", "secret"), False),
    **dict.fromkeys(("n", "max_tokens")),
    "route": "private",
    "roles": frozenset({"narrow"}),
    "tools": (),
    "priority": "standard",
    "credential": "key",
}
"""What a detour, if there is one, would lead to a route that this role may not use."""
FAULTS = st.sampled_from([None, None, Status(500), Status(429), Hangup(), Slow(0.004)])


def may_have_come(asked, server, body):
    """Tell by the roles themselves whether somebody's call may have become this request to this server."""
    roles = [ROLES[name] for name in asked["roles"]]
    routes = {route for route in (asked["route"], "public") if server in ROUTES[route]}

    def allowed(right, *names):
        return all(any(fits(name, getattr(role, right)) for role in roles) for name in names)

    used = {"stream"} if body.get("stream") else set()
    used |= {"tools"} if body.get("tools") else set()
    used |= {"several_answers"} if body.get("n", 1) > 1 else set()
    used |= {"vision"} if "image_url" in repr(body["messages"]) else set()
    limits = [role.max_tokens for role in roles]
    most = max(limits) if limits and None not in limits else None
    return (
        asked["credential"] not in {"wrong", "none"}
        and allowed("routes", asked["route"])
        and any(allowed("routes", route) for route in routes)
        and allowed("models", server)
        and allowed("features", *used)
        and allowed("tools", *(tool["function"]["name"] for tool in body.get("tools", ())))
        and allowed("priorities", asked["priority"])
        and (not asked["secret"] or (server == "private" and allowed("data", "secret")))
        and (most is None or body.get("max_completion_tokens", body.get("max_tokens", most + 1)) <= most)
    )


def fits(name, patterns):
    """Tell whether a name fits a pattern; the stars here stand at ends."""
    return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in patterns)


def options_of(asked, keys):
    """Return the options of a gateway's method, and the credential."""
    principal = Principal("alice", roles=asked["roles"])
    options = {
        "model": asked["route"],
        "tools": [Tool(name) for name in asked["tools"]],
        "n": asked["n"],
        "max_tokens": asked["max_tokens"],
        "priority": asked["priority"],
        "tags": ["secret"] if asked["secret"] else [],
    }
    if asked["credential"] in {"key", "both"}:
        options["token"] = keys.issue(principal)
    if asked["credential"] == "wrong":
        options["token"] = "aigw-no-key"
    if asked["credential"] in {"principal", "wrong"}:
        options["principal"] = principal
    if asked["credential"] == "both":  # the key says who asks, whatever the caller claims
        options["principal"] = Principal("root", roles=frozenset(ROLES))
    return options


def check(servers, asked):
    """Look at every request that came."""
    for name, server in servers.items():
        for request in server.requests:
            assert may_have_come(asked, name, request.json), (asked, name, request.json)
        server.requests.clear()


@pytest.mark.parametrize("detours", [False, True])
@pytest.mark.parametrize("kind", FACES)
def test_no_combination_reaches_a_server_that_is_forbidden(servers, kind, detours):
    """Fallbacks, pools, hedges, retries, detours and inner policies, with servers that fail and are slow."""
    keys = VirtualKeys()
    came = []
    with FACES[kind](tree(servers), policies(keys, detours=detours)) as made:

        @given(asked=ASKED, faults=st.tuples(FAULTS, FAULTS, FAULTS))
        @example(asked=NARROW, faults=(None, None, None))
        @example(asked=NARROW, faults=(None, None, Status(500)))
        @settings(max_examples=150, deadline=None)
        def run(asked, faults):
            for server, fault in zip(servers.values(), faults, strict=True):
                server.always(fault)
            image = [Image("data:image/png;base64,AA==")] if asked["image"] else []
            prompt = Message("user", [Text("hello"), *image])
            with suppress(AigwError):  # most are denied, or fail; what was sent is what counts
                (made.read if asked["stream"] else made.chat)(prompt, **options_of(asked, keys))
            came.append(sum(len(server.requests) for server in servers.values()))
            check(servers, asked)

        run()

    assert sum(map(bool, came)) > len(came) / 50


def test_no_key_of_an_sdk_reaches_a_server_that_is_forbidden(servers):
    """An unmodified SDK over the same routes, with a virtual key; headers say the rest."""
    keys = VirtualKeys()
    came = []
    with Gateway(tree(servers), policies(keys), usage=None) as gateway:
        client = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"), max_retries=0)

        @given(asked=ASKED, faults=st.tuples(FAULTS, FAULTS, FAULTS))
        @settings(max_examples=80, deadline=None)
        def run(asked, faults):
            for server, fault in zip(servers.values(), faults, strict=True):
                server.always(fault)
            asked = {**asked, "credential": "key" if asked["credential"] != "wrong" else "wrong"}
            with suppress(openai.APIError):
                sdk_call(client, asked, options_of(asked, keys))
            came.append(sum(len(server.requests) for server in servers.values()))
            check(servers, asked)

        run()
        client.close()

    assert sum(map(bool, came)) > len(came) / 20


def sdk_call(client, asked, options):
    """Ask with OpenAI's SDK, and read the answer to its end."""
    content = [{"type": "text", "text": "hello"}]
    if asked["image"]:
        content.append({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}})
    fields = {"n": asked["n"], "max_completion_tokens": asked["max_tokens"]}
    tools = [{"type": "function", "function": {"name": name}} for name in asked["tools"]]
    headers = {"x-aigw-priority": asked["priority"], "x-aigw-principal": "root", "x-aigw-route": asked["route"]}
    if asked["secret"]:
        headers["x-aigw-tags"] = "secret"
    answer = client.with_options(api_key=options["token"]).chat.completions.create(
        model="public",
        messages=[{"role": "user", "content": content}],
        stream=asked["stream"],
        extra_headers=headers,
        **{name: value for name, value in fields.items() if value is not None},
        **({"tools": tools} if tools else {}),
    )
    if asked["stream"]:
        list(answer)
