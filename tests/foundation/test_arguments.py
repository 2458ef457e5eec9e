"""From what a user writes to a `Call`: what is taken, and how a mistake is told."""

from __future__ import annotations

import math
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.arguments import (
    CHAT_READERS,
    FIELDS,
    READERS,
    ChatOptions,
    CommonOptions,
    EmbedOptions,
    RerankOptions,
    chat_call,
    embed_call,
    moderation_call,
    rerank_call,
)
from aigw.call import UNSET, Call, Fence, Principal, Schema
from aigw.errors import ConfigError
from aigw.message import Image, Message, Text, Tool, ToolResult

SECRET = "a secret of the user"
LOOKUP = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": "data:,"}


def chat(**options):
    """Make a chat call with some options."""
    return chat_call("chat", "hi", options)


RIGHT = [
    ("model", "smart", "smart"),
    ("model", None, ""),
    ("principal", None, None),
    ("principal", "alice", Principal("alice")),
    ("principal", Principal("a", "team"), Principal("a", "team")),
    *[("priority", name, name) for name in ("interactive", "standard", "batch")],
    ("timeout", 5, 5.0),
    ("timeout", timedelta(seconds=1.5), 1.5),
    ("timeout", None, None),
    ("timeout", UNSET, UNSET),
    ("tags", "eu", frozenset({"eu"})),
    ("tags", ["eu", "eu", "fast"], frozenset({"eu", "fast"})),
    ("tags", (), frozenset()),
    ("tags", {"eu"}, frozenset({"eu"})),
    ("metadata", {"job": "7"}, {"job": "7"}),
    ("metadata", MappingProxyType({"job": "7"}), {"job": "7"}),
    ("require", "eu", Fence(frozenset({"eu"}))),
    ("require", ["eu", "private"], Fence(frozenset({"eu", "private"}))),
    ("require", (), None),
    ("token", "aigw-1-2", "aigw-1-2"),
    ("token", None, None),
    ("extra", {"top_k": 5}, {"top_k": 5}),
    ("idempotency_key", "order-7", "order-7"),
    ("idempotency_key", None, None),
    ("parallel_tool_calls", False, False),
    ("parallel_tool_calls", None, None),
    ("schema", None, None),
    ("schema", {"type": "object"}, Schema({"type": "object"})),
    ("temperature", 0, 0),
    ("temperature", 0.5, 0.5),
    ("temperature", None, None),
    ("top_p", 0.9, 0.9),
    ("max_tokens", 1, 1),
    ("max_tokens", None, None),
    ("stop", "END", ("END",)),
    ("stop", ["a", "b"], ("a", "b")),
    ("seed", -7, -7),
    ("seed", 0, 0),
    ("n", 2, 2),
    ("reasoning", "high", "high"),
    ("reasoning", None, None),
    ("tools", [], ()),
    ("tool_choice", "auto", "auto"),
    ("tool_choice", None, None),
]
WRONG = [
    ("model", 5, "chat(model) must be a text, not 5"),
    ("principal", "", "chat(principal) must be an id or a Principal, not ''"),
    ("principal", 5, "chat(principal) must be an id or a Principal, not 5"),
    ("priority", "urgent", "chat(priority) must be interactive, standard or batch, not 'urgent'"),
    ("priority", ["batch"], "chat(priority) must be interactive, standard or batch, not ['batch']"),
    ("priority", None, "chat(priority) must be interactive, standard or batch, not None"),
    ("timeout", 0, "chat(timeout) must be a positive number of seconds, not 0"),
    ("timeout", "5", "chat(timeout) must be a positive number of seconds, not '5'"),
    ("tags", 5, "chat(tags) must be a text or a list of texts, not 5"),
    ("tags", ["a", 5], "chat(tags) must be a text or a list of texts, not ['a', 5]"),
    ("tags", None, "chat(tags) must be a text or a list of texts, not None"),
    ("metadata", [("a", "b")], "chat(metadata) must be a mapping, not list"),
    ("require", 5, "chat(require) must be a text or a list of texts, not 5"),
    ("token", b"key", "chat(token) must be a text, not b'key'"),
    ("extra", None, "chat(extra) must be a mapping, not NoneType"),
    ("idempotency_key", 7, "chat(idempotency_key) must be a text, not 7"),
    ("parallel_tool_calls", 1, "chat(parallel_tool_calls) must be True or False, not 1"),
    ("temperature", "hot", "chat(temperature) must be a number, not 'hot'"),
    ("temperature", True, "chat(temperature) must be a number, not True"),
    ("temperature", math.nan, "chat(temperature) must be a number, not nan"),
    ("top_p", math.inf, "chat(top_p) must be a number, not inf"),
    ("max_tokens", 0, "chat(max_tokens) must be at least 1, not 0"),
    ("max_tokens", 1.5, "chat(max_tokens) must be a whole number, not 1.5"),
    ("max_tokens", True, "chat(max_tokens) must be a whole number, not True"),
    ("stop", 5, "chat(stop) must be a text or a list of texts, not 5"),
    ("stop", b"END", "chat(stop) must be a text or a list of texts, not b'END'"),
    ("seed", 1.0, "chat(seed) must be a whole number, not 1.0"),
    ("n", 0, "chat(n) must be at least 1, not 0"),
    ("n", "2", "chat(n) must be a whole number, not '2'"),
    ("reasoning", 3, "chat(reasoning) must be a text, not 3"),
    ("schema", "json", "schema='json': give a pydantic model, another type, or a JSON schema as a dict"),
    ("tools", LOOKUP, "chat(tools) must be a list of tools, not dict"),
    ("tools", "lookup", "chat(tools) must be a list of tools, not str"),
    ("tools", ["lookup"], "chat(tools)[0] is a str; write Tool(…) or a dict"),
    ("tools", [Tool("a"), {"type": "function"}], "chat(tools)[1].function is missing"),
    ("tools", [{"function": {"name": 5}}], "chat(tools)[0].function.name must be a string, not int"),
    ("tool_choice", "lookup", "chat(tool_choice='lookup'): not auto, none, required or the name of one of the tools"),
    ("tool_choice", ["auto"], "chat(tool_choice) must be a text, not ['auto']"),
]


