"""Conservation: whatever happens to a reply, everything is settled once, and no chunk is lost or doubled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from aigw.chunk import Chunk, Usage
from aigw.errors import (
    AnswerBlocked,
    BadResponse,
    DeadlineExceeded,
    PromptBlocked,
    ProviderError,
    ServerError,
    StreamInterrupted,
)
from aigw.reply import End, Reply
from aigw.runtime import drive
from foundation.sources import ScriptedSource, ThrownAwayError, Wait, run


@dataclass
class Tap:
    """A tap that keeps book: what it saw, what it dropped, what it holds back; chunks are known by their ids."""

    kind: str
    position: int
    delivered_before: int
    """How many chunks had been handed out when it was added."""
    seen: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    held: list[Chunk] = field(default_factory=list)
    flushed: int = 0

    def see(self, chunk: Chunk) -> Chunk | None:
        self.seen.append(chunk.id)
        number = len(self.seen)
        if self.kind == "drops" and number % 2:
            self.dropped.append(chunk.id)
            return None
        if self.kind == "rewrites":
            return replace(chunk, text=chunk.text.upper(), extra={**(chunk.extra or {}), "rewritten": self.position})
        if self.kind == "refuses" and number == 3:
            raise AnswerBlocked("it broke a rule", policy="tap")
        if self.kind == "delays":
            self.held.append(chunk)
            return self.held.pop(0) if len(self.held) > 1 else None
        if self.kind == "collects" or (self.kind == "refuses at the end" and number > 2):
            self.held.append(chunk)
            return None
        return chunk

    def flush(self) -> Chunk | None:
        self.flushed += 1
        if self.kind == "refuses at the end":
            raise PromptBlocked("it broke a rule", policy="tap")
        if self.kind == "delays" and self.held:
            return self.held.pop()
        if self.kind == "collects" and self.held:
            *first, last = self.held
            self.dropped += [chunk.id for chunk in first]  # they go out within the last one
            self.held = []
            return replace(last, text="".join(chunk.text for chunk in [*first, last]))
        return None


tap_kinds = st.sampled_from(
    ["passes", "drops", "rewrites", "refuses", "delays", "collects", "refuses at the end", "has no flush"]
)
silent = st.sampled_from([Chunk(finish_reason="stop"), Chunk(usage=Usage(1, 2)), Chunk(usage=Usage(7, 8))])
speaking = st.sampled_from([Chunk("text "), Chunk(reasoning="hm"), Chunk("more ", usage=Usage(3, 4))])
failures = st.builds(
    lambda kind: kind("it broke"), st.sampled_from([ServerError, BadResponse, DeadlineExceeded, RuntimeError])
)
rare = st.sampled_from([Wait.GOES_ON, Wait.CANCELLED, Wait.THROWN_AWAY]) | failures
scripts = st.builds(
    lambda steps, end: (
        [replace(step, id=f"{at}") if isinstance(step, Chunk) else step for at, step in enumerate(steps)] + end
    ),
    st.lists(st.one_of(speaking, speaking, silent, st.just(Wait.GOES_ON)), max_size=7),
    st.lists(rare, max_size=1),
)
CAUSES = {
    *(ServerError, BadResponse, DeadlineExceeded, RuntimeError),
    *(AnswerBlocked, PromptBlocked),
    *(asyncio.CancelledError, GeneratorExit),
}
operations = st.one_of(
    st.just("read"),
    st.sampled_from(["read", "prime", "prime whole", "listen"]),
    tap_kinds.map(lambda kind: ("tap", kind)),
)
endings = st.sampled_from(["drain", "drain", "drain", "close", "close", "abandon"])


class Reader:
    """Does to a reply what a plan says, and keeps book."""

    def __init__(self, script: list, together: int) -> None:
        self.source = ScriptedSource(script, together=together)
        self.reply = Reply(self.source)
        self.taps: list[Tap] = []
        self.got: list[Chunk] = []
        self.error: BaseException | None = None
        self.complete = False
        self.thrown_away = False
        self.ends: list[tuple[int, End]] = []
        self.listeners = 0

    def do(self, operation: str | tuple[str, str]) -> None:
        """Do one step of a plan."""
        if operation == "listen":
            number, self.listeners = self.listeners, self.listeners + 1
            self.reply.when_done(lambda end: self.ends.append((number, end)))
        elif operation == "read":
            self._run(self._read())
        elif operation in ("prime", "prime whole"):
            self._run(self.reply.prime(whole=operation == "prime whole"))
        elif self.reply.end is None:
            tap = Tap(operation[1], len(self.taps), len(self.got))
            self.taps.append(tap)
            self.reply.tap(tap.see, flush=None if tap.kind == "has no flush" else tap.flush)

    def finish(self, ending: str) -> None:
        """End the reading one way or another; whoever opens a reply closes it at last."""
        while ending == "drain" and not (self.complete or self.error or self.thrown_away):
            self.do("read")
        if ending == "abandon":
            close = self.reply.abandon()
            if close is not None:
                drive(close())
        drive(self.reply.close())

    async def _read(self) -> None:
        chunk = await self.reply.read()
        if chunk is None:
            self.complete = self.complete or self.reply.end.complete
        else:
            self.got.append(chunk)

    def _run(self, coroutine) -> None:
        known = self.error
        try:
            run(coroutine, self.source)
        except ThrownAwayError:
            self.thrown_away = True
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is judged later)
            self.error = error

        assert known in (None, self.error), "reading on raises the same again"


@settings(max_examples=500)
@given(scripts, st.integers(1, 4), st.lists(operations, max_size=9), endings)
def test_conservation(script, together, plan, ending):
    """For any script, any taps, any reading ahead and any end: settled once, closed, nothing lost, nothing doubled."""
    reader = Reader(script, together)
    for operation in ["listen", *plan, "listen"]:
        reader.do(operation)
    reader.finish(ending)
    reader.do("listen")
    reader.do("read")
    event(reader.reply.end.outcome)

    check_the_end(reader)
    check_the_chunks(reader)
    check_the_error(reader)


def check_the_end(reader):
    """Every listener hears of the end once, in order, and the source is let go of."""
    numbers, ends = zip(*reader.ends, strict=True)
    end = ends[0]

    assert list(numbers) == list(range(reader.listeners))
    assert all(other is end for other in ends)
    assert reader.reply.end is end
    assert reader.source.let_go
    assert end.complete is reader.complete
    usages = [chunk.usage for chunk in reader.source.given if chunk.usage]
    assert end.usage == (usages[-1] if usages else None)
    if any(chunk.has_output for chunk in reader.got):
        assert end.committed


def check_the_chunks(reader):
    """Chunks keep their order; each is seen once by each tap, and what no tap took away is handed out once."""
    got = [chunk.id for chunk in reader.got]
    given_out = [chunk.id for chunk in reader.source.given]

    assert reader.reply.delivered == reader.got
    assert got == sorted(set(got), key=int)
    assert set(got) <= set(given_out)
    for tap in reader.taps:
        assert tap.seen == sorted(set(tap.seen), key=int)
        assert set(tap.seen).isdisjoint(got[: tap.delivered_before])
        assert tap.flushed <= 1
        assert reader.source.ended or not tap.flushed
    if reader.complete:
        dropped = [identity for tap in reader.taps for identity in tap.dropped]
        assert sorted([*got, *dropped], key=int) == given_out
        for tap in reader.taps:
            assert tap.flushed == (tap.kind != "has no flush")
            before = {identity for other in reader.taps[: tap.position] for identity in other.dropped}
            assert tap.seen == [
                one for one in given_out if one not in before and one not in got[: tap.delivered_before]
            ]


def check_the_error(reader):
    """What broke the stream is raised as it is before the first output, and as StreamInterrupted after it."""
    end, error = reader.reply.end, reader.error
    if error is None:
        assert end.outcome in {"ok", "abandoned"} or reader.thrown_away
        return
    assert end.error is error
    assert end.outcome == type(error).__name__
    handed_out = any(chunk.has_output for chunk in reader.got)
    cause = error.__cause__ if isinstance(error, StreamInterrupted) else error
    assert type(cause) in CAUSES
    assert isinstance(error, StreamInterrupted) is (handed_out and isinstance(cause, (ProviderError, DeadlineExceeded)))
    if isinstance(error, StreamInterrupted):
        assert error.partial == "".join(chunk.text for chunk in reader.got)
        assert error.usage == end.usage
