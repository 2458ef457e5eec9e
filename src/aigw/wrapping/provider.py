"""`FunctionProvider`: the innermost step of a wrapped function's call, which is the function itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw.chunk import Chunk
from aigw.errors import ConfigError, TimedOut
from aigw.providers.patience import Patience
from aigw.reply import Reply
from aigw.wrapping.failures import Judged
from aigw.wrapping.results import estimated, read_result, told_by
from aigw.wrapping.sources import BlockingItems, LoopItems
from aigw.wrapping.use import FunctionCall

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.wrapping.use import About, Use


class FunctionProvider:
    """A provider that lets a function of the application ask.

    Args:
        about: what all of its uses have in common.
    """

    def __init__(self, about: About) -> None:
        self.name = about.provider
        self.priced_as = "" if about.provider == about.name else about.provider
        """Whose prices it has: a function that names no provider is known by its model only."""
        self._about = about

    @property
    def where(self) -> str:
        """Where calls go: wherever the function sends them."""
        return f"{self._about.name}()"

    def check(self) -> None:
        """Find nothing wrong."""

    async def send(self, call: Call, model: str) -> Reply:
        """Call the function.

        Raises:
            ProviderError: it raised something that an SDK raises; that is the cause.
            Exception: whatever else it raised.
        """
        assert isinstance(call, FunctionCall)
        use: Use = call.use
        match self._about.kind:
            case "generator":
                return Reply(BlockingItems(call, self._about, use))
            case "async generator":
                return Reply(LoopItems(call, self._about, use))
            case "coroutine":
                return self._reply(call, await self._wait(call, model))
            case "function":
                return self._reply(call, self._run(call, model))

    def _run(self, call: FunctionCall, model: str) -> Any:
        name = self._about.name
        with Judged(call.use.raised, self.name, model):
            result = call.use(call, name)
        if hasattr(result, "__await__"):
            if hasattr(result, "close"):
                result.close()
            raise ConfigError(f"{name}() returned something to await: write it with async def")
        return result

    async def _wait(self, call: FunctionCall, model: str) -> Any:
        """Await the function, and cancel it when its time is over."""
        from aigw.transport.timer import Timer

        patience, timer = Patience(call), Timer()
        try:
            with timer(patience.left()), Judged(call.use.raised, self.name, model):
                return await call.use(call, self._about.name)
        except TimeoutError:
            pass
        finally:
            timer.stop()
        raise patience.judge(TimedOut("the function took too long", provider=self.name, model=model))

    def _reply(self, call: FunctionCall, result: Any) -> Reply:
        name = self._about.name
        if hasattr(result, "__next__") or hasattr(result, "__anext__"):
            call.note(name, "not read", "it returned a stream, which its caller reads; a generator would be seen")
            chunks: list[Chunk] = []
        else:
            chunks = read_result(result)
        told = told_by(self._about.usage, result)
        if told is None and not any(chunk.usage is not None for chunk in chunks):
            told = estimated(call, chunks, name)
        last = chunks.pop() if chunks else Chunk()
        if told is not None:
            last = last.evolve(usage=told)
        return Reply.replay([*chunks, call.use.carry(last, result, before=chunks)])
