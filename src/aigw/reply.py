"""`Reply`: what travels outwards, always a stream, and the contract of that stream.

1. Until the first output of any kind (the *commit point*) a failure is an ordinary error, and the call may be tried
   again elsewhere.
2. After it every failure of the provider is a `StreamInterrupted` that carries what the caller has got.
3. ``when_done`` callbacks run exactly once: at the end, at a failure, when the stream is closed early, when the task is
   cancelled.

A policy may do two things to a reply, and nothing else: `Reply.tap` sees or rewrites chunks, `Reply.when_done` hears of
the end. No generator stands between two layers, so that nothing is left half-run when a stream is abandoned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from aigw.chunk import Chunk, Usage, join_text, join_tool_calls
from aigw.errors import DeadlineExceeded, ProviderError, StreamInterrupted

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from aigw.quota import QuotaHint


class Source(Protocol):
    """Where a reply gets its chunks from: a provider's answer, or a list.

    A source that gets several chunks at once may also have a deque ``ready``; `read` is not asked before it is empty.
    """

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` after the proper end. By then it has given back its connection."""
        ...

    def close(self) -> Coroutine[Any, Any, None]:
        """Let go of everything, wherever it stands. Closing twice is fine."""
        ...


@dataclass(frozen=True, slots=True)
class End:
    """How a reply ended.

    Args:
        complete: the proper end was reached, and everything was handed out.
        error: what broke it; ``None`` also for a stream that was closed early.
        usage: the best known usage; ``None`` where the provider told nothing.
        committed: there was output.
    """

    complete: bool
    error: BaseException | None
    usage: Usage | None
    committed: bool

    @property
    def outcome(self) -> str:
        """``ok``, ``abandoned``, or the class name of the error."""
        if self.error is not None:
            return type(self.error).__name__
        return "ok" if self.complete else "abandoned"


@dataclass(slots=True)
class _Tap:
    see: Callable[[Chunk], Chunk | None]
    flush: Callable[[], Chunk | None] | None


