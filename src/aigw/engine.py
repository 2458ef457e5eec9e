"""What both faces share: it starts calls, runs them through their route, and finishes their traces.

Everything here is a coroutine that waits only through ports, so the blocking face can drive it.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aigw.aside import beside
from aigw.assembly import assemble, assemble_embeddings, assemble_ranking, assemble_verdicts
from aigw.call import UNSET
from aigw.errors import AigwError, ConfigError
from aigw.estimate import estimate_usage
from aigw.explanation import Explanation, PlannedTarget
from aigw.metering.meter import CallMeter, Metering
from aigw.pipeline import describe
from aigw.routing.routes import Routes
from aigw.runtime import Runtimes
from aigw.trace import CallTrace
from aigw.usage.book import UsageBook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.answer import Answer, Embeddings, Ranking, Verdicts
    from aigw.call import Call
    from aigw.metering.prices import PriceBook
    from aigw.policy import Policy
    from aigw.ports import Clock, Runtime, Transport
    from aigw.reply import Reply
    from aigw.routing.node import Node
    from aigw.routing.routes import Route
    from aigw.routing.target import Target


class Engine:
    """One gateway, whatever its face.

    Args:
        routes: route names and their nodes.
        policies: policies around all routes, outermost first.
        clock: replaces the clock, in tests.
        rng: source of chance; give a seeded one for repeatable choices.
        prices: what tokens cost.
        usage: keeps a record of each call; in memory unless given.
    """

    def __init__(
        self,
        routes: Mapping[str, Node | str] | None,
        policies: Sequence[Policy],
        clock: Clock | None,
        rng: random.Random | None,
        prices: PriceBook | None = None,
        *,
        usage: UsageBook | None = None,
    ) -> None:
        self.routes = Routes(routes, policies)
        self.metering = Metering(prices)
        self.usage = UsageBook() if usage is None else usage
        self._certificates: Any = None
        self._seeded = rng is not None
        self._process = os.getpid()
        self.runtimes = Runtimes(
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311  (it spreads load, it keeps no secrets)
            blocking=self._blocking_transport,
            loop=self._loop_transport,
        )

    async def chat(self, call: Call, runtime: Runtime) -> Answer:
        """Serve a chat call to its end."""
        return completed(call, await self.answer(call, runtime))

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        """Serve a chat call to its end, and leave it to the caller what its schema makes of the answer."""
        call, reply = await self.open(call, runtime)
        trace = await self.read_all(call, reply)
        return assemble(reply.delivered, trace)

    async def embed(self, call: Call, runtime: Runtime) -> Embeddings:
        """Serve an embeddings call."""
        call, reply = await self.open(call, runtime)
        trace = await self.read_all(call, reply)
        return assemble_embeddings(reply.delivered, trace)

    async def rerank(self, call: Call, runtime: Runtime) -> Ranking:
        """Serve a rerank call."""
        call, reply = await self.open(call, runtime)
        trace = await self.read_all(call, reply)
        return assemble_ranking(reply.delivered, trace)

    async def moderate(self, call: Call, runtime: Runtime) -> Verdicts:
        """Serve a moderation call."""
        call, reply = await self.open(call, runtime)
        trace = await self.read_all(call, reply)
        return assemble_verdicts(reply.delivered, trace)

    async def open(self, call: Call, runtime: Runtime, via: Route | None = None) -> tuple[Call, Reply]:
        """Start a call and wait for its first output; return the call as it was started.

        Args:
            call: the call.
            runtime: the ports to run it with.
            via: what `Routes.around` made, for a call that takes none of the routes.
        """
        if os.getpid() != self._process:
            self._after_fork(runtime)
        route = via or self.routes.find(call.model)
        if not self.metering.prices_ready:
            await beside(runtime, self.metering.load_prices)
        now, began = runtime.clock.now(), runtime.clock.time()
        trace = CallTrace(f"call_{runtime.rng.getrandbits(64):016x}", route.name)
        call = call.evolve(
            id=trace.call_id,
            route=route.name,
            runtime=runtime,
            metering=CallMeter(self.metering, self.routes.find, route),
            trace=trace,
            started=now,
            opened=[],
            deadline=call.deadline if call.timeout is UNSET or call.timeout is None else now + call.timeout,
        )
        try:
            reply = await route.endpoint(call)
            await reply.prime()
        except BaseException as error:  # whatever it is, a failed call leaves nothing open, and its trace is complete
            try:
                await _close_opened(call, error)
            finally:
                close_trace(call, error)
                self.usage.write(call, began, type(error).__name__, error)
            raise
        if any(opened is not reply for opened in call.opened or ()):  # most often failed attempts, which are over
            reply.when_done(lambda _: _discard_opened(call))
        if self.usage.log is not None:
            reply.when_done(self.usage.writer(call, began))
        return call, reply

    async def read_all(self, call: Call, reply: Reply) -> CallTrace:
        """Read a reply to its end, and finish the trace of its call."""
        try:
            while await reply.read() is not None:
                pass
        except BaseException as error:  # as in open()
            close_trace(call, error)
            raise
        return close_trace(call)

    async def close_policies(self, runtime: Runtime) -> None:
        """End what the policies of targets have begun with these ports, then what the gateway's own have."""
        for _, target in self.routes.targets():
            await target.close(runtime)
        for policy in self.routes.policies:
            if (close := getattr(policy, "close", None)) is not None:
                await close(runtime)

    def explain(self, call: Call) -> Explanation:
        """Tell what a call would do."""
        route, node, _ = self.routes.find(call.model)
        return Explanation(
            route=route,
            policies=tuple(describe(self.routes.policies)),
            tree=tuple(node.describe()),
            targets=tuple(
                PlannedTarget(
                    target.name, target.provider.name, target.model, target.provider.where, _problem(target, call)
                )
                for target in node.targets
            ),
        )

    def _after_fork(self, runtime: Runtime) -> None:
        """Share neither connections nor chance with the parent process, as a server with several workers would."""
        self._process = os.getpid()
        self.runtimes.blocking.forget()
        self.metering.after_fork()
        if not self._seeded:
            runtime.rng.seed()

    def _blocking_transport(self) -> Transport:
        from aigw.transport.blocking import BlockingTransport

        return BlockingTransport(self._shared_certificates())

    def _loop_transport(self) -> Transport:
        from aigw.transport.loop import LoopTransport

        return LoopTransport(self._shared_certificates())

    def _shared_certificates(self) -> Any:
        from aigw.transport.lines import Certificates

        if self._certificates is None:
            self._certificates = Certificates()
        return self._certificates


