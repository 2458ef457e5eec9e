"""Parameters of a request: tools, sampling, limits, structured answers, and what the format cannot say."""

from __future__ import annotations

import pytest

from aigw.call import Call, Schema
from aigw.errors import BadResponse, ConfigError, NoCapableTarget
from aigw.message import Message, Tool
from aigw.wire.anthropic_messages import (
    Dialect,
    parse_count_tokens,
    parse_request,
    render_count_tokens,
    render_request,
)
from wire.anthropic_messages.making import MIDDLE, NEW, OLD, rendered, traced

EMPTY = {"type": "object", "properties": {}}
TOOLS = (Tool("f"),)
STOP_NOTE = ("left out", "a stop text of nothing but white space")


def body(model: str = "m", dialect: Dialect | None = None, **fields: object) -> dict:
    """The body of a request, without its messages."""
    rest, notes = rendered(traced(**fields), model, dialect or Dialect())
    del rest["messages"]
    assert notes == []
    return rest


def read(**fields: object) -> Call:
    """Read a request with these fields."""
    return parse_request({"model": "m", "max_tokens": 1, "messages": [], **fields})


def test_a_small_request_is_small() -> None:
    """Nothing is sent that the call does not say, but for the bound on which the format insists."""
    assert body() == {"model": "m", "max_tokens": 4096}
    assert body(stream=True) == {"model": "m", "max_tokens": 4096, "stream": True}


@pytest.mark.parametrize(
    ("fields", "model", "bound"),
    [
        ({"max_tokens": 7}, "m", 7),
        ({}, "m", 4096),
        ({"reasoning": "low"}, "m", 4096 + 2048),
        ({"reasoning": "medium"}, OLD, 4096 + 8192),
        ({"reasoning": "max"}, OLD, 4096 + 27648),
        ({"reasoning": "low"}, NEW, 4096 + 2048),
        ({}, NEW, 4096 + 16384),
        ({"reasoning": "none"}, NEW, 4096),
        ({"extra": {"thinking": {"type": "enabled", "budget_tokens": 5000}}}, OLD, 9096),
    ],
)
def test_the_bound_of_the_output(fields: dict, model: str, bound: int) -> None:
    """A call without a bound gets that of the dialect for its answer, and on top of it what thinking may take."""
    assert body(model, **fields)["max_tokens"] == bound


def test_the_dialect_says_the_usual_bound() -> None:
    """A provider's row may name another one."""
    assert body(dialect=Dialect(default_max_tokens=9))["max_tokens"] == 9


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", None, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ("f", None, {"type": "tool", "name": "f"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, {"type": "auto", "disable_parallel_tool_use": False}),
        ("f", False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
    ],
)
def test_the_choice_of_tools(choice: str | None, parallel: object, sent: dict | None) -> None:
    """Whether tools may be called at once is a part of the choice here; where no choice is made, it is ``auto``."""
    assert body(tools=TOOLS, tool_choice=choice, parallel_tool_calls=parallel).get("tool_choice") == sent
    assert "tool_choice" not in body(tool_choice=choice, parallel_tool_calls=parallel)


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "new"},
        {"type": ["auto"]},
        {"type": "auto", "name": "f"},
        {"type": "auto", "new": 1},
        {"type": "none", "disable_parallel_tool_use": True},
        {"type": "tool", "name": "auto"},
    ],
)
def test_a_choice_that_says_more_is_kept_as_it_is(choice: dict) -> None:
    """It goes out as it came."""
    call = read(tools=[{"name": "f", "input_schema": EMPTY}], tool_choice=choice)

    assert (call.tool_choice, call.extra) == (None, {"tool_choice": choice})
    assert render_request(call, "m")["tool_choice"] == choice


@pytest.mark.parametrize(
    ("tool", "sent"),
    [
        (Tool("f"), {"name": "f", "input_schema": EMPTY}),
        (Tool("f", "d", {"x": 1}), {"name": "f", "description": "d", "input_schema": {"type": "object", "x": 1}}),
        (Tool("f", strict=True), {"name": "f", "input_schema": EMPTY, "strict": True}),
        (
            Tool("f", extra={"cache_control": {}, "type": "custom"}),
            {"name": "f", "input_schema": EMPTY, "cache_control": {}, "type": "custom"},
        ),
        (Tool("x", extra={"type": "bash_20250124", "name": "bash"}), {"type": "bash_20250124", "name": "bash"}),
    ],
)
def test_tools(tool: Tool, sent: dict) -> None:
    """Functions get a schema whether they have parameters or not; tools of the server go out as they came."""
    assert body(tools=(tool,))["tools"] == [sent]