@pytest.mark.parametrize(("name", "value", "field"), RIGHT)
def test_a_right_option(name, value, field):
    """Each option is taken in every form that it has, and changes nothing but its own field."""
    call, own = chat(**{name: value}), FIELDS.get(name, name)

    assert getattr(call, own) == field
    assert call.evolve(**{own: getattr(Call(), own)}) == chat()


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_option(name, value, message):
    """A value that makes no sense is told at once, with the name of the option, and what it must be."""
    with pytest.raises(ConfigError) as caught:
        chat(**{name: value})

    assert str(caught.value) == message


def test_every_option_is_covered():
    """What the signatures promise is what is read, and all of it is tested above."""
    assert ChatOptions.__annotations__.keys() == CHAT_READERS.keys()
    assert EmbedOptions.__annotations__.keys() == READERS["embed"].keys()
    assert RerankOptions.__annotations__.keys() == READERS["rerank"].keys()
    assert CommonOptions.__annotations__.keys() == READERS["moderate"].keys()
    assert CHAT_READERS.keys() == {name for name, _, _ in RIGHT} == {name for name, _, _ in WRONG} | {"schema"}


@pytest.mark.parametrize("name", CHAT_READERS)
def test_unset_is_the_same_as_not_given(name):
    """``UNSET`` stands for an option that is not there, for every option."""
    assert chat(**{name: UNSET}) == chat()


@pytest.mark.parametrize(
    ("make", "option", "hint"),
    [
        (chat, "temprature", "chat() has no option 'temprature'; did you mean 'temperature'?"),
        (chat, "max_token", "chat() has no option 'max_token'; did you mean 'max_tokens'?"),
        (chat, "xyz", "chat() has no option 'xyz'; there are extra, idempotency_key, max_tokens"),
        (lambda **options: embed_call("x", options), "dimension", "embed() has no option 'dimension'; did you mean"),
        (lambda **options: embed_call("x", options), "temperature", "embed() has no option 'temperature'"),
        (lambda **options: chat_call("stream", "x", options), "strem", "stream() has no option 'strem'"),
        (lambda **options: rerank_call("q", ["d"], options), "topn", "rerank() has no option 'topn'; did you mean"),
        (lambda **options: moderation_call("x", options), "top_n", "moderate() has no option 'top_n'"),
    ],
)
def test_an_option_that_does_not_exist(make, option, hint):
    """It is a TypeError, as in Python, that names the nearest option, or all of them."""
    with pytest.raises(TypeError) as caught:
        make(**{option: 1})

    assert str(caught.value).startswith(hint)


