"""`Target`: the forms in which it is written, and what is wrong with the others."""

from __future__ import annotations

import pytest

from aigw.errors import ConfigError
from aigw.policies import AttemptTimeout, Retry
from aigw.routing import Balance, Target
from aigw.routing.target import as_node
from aigw.testing import ScriptedProvider

URL = "https://gpu-1:8000/v1"
SECRET = "sk-very-secret"


def test_a_known_provider():
    """``provider/model`` names a row of the table; the model may have slashes of its own."""
    target = Target("openai/gpt-5.5")
    deep = Target("openai/ft:org/gpt")

    assert (target.name, target.model, target.provider.name) == ("openai/gpt-5.5", "gpt-5.5", "openai")
    assert target.provider.where == "https://api.openai.com/v1"
    assert (deep.name, deep.model) == ("openai/ft:org/gpt", "ft:org/gpt")


def test_any_server_by_its_url():
    """A URL and a model name any server that speaks OpenAI's format; it is named by its host, port and model."""
    target = Target(f"{URL}/", model="llama-3.3-70b")

    assert (target.name, target.model) == ("gpu-1:8000/llama-3.3-70b", "llama-3.3-70b")
    assert (target.provider.name, target.provider.where) == ("openai-compatible", URL)


@pytest.mark.parametrize(
    ("model", "name"), [(None, "scripted"), ("scripted", "scripted"), ("m", "scripted/m"), ("a/b", "scripted/a/b")]
)
def test_a_provider_object(model, name):
    """Any object that is a provider will do; a provider with only one model needs no model."""
    provider = ScriptedProvider()
    target = Target(provider, model=model)

    assert (target.provider, target.model, target.name) == (provider, model or "scripted", name)


def test_the_defaults_of_a_target():
    """It weighs 1, serves nobody yet, and has no region, no tags and no policies."""
    target = Target(ScriptedProvider())

    assert (target.weight, target.region, target.tags, target.policies) == (1.0, None, frozenset(), ())
    assert (target.in_flight, target.children, target.targets) == (0, (), (target,))
    assert repr(target) == "Target('scripted')"


@pytest.mark.parametrize(
    ("arguments", "name", "tags"),
    [
        ({"region": "eu"}, "scripted/m@eu", {"eu"}),
        ({"region": "eu", "tags": "fast"}, "scripted/m@eu", {"eu", "fast"}),
        ({"tags": ["fast", "cheap"]}, "scripted/m", {"fast", "cheap"}),
        ({"name": "mine", "region": "eu"}, "mine", {"eu"}),
    ],
)
def test_names_regions_and_tags(arguments, name, tags):
    """A region becomes a part of the name, unless a name is given, and is a tag."""
    target = Target(ScriptedProvider(), model="m", **arguments)

    assert (target.name, target.tags, target.region) == (name, tags, arguments.get("region"))


def test_the_base_url_of_a_known_provider_can_be_replaced():
    """A proxy or a region of the provider keeps its name and its format."""
    target = Target("openai/gpt-5.5", base_url=f"{URL}/")

    assert (target.name, target.provider.name, target.provider.where) == ("openai/gpt-5.5", "openai", URL)


