"""Many calls at once on the async face: each fails or succeeds for itself, and all share one gateway."""

import asyncio

import aigw
from aigw.testing import FaultyUpstream, Status
from aigw.testing.upstream import Request

CITIES = ("Oslo", "Lima", "Cairo", "Kyoto", "Quito", "Perth", "Turin", "Accra")


def shout(request: Request) -> str:
    """Answer as this example's model does."""
    question: str = request.json["messages"][-1]["content"]
    return question.upper()


async def ask_all(gateway: aigw.AsyncGateway) -> None:
    """Ask about every city at the same time."""
    async with gateway, asyncio.TaskGroup() as tasks:
        asked = {city: tasks.create_task(gateway.chat(city, timeout=10)) for city in CITIES}
    for city, task in asked.items():
        answer = task.result()
        print(f"{city:6} {answer.text:6} {len(answer.trace.attempts)} attempts")


def main() -> None:
    """Run it against a server that is overloaded at first."""
    with FaultyUpstream(shout) as upstream:
        upstream.next(Status(503, retry_after_ms=20), Status(503, retry_after_ms=20))
        gateway = aigw.Gateway({"smart": aigw.Target(upstream.url, model="large")}, [aigw.Retry(attempts=3)])
        asyncio.run(ask_all(gateway.aio))
        print(f"{len(upstream.requests)} requests over {upstream.accepted} connections")


if __name__ == "__main__":
    main()