@pytest.mark.parametrize(
    ("prompt", "messages"),
    [
        ("hi", [Message("user", "hi")]),
        ("", [Message("user", "")]),
        (Message("system", "be brief"), [Message("system", "be brief")]),
        ({"role": "user", "content": "hi"}, [Message("user", "hi")]),
        (MappingProxyType({"role": "user", "content": "hi"}), [Message("user", "hi")]),
        (
            ({"role": "system", "content": "be brief"}, Message("user", "hi")),
            [Message("system", "be brief"), Message("user", "hi")],
        ),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": "data:,"}],
                }
            ],
            [Message("user", [Text("a"), Image("data:,")])],
        ),
        (
            [{"role": "tool", "tool_call_id": "c", "content": "42"}],
            [Message("tool", ToolResult("c", "42"))],
        ),
    ],
)
def test_whatever_stands_for_a_conversation(prompt, messages):
    """A text, a message, a message as OpenAI's API writes it, or a list of these, mixed."""
    assert list(chat_call("chat", prompt, {}).messages) == messages


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (None, "chat(messages): give a text, a Message or a list of messages, not NoneType"),
        (5, "chat(messages): give a text, a Message or a list of messages, not int"),
        (b"hi", "chat(messages): give a text, a Message or a list of messages, not bytes"),
        ({Text("x").text}, "chat(messages): give a text, a Message or a list of messages, not set"),
        ([], "chat(messages): there are no messages"),
        ({"role": "me"}, "chat(messages): messages[0].role must be one of system, developer, user, assistant, tool"),
        (["hi"], "chat(messages): messages[0] is a str; write Message('user', …) or a dict"),
        ([Message("user", "a"), None], "chat(messages): messages[1] is a NoneType; write Message('user', …) or a dict"),
    ],
)
def test_what_is_no_conversation(prompt, message):
    """The error names the argument and the place, and says what to write."""
    with pytest.raises(ConfigError) as caught:
        chat_call("chat", prompt, {})

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({"role": SECRET, "content": SECRET}, "messages[1].role must be one of "),
        ({"content": SECRET}, "messages[1].role must be one of "),
        ({"role": "user", "content": 5}, "messages[1].content must be a string or a list of parts"),
        ({"role": "user", "content": [5, SECRET]}, "messages[1].content[0] must be"),
        ({"role": "user", "content": [{"type": "text", "text": [SECRET]}]}, "messages[1].content[0].text must be"),
        ({"role": "tool", "content": SECRET}, "messages[1].tool_call_id is missing"),
        ({"role": "assistant", "tool_calls": [{"function": {"arguments": SECRET}}]}, "messages[1].tool_calls[0]"),
        ({"role": "user", "content": SECRET, "name": {SECRET: 1}}, "messages[1].name must be"),
    ],
)
@pytest.mark.parametrize("face", ["chat", "stream", "explain"])
def test_a_bad_message_is_named_and_never_quoted(bad, where, face):
    """The error has the position of the message and the path of the field, and nothing of what it says."""
    with pytest.raises(ConfigError) as caught:
        chat_call(face, [Message("user", SECRET), bad], {})

    assert str(caught.value).startswith(f"{face}(messages): {where}")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_tools_in_every_form():
    """`Tool` objects and dicts as OpenAI's API writes them; a tool choice may name one of them."""
    call = chat(tools=[Tool("now"), LOOKUP], tool_choice="lookup", parallel_tool_calls=True)

    assert call.tools == (Tool("now"), Tool("lookup", parameters={"type": "object"}))
    assert (call.tool_choice, call.parallel_tool_calls) == ("lookup", True)


@pytest.mark.parametrize("name", ["auto", "none", "required"])
def test_a_tool_may_not_be_called_like_a_mode(name):
    """Its name would mean something else in ``tool_choice``."""
    with pytest.raises(ConfigError, match=f"a tool may not be called '{name}'"):
        chat(tools=[Tool(name)])


def test_the_name_of_a_tool_that_is_not_there():
    """A tool choice must be one of the tools that are given with it."""
    with pytest.raises(ConfigError, match="tool_choice='search'"):
        chat(tools=[LOOKUP], tool_choice="search")