class Reply:
    """An answer on its way to the caller. Read by one task or thread at a time.

    Args:
        source: where the chunks come from.
        quota: reads what the provider told about its quota with this answer; not asked unless somebody wants to know.
    """

    __slots__ = (
        "_callbacks",
        "_end",
        "_first",
        "_given",
        "_on_commit",
        "_primed",
        "_quota",
        "_ready",
        "_settled",
        "_source",
        "_supply",
        "_taps",
        "_usage",
        "delivered",
    )

    def __init__(self, source: Source, quota: Callable[[], QuotaHint | None] | None = None) -> None:
        self._source = source
        self._supply: deque[Chunk] = getattr(source, "ready", _NO_SUPPLY)
        self._taps: list[_Tap] = []
        self._callbacks: list[Callable[[End], None]] = []
        self._on_commit: list[Callable[[], None]] = []
        # Chunks that were read ahead, each with the number of taps that it has passed; None is the end of the source.
        self._ready: deque[tuple[Chunk | None, int]] = deque()
        self._settled = 0
        self._usage: Usage | None = None
        self._first = False
        self._primed = False
        self._given = False
        self._end: End | None = None
        self.delivered: list[Chunk] = []
        """What the reader has got so far."""
        self._quota = quota

    @classmethod
    def replay(cls, chunks: Iterable[Chunk], quota: Callable[[], QuotaHint | None] | None = None) -> Reply:
        """Make a reply of chunks that are there already."""
        reply = cls(_NOTHING_LEFT, quota)
        for chunk in chunks:
            reply._ready.append((chunk, 0))
            reply._see(chunk)
            reply._primed = reply._primed or chunk.has_output
        reply._ready.append((None, 0))
        return reply

    @property
    def quota(self) -> QuotaHint | None:
        """What the provider told about its limits with this answer, counted from now; ``None`` where it told nothing.

        Ask when the reply has just come: the times in it are meant from then on.
        """
        return self._quota() if self._quota is not None else None

    @property
    def ask_quota(self) -> Callable[[], QuotaHint | None] | None:
        """What to call for `quota` later; ``None`` where nothing was told. Headers are read only if somebody asks."""
        return self._quota

    @property
    def ready(self) -> bool:
        """Whether `read` gives a chunk at once: one has come, and no tap could hold it back."""
        return self._end is None and not self._taps and bool(self._supply)

    @property
    def committed(self) -> bool:
        """Whether there is output, handed out or ready to be: if so, nothing may be retried any more."""
        return self._given or self._primed

    @property
    def end(self) -> End | None:
        """How it ended; ``None`` while it has not."""
        return self._end

    def tap(self, see: Callable[[Chunk], Chunk | None], *, flush: Callable[[], Chunk | None] | None = None) -> None:
        """See, rewrite or (``None``) hold back every chunk on its way out.

        Taps run from the innermost policy to the outermost.

        Args:
            see: gets a chunk, returns what goes on.
            flush: called at the proper end; returns what was held back and must still go out.
        """
        self._taps.append(_Tap(see, flush))

    def when_committed(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, when the first output comes from the source."""
        if self._first:
            callback()
        else:
            self._on_commit.append(callback)

    def when_done(self, callback: Callable[[End], None]) -> None:
        """Call `callback` exactly once, when it is over, however it ends. Callbacks of inner policies run first."""
        if self._end is not None:
            callback(self._end)
        else:
            self._callbacks.append(callback)

    async def prime(self, *, whole: bool = False) -> None:
        """Read ahead until an output chunk has passed all taps, or the end has come.

        Every failure up to there is raised here, as it is. Priming again does something only if taps were added.

        Args:
            whole: read ahead to the end in any case. For calls that are not streamed, whose callers see nothing before
                the end: so all of their failures can be tried again.
        """
        if self._end is not None:
            return
        try:
            if self._settled != len(self._taps):
                self._settle_ready()
            while not (self._at_end() or (self._primed and not whole)):
                self._hold(await self._pull(), 0)
        except BaseException as error:  # noqa: BLE001  (cancelled, failed or blocked: the reply ends with it)
            await self._fail(error)

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` after the last one.

        Raises:
            StreamInterrupted: the source failed after the commit point.
            AigwError: what the source or a tap raised before it. Reading on raises the same again.
        """
        if self._end is not None:
            if self._end.error is not None:
                raise self._end.error
            return None
        try:
            while True:
                if self._ready:
                    chunk, seen = self._ready.popleft()
                else:
                    chunk, seen = self._take() if self._supply else await self._pull(), 0
                if chunk is None:
                    if self._flush(seen):
                        continue
                    break
                passed = self._pass(chunk, seen) if self._taps else chunk
                if passed is not None:
                    if not self._given and passed.has_output:
                        self._given = True
                    self.delivered.append(passed)
                    return passed
        except BaseException as error:  # noqa: BLE001  (as in prime)
            await self._fail(error)
        self._finish(None, complete=True)
        return None

    async def close(self) -> None:
        """Stop here: `when_done` callbacks run if they have not, an unfinished answer's connection is closed."""
        try:
            self._finish(None, complete=False)
        finally:
            await self._source.close()

    def abandon(self) -> Callable[[], Coroutine[Any, Any, None]] | None:
        """Settle a reply that nobody holds any more, without waiting; return what closes its source, if any does."""
        if self._end is not None:
            return None
        self._finish(None, complete=False)
        return self._source.close

    async def _pull(self) -> Chunk | None:
        if self._supply:
            return self._take()
        chunk = await self._source.read()
        if chunk is not None:
            self._see(chunk)
        return chunk

    def _take(self) -> Chunk:
        chunk = self._supply.popleft()
        self._see(chunk)
        return chunk

    def _see(self, chunk: Chunk) -> None:
        """Take note of what comes from the source, before any tap."""
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not self._first and chunk.has_output:
            self._first = True
            callbacks, self._on_commit = self._on_commit, []
            for callback in callbacks:
                callback()

    def _settle_ready(self) -> None:
        """Pass what was read ahead through the taps that it has not seen."""
        ready, self._ready = self._ready, deque()
        self._settled = len(self._taps)
        self._primed = False
        for chunk, seen in ready:
            self._hold(chunk, seen)

    def _hold(self, chunk: Chunk | None, seen: int) -> None:
        """Keep a chunk that was read ahead, once it has passed the taps."""
        if chunk is None:
            self._ready.append((None, seen))
        elif (passed := self._pass(chunk, seen)) is not None:
            self._ready.append((passed, len(self._taps)))
            self._primed = self._primed or passed.has_output

    def _at_end(self) -> bool:
        return bool(self._ready) and self._ready[-1][0] is None

    def _pass(self, chunk: Chunk, seen: int) -> Chunk | None:
        """Hand a chunk through the taps that it has not seen yet."""
        passed: Chunk | None = chunk
        for tap in self._taps[seen:] if seen else self._taps:
            if passed is None:
                break
            passed = tap.see(passed)
        return passed

    def _flush(self, seen: int) -> bool:
        """Let taps give out what they hold back; tell whether one did."""
        for position in range(seen, len(self._taps)):
            flush = self._taps[position].flush
            held = flush() if flush is not None else None
            if held is not None:
                self._ready.extend(((held, position + 1), (None, position + 1)))
                return True
        return False

    async def _fail(self, error: BaseException) -> NoReturn:
        """End with this error: settle first, then let go of the source."""
        failure = error
        if self._given and isinstance(error, (ProviderError, DeadlineExceeded)):
            failure = StreamInterrupted(
                f"the stream was cut after its first output ({error})",
                partial=join_text(self.delivered),
                usage=self._usage,
                tool_calls=join_tool_calls(self.delivered),
            )
            failure.__cause__ = error  # those who hear of the end look at it, and that is before it is raised
        try:
            self._finish(failure, complete=False)
        finally:
            if not isinstance(error, GeneratorExit):  # then the coroutine itself is thrown away and may not wait
                await self._source.close()
        try:
            if failure is error:
                raise error
            raise failure from error
        finally:
            del error, failure  # their tracebacks know this frame

    def _finish(self, error: BaseException | None, *, complete: bool) -> None:
        if self._end is not None:
            return
        self._end = end = End(complete, error, self._usage, self.committed)
        callbacks, self._callbacks = self._callbacks, []
        self._on_commit = []  # they know the call, and the call knows this reply
        failure: BaseException | None = None
        for callback in callbacks:
            try:
                callback(end)
            except BaseException as raised:  # noqa: BLE001  (one settles money, the next frees a slot: all must run)
                failure = failure or raised
        if failure is not None:
            raise failure


class _NothingLeft:
    """The source of a reply whose chunks are all there."""

    async def read(self) -> Chunk | None:
        return None

    async def close(self) -> None:
        pass


_NOTHING_LEFT: Final = _NothingLeft()
_NO_SUPPLY: Final[deque[Chunk]] = deque(maxlen=0)
