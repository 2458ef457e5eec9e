"""Budgets: a hard one for each user, a cheaper route when the day's money runs short, and a soft one that warns.

The providers follow a script and the prices are made up; those of "openai/gpt-5.5" come with the extra ``prices``.
"""

import asyncio
import logging
import sys

import aigw
from aigw.testing import FakeClock, ScriptedProvider

PRICES = {"large": {"input": 10, "output": 40}, "small": {"input": 0.1, "output": 0.4}}  # for a million tokens
USAGE = aigw.Usage(input=20, output=500)


def gateway() -> aigw.Gateway:
    """Make a gateway whose answers cost about two cents, or a hundredth of that."""
    large = aigw.Target(ScriptedProvider.repeat("A long answer.", usage=USAGE), model="large")
    small = aigw.Target(ScriptedProvider.repeat("A cheap answer.", usage=USAGE), model="small")
    return aigw.Gateway(
        routes={"smart": large, "cheap": small},
        policies=[
            aigw.Deadline(60),
            aigw.Budget(usd_per_month=0.12, on_exceeded="warn", name="month"),
            aigw.Budget(usd_per_day="0.15", on_exceeded=aigw.Degrade("cheap"), warn_at=(), name="day"),
            aigw.Budget(usd_per_day="0.10", tokens_per_day=20_000, key="principal", warn_at=(), timezone="Europe/Oslo"),
            aigw.Retry(3),
        ],
        prices=PRICES,
        clock=FakeClock(),
    )


def main() -> None:
    """Ask until nobody has money left."""
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    with gateway() as users:
        for user in ["alice"] * 4 + ["bob"] * 5:
            try:
                answer = users.chat("Tell me something.", model="smart", principal=user, max_tokens=1000)
                print(f"{user}: {answer.text} ${answer.cost}")
            except aigw.BudgetExceeded as error:
                print(f"{user}: {error}; again in {(error.retry_after or 0) / 3600:.0f} hours")
    asyncio.run(many())


async def many() -> None:
    """Ask a hundred times at once: what runs has reserved the most that it may cost."""
    target = aigw.Target(ScriptedProvider.repeat("Hello.", usage=USAGE), model="large")
    budgets = [aigw.Budget(usd_per_day=1, warn_at=())]
    async with aigw.AsyncGateway({"smart": target}, budgets, prices=PRICES) as crowd:
        calls = [crowd.chat("Say hello.", max_tokens=1000) for _ in range(100)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    costs = [answer.cost for answer in answers if isinstance(answer, aigw.Answer) and answer.cost is not None]
    print(f"{len(costs)} of {len(calls)} calls were served, for ${sum(costs)}")


if __name__ == "__main__":
    main()
