"""A policy of your own: an object with one method. This one reports answers that took too long."""

from collections.abc import Callable
from typing import ClassVar

import aigw
from aigw.policy import Next
from aigw.testing import FakeClock, ScriptedProvider


class SlowAnswers:
    """Reports every answer that took longer than it should.

    Place it outside `Retry`, so that the waits between attempts count as well.

    Args:
        seconds: how long an answer may take, from the beginning of the call to its last chunk.
        report: gets a line for each that took longer.
    """

    outside: ClassVar[dict[str, str]] = {"Retry": "it measures the whole call, with the waits between its attempts"}

    def __init__(self, seconds: float, report: Callable[[str], None] = print) -> None:
        self.seconds = seconds
        self.report = report

    def __repr__(self) -> str:
        return f"SlowAnswers({self.seconds:g})"

    async def handle(self, call: aigw.Call, inner: Next) -> aigw.Reply:
        """Watch for the end of the answer, which comes later than its beginning."""

        def measure(end: aigw.End) -> None:
            if call.elapsed() > self.seconds:
                self.report(f"slow: {call.route} took {call.elapsed():.1f} s ({end.outcome})")

        reply = await inner(call)
        reply.when_done(measure)  # exactly once: finished, cut, abandoned or cancelled
        return reply


def main() -> None:
    """Try it with a scripted provider and a clock that never really waits."""
    provider = ScriptedProvider("quick", aigw.Overloaded("busy", retry_after=9), "slow", latency=1)
    routes = {"smart": aigw.Target(provider, model="any")}
    gateway = aigw.Gateway(routes, [SlowAnswers(5), aigw.Retry()], clock=FakeClock())
    for _ in range(2):
        print(gateway.chat("hello").text)
    try:
        aigw.Gateway(routes, [aigw.Retry(), SlowAnswers(5)])
    except aigw.ConfigError as error:
        print(error)


if __name__ == "__main__":
    main()
