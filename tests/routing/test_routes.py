"""`Routes`: from the name that a caller gives to what serves it."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from aigw.errors import ConfigError
from aigw.policies import AttemptTimeout, Deadline, Retry
from aigw.routing import Balance, Fallback, Target
from aigw.routing.routes import MOST_DIRECT, Routes
from aigw.runtime import drive
from aigw.testing import ScriptedProvider, make_call
from testing.faces import read_all


class Count:
    """A policy that counts its calls."""

    def __init__(self):
        self.calls = 0

    async def handle(self, call, inner):
        self.calls += 1
        return await inner(call)

    def __repr__(self):
        return "Count()"


def target(name):
    """Make a target that answers with its name."""
    return Target(ScriptedProvider.repeat(name), model="m", name=name)


@pytest.fixture
def _key(monkeypatch):
    """A key in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def test_a_route_is_found_by_its_name():
    """Each route has its own tree, with the gateway's policies around it."""
    count = Count()
    routes = Routes({"smart": target("a"), "cheap": Fallback(target("b"))}, [count])
    said = {}
    for model in ("smart", "cheap"):
        name, _, endpoint = routes.find(model)
        said[name] = drive(read_all(drive(endpoint(make_call(route=name)))))[0].text

    assert said == {"smart": "a", "cheap": "b"}
    assert count.calls == 2
    assert routes.find("smart").node is routes.nodes["smart"]


@pytest.mark.usefixtures("_key")
def test_routes_may_be_texts():
    """A text is a target; any mapping will do."""
    routes = Routes(MappingProxyType({"smart": "openai/gpt-5.5"}), ())

    assert routes.nodes["smart"].name == "openai/gpt-5.5"


@pytest.mark.parametrize(
    ("names", "found"), [(["only"], "only"), (["a", "default", "b"], "default"), (["default"], "default")]
)
def test_what_is_meant_without_a_name(names, found):
    """Without a model the only route is meant, or the one that is called ``default``."""
    routes = Routes({name: target(name) for name in names}, ())

    assert routes.find("")[0] == found


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "say which model: the routes are 'a', 'b'; or write provider/model"),
        ([], "say which model: there are no routes; write provider/model"),
    ],
)
def test_when_it_is_not_clear_what_is_meant(names, message):
    """The error names what there is."""
    routes = Routes({name: target(name) for name in names}, ())
    with pytest.raises(ConfigError) as caught:
        routes.find("")

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("smrt", "no route is called 'smrt'; did you mean 'smart'? the routes are 'smart', 'cheap'; or write provider"),
        ("zzz", "no route is called 'zzz'; the routes are 'smart', 'cheap'; or write provider/model"),
        ("http://x/v1", "no route is called 'http://x/v1'; the routes are 'smart', 'cheap'; or write provider/model"),
        ("opnai/gpt", "Target('opnai/gpt'): write provider/model, with one of these providers: anthropic, "),
        ("openai/", "Target('openai/'): write provider/model"),
    ],
)
def test_a_name_that_is_not_there(model, message):
    """The error names the nearest route, if one is near, and all that there are."""
    routes = Routes({"smart": target("a"), "cheap": target("b")}, ())
    with pytest.raises(ConfigError) as caught:
        routes.find(model)

    assert str(caught.value).startswith(message)


@pytest.mark.usefixtures("_key")
def test_a_target_can_be_named_directly():
    """``provider/model`` needs no route; the gateway's policies stand around it all the same."""
    routes = Routes({"smart": target("a")}, [Count()])
    name, _, endpoint = routes.find("openai/gpt-5.5")

    assert name == "openai/gpt-5.5"
    assert routes.find("openai/gpt-5.5")[1].model == "gpt-5.5"
    assert routes.find("openai/gpt-5.5").endpoint is endpoint
    assert routes.nodes.keys() == {"smart"}


@pytest.mark.usefixtures("_key")
def test_a_route_comes_before_a_target_of_the_same_name():
    """A route that is called like a provider's model replaces it."""
    routes = Routes({"openai/gpt-5.5": target("a")}, ())

    assert routes.find("openai/gpt-5.5")[1].name == "a"


@pytest.mark.usefixtures("_key")
def test_names_from_outside_do_not_grow_without_bound():
    """Only so many targets that callers named are kept, those that were used last; the others are made again."""
    routes = Routes({}, ())
    used, unused = routes.find("openai/used")[1], routes.find("openai/unused")[1]
    for number in range(MOST_DIRECT - 1):
        routes.find(f"openai/m{number}")
        routes.find("openai/used")

    assert routes.find("openai/used")[1] is used
    assert routes.find("openai/unused")[1] is not unused
    assert len(routes._direct) == MOST_DIRECT