def test_tools_that_only_another_format_knows() -> None:
    """What the model was to have is content: the call is refused, or goes without it."""
    tools = (Tool("web_search", extra={"type": "web_search"}), Tool("f", extra={"defer": True}))
    fields = {"tools": tools, "wire": "openai_responses", "tool_choice": "auto"}
    with pytest.raises(NoCapableTarget, match="a tool of the type 'web_search'"):
        rendered(traced(**fields))
    sent, notes = rendered(traced(**fields), strict=False)

    assert sent["tools"] == [{"name": "f", "input_schema": EMPTY}]
    assert notes == [
        ("left out", "a tool of the type 'web_search'"),
        ("left out", "fields that only openai_responses knows: defer"),
    ]


def test_a_schema_for_the_answer() -> None:
    """It stands in ``output_config``, beside whatever else stands there; a name for it is not needed."""
    sent = body(schema=Schema({"type": "object"}, "x", strict=True), extra={"output_config": {"task_budget": 1}})
    call = read(output_config=sent["output_config"])

    assert sent["output_config"] == {
        "format": {"type": "json_schema", "schema": {"type": "object"}},
        "task_budget": 1,
    }
    assert call.schema == Schema({"type": "object"})
    assert call.extra == {"output_config": {"task_budget": 1}}


@pytest.mark.parametrize(
    "config",
    [
        {"format": {"type": "new"}},
        {"format": {"type": "json_schema", "schema": {}, "new": 1}},
        {"task_budget": 1},
        {"effort": "low", "format": {"type": "new"}},
    ],
)
def test_a_format_that_says_more_is_kept_as_it_is(config: dict) -> None:
    """It goes out as it came."""
    call = read(output_config=config)

    assert call.schema is None
    assert render_request(call, "m")["output_config"] == config


def test_a_schema_where_the_server_knows_none() -> None:
    """An instruction of the system asks for it, and the trace says so."""
    call = traced(Message("system", "Be brief."), Message("user", "hi"), schema=Schema({"type": "object"}))
    sent, notes = rendered(call, dialect=Dialect(output_schema=False))

    assert "output_config" not in sent
    assert sent["system"][0] == {"type": "text", "text": "Be brief."}
    assert sent["system"][1]["text"].endswith('{"type":"object"}')
    assert notes == [("emulated", "a schema, as an instruction")]


@pytest.mark.parametrize(
    ("model", "fields", "sent", "noted"),
    [
        ("m", {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}, []),
        ("m", {"temperature": 1.5}, {"temperature": 1.0}, [("changed", "temperature 1.5, as 1")]),
        (MIDDLE, {"temperature": 0.5}, {"temperature": 0.5}, []),
        (MIDDLE, {"top_p": 0.5}, {"top_p": 0.5}, []),
        (MIDDLE, {"temperature": 0, "top_p": 0.5}, {"temperature": 0}, [("left out", "top_p beside a temperature")]),
        (NEW, {"temperature": 0.5}, {}, [("left out", "temperature (at this model)")]),
        (NEW, {"top_p": 0.5}, {}, [("left out", "top_p (at this model)")]),
        ("m", {"seed": 1}, {}, [("left out", "seed")]),
        ("m", {"n": 1}, {}, []),
        ("m", {"stop": ("END", "\n")}, {"stop_sequences": ["END"]}, [STOP_NOTE]),
        ("m", {"stop": ("",)}, {}, [STOP_NOTE]),
    ],
)
def test_tuning(model: str, fields: dict, sent: dict, noted: list) -> None:
    """What a model does not take is left out or cut down to what it takes, and the trace says so."""
    got, notes = rendered(traced(**fields), model)
    known = ("temperature", "top_p", "stop_sequences", "seed", "n")

    assert {name: got[name] for name in known if name in got} == sent
    assert notes == noted


