"""Limits for everybody, for each user, and for a provider's quota: who waits, who is refused, who goes elsewhere.

The providers follow a script and the clock is turned by hand, so this takes no time; in an application the targets
would be "openai/gpt-5.5" and the like.
"""

import aigw
from aigw.testing import FakeClock, ScriptedProvider


def main() -> None:
    """Ask until each of the limits is used up."""
    clock = FakeClock()
    quota = aigw.RateLimit(requests_per_minute=60, burst=3)  # refuses: another target is tried
    first = aigw.Target(ScriptedProvider.repeat("Hello."), model="large", name="first", policies=[quota])
    spare = aigw.Target(ScriptedProvider.repeat("Hello from the spare."), model="small", name="spare")
    gateway = aigw.Gateway(
        routes={"smart": aigw.Fallback(first, spare)},
        policies=[
            aigw.Deadline(60),
            aigw.RateLimit(requests_per_minute=3, key="principal", on_exceeded="reject", burst=60),
            aigw.RateLimit(requests_per_minute=12, burst=25, name="everybody"),  # waits
            aigw.RateLimit(limits=[aigw.Limit("requests", 3, per="day")], shadow=True, name="planned"),
        ],
        clock=clock,
    )
    print(gateway.describe(), "\n")

    for user in ("alice", "alice", "alice", "alice", "bob", "carol", "dave"):
        try:
            answer = gateway.chat("Say hello, please.", model="smart", principal=user)
        except aigw.RateLimited as error:
            print(f"{user}: {error}; again in {error.retry_after:.0f} s")
        else:
            print(f"{user}: {answer.text}")
            for decision in answer.trace.decisions:
                print(f"    {decision.by} {decision.action}: {decision.reason}")
    print(f"All of this took {clock.now():.1f} s.")


if __name__ == "__main__":
    main()
