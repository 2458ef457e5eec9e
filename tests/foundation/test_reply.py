"""`Reply`: reading, taps, reading ahead, and the callbacks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from aigw.chunk import Chunk, Usage
from aigw.errors import AnswerBlocked
from aigw.reply import End, Reply
from aigw.runtime import drive
from foundation.sources import ScriptedSource
from testing.faces import both_faces, read_all, run

A, B, C = Chunk("a"), Chunk("b"), Chunk("c")
STOP = Chunk(finish_reason="stop", usage=Usage(1, 2))


def reply_of(*script):
    """Make a reply and its source."""
    source = ScriptedSource(script)
    return Reply(source), source


def texts(chunks):
    """Return the texts of chunks."""
    return [chunk.text for chunk in chunks]


def louder(chunk):
    """Rewrite a chunk."""
    return replace(chunk, text=chunk.text.upper())


@both_faces
def test_a_reply_is_read_to_its_end(blocking):
    """Every chunk comes once, in order, then ``None``, and ``None`` again for who reads on."""
    reply, source = reply_of(A, B, STOP)

    async def main():
        return await read_all(reply), await reply.read(), await reply.read()

    assert run(blocking, main) == ([A, B, STOP], None, None)
    assert reply.delivered == [A, B, STOP]
    assert reply.end == End(complete=True, error=None, usage=Usage(1, 2), committed=True)
    assert reply.end.outcome == "ok"
    assert source.ended


@both_faces
def test_chunks_that_came_together(blocking):
    """What a source has ready is taken from there, before it is asked for more, by reading and by reading ahead."""
    source = ScriptedSource([A, B, C, STOP, A], together=3)
    reply = Reply(source)

    async def main():
        await reply.prime()
        before = list(source.ready)
        first = await reply.read()
        await reply.prime(whole=True)
        return before, [first, *await read_all(reply)]

    assert run(blocking, main) == ([B, C], [A, B, C, STOP, A])
    assert reply.end.usage == Usage(1, 2)


def test_a_reply_without_chunks_has_a_proper_end():
    """No output is an answer too: it is complete, and was never committed."""
    reply, _ = reply_of()
    drive(reply.prime())

    assert drive(reply.read()) is None
    assert reply.end == End(complete=True, error=None, usage=None, committed=False)


def test_the_last_usage_counts():
    """The end tells the last usage that the source gave, whatever taps do with it."""
    reply, _ = reply_of(Chunk("a", usage=Usage(1, 1)), Chunk(usage=Usage(1, 5)))
    reply.tap(lambda chunk: replace(chunk, usage=None))
    chunks = drive(read_all(reply))

    assert [chunk.usage for chunk in chunks] == [None, None]
    assert reply.end.usage == Usage(1, 5)


def test_taps_run_from_the_inside_out():
    """The tap that was added first, by the innermost policy, sees a chunk first; the next sees what it made of it."""
    reply, _ = reply_of(A, B)
    reply.tap(lambda chunk: replace(chunk, text=chunk.text + "1"))
    reply.tap(lambda chunk: replace(chunk, text=chunk.text + "2"))

    assert texts(drive(read_all(reply))) == ["a12", "b12"]


def test_a_tap_can_hold_back():
    """What a tap returns ``None`` for goes no further, not even to the next tap."""
    seen = []
    reply, _ = reply_of(A, B, C)
    reply.tap(lambda chunk: None if chunk is B else chunk)
    reply.tap(lambda chunk: seen.append(chunk) or chunk)

    assert drive(read_all(reply)) == [A, C]
    assert seen == [A, C]


def test_a_tap_gives_out_at_the_end_what_it_held_back():
    """`flush` is called once at the proper end; what it returns passes the taps that are further out."""
    held = []
    reply, _ = reply_of(A, B)
    reply.tap(held.append, flush=lambda: Chunk("".join(texts(held))))
    reply.tap(louder)
    reply.tap(lambda chunk: chunk, flush=lambda: Chunk("!"))

    assert texts(drive(read_all(reply))) == ["AB", "!"]
    assert reply.end.complete


def test_what_is_flushed_may_be_held_back_again():
    """What one tap flushes can be held by the next, which flushes it in its turn."""
    first, second = [], []
    reply, _ = reply_of(A, B)
    reply.tap(first.append, flush=lambda: Chunk("".join(texts(first))))
    reply.tap(second.append, flush=lambda: louder(second[0]))

    assert texts(drive(read_all(reply))) == ["AB"]


@pytest.mark.parametrize("ending", ["close", "failure"])
def test_nothing_is_flushed_before_the_proper_end(ending):
    """A stream that breaks or is closed gives out nothing that was held back."""
    flushed = []
    reply, _ = reply_of(A, ValueError("broken"))
    reply.tap(lambda _: None, flush=lambda: flushed.append(1))
    if ending == "close":
        drive(reply.close())
    else:
        with pytest.raises(ValueError, match="broken"):
            drive(reply.read())

    assert flushed == []
    assert not reply.end.complete


def test_priming_reads_ahead_to_the_first_output():
    """`prime` reads until there is output, keeps what it read, and then the reply is committed."""
    reply, source = reply_of(Chunk(id="x"), STOP, A, B)
    before = reply.committed
    drive(reply.prime())

    assert source.given == [Chunk(id="x"), STOP, A]
    assert (before, reply.committed, reply.delivered) == (False, True, [])
    assert drive(read_all(reply)) == [Chunk(id="x"), STOP, A, B]


def test_priming_the_whole_reads_everything():
    """``prime(whole=True)`` reads to the end, also after an ordinary prime, and gives out nothing by itself."""
    reply, source = reply_of(A, B, STOP)
    drive(reply.prime())
    drive(reply.prime(whole=True))
    drive(reply.prime(whole=True))

    assert source.ended
    assert (reply.end, reply.delivered) == (None, [])
    assert drive(read_all(reply)) == [A, B, STOP]


def test_priming_again_does_nothing():
    """Only a new tap can change what was found; without one nothing more is read."""
    reply, source = reply_of(A, B)
    drive(reply.prime())
    drive(reply.prime())

    assert source.given == [A]


def test_a_tap_that_comes_later_sees_what_was_read_ahead():
    """Chunks that wait pass a new tap once; if it holds them back, priming reads on to the next output."""
    seen = []
    reply, source = reply_of(A, B, C)
    reply.tap(louder)
    drive(reply.prime())
    reply.tap(lambda chunk: seen.append(chunk.text) or (None if chunk.text == "A" else chunk))
    drive(reply.prime())

    assert source.given == [A, B]
    assert seen == ["A", "B"]
    assert texts(drive(read_all(reply))) == ["B", "C"]
    assert seen == ["A", "B", "C"]


def test_a_tap_that_refuses_what_was_read_ahead_does_so_in_prime():
    """A guard that stands further out refuses before anything is handed out: an ordinary error, as it is."""
    refusal = AnswerBlocked("no", policy="Guard")

    def refuse(_):
        raise refusal

    reply, source = reply_of(A, B)
    drive(reply.prime())
    reply.tap(refuse)
    with pytest.raises(AnswerBlocked) as caught:
        drive(reply.prime())

    assert caught.value is refusal
    assert reply.end.error is refusal
    assert source.closed == 1


def test_priming_to_the_end_of_a_reply_that_holds_all_back():
    """Where taps hold everything back priming reaches the end, and what they flush comes when it is read."""
    held = []
    reply, _ = reply_of(A, B)
    reply.tap(held.append, flush=lambda: held[0])
    drive(reply.prime())

    assert not reply.committed
    assert drive(read_all(reply)) == [A]


def test_priming_after_the_end_is_fine():
    """A reply that is over has nothing to read ahead."""
    reply, source = reply_of(A)
    drive(reply.close())
    drive(reply.prime())

    assert source.given == []


def test_when_committed():
    """Its callbacks run once, at the first output that comes from the source, or at once if that has been."""
    heard = []
    reply, _ = reply_of(Chunk(id="x"), A, B)
    reply.when_committed(lambda: heard.append("first"))
    drive(reply.read())
    before = list(heard)
    drive(reply.read())
    reply.when_committed(lambda: heard.append("late"))
    drive(reply.read())

    assert before == []
    assert heard == ["first", "late"]


def test_callbacks_run_in_the_order_in_which_they_came():
    """Those of inner policies came first and run first; one that comes after the end runs at once."""
    heard = []
    reply, _ = reply_of(A)
    for name in ("inner", "outer"):
        reply.when_done(lambda end, name=name: heard.append((name, end.outcome)))
    drive(read_all(reply))
    reply.when_done(lambda end: heard.append(("late", end.outcome)))
    drive(reply.close())

    assert heard == [("inner", "ok"), ("outer", "ok"), ("late", "ok")]


def test_closing_stops_a_reply():
    """`close` settles, lets go of the source, and nothing more comes; closing twice is fine."""
    ends = []
    reply, source = reply_of(A, B)
    reply.when_done(ends.append)
    drive(reply.prime())
    drive(reply.close())
    drive(reply.close())

    assert drive(reply.read()) is None
    assert ends == [End(complete=False, error=None, usage=None, committed=True)]
    assert ends[0].outcome == "abandoned"
    assert source.closed >= 1
    assert reply.delivered == []


def test_abandoning_a_reply():
    """`abandon` settles without waiting and returns what closes the source; for a reply that is over, nothing."""
    ends = []
    reply, source = reply_of(A, B)
    reply.when_done(ends.append)
    drive(reply.read())
    close = reply.abandon()
    before = source.closed
    drive(close())

    assert (before, source.closed) == (0, 1)
    assert [end.outcome for end in ends] == ["abandoned"]
    assert reply.abandon() is None


@both_faces
def test_replay(blocking):
    """A reply of chunks that are there already behaves like any other: taps, reading ahead, its end."""
    ends = []
    committed = []
    reply = Reply.replay(iter([A, STOP]))
    reply.when_done(ends.append)
    reply.when_committed(lambda: committed.append(1))
    reply.tap(louder)

    async def main():
        await reply.prime()
        return reply.committed, await read_all(reply)

    assert run(blocking, main) == (True, [Chunk("A"), STOP])
    assert ends == [End(complete=True, error=None, usage=Usage(1, 2), committed=True)]
    assert committed == [1]


def test_a_replay_is_committed_if_it_has_output():
    """All of it is there, so there is nothing to wait for before that is known."""
    assert Reply.replay([STOP, A]).committed
    assert not Reply.replay([STOP]).committed


def test_a_replay_can_be_primed_and_closed():
    """Priming a replay changes nothing, and one that is closed gives out nothing more."""
    reply = Reply.replay([A, B])
    drive(reply.prime(whole=True))
    first = drive(reply.read())
    drive(reply.close())

    assert first == A
    assert drive(reply.read()) is None
    assert reply.end.outcome == "abandoned"
    assert drive(read_all(Reply.replay([]))) == []


def test_cancelling_a_reader_settles_and_closes():
    """A task that is cancelled while it reads: the reply is settled with that, and its source closed at once."""
    ends = []

    class Hanging:
        closed = False

        async def read(self):
            reading.set()
            await asyncio.get_running_loop().create_future()

        async def close(self):
            self.closed = True

    async def main():
        reply = Reply(source)
        reply.when_done(ends.append)
        task = asyncio.create_task(reply.read())
        await reading.wait()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), source.closed

    source, reading = Hanging(), asyncio.Event()

    assert asyncio.run(main()) == (True, True)
    assert [end.outcome for end in ends] == ["CancelledError"]