@pytest.mark.parametrize(
    ("model", "fields", "sent", "noted"),
    [
        (MIDDLE, {"temperature": 0.5}, {}, ["temperature while the model thinks"]),
        (MIDDLE, {"temperature": 1}, {"temperature": 1}, []),
        (OLD, {"top_p": 0.5}, {}, ["top_p while the model thinks"]),
        (OLD, {"top_p": 0.95}, {"top_p": 0.95}, []),
        ("m", {"temperature": 0.5}, {"temperature": 0.5}, []),
    ],
)
def test_tuning_while_the_model_thinks(model: str, fields: dict, sent: dict, noted: list[str]) -> None:
    """Claude models that think take almost no sampling parameters; what servers of other models do is not known."""
    got, notes = rendered(traced(reasoning="low", **fields), model)

    assert {name: got[name] for name in ("temperature", "top_p") if name in got} == sent
    assert notes == [("left out", what) for what in noted]


def test_a_strict_target_loses_no_tuning() -> None:
    """A target that was told so refuses such a call."""
    with pytest.raises(NoCapableTarget, match="seed"):
        rendered(traced(seed=1), strict=True)


def test_several_answers_are_content() -> None:
    """The format has one answer to a request."""
    with pytest.raises(NoCapableTarget, match=r"several answers \(n\)"):
        rendered(traced(n=2))


def test_fields_that_aigw_does_not_model() -> None:
    """Hand-written ones are sent, over the rest; those of another format are left out, once noted."""
    extra = {"metadata": {"user_id": "u"}, "top_k": 5, "service_tier": "auto"}
    _, notes = rendered(traced(extra={"logit_bias": {}}, wire="openai_chat"))

    assert body(extra=extra) == {"model": "m", "max_tokens": 4096, **extra}
    assert notes == [("left out", "fields that only openai_chat knows: logit_bias")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": "hunter2"}, "messages must be a list"),
        ({"messages": None}, "messages is missing"),
        ({"max_tokens": "hunter2"}, "max_tokens must be an integer"),
        ({"system": 7}, "system must be a string or a list"),
        ({"system": [{"type": "text"}]}, r"system\[0\].text is missing"),
        ({"tools": ["hunter2"]}, r"tools\[0\] must be an object"),
        ({"tools": [{"name": "f"}]}, r"tools\[0\].input_schema is missing"),
        ({"tools": [{"input_schema": {}}]}, r"tools\[0\].name is missing"),
        ({"tool_choice": "hunter2"}, "tool_choice must be an object"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name is missing"),
        ({"thinking": "hunter2"}, "thinking must be an object"),
        ({"output_config": "hunter2"}, "output_config must be an object"),
        ({"output_config": {"format": "hunter2"}}, "output_config.format must be an object"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema is missing"),
        ({"stop_sequences": [7]}, r"stop_sequences\[0\] must be a string"),
        ({"temperature": "hunter2"}, "temperature must be a number"),
    ],
)
def test_a_wrong_request_names_the_field(fields: dict, message: str) -> None:
    """The error names the path of the field, and quotes nothing."""
    with pytest.raises(ConfigError, match=message) as caught:
        read(**fields)

    assert "hunter2" not in str(caught.value)


def test_a_request_that_is_no_object() -> None:
    """It says what it got."""
    with pytest.raises(ConfigError, match="the request must be an object, not list"):
        parse_request([])


def test_null_is_nothing() -> None:
    """Clients write null for what they do not set."""
    names = ("system", "tools", "tool_choice", "thinking", "output_config", "stop_sequences", "temperature", "metadata")

    assert read(**dict.fromkeys(names)) == Call(model="m", max_tokens=1)


def test_only_what_is_counted_is_sent_to_be_counted() -> None:
    """Bounds and sampling are no part of such a request; the rest is what the call would send."""
    call = traced(
        Message("system", "s"), Message("user", "hi"), tools=TOOLS, temperature=0.5, stop=("x",), max_tokens=9
    )

    assert render_count_tokens(call, "m") == {
        "model": "m",
        "system": "s",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "f", "input_schema": EMPTY}],
    }


@pytest.mark.parametrize("answer", [{}, [], {"input_tokens": "hunter2"}])
def test_an_answer_that_counts_nothing(answer: object) -> None:
    """It is a wrong answer of the provider."""
    with pytest.raises(BadResponse, match="the answer is not a count of tokens") as caught:
        parse_count_tokens(answer)

    assert "hunter2" not in str(caught.value)
