"""Every call of a gateway is recorded once, however it is made and however it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

import pytest
from openai import OpenAI

from aigw import (
    AsyncGateway,
    Chunk,
    ConfigError,
    Fallback,
    Gateway,
    RateLimited,
    Reply,
    Retry,
    StreamInterrupted,
    Target,
    errors,
)
from aigw.testing import FakeClock, HeldClock, ScriptedProvider
from aigw.usage import MemoryUsage, SqliteUsage
from gateway.faces import Face

PROMPT, ANSWER, KEY = "what-the-user-said", "what-the-model-said", "sk-a-very-secret-key"


class Refuse:
    """Refuses every call."""

    async def handle(self, call, inner):
        """Say no."""
        raise RateLimited("no more today", policy="Refuse", retry_after=60)


class Answer:
    """Answers in place of any target, as a cache does."""

    async def handle(self, call, inner):
        """Replay an answer."""
        return Reply.replay([Chunk("from the cache", finish_reason="stop")])


class Detour:
    """Sends calls to another route."""

    detours = ("spare",)

    async def handle(self, call, inner):
        """Change the route."""
        return await inner(call.evolve(route="spare"))


def served(*script, policies=(), log=None, **options):
    """Return the arguments of a gateway that records into `log`, or into a new log."""
    target = Target(ScriptedProvider(*script), model="m")
    return {"routes": {"smart": target}, "policies": policies, "usage": log or MemoryUsage(), **options}


def only(face):
    """Return the one record that there is."""
    gc.collect()
    (record,) = face.gateway._engine.usage.log.records()
    return record


def test_an_answer(face):
    """A call that was answered is recorded with who, where, what and how long."""
    clock = FakeClock()
    one = face(**served([ANSWER, 2.0, "and more"], clock=clock))
    answer = one.chat(PROMPT, principal="alice", tags={"t"}, metadata={"app": "x"}, model="smart")
    record = only(one)

    assert record.id == answer.trace.call_id
    assert (record.started, record.duration, record.time_to_first_chunk) == (clock.time() - 2.0, 2.0, 2.0)
    assert (record.principal, record.tags, record.asked, record.route) == ("alice", ("t",), "smart", "smart")
    assert (record.target, record.provider, record.model) == ("scripted/m", "scripted", "m")
    assert (record.input, record.output) == (answer.usage.input, answer.usage.output)
    assert (record.outcome, record.attempts, record.failures) == ("ok", 1, ())


def test_attempts_that_failed(face):
    """What had failed before the answer is told in short."""
    one = face(**served(errors.Overloaded("busy", status=503), ANSWER, policies=[Retry()], clock=FakeClock()))
    one.chat(PROMPT)
    record = only(one)

    assert (record.outcome, record.attempts) == ("ok", 2)
    assert record.failures == ("scripted/m Overloaded 503",)


@pytest.mark.parametrize("way", ["chat", "read"])
@pytest.mark.parametrize(
    ("script", "policies", "error", "refused_by"),
    [
        ([errors.BadRequest("no")], [], errors.BadRequest, None),
        ([ZeroDivisionError("a bug")], [], ZeroDivisionError, None),
        ([], [Refuse()], RateLimited, "Refuse"),
    ],
    ids=["provider", "bug", "refused"],
)
def test_failures(face, way, script, policies, error, refused_by):  # noqa: PLR0917  (pytest names them)
    """A call that fails or is refused is recorded, streamed or not."""
    one = face(**served(*script, policies=policies))
    with pytest.raises(error):
        getattr(one, way)(PROMPT)
    record = only(one)

    assert (record.outcome, record.refused_by) == (error.__name__, refused_by)
    assert record.attempts == len(script)


def test_an_answer_of_a_policy(face):
    """A call that a policy answered used nothing, and cost nothing."""
    one = face(**served(policies=[Answer()]))
    one.chat(PROMPT)
    record = only(one)

    assert (record.outcome, record.attempts, record.target, record.cost) == ("ok", 0, None, 0)


def test_all_targets_failed(face):
    """A call that failed everywhere counts once, with every failure."""
    spare = Target(ScriptedProvider(errors.ServerError("no", status=500), name="spare"), model="m")
    main = Target(ScriptedProvider(errors.Unreachable("no"), name="main"), model="m")
    one = face({"smart": Fallback(main, spare)}, usage=MemoryUsage())
    with pytest.raises(errors.AllTargetsFailed):
        one.chat(PROMPT)
    record = only(one)

    assert record.outcome == "AllTargetsFailed"
    assert record.failures == ("main/m Unreachable", "spare/m ServerError 500")


def test_a_stream_to_its_end(face):
    """A stream is recorded when it is over, not before."""
    one = face(**served([ANSWER, "more"]))
    reading = one.stream(PROMPT)
    reading.next()
    before = list(one.gateway._engine.usage.log.records())
    reading.rest()
    reading.close()

    assert before == []
    assert only(one).outcome == "ok"


@pytest.mark.parametrize("way", ["close", "drop"])
def test_a_stream_that_is_left(face, way):
    """A stream that was closed or dropped half-read is recorded as abandoned, with a guess of what it used."""
    one = face(**served([ANSWER, "more", "and more"]))
    reading = one.stream(PROMPT)
    reading.next()
    getattr(reading, way)()
    record = only(one)

    assert (record.outcome, record.attempts) == ("abandoned", 1)
    assert record.estimated


def test_a_stream_that_was_never_read(face):
    """A stream that nobody began to read is no call."""
    one = face(**served(ANSWER))
    one.stream(PROMPT).close()
    gc.collect()

    assert list(one.gateway._engine.usage.log.records()) == []


def test_a_stream_that_is_cut(face):
    """A stream that is cut is recorded as such."""
    one = face(**served([ANSWER, errors.BadResponse("cut")]))
    with pytest.raises(StreamInterrupted):
        one.read(PROMPT)
    record = only(one)

    assert (record.outcome, record.failures) == ("StreamInterrupted", ("scripted/m StreamInterrupted",))


@pytest.mark.parametrize("script", [[[5.0, ANSWER]], [[ANSWER, 5.0, "more"]]], ids=["before-output", "after-output"])
@pytest.mark.parametrize("way", ["chat", "stream"])
def test_a_cancelled_task(script, way):
    """A task that is cancelled while it waits leaves one record."""

    async def main():
        clock = HeldClock()
        gateway = AsyncGateway(**served(*script, clock=clock))

        async def ask():
            if way == "chat":
                return await gateway.chat(PROMPT)
            async with gateway.stream(PROMPT) as stream:
                return [chunk async for chunk in stream]

        task = asyncio.create_task(ask())
        await clock.waiting()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        records = list(gateway._engine.usage.log.records())
        await gateway.close()
        return records

    (record,) = asyncio.run(main())

    assert record.outcome == "cancelled"


def test_other_operations(face):
    """Embeddings are recorded as what they are."""
    one = face(**served("vectors"))
    one.embed(["a", "b"])

    assert only(one).operation == "embeddings"


def test_a_function_of_the_application():
    """A wrapped function is recorded under its name; a generator that is left early is abandoned."""
    gateway = Gateway(usage=MemoryUsage())

    @gateway.wrap(model="openai/gpt-5.5")
    def ask(prompt: str) -> str:
        return prompt.upper()

    @gateway.wrap(model="openai/gpt-5.5")
    def tell(prompt: str):
        yield from prompt.split()

    ask("hello")
    items = tell("one two three")
    next(items)
    items.close()
    rows = gateway.usage(by=("provider", "model", "outcome"))
    found = [tuple(row.group.values()) for row in rows]

    assert found == [("openai", "gpt-5.5", "abandoned"), ("openai", "gpt-5.5", "ok")]
    assert {row.group["route"].rpartition(".")[2] for row in gateway.usage(by="route")} == {"ask", "tell"}


def test_an_sdk():
    """The calls of an unmodified SDK are recorded like any other."""
    gateway = Gateway(**served("hello", ["one ", "two"]))
    with gateway, OpenAI(api_key="k", base_url="http://unused", http_client=gateway.http_client("openai")) as client:
        client.chat.completions.create(model="smart", messages=[{"role": "user", "content": "hi"}])
        chunks = client.chat.completions.create(
            model="smart", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        assert len(list(chunks)) > 1

    (row,) = gateway.usage(by="outcome")
    assert (row.group, row.calls) == ({"outcome": "ok"}, 2)


def test_a_typed_function():
    """A prompt that is a typed function is a call."""
    gateway = Gateway(**served("seven"))

    @gateway.prompt(model="smart")
    def count(text: str) -> str:
        """Count the words of {{ text }}."""

    assert count("a b") == "seven"
    assert len(list(gateway._engine.usage.log.records())) == 1


def test_a_detour(face):
    """The route is the one that the call took in the end, not the one that it asked for."""
    routes = {
        "smart": Target(ScriptedProvider("no"), model="m"),
        "spare": Target(ScriptedProvider("yes", name="spare"), model="m"),
    }
    one = face(routes, [Detour()], usage=MemoryUsage())
    answer = one.chat(PROMPT, model="smart")
    record = only(one)

    assert (record.asked, record.route, answer.trace.route) == ("smart", "spare", "spare")


def test_questions(face):
    """Both faces answer the same questions; by default about what is in memory."""
    one = face({"smart": Target(ScriptedProvider("a", "b", "c"), model="m")}, clock=FakeClock())
    for principal in ("alice", "bob", "alice"):
        one.chat(PROMPT, principal=principal)
    rows = one.call(one.gateway, "usage", "principal", since="1h")
    (alice,) = one.call(one.gateway, "usage", principal="alice")

    assert [(row.group["principal"], row.calls) for row in rows] == [("alice", 2), ("bob", 1)]
    assert (alice.calls, alice.group) == (2, {})
    assert len(one.call(one.gateway, "usage", until="1h")) == 0


def test_a_loop_goes_on_while_usage_is_read():
    """The async face reads records in a thread of its own."""

    class Log(MemoryUsage):
        def records(self, since=None, until=None):
            seen.append(threading.current_thread())
            return super().records(since, until)

    seen = []

    async def ask():
        gateway = AsyncGateway(**served("a", log=Log()))
        await gateway.usage()
        await gateway.close()

    asyncio.run(ask())

    assert seen
    assert seen[0] is not threading.current_thread()


@pytest.mark.parametrize(
    ("arguments", "options"),
    [(["colour"], {}), ([], {"since": "yesterday"}), ([], {"zone": "Nowhere"}), ([], {"principle": "alice"})],
)
def test_wrong_questions(face, arguments, options):
    """A question that makes no sense is refused."""
    one = face(**served())
    with pytest.raises(ConfigError, match="usage"):
        one.call(one.gateway, "usage", *arguments, **options)


def test_no_records(face):
    """With ``usage=None`` nothing is kept, and a question is told so."""
    one = face({"smart": Target(ScriptedProvider("a"), model="m")}, usage=None)
    one.chat(PROMPT)

    with pytest.raises(ConfigError, match=r"Gateway\(usage=None\)"):
        one.call(one.gateway, "usage")


def test_a_path(face, tmp_path):
    """A path is a file of records, which is whole when the gateway is closed, and may be used again."""
    path = tmp_path / "usage.db"
    with Face({"smart": Target(ScriptedProvider("a", "b"), model="m")}, usage=str(path)) as one:
        one.chat(PROMPT)
    one.chat(PROMPT)
    (row,) = one.call(one.gateway, "usage")
    one.close()

    assert row.calls == 2
    assert [found.name for found in tmp_path.iterdir()] == ["usage.db"]


def test_a_log_of_the_user_stays_open(face, tmp_path):
    """A gateway closes what it has made itself; one log may serve several gateways."""
    log = SqliteUsage(tmp_path / "usage.db")
    one, other = (face(**served("a", log=log)) for _ in range(2))
    one.chat(PROMPT)
    log.flush()
    one.close()
    still = log._connection is not None
    other.chat(PROMPT)
    (row,) = other.call(other.gateway, "usage")
    log.close()

    assert still
    assert row.calls == 2


@pytest.mark.parametrize("usage", [False, 5, MemoryUsage, []], ids=repr)
def test_what_is_no_log(usage):
    """Anything else is refused at once."""
    with pytest.raises(ConfigError, match=r"Gateway\(usage\) must be a path, a log"):
        Gateway(usage=usage)


def test_a_log_that_fails(face, caplog):
    """A log of the application that raises does not cost an answer."""

    class Broken(MemoryUsage):
        def add(self, record):
            raise OSError("full")

    one = face(**served(ANSWER, log=Broken()))
    with caplog.at_level(logging.ERROR, "aigw.usage"):
        answer = one.chat(PROMPT)

    assert answer.text == ANSWER
    assert "not recorded" in caplog.text


def test_no_words_and_no_keys(face, tmp_path, upstream):
    """Neither prompts nor answers, keys or what a provider wrote stand in the file."""
    path = tmp_path / "usage.db"
    log = SqliteUsage(path)
    target = Target(upstream.url, model="m", api_key=KEY)
    detail = errors.BadRequest(f"wrong: {ANSWER}", provider="p", detail=f"you said {PROMPT}", status=400)
    failing = Target(ScriptedProvider(detail), model="m")
    one = face({"smart": target, "failing": failing}, usage=log)
    one.chat(PROMPT, model="smart")
    with pytest.raises(errors.BadRequest):
        one.chat(PROMPT, model="failing")
    log.flush()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    log.close()

    assert b"BadRequest 400" in stored
    assert [word for word in (PROMPT, ANSWER, upstream.answer, KEY) if word.encode() in stored] == []