def test_a_call_does_not_share_what_the_user_may_change():
    """Mappings are copied, and calls share nothing with each other that can be changed."""
    metadata = {"job": "7"}
    first, second, third = chat(metadata=metadata), chat(), chat()
    metadata["job"] = "8"

    assert first.metadata == {"job": "7"}
    assert second.extra is not third.extra
    assert second.metadata is not third.metadata
    assert second.extra is not Call().extra


def test_streams_are_marked():
    """A call of `stream` is streamed, one of `chat` is not."""
    assert chat_call("stream", "hi", {}, stream=True).stream is True
    assert chat().stream is False


@given(st.lists(st.text(max_size=3), min_size=1, max_size=3))
def test_inputs_of_an_embeddings_call(texts):
    """A text or several, as list or tuple, in their order."""
    call = embed_call(texts, {"dimensions": 8, "model": "m"})

    assert (call.operation, call.inputs, call.dimensions, call.model) == ("embeddings", tuple(texts), 8, "m")
    assert embed_call(tuple(texts), {}).inputs == tuple(texts)
    assert embed_call(texts[0], {}).inputs == (texts[0],)
    assert call.messages == ()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "embed(inputs): there is nothing in it"),
        (["a", 5], "embed(inputs): the one at [1] is a int, not a text"),
        (b"abc", "embed(inputs): the one at [0] is a int, not a text"),
        (5, "embed(inputs): give a text or a list of texts, not int"),
        (None, "embed(inputs): give a text or a list of texts, not NoneType"),
        ({"a"}, "embed(inputs): give a text or a list of texts, not set"),
    ],
)
def test_what_cannot_be_embedded(inputs, message):
    """The error names the argument and the position."""
    with pytest.raises(ConfigError) as caught:
        embed_call(inputs, {})

    assert str(caught.value) == message


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_dimensions_must_be_a_count(value):
    """The length of a vector is a positive whole number."""
    with pytest.raises(ConfigError, match=r"embed\(dimensions\)"):
        embed_call("x", {"dimensions": value})


@given(st.text(min_size=1, max_size=3), st.lists(st.text(max_size=3), min_size=1, max_size=3))
def test_a_rerank_call(query, documents):
    """A query, and the documents in their order."""
    call = rerank_call(query, documents, {"top_n": 2, "model": "m"})

    assert (call.operation, call.query, call.inputs, call.top_n) == ("rerank", query, tuple(documents), 2)
    assert (call.model, call.messages) == ("m", ())
    assert rerank_call(query, documents, {}).top_n is None


@pytest.mark.parametrize(
    ("query", "documents", "message"),
    [
        ("", ["d"], "rerank(query): give the text that the documents are ranked by"),
        (None, ["d"], "rerank(query): give the text that the documents are ranked by"),
        (5, ["d"], "rerank(query) must be a text, not 5"),
        ("q", "d", "rerank(documents): give a list of texts, not a single text"),
        ("q", [], "rerank(documents): there is nothing in it"),
        ("q", ["d", None], "rerank(documents): the one at [1] is a NoneType, not a text"),
        ("q", 5, "rerank(documents): give a text or a list of texts, not int"),
    ],
)
def test_what_cannot_be_ranked(query, documents, message):
    """The error names the argument and the position."""
    with pytest.raises(ConfigError) as caught:
        rerank_call(query, documents, {})

    assert str(caught.value) == message


def test_a_moderation_call():
    """A text or several."""
    call = moderation_call(["a", "b"], {"model": "m"})

    assert (call.operation, call.inputs, call.model) == ("moderation", ("a", "b"), "m")
    assert moderation_call("a", {}).inputs == ("a",)
    with pytest.raises(ConfigError, match=r"^moderate\(inputs\): there is nothing in it$"):
        moderation_call([], {})


def test_a_dict_is_written_by_hand():
    """Its unknown fields are meant for whoever knows them; a part that only OpenAI's format knows stays there."""
    cached = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}
    spoken = {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}
    messages = chat_call("chat", [cached, spoken], {}).messages

    assert [message.wire for message in messages] == ["", "openai_chat"]
    assert messages[0].parts[0].extra == {"cache_control": {"type": "ephemeral"}}
