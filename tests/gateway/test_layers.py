"""Gateways within gateways: their retries add up to those of one, and never multiply, on both faces."""

from __future__ import annotations

import asyncio

import pytest

from aigw import AsyncGateway, Gateway, Overloaded, Retry, ServerError, Target
from aigw.testing import FakeClock, ScriptedProvider
from transport.raw_server import RawServer, receive


class Layers:
    """A gateway around a function that asks another gateway, which asks a provider.

    Args:
        blocking: the face of both.
        outer: policies of the outer one.
        inner: policies of the inner one.
        script: what the provider does.
    """

    def __init__(self, blocking, outer, inner, *script):
        self.provider = ScriptedProvider(*script)
        self.clock = FakeClock()
        make = Gateway if blocking else AsyncGateway
        self.inner = make({"r": Target(self.provider)}, inner, clock=self.clock)
        self.outer = make({}, outer, clock=self.clock)
        self.blocking = blocking

    def run(self, calls=1):
        """Make calls through both; return how they ended."""
        return self._run_blocking(calls) if self.blocking else asyncio.run(self._run_in_loop(calls))

    def _run_blocking(self, calls):
        ends = []

        @self.outer.wrap(model="m")
        def ask(prompt):
            return self.inner.chat(prompt).text

        for _ in range(calls):
            try:
                ends.append(ask("hi"))
            except Overloaded as error:
                ends.append(type(error))
        return ends

    async def _run_in_loop(self, calls):
        ends = []

        @self.outer.wrap(model="m")
        async def ask(prompt):
            return (await self.inner.chat(prompt)).text

        for _ in range(calls):
            try:
                ends.append(await ask("hi"))
            except Overloaded as error:
                ends.append(type(error))
        return ends


both = pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "async"])


@both
def test_retries_do_not_multiply(blocking):
    """Three attempts around three attempts are three, not nine."""
    layers = Layers(blocking, [Retry(3)], [Retry(3)], *[Overloaded] * 9)

    assert layers.run() == [Overloaded]
    assert len(layers.provider.calls) == 3


@both
def test_the_inner_one_may_use_them(blocking):
    """What one layer cures the other does not hear of, and the next call has all of its retries again."""
    layers = Layers(blocking, [Retry(3)], [Retry(2)], Overloaded, "one", Overloaded, Overloaded, "two")

    assert layers.run(2) == ["one", "two"]


@both
@pytest.mark.parametrize(("outer", "inner"), [([], [Retry(3)]), ([Retry(3)], [])])
def test_one_layer_alone(blocking, outer, inner):
    """Where only one of them retries it does so as ever."""
    layers = Layers(blocking, outer, inner, Overloaded, Overloaded, "three")

    assert layers.run() == ["three"]


def test_what_outlives_a_call_is_a_layer_of_its_own():
    """A task that was begun within an attempt, and goes on when that is over, has its own retries."""
    provider = ScriptedProvider(Overloaded, Overloaded, "late")
    clock = FakeClock()
    begun = []

    async def main():
        inner = AsyncGateway({"r": Target(provider)}, [Retry(3)], clock=clock)
        outer, go = AsyncGateway({}, [Retry(1)], clock=clock), asyncio.Event()

        async def later():
            await go.wait()
            return (await inner.chat("hi")).text

        @outer.wrap(model="m")
        async def begin(prompt):
            begun.append(asyncio.create_task(later()))
            return "begun"

        await begin("hi")
        go.set()
        return await begun[0]

    assert asyncio.run(main()) == "late"


@pytest.mark.parametrize(("told", "attempts"), [(None, 3), ("true", 3), ("false", 1)])
def test_a_server_that_says_no_is_not_asked_again(told, attempts):
    """A gateway behind HTTP that has tried again itself says so, and so do providers: ``x-should-retry``."""
    head = f"x-should-retry: {told}\r\n" if told else ""
    answer = f"HTTP/1.1 500 \r\nconnection: close\r\n{head}content-length: 2\r\n\r\n{{}}".encode()

    def handle(_, connection):
        receive(connection)
        connection.sendall(answer)

    with RawServer(handle) as server:
        gateway = Gateway({"r": Target(server.url, model="m")}, [Retry(3)], clock=FakeClock())
        with gateway, pytest.raises(ServerError) as caught:
            gateway.chat("hi")

    assert len(caught.value.trace.attempts) == attempts