@pytest.mark.parametrize(
    ("at", "arguments", "message"),
    [
        ("gpt-5.5", {}, "Target('gpt-5.5'): write provider/model, with one of these providers: anthropic, "),
        ("opnai/gpt", {}, "Target('opnai/gpt'): write provider/model, with one of these providers: anthropic, "),
        ("openai/", {}, "Target('openai/'): write provider/model"),
        ("openai", {"model": "gpt"}, "Target('openai'): write provider/model"),
        ("", {}, "Target(''): write provider/model"),
        ("openai/gpt", {"model": "gpt"}, "Target('openai/gpt'): the model is given already; leave model= out"),
        (URL, {}, f"Target('{URL}'): say which model of that server, model=…"),
        (URL, {"model": ""}, f"Target('{URL}'): say which model of that server, model=…"),
        (URL, {"model": "m", "base_url": URL}, f"Target('{URL}'): the URL is given already; leave base_url= out"),
        ("ftp://host/v1", {"model": "m"}, "'ftp://host/v1' is not a URL of the form http(s)://host[:port]/path"),
        ("http:///v1", {"model": "m"}, "'http:///v1' is not a URL"),
        ("http://[::1/v1", {"model": "m"}, "'http://[::1/v1' is not a URL"),
        ("http://host:99999/v1", {"model": "m"}, "'http://host:99999/v1' is not a URL"),
        ("http://host/v1?key=1", {"model": "m"}, "a base URL has nothing behind its path"),
        ("openai/gpt", {"base_url": "host:8000"}, "Target('openai/gpt'): 'host:8000' is not a URL"),
        (
            ScriptedProvider(),
            {"api_key": "x"},
            "Target(provider): base_url, api_key, api_version, wire, headers, strict and tls belong to",
        ),
        (
            ScriptedProvider(),
            {"base_url": URL},
            "Target(provider): base_url, api_key, api_version, wire, headers, strict and tls belong to",
        ),
        (
            ScriptedProvider(),
            {"headers": {"x-a": "b"}},
            "Target(provider): base_url, api_key, api_version, wire, headers, strict and tls belong to",
        ),
        (
            ScriptedProvider,
            {},
            "Target(<class 'aigw.testing.scripted.ScriptedProvider'>): not a text and not a",
        ),
        (5, {}, "Target(5): not a text and not a provider (name, where, check(), send())"),
        ("openai/gpt", {"weight": -1}, "openai/gpt: weight must be a number that is not negative, not -1"),
        ("openai/gpt", {"policies": Retry()}, "openai/gpt: policies must be a list, not Retry"),
        ("openai/gpt", {"policies": [Retry]}, "openai/gpt: policies[0] is the class Retry; write Retry()"),
    ],
)
def test_what_does_not_fit_together(at, arguments, message):
    """Every mistake is told when the target is made, and says what to write."""
    with pytest.raises(ConfigError) as caught:
        Target(at, **arguments)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("arguments", [{}, {"model": "m"}, {"model": "m", "base_url": URL}])
@pytest.mark.parametrize("at", [f"https://user:{SECRET}@host/v1", f"https://{SECRET}@host/v1"])
def test_a_key_in_a_url_is_not_repeated(at, arguments):
    """A key does not belong into a URL, and the error that says so does not show it."""
    with pytest.raises(ConfigError, match="a key does not belong into the URL") as caught:
        Target(at, **arguments)

    assert SECRET not in str(caught.value)


def test_a_target_shows_no_key():
    """Neither ``repr`` nor the line in the tree has the key or the headers."""
    target = Target(URL, model="m", api_key=SECRET, headers={"x-key": SECRET})
    shown = [repr(target), repr(target.provider), *target.describe()]

    assert SECRET not in " ".join(shown)


def test_whatever_stands_for_a_node():
    """A node is taken as it is, a text is a target; all else is refused with its owner's name."""
    node = Balance(Target(ScriptedProvider()))

    assert as_node(node, "x") is node
    assert as_node("openai/gpt", "x").name == "openai/gpt"
    with pytest.raises(ConfigError, match=r"^routes\['a'\]: 5 is neither a target nor a text such as"):
        as_node(5, "routes['a']")


def test_a_target_in_the_tree():
    """Its line has name, model, place and weight; its policies stand below it."""
    plain = Target(ScriptedProvider(), model="m")
    rich = Target(ScriptedProvider(), model="m", name="spare", weight=0, policies=[AttemptTimeout(5), Retry(2)])

    assert list(plain.describe()) == ["scripted/m: m at scripted"]
    assert list(rich.describe()) == [
        "spare: m at scripted, weight 0",
        "  | AttemptTimeout(total=5.0)",
        "  | Retry(attempts=2)",
    ]
    assert list(rich.paths()) == [("spare", rich.policies)]
