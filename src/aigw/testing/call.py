"""`make_call`: a call that can run, for tests of policies, nodes and providers without a gateway."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NoReturn

from aigw.call import Call
from aigw.message import Message, Text
from aigw.runtime import BlockingRuntime, LoopRuntime
from aigw.testing.clock import FakeClock
from aigw.testing.meter import FixedMeter
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from aigw.ports import Clock, Runtime


def make_call(
    text: str = "hello",
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    blocking: bool = True,
    **fields: Any,
) -> Call:
    """Make a call that carries its ports, so that a policy can be tested with a fake inner.

    ::

        reply = drive(Retry().handle(make_call(clock=clock), inner))

    Args:
        text: what the user says; with ``operation="embeddings"`` the only input.
        clock: the clock; a new `FakeClock` unless given.
        rng: the source of chance; one that starts from 0 unless given.
        blocking: made for `aigw.runtime.drive`; otherwise for the running event loop.
        fields: fields of `Call`, in place of what this function would set.

    Raises:
        RuntimeError: `blocking` is false and no event loop runs.
    """
    clock = FakeClock() if clock is None else clock
    rng = random.Random(0) if rng is None else rng  # noqa: S311  (chance in tests must repeat, not be secret)
    given: dict[str, Any] = {"id": "call-1", "started": clock.now()}
    if fields.get("operation") == "embeddings":
        given["inputs"] = (text,)
    else:
        given["messages"] = (Message("user", (Text(text),)),)
    given["runtime"] = _runtime(clock, rng, blocking=blocking)
    given |= fields
    given.setdefault("metering", FixedMeter())
    given.setdefault("trace", CallTrace(given["id"], given.get("route", "")))
    return Call(**given)


def _runtime(clock: Clock, rng: random.Random, *, blocking: bool) -> Runtime:
    if blocking:
        return BlockingRuntime(clock, rng, _no_transport)
    import asyncio

    return LoopRuntime(asyncio.get_running_loop(), clock, rng, _no_transport)


def _no_transport() -> NoReturn:
    raise AssertionError(
        "this call was made by make_call() and has no transport: let a ScriptedProvider answer it, "
        "or make it with a gateway"
    )
