"""`Gateway` and `AsyncGateway`: two thin faces of the same engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack

from aigw.arguments import (
    ChatOptions,
    CommonOptions,
    EmbedOptions,
    Prompt,
    RerankOptions,
    chat_call,
    embed_call,
    moderation_call,
    rerank_call,
)
from aigw.call import UNSET
from aigw.engine import Engine
from aigw.errors import ConfigError
from aigw.metering.prices import book_of
from aigw.runtime import drive
from aigw.stream import AsyncStream, Stream
from aigw.usage.book import UsageBook

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo
    from types import TracebackType

    from aigw.answer import Answer, Embeddings, Ranking, Verdicts
    from aigw.call import Call
    from aigw.dropin.context import ContextOptions
    from aigw.explanation import Explanation
    from aigw.metering.prices import GivenPrices
    from aigw.policy import Policy
    from aigw.ports import Clock
    from aigw.prompts import Prompted
    from aigw.reply import Reply
    from aigw.routing.node import Node
    from aigw.routing.target import Target
    from aigw.stats import TargetStats
    from aigw.usage import UsageFilters, UsageTable
    from aigw.usage.book import GivenLog
    from aigw.usage.query import By
    from aigw.usage.when import Moment
    from aigw.wrapping import Wrapped

P = ParamSpec("P")
R = TypeVar("R")


class _Face:
    """What does not depend on how one waits."""

    def __init__(
        self,
        routes: Mapping[str, Node | str] | None = None,
        policies: Sequence[Policy] = (),
        *,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        usage: GivenLog = UNSET,
        prices: GivenPrices = UNSET,
    ) -> None:
        self._engine = Engine(routes, policies, clock, rng, book_of(prices), usage=UsageBook(usage))

    @classmethod
    def _over(cls, engine: Engine) -> Self:
        face = cls.__new__(cls)
        face._engine = engine  # noqa: SLF001  (its own)
        return face

    def explain(self, messages: Prompt, **options: Unpack[ChatOptions]) -> Explanation:
        """Tell what `chat` would do with the same arguments. Nothing is sent."""
        return self._engine.explain(chat_call("explain", messages, options))

    def wrap(
        self,
        *,
        model: str,
        prompt: Callable[..., Prompt] | None = None,
        usage: Callable[[Any], Any] | None = None,
        name: str | None = None,
        policies: Sequence[Policy] = (),
        **options: Unpack[ContextOptions],
    ) -> Callable[[Callable[P, R]], Wrapped[P, R]]:
        """Put the gateway's policies around a function that asks the model itself, with any client.

        ``@gateway.wrap(model="gpt-5.5")`` above a function, a coroutine function, a generator or an async generator. It
        is called as before, and its caller gets what it returns, or what it raises. The function decides how it waits,
        not the face: a plain function blocks its thread, also when it is called in an event loop.

        Args:
            model: the model that the function asks, for policies and traces; also ``provider/model``.
            prompt: returns the prompt, from the function's arguments. By default it is found among them: ``messages``,
                ``input``, ``contents`` or ``prompt``, as the SDKs of OpenAI, Anthropic and Google have them, else the
                first text.
            usage: returns the usage of a result, or of an item of a generator: a `Usage`, or what an SDK calls usage.
                By default it is found in what the known SDKs return, and estimated elsewhere.
            name: name of the function in traces; its own by default.
            policies: more policies around this function alone, outermost first.
            **options: see `aigw.context`, which counts more where both say something.

        Raises:
            ConfigError: an argument makes no sense, or the policies stand in a wrong order.
        """
        from aigw.wrapping import wrap

        return wrap(
            self._engine, model=model, prompt=prompt, usage=usage, name=name, policies=policies, options=options
        )

    def prompt(self, **options: Unpack[ChatOptions]) -> Callable[[Callable[P, R]], Prompted[P, R]]:
        """Make a typed function ask a model: its docstring is the prompt, its return annotation says what comes back.

        ::

            @gateway.prompt(model="smart")
            def classify(review: str) -> Sentiment:
                \"\"\"Classify this review: {{ review }}\"\"\"

        It may return ``str``, a pydantic model, a dataclass or another type, ``Iterator[str]`` (a stream), or `Answer`;
        as an ``async def`` the same, with ``AsyncIterator[str]``. An answer that does not fit the type is shown to the
        model once, with what is wrong. A function with a body returns the prompt. ``render(…)`` shows the messages.

        Args:
            **options: see `ChatOptions`.

        Raises:
            ConfigError: an option makes no sense, or docstring, arguments and return annotation do not fit together.
        """
        from aigw.prompts import prompt

        return prompt(self._engine, options)

    def stats(self) -> tuple[TargetStats, ...]:
        """Tell how targets are doing: load, speed, errors, quota, prices; an entry for each target of each route."""
        engine = self._engine
        now = engine.runtimes.blocking.clock.now()
        return tuple(target.stats(route, now, engine.metering.price) for route, target in engine.routes.targets())

    def drain(self, target: str) -> int:
        """Send no more calls to a target; those that it has go on. `resume` undoes it.

        Pools and fallbacks pass over it; a route that has no other target refuses with `NoCapableTarget`.

        Args:
            target: its name, as `stats` shows it; in all routes that have it.

        Returns:
            How many calls it still has; ask `stats` for the rest of the way.

        Raises:
            ConfigError: no target has this name.
        """
        return sum(one.in_flight for one in self._set_draining(target, draining=True))

    def resume(self, target: str) -> None:
        """Let a target that was drained take calls again.

        Raises:
            ConfigError: no target has this name.
        """
        self._set_draining(target, draining=False)

    def _set_draining(self, target: str, *, draining: bool) -> list[Target]:
        found = [one for _, one in self._engine.routes.targets(target)] if target else []
        if not found:
            known = ", ".join(sorted({repr(one.name) for _, one in self._engine.routes.targets()}))
            raise ConfigError(f"no target is called {target!r}; there are {known or 'none'}")
        for one in found:
            one.draining = draining
        return found

    def describe(self) -> str:
        """Show the policies and the routes, a line for each part."""
        return self._engine.routes.describe()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(routes={list(self._engine.routes.nodes)})"


class Gateway(_Face):
    """An AI gateway inside the application; this face blocks the calling thread.

    One gateway serves all threads of a process, and through `aio` all of its event loops, with the same policies and
    the same health. It works inside a running loop too, where it blocks that loop.

    Args:
        routes: route names, and the target or tree of targets that serves each.
        policies: policies around all routes, outermost first; `standard` makes a good list.
        clock: replaces the clock, in tests.
        rng: source of chance; give a seeded ``random.Random`` for repeatable choices.
        usage: where usage records are kept: the path of a SQLite file, or a log such as `SqliteUsage` or `MemoryUsage`.
            By default the newest 10,000 are kept in memory; ``None`` keeps none.
        prices: what tokens cost: a table of your own, as a mapping or the path of a TOML file, behind which
            genai-prices is asked if it is installed (extra ``prices``); a `PriceBook`, or a list of books and tables,
            which are then the only ones; ``None`` for no prices. By default genai-prices, if it is installed.

    Raises:
        ConfigError: something does not fit; says what and what to do.
    """

    @property
    def aio(self) -> AsyncGateway:
        """The async face of the same gateway."""
        return AsyncGateway._over(self._engine)  # noqa: SLF001  (the other face)

    def chat(self, messages: Prompt, **options: Unpack[ChatOptions]) -> Answer:
        """Ask, and wait for the whole answer.

        Args:
            messages: a text, a `Message`, a message as OpenAI's API writes it, or a list of them.
            **options: see `ChatOptions`.

        Raises:
            AigwError: see the tree in `aigw.errors`; ``error.trace`` tells what had happened.
        """
        return drive(self._engine.chat(chat_call("chat", messages, options), self._engine.runtimes.blocking))

    def stream(self, messages: Prompt, **options: Unpack[ChatOptions]) -> Stream:
        """Ask, and read the answer while it comes; see `Stream` and `chat`."""
        engine = self._engine
        call = chat_call("stream", messages, options, stream=True)
        return Stream(lambda: engine.open(call, engine.runtimes.blocking))

    def embed(self, inputs: str | Sequence[str], **options: Unpack[EmbedOptions]) -> Embeddings:
        """Turn texts into vectors.

        Args:
            inputs: a text or several.
            **options: see `EmbedOptions`.
        """
        return drive(self._engine.embed(embed_call(inputs, options), self._engine.runtimes.blocking))

    def rerank(self, query: str, documents: Sequence[str], **options: Unpack[RerankOptions]) -> Ranking:
        """Rank documents by how well they answer a query.

        Args:
            query: the question.
            documents: the texts to rank.
            **options: see `RerankOptions`.
        """
        call = rerank_call(query, documents, options)
        return drive(self._engine.rerank(call, self._engine.runtimes.blocking))

    def moderate(self, inputs: str | Sequence[str], **options: Unpack[CommonOptions]) -> Verdicts:
        """Ask a provider's moderation model what is wrong with texts.

        Args:
            inputs: a text or several.
            **options: see `CommonOptions`.
        """
        return drive(self._engine.moderate(moderation_call(inputs, options), self._engine.runtimes.blocking))

    def usage(
        self,
        by: By | Sequence[By] | None = None,
        *,
        since: Moment = None,
        until: Moment = None,
        zone: str | tzinfo = "UTC",
        **where: Unpack[UsageFilters],
    ) -> UsageTable:
        """Add up what calls have used, and what they cost; `print` shows a table.

        ``gateway.usage(by="principal", since="24h")``. The records are those of the log, which several gateways and
        processes may share.

        Args:
            by: what to group by: ``principal``, ``team``, ``route``, ``model``, ``target``, ``provider``, ``tag`` (a
                call with several counts in each), ``outcome``, ``operation``, ``priority``, ``refused_by``, ``day``,
                ``hour``, or several of these.
            since: only calls that began then or later: a `datetime` with a time zone, a `date`, a `timedelta` (so long
                ago), or a text: ``"24h"``, ``"7d"``, ``"2026-11-01"``, ``"2026-11-01T12:00"``.
            until: only calls that began before.
            zone: the time zone of days, and of times that name none.
            **where: only calls of these; see `UsageFilters`.

        Raises:
            ConfigError: an argument makes no sense, or the gateway was made with ``usage=None``.
        """
        engine = self._engine
        return drive(
            engine.usage.ask(engine.runtimes.blocking, by=by, since=since, until=until, zone=zone, where=where)
        )

    def http_client(self, sdk: str) -> Any:
        """Make a client with which an unmodified SDK goes through this gateway, without a socket.

        ``OpenAI(http_client=gateway.http_client("openai"))``. It is an ``httpx.Client`` or an ``httpx2.Client``, as the
        installed version of the SDK wants it. Of the other face, an ``AsyncClient`` for ``AsyncOpenAI`` and the like.

        Args:
            sdk: ``openai``, ``anthropic`` or ``gemini``.

        Raises:
            ConfigError: there is no such SDK, or the library that it wants is not installed.
        """
        from aigw.dropin.transport import make_client

        return make_client(self, sdk, blocking=True)

    def close(self) -> None:
        """Close the connections of all threads; for those of an event loop there is ``await gateway.aio.close()``.

        The usage records that the gateway keeps in a file are written down, and the file is closed; a log that was
        given to it stays open.
        """
        engine = self._engine
        try:
            drive(engine.close_policies(engine.runtimes.blocking))
            drive(engine.usage.close(engine.runtimes.blocking))
        finally:
            drive(engine.runtimes.blocking.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncGateway(_Face):
    """The async face of a gateway: same arguments, same methods as `Gateway`.

    One serves several event loops; each has its own connections.
    """

    async def chat(self, messages: Prompt, **options: Unpack[ChatOptions]) -> Answer:
        """Ask, and wait for the whole answer; see `Gateway.chat`."""
        call = chat_call("chat", messages, options)
        return await self._engine.chat(call, await self._engine.runtimes.current())

    def stream(self, messages: Prompt, **options: Unpack[ChatOptions]) -> AsyncStream:
        """Ask, and read the answer while it comes; see `AsyncStream`."""
        engine = self._engine
        call = chat_call("stream", messages, options, stream=True)

        async def opener() -> tuple[Call, Reply]:
            return await engine.open(call, await engine.runtimes.current())

        return AsyncStream(opener)

    async def embed(self, inputs: str | Sequence[str], **options: Unpack[EmbedOptions]) -> Embeddings:
        """Turn texts into vectors; see `Gateway.embed`."""
        call = embed_call(inputs, options)
        return await self._engine.embed(call, await self._engine.runtimes.current())

    async def rerank(self, query: str, documents: Sequence[str], **options: Unpack[RerankOptions]) -> Ranking:
        """Rank documents by how well they answer a query; see `Gateway.rerank`."""
        call = rerank_call(query, documents, options)
        return await self._engine.rerank(call, await self._engine.runtimes.current())

    async def moderate(self, inputs: str | Sequence[str], **options: Unpack[CommonOptions]) -> Verdicts:
        """Ask a provider's moderation model what is wrong with texts; see `Gateway.moderate`."""
        call = moderation_call(inputs, options)
        return await self._engine.moderate(call, await self._engine.runtimes.current())

    async def usage(
        self,
        by: By | Sequence[By] | None = None,
        *,
        since: Moment = None,
        until: Moment = None,
        zone: str | tzinfo = "UTC",
        **where: Unpack[UsageFilters],
    ) -> UsageTable:
        """Add up what calls have used, in a thread; see `Gateway.usage`."""
        engine = self._engine
        runtime = await engine.runtimes.current()
        return await engine.usage.ask(runtime, by=by, since=since, until=until, zone=zone, where=where)

    def http_client(self, sdk: str) -> Any:
        """Make a client for the async client of an SDK; see `Gateway.http_client`."""
        from aigw.dropin.transport import make_client

        return make_client(self, sdk, blocking=False)

    async def close(self) -> None:
        """Close the connections of the running loop, and a file of usage records; see `Gateway.close`."""
        engine = self._engine
        try:
            await engine.close_policies(await engine.runtimes.current())
            if engine.usage.owns_file:
                await engine.usage.close(await engine.runtimes.current())
        finally:
            await engine.runtimes.close_current()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