def completed(call: Call, answer: Answer) -> Answer:
    """Complete a whole answer: a guess at the usage where there is none, and what the call's schema makes of it."""
    if answer.usage is None:
        counted = answer.trace.attempts[-1].usage if answer.trace.attempts else None  # by the call's meter
        answer = replace(answer, estimated_usage=counted or estimate_usage(call, answer))
    if call.schema is None:
        return answer
    from aigw.schema import parse_answer

    try:
        return replace(answer, parsed=parse_answer(call.schema, answer))
    except AigwError as error:
        error.trace = answer.trace
        raise


def close_trace(call: Call, error: BaseException | None = None) -> CallTrace:
    """Finish the trace of a call, and hand it to the error that the call ends with."""
    trace = call.trace
    assert trace is not None
    if trace.duration is None:
        trace.duration = call.elapsed()
    if call.opened is not None:
        call.opened.clear()  # replies know the call: a call that is over must not wait for the garbage collector
    if isinstance(error, AigwError):
        error.trace = trace
    return trace


async def _close_opened(call: Call, error: BaseException) -> None:
    """Close the replies that policies had got when they failed."""
    if isinstance(error, GeneratorExit):  # then nothing may wait any more
        _discard_opened(call)
        return
    for reply in call.opened or ():
        close = reply.abandon()
        if close is not None:
            await close()


def _discard_opened(call: Call) -> None:
    """Have the replies closed that policies got and dropped."""
    for reply in call.opened or ():
        close = reply.abandon()
        if close is not None:
            call.ports.discard(close)


def _problem(target: Target, call: Call) -> str:
    try:
        target.provider.check()
        return target.refusal(call)
    except ConfigError as error:
        return str(error)
