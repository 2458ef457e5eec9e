"""The flow of `Local` around the model, with servers that do what a test says: limits, ends, failures, many at once."""

import asyncio
import gc
import json
import threading
from types import SimpleNamespace

import pytest

from aigw.call import Timeouts
from aigw.chunk import join_text
from aigw.errors import (
    BadRequest,
    BadResponse,
    ConfigError,
    ContextTooLong,
    DeadlineExceeded,
    Overloaded,
    ServerError,
    StreamInterrupted,
    TimedOut,
    Unreachable,
)
from aigw.providers import Local
from aigw.providers.local_model import _hidden_listener
from aigw.runtime import drive
from aigw.testing import FakeClock, make_call

FACES = pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "loop"])


def event(text=None, finish=None, **fields):
    """Render an event of a stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return json.dumps({"id": "a", "model": "m", "choices": [choice], **fields}).encode()


HELLO, END = event("hello"), event(finish="stop")
PROGRESS = event(prompt_progress={"total": 9, "processed": 1})


class Scripted:
    """A server that gives events, or raises one that is an exception."""

    def __init__(self, *script):
        self.script = script
        self.requests = []

    def handle_chat_completions(self, request, receive):
        self.requests.append(json.loads(request))
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if receive(step):
                return


class Endless(Scripted):
    """A server that gives its script and then works without end, until it is stopped."""

    def handle_chat_completions(self, request, receive):
        super().handle_chat_completions(request, receive)
        pause = threading.Event()
        while not receive(PROGRESS):
            pause.wait(0.001)


def make(server, parallel=1):
    """Make a `Local` whose model is a server of the test."""
    local = Local("model.gguf", parallel=parallel)
    local._model._server = server
    return local


async def read(reply):
    """Read a reply to its end."""
    chunks = []
    while (chunk := await reply.read()) is not None:
        chunks.append(chunk)
    return chunks


async def ask(local, **fields):
    """Ask and read."""
    return await read(await local.send(make_call(**fields), "smol"))


def run(blocking, scenario):
    """Run a scenario, which gets `blocking`, in one of the faces."""
    return drive(scenario(True)) if blocking else asyncio.run(scenario(False))


def wait_for_workers(local):
    """Wait until every generation has ended."""
    for worker in list(local._model._running.values()):
        worker.join(60)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_it_always_asks_for_a_stream(stream):
    """Only a stream can be stopped, so that is what the model is asked for, whatever the caller asks for."""
    server = Scripted(PROGRESS, HELLO, END)
    chunks = drive(ask(make(server), stream=stream, max_tokens=7, extra={"stream": False, "top_k": 1}))

    assert join_text(chunks) == "hello"
    assert [chunk.finish_reason for chunk in chunks] == [None, "stop"]
    request = server.requests[0]
    assert request["stream"] is request["return_progress"] is request["stream_options"]["include_usage"] is True
    assert (request["max_tokens"], request["top_k"]) == (7, 1)


@FACES
@pytest.mark.parametrize(
    ("script", "kind", "cause"),
    [
        ([ValueError("no messages")], BadRequest, ValueError),
        ([RuntimeError("broken")], ServerError, RuntimeError),
        ([b"no json"], BadResponse, ValueError),
        ([b'{"choices": 1}'], BadResponse, None),
        ([], BadResponse, None),
        ([b'{"error": {"code": 400, "type": "exceed_context_size_error", "message": "x"}}'], ContextTooLong, None),
        ([b'{"error": {"code": 500, "type": "server_error", "message": "x"}}'], ServerError, None),
    ],
    ids=["refused", "raised", "no json", "malformed", "empty", "too long", "failed"],
)
def test_failures_before_output(blocking, script, kind, cause):
    """Each way in which xllamacpp can fail has its error, which names provider and model, and frees the slot."""
    local = make(Scripted(*script))

    async def scenario(blocking):
        with pytest.raises(kind) as caught:
            await ask(local, blocking=blocking)
        return caught.value

    error = run(blocking, scenario)
    wait_for_workers(local)

    assert type(error) is kind
    assert (error.provider, error.model) == ("local", "smol")
    assert cause is None or isinstance(error.__cause__, cause)
    assert local._slots.free == 1


@pytest.mark.parametrize("script", [[HELLO], [HELLO, RuntimeError("broken")]], ids=["cut", "raised"])
def test_failures_after_output(script):
    """After output a failure, or an end without a finish reason, is `StreamInterrupted` with what there was."""
    with pytest.raises(StreamInterrupted) as caught:
        drive(ask(make(Scripted(*script)), stream=True))

    assert caught.value.partial == "hello"


@FACES
@pytest.mark.parametrize("limit", [{"first_chunk": 5.0}, {"total": 5.0}], ids=["first_chunk", "total"])
def test_a_slow_start_times_out(blocking, limit):
    """Without a first chunk in time the attempt is `TimedOut`; reading the prompt is no chunk; the model stops."""
    local, clock = make(Endless(PROGRESS)), FakeClock()

    async def scenario(blocking):
        call = make_call(blocking=blocking, clock=clock, stream=True, timeouts=Timeouts(**limit))
        reply = await local.send(call, "smol")
        clock.advance(5)
        with pytest.raises(TimedOut) as caught:
            await reply.prime()
        return caught.value

    error = run(blocking, scenario)
    wait_for_workers(local)

    assert (error.provider, error.model) == ("local", "smol")
    assert local._slots.free == 1


def test_a_stall_interrupts_the_stream():
    """Too long a pause between two chunks cuts the stream, because of `TimedOut`."""
    clock = FakeClock()
    reply = drive(make(Endless(HELLO)).send(make_call(clock=clock, stream=True), "smol"))
    drive(reply.prime())
    clock.advance(60)
    with pytest.raises(StreamInterrupted) as caught:
        drive(read(reply))

    assert isinstance(caught.value.__cause__, TimedOut)


def test_a_call_that_is_not_streamed_has_only_a_total():
    """The limits between chunks do not hold for a caller who waits for all of it."""
    limits = Timeouts(first_chunk=0.0, between_chunks=0.0)

    assert join_text(drive(ask(make(Scripted(HELLO, HELLO, END)), timeouts=limits))) == "hellohello"


@FACES
def test_the_deadline_of_the_call_is_not_a_fault_of_the_model(blocking):
    """A deadline that falls into the attempt is `DeadlineExceeded`, caused by `TimedOut`."""
    local, clock = make(Endless()), FakeClock()

    async def scenario(blocking):
        reply = await local.send(make_call(blocking=blocking, clock=clock, deadline=3.0), "smol")
        clock.advance(3)
        with pytest.raises(DeadlineExceeded) as caught:
            await reply.prime()
        return caught.value

    error = run(blocking, scenario)
    wait_for_workers(local)

    assert isinstance(error.__cause__, TimedOut)
    assert local._slots.free == 1


@FACES
def test_a_call_waits_for_its_turn(blocking):
    """With the only slot taken a call waits until its deadline, and takes nothing with it."""
    local = make(Endless(HELLO))

    async def scenario(blocking):
        first = await local.send(make_call(blocking=blocking), "smol")
        with pytest.raises(DeadlineExceeded, match="before a free slot"):
            await local.send(make_call(blocking=blocking, deadline=0.01), "smol")
        await first.close()
        second = await local.send(make_call(blocking=blocking), "smol")
        await second.prime()
        await second.close()

    run(blocking, scenario)
    wait_for_workers(local)

    assert len(local._model._server.requests) == 2
    assert (local._slots.free, local._slots.waiting) == (1, 0)


def test_no_more_than_parallel_generate_at_once():
    """Twelve threads share a model with three slots; there are never more than three generations."""
    lock, running, most = threading.Lock(), 0, 0
    full = threading.Barrier(3)

    class Counting(Scripted):
        def handle_chat_completions(self, request, receive):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            full.wait(60)  # nobody goes on until three are here
            with lock:
                running -= 1
            super().handle_chat_completions(request, receive)

    local, texts = make(Counting(HELLO, END), parallel=3), []
    threads = [threading.Thread(target=lambda: texts.append(join_text(drive(ask(local))))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert texts == ["hello"] * 12
    assert most == 3
    assert local._slots.free == 3


@FACES
def test_closing_stops_what_runs(blocking):
    """A reply that is read while its model is closed is interrupted, or unreachable if it had no output yet."""

    async def scenario(blocking):
        talking, silent = make(Endless(HELLO)), make(Endless())
        reply = await talking.send(make_call(blocking=blocking, stream=True), "smol")
        await reply.prime()
        talking.close()
        with pytest.raises(StreamInterrupted, match="closed") as caught:
            await read(reply)
        other = await silent.send(make_call(blocking=blocking), "smol")
        silent.close()
        with pytest.raises(Unreachable, match="closed"):
            await other.prime()
        return caught.value.partial, talking._model.loaded, len(talking._model._running)

    assert run(blocking, scenario) == ("hello", False, 0)


def test_a_closed_model_refuses():
    """After `close`, which may be called twice, a check and a call are a `ConfigError`."""
    local = make(Scripted(HELLO, END))
    local.close()
    local.close()

    with pytest.raises(ConfigError, match="closed"):
        local.check()
    with pytest.raises(ConfigError, match="closed"):
        drive(ask(local))


def test_closing_wakes_those_that_wait():
    """A call that waits for a slot hears that the model was closed."""
    local = make(Endless(HELLO))

    async def scenario():
        first = await local.send(make_call(blocking=False), "smol")
        await first.prime()
        second = asyncio.create_task(local.send(make_call(blocking=False), "smol"))
        while not local._slots.waiting:  # noqa: ASYNC110  (nothing tells when a call begins to wait)
            await asyncio.sleep(0)
        local.close()
        with pytest.raises(ConfigError, match="closed"):
            await second

    asyncio.run(scenario())

    assert (local._slots.free, local._slots.waiting) == (1, 0)


def test_a_reply_keeps_its_model_open():
    """A model that is held only by the reply of its last call is not closed under it."""
    reply = drive(make(Scripted(HELLO, END)).send(make_call(), "smol"))
    gc.collect()

    assert join_text(drive(read(reply))) == "hello"


def test_a_forgotten_model_is_freed():
    """Without any reference left the model is freed, with nothing running."""
    local = make(Endless(HELLO))
    model = local._model
    reply = drive(local.send(make_call(), "smol"))
    del local, reply
    gc.collect()

    assert model.closed
    assert not model.loaded
    assert not model._running


def test_a_worker_may_close_the_model():
    """The garbage collector may free a model in one of its own threads: that one is not waited for."""

    class Closing(Scripted):
        def handle_chat_completions(self, request, receive):
            local._model.close()
            super().handle_chat_completions(request, receive)

    local = make(Closing(HELLO, END))

    with pytest.raises(StreamInterrupted, match="closed"):
        drive(ask(local))
    assert not local._model.loaded


def test_without_a_unix_socket_the_listener_wants_a_key(monkeypatch):
    """Where there are no Unix sockets, or the folder's name is too long for one, a secret key guards the listener."""
    params = SimpleNamespace(hostnames=["127.0.0.1"])
    monkeypatch.setattr("aigw.providers.local_model.LONGEST_SOCKET_NAME", 1)
    with _hidden_listener(params):
        pass

    assert params.hostnames == ["127.0.0.1"]
    assert len(params.api_keys[0]) > 30


def test_a_thread_that_cannot_start_costs_no_slot(monkeypatch):
    """Where the system has no more threads the call is `Overloaded`, and nothing of it stays behind."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    local = make(Scripted(HELLO, END))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(Overloaded, match="no thread can be started"):
            drive(ask(local))

    assert local._slots.free == 1
    assert join_text(drive(ask(local))) == "hello"


def test_a_stopped_call_is_not_begun():
    """A generation that nobody wants any more when its worker gets to it never reaches the model."""
    local = make(Scripted(HELLO, END))
    with local._model._loading:  # the worker must wait here
        reply = drive(local.send(make_call(), "smol"))
        drive(reply.close())
    wait_for_workers(local)

    assert local._model._server.requests == []
    assert local._slots.free == 1
