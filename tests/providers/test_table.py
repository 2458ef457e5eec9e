"""The table of services: every row is complete, and says how its API differs."""

from __future__ import annotations

import pytest

from aigw.errors import BadRequest, Overloaded
from aigw.providers.table import COMPATIBLE, SERVICES, openai_formats
from aigw.testing import make_call


@pytest.mark.parametrize("name", SERVICES)
def test_every_row_is_complete(name):
    """It is found by its own name, has an https address and the variable of its key, and its formats can be made."""
    service = SERVICES[name]
    formats = service.formats()

    assert service.name == name
    assert service.base_url.startswith("https://")
    assert service.key_env
    assert service.key_env.endswith("_API_KEY")
    assert {"chat", "embeddings"} <= formats.keys()
    assert all(chosen.path.startswith("/") for chosen in formats.values())


def test_the_table_cannot_be_changed():
    """Nobody adds a service for everybody else by accident."""
    with pytest.raises(TypeError):
        SERVICES["mine"] = COMPATIBLE


@pytest.mark.parametrize(
    ("formats", "field"),
    [
        (openai_formats(), "max_completion_tokens"),
        (SERVICES["openai"].formats(), "max_completion_tokens"),
        (openai_formats(max_tokens="max_tokens"), "max_tokens"),
        (COMPATIBLE.formats(), "max_tokens"),
    ],
)
def test_how_the_limit_of_tokens_is_called(formats, field):
    """OpenAI's own API knows the new name, other servers the old one."""
    body = formats["chat"].render(make_call(max_tokens=7), "m")

    assert body[field] == 7
    assert {"max_tokens", "max_completion_tokens"} & body.keys() == {field}


def test_the_formats_of_chat_and_embeddings():
    """Chat can be streamed, embeddings cannot; both are OpenAI's paths, and every stream has a parser of its own."""
    formats = openai_formats()
    chat, embeddings = formats["chat"], formats["embeddings"]

    assert (chat.path, embeddings.path) == ("/chat/completions", "/embeddings")
    assert chat.parser is not None
    assert chat.parser() is not chat.parser()
    assert embeddings.parser is None


def test_any_server_needs_no_key():
    """A server that is named by its URL has no address of its own and no variable."""
    assert (COMPATIBLE.name, COMPATIBLE.base_url, COMPATIBLE.key_env) == ("openai-compatible", "", None)


def test_errors_are_told_apart_as_openai_writes_them():
    """Each row names what classifies its errors."""
    classify = COMPATIBLE.classify

    assert type(classify(400, {}, b"{}", provider="p", model="m")) is BadRequest
    assert type(classify(503, {}, b"", provider="p", model="m")) is Overloaded
