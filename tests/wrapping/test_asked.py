"""Where the prompt is found, what ``prompt=`` and ``usage=`` do, and what wrap() refuses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import aigw
from aigw import ConfigError, Message, Usage
from wrapping.watch import Watch, both_kinds, gateway, wrapped

USER = [{"role": "user", "content": "hi"}]


def seen(*args, **kwargs):
    """Call a function that takes everything; return what policies saw of the prompt."""
    watch = Watch()
    wrapped(gateway(watch), lambda *given, **named: "fine", waits=False)(*args, **kwargs)
    return watch.prompt


@pytest.mark.parametrize(
    ("args", "kwargs", "prompt"),
    [
        (("hi",), {}, [("user", "hi")]),
        ((5, "hi", "more"), {}, [("user", "hi")]),
        ((), {"prompt": "hi"}, [("user", "hi")]),
        ((), {"model": "m", "question": "hi"}, [("user", "hi")]),
        (("other",), {"messages": USER}, [("user", "hi")]),
        ((), {"messages": USER, "system": "Be short."}, [("system", "Be short."), ("user", "hi")]),
        ((), {"input": "hi", "instructions": "Be short."}, [("system", "Be short."), ("user", "hi")]),
        ((), {"input": ["one", "two"]}, [("user", "one"), ("user", "two")]),
        ((), {"prompt": "hi", "system": "Be short."}, [("system", "Be short."), ("user", "hi")]),
        ((), {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, [("user", "hi")]),
        (
            (),
            {"contents": "hi", "config": {"tools": [len], "systemInstruction": "x"}},
            [("system", "x"), ("user", "hi")],
        ),
        ((), {"prompt": Message("user", "hi")}, [("user", "hi")]),
        ((), {"messages": [Message("system", "x"), Message("user", "hi")]}, [("system", "x"), ("user", "hi")]),
        ((), {"messages": [{"role": "human", "content": [{"text": "hi"}]}]}, [("user", "hi")]),
        ((), {"messages": USER, "tools": [len], "temperature": "warm"}, [("user", "hi")]),
        ((), {"messages": [{"role": "odd", "parts": ["a", {"content": "b"}]}]}, [("user", "a\nb")]),
    ],
)
def test_where_the_prompt_is_found(args, kwargs, prompt):
    """By the names that SDKs have for it, else the first text; in whatever format it is written."""
    assert [(role.replace("developer", "system"), text) for role, text in seen(*args, **kwargs)] == prompt


def test_no_prompt_is_told():
    """Guards must not be passed by because nobody knew where to look."""
    for given in ({}, {"number": 5}, {"model": "m"}):
        with pytest.raises(ConfigError, match="finds no prompt among the arguments of ask"):
            seen(**given)
    with pytest.raises(ConfigError, match="cannot read the argument 'messages' of ask"):
        seen(messages=[5])


@both_kinds
def test_prompt_says_where_it_is(waits):
    """A function of the same arguments; it may return all that `chat` takes."""
    watch = Watch()
    made = gateway(watch)
    for told in ("hi", Message("user", "hi"), USER):
        ask = wrapped(made, lambda number, *, to: to, waits=waits, prompt=lambda number, *, to, told=told: told)
        ask(1, to="x")

        assert watch.prompt == [("user", "hi")]
    with pytest.raises(ConfigError, match="prompt"):
        wrapped(made, lambda number: number, waits=waits, prompt=lambda number: number)(1)


@both_kinds
@pytest.mark.parametrize(
    "told",
    [
        Usage(3, 4, cached=1),
        {"prompt_tokens": 3, "completion_tokens": 4},
        {"input_tokens": 3, "output_tokens": 4},
        {"prompt_eval_count": 3, "eval_count": 4},
        SimpleNamespace(prompt_tokens=3, completion_tokens=4),
    ],
    ids=["usage", "openai", "anthropic", "ollama", "object"],
)
def test_usage_says_what_it_cost(waits, told):
    """What it returns counts more than what is found."""
    watch = Watch()
    ask = wrapped(gateway(watch), lambda question: ("text", told), waits=waits, usage=lambda result: result[1])
    ask("hi")

    assert (watch.usage.input, watch.usage.output, watch.usage.estimated) == (3, 4, False)


@both_kinds
def test_what_nobody_counted_is_estimated(waits):
    """And marked: in the usage, and in the trace."""
    watch = Watch()
    ask = wrapped(gateway(watch), lambda question: "x" * 40, waits=waits, usage=lambda result: None)
    ask("y" * 80)

    assert watch.usage == Usage(24, 10, estimated=True)
    assert [(d.by, d.action) for d in watch.calls[0].trace.decisions] == [("ask", "estimated")]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, ""),
        (5, "5"),
        ({"city": "Rome"}, '{"city":"Rome"}'),
        ({"content": "hi", "other": 1}, "hi"),
        ({"message": {"content": "hi"}, "done": True}, "hi"),
        (b"\xff", "/w=="),
        (object(), "object"),
        ({"choices": ["broken"]}, '{"choices":["broken"]}'),
    ],
    ids=lambda given: type(given).__name__,
)
def test_results_in_no_known_format(result, text):
    """Their length is about what the model wrote; nothing makes the call fail."""
    watch = Watch()
    given = wrapped(gateway(watch), lambda question: result, waits=False)("hi")

    assert given is result
    assert watch.text == text
    assert watch.usage.estimated


def test_nothing_is_used_up_by_looking():
    """Iterators in arguments and results are the function's and the caller's; what contains itself does no harm."""
    loop = {"content": "hi"}
    loop["self"] = loop
    stream = iter("abc")
    watch = Watch()
    ask = wrapped(gateway(watch), lambda question, result, **more: result, waits=False)
    results = ask("hi", {"items": stream}), ask("hi", loop)

    assert list(stream) == ["a", "b", "c"]
    assert results[1] is loop
    assert watch.text == "hi"


def test_counts_are_found_in_odd_results():
    """LangChain's messages, Ollama's answers."""
    watch = Watch()
    ask = wrapped(gateway(watch), lambda question, result: result, waits=False)
    ask("hi", {"content": "hello", "usage_metadata": {"input_tokens": 3, "output_tokens": 4}})
    first = watch.text, watch.usage
    ask("hi", {"message": {"role": "assistant", "content": "hello"}, "prompt_eval_count": 5, "eval_count": 6})

    assert first == ("hello", Usage(3, 4))
    assert (watch.text, watch.usage) == ("hello", Usage(5, 6))


def test_usage_must_be_one():
    """A wrong extractor is told, and not taken for zero."""
    ask = wrapped(gateway(), lambda question: "x", waits=False, usage=lambda result: "many")
    with pytest.raises(ConfigError, match="must return a Usage or None, not str"):
        ask("hi")


def test_a_stream_that_is_returned_is_the_callers():
    """It comes back as it is; the trace tells that nobody saw what it said."""
    watch, stream = Watch(), iter("abc")
    given = wrapped(gateway(watch), lambda question: stream, waits=False)("hi")

    assert given is stream
    assert list(stream) == ["a", "b", "c"]
    assert [decision.action for decision in watch.calls[0].trace.decisions] == ["not read", "estimated"]


def test_something_to_await_needs_async_def():
    """A plain function around an async client would be settled before it has begun."""

    async def later():
        return "never"

    with pytest.raises(ConfigError, match=r"write it with async def"):
        wrapped(gateway(), lambda question: later(), waits=False)("hi")


def test_who_asks():
    """Options of the decorator hold for all uses; `aigw.context` counts more, tags and metadata add up."""
    watch = Watch()
    options = {"principal": "service", "priority": "batch", "tags": "a", "metadata": {"feature": "search"}}
    ask = wrapped(gateway(watch), lambda question: "fine", waits=False, **options)
    ask("hi")
    with aigw.dropin.context(principal="alice", tags="b", metadata={"page": "1"}):
        ask("hi")
    first, second = watch.calls

    assert (first.principal.id, first.priority, first.tags) == ("service", "batch", {"a"})
    assert (second.principal.id, second.priority, second.tags) == ("alice", "batch", {"a", "b"})
    assert second.metadata == {"feature": "search", "page": "1"}
    assert first.metadata == {"feature": "search"}
    assert first.id != second.id


def test_names():
    """The route of a function is its name; ``provider/model`` says whom it asks."""
    watch = Watch()
    made = gateway(watch)

    class Client:
        @made.wrap(model="openai/gpt-5.5")
        def ask(self, question):
            return "fine"

    @made.wrap(model="gpt-5.5")
    def plain(question):
        return "fine"

    Client().ask("hi")
    plain("hi")
    attempts = [call.trace.attempts[0] for call in watch.calls]

    assert [call.route for call in watch.calls] == ["Client.ask", "plain"]
    assert [(a.target, a.provider, a.model) for a in attempts] == [
        ("Client.ask", "openai", "gpt-5.5"),
        ("plain", "plain", "gpt-5.5"),
    ]


def test_policies_of_its_own():
    """They stand inside of the gateway's; their order is checked at once."""
    watch = Watch()
    ask = wrapped(gateway(), lambda question: "fine", waits=False, policies=[watch])
    ask("hi")

    assert len(watch.calls) == 1
    with pytest.raises(ConfigError, match="Deadline must stand outside Retry"):
        wrapped(gateway(aigw.Retry()), lambda question: "fine", waits=False, policies=[aigw.Deadline(5)])
    with pytest.raises(ConfigError, match="Deadline must stand outside Retry"):
        wrapped(gateway(aigw.Retry(), aigw.Deadline(5)), lambda question: "fine", waits=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": ""}, r"wrap\(model\)"),
        ({"model": None}, r"wrap\(model\)"),
        ({"usage": 5}, r"wrap\(usage\)"),
        ({"prompt": "hi"}, r"wrap\(prompt\)"),
        ({"principal": 5}, r"wrap\(principal\)"),
        ({"timeout": -1}, r"wrap\(timeout\)"),
        ({"policies": [5]}, "policies"),
    ],
    ids=str,
)
def test_wrong_arguments(options, words):
    """Told when the function is decorated, by their names."""
    with pytest.raises(ConfigError, match=words):
        wrapped(gateway(), lambda question: "fine", waits=False, **options)


def test_unknown_options():
    """What shapes the answer is the function's own business."""
    with pytest.raises(TypeError, match="no option 'temperature'"):
        gateway().wrap(model="m", temperature=1)


@pytest.mark.parametrize("thing", [5, str, staticmethod(len), classmethod(len)], ids=repr)
def test_only_functions_are_wrapped(thing):
    """And the message says where the decorator goes."""
    with pytest.raises(ConfigError, match="it goes below"):
        gateway().wrap(model="m")(thing)