def test_a_missing_key_is_told_when_the_gateway_is_built():
    """The error names the route, the target and the variable, at any depth of the tree."""
    with pytest.raises(ConfigError) as caught:
        Routes({"smart": Fallback(target("a"), Balance("openai/gpt-5.5"))}, ())

    assert str(caught.value) == (
        "route 'smart', target 'openai/gpt-5.5': no key for openai: "
        "set the environment variable OPENAI_API_KEY, or give api_key="
    )


def test_a_missing_key_of_a_target_that_is_named_directly():
    """It is told at the call, and the target is not kept: with the key it works."""
    routes = Routes({}, ())
    with pytest.raises(ConfigError, match=r"^route 'openai/gpt', target 'openai/gpt': no key for openai"):
        routes.find("openai/gpt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-test")
        name, *_ = routes.find("openai/gpt")

    assert name == "openai/gpt"


@pytest.mark.parametrize(
    ("outer", "inner", "message"),
    [
        ([Retry()], [Retry()], "route 'smart', Fallback(a) > a: two Retry on the way to one target"),
        ([Retry()], [Deadline()], "route 'smart', Fallback(a) > a: Deadline must stand outside Retry"),
    ],
)
def test_the_order_is_checked_on_every_way_to_a_target(outer, inner, message):
    """Policies of the gateway, of nodes and of targets together must fit; the error names the way."""
    leaf = Target(ScriptedProvider(), name="a", policies=inner)
    with pytest.raises(ConfigError) as caught:
        Routes({"smart": Fallback(leaf)}, outer)

    assert str(caught.value).startswith(message)


@pytest.mark.usefixtures("_key")
def test_ways_that_do_not_meet_are_checked_apart():
    """Two targets may have a policy each that must stand alone."""
    leaves = [Target(ScriptedProvider(), name=name, policies=[Retry()]) for name in "ab"]
    routes = Routes({"smart": Fallback(*leaves)}, [AttemptTimeout(1)])

    assert routes.find("openai/x")[0] == "openai/x"


@pytest.mark.parametrize(
    ("given_routes", "message"),
    [
        ([target("a")], "Gateway(routes) must map names to targets, not be a list"),
        ("openai/gpt", "Gateway(routes) must map names to targets, not be a str"),
        ({"": target("a")}, "Gateway(routes): '' is not a name"),
        ({5: target("a")}, "Gateway(routes): 5 is not a name"),
        ({"smart": 5}, "routes['smart']: 5 is neither a target nor a text such as 'openai/gpt-5.5'"),
        ({"smart": [target("a")]}, "routes['smart']: [Target('a')] is neither a target nor a text"),
        ({"smart": "gpt"}, "Target('gpt'): write provider/model"),
    ],
)
def test_wrong_routes(given_routes, message):
    """Every mistake is told when the gateway is built."""
    with pytest.raises(ConfigError) as caught:
        Routes(given_routes, ())

    assert str(caught.value).startswith(message)


def test_wrong_policies():
    """The gateway's own list is checked like that of a node."""
    with pytest.raises(ConfigError, match="Gateway: policies must be a list, not Retry"):
        Routes({}, Retry())


def test_routes_are_shown():
    """Policies first, outermost on top, then each route with its tree."""
    routes = Routes({"smart": Fallback(target("a"), target("b")), "cheap": target("c")}, [Deadline(60), Count()])

    assert routes.describe().splitlines() == [
        "| Deadline(60)",
        "| Count()",
        "smart:",
        "  Fallback(a, b)",
        "    a: m at scripted",
        "    b: m at scripted",
        "cheap:",
        "  c: m at scripted",
    ]
    assert Routes(None, ()).describe() == ""


class Detour:
    """Sends every call to another route."""

    detours = ("cheap",)

    def __init__(self, to="cheap"):
        self.detours = (to,)

    def __repr__(self):
        return f"Detour({self.detours[0]!r})"

    async def handle(self, call, inner):
        return await inner(call.evolve(route=self.detours[0]))


def test_a_policy_may_choose_another_route():
    """A policy of the gateway sends a call down another tree than its caller named; the policies run once."""
    count = Count()
    routes = Routes({"smart": target("a"), "cheap": target("b")}, [count, Detour()])
    _, _, endpoint = routes.find("smart")

    assert drive(read_all(drive(endpoint(make_call(route="smart")))))[0].text == "b"
    assert count.calls == 1


def test_a_detour_to_nowhere():
    """A policy that names a route which is not there is refused when the gateway is made."""
    with pytest.raises(ConfigError) as caught:
        Routes({"smart": target("a")}, [Detour("chaep")])

    assert str(caught.value).startswith("Detour('chaep'): no route is called 'chaep'")


def test_a_detour_around_a_node():
    """Inside of the tree it is too late for another route, which is said when the gateway is made."""
    node = Target(ScriptedProvider.repeat("a"), model="m", name="a", policies=[Detour()])
    with pytest.raises(ConfigError, match="put it into Gateway"):
        Routes({"smart": node, "cheap": target("b")}, [])
