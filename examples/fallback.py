"""A route with a pool and a spare: what fails is left for what works, and the trace tells.

Two servers share the work, a third one stands behind them. Here all three run on this machine and two of them fail; in
an application they would be "openai/gpt-5.5", "https://gpu-1:8000/v1" and the like.
"""

import aigw
from aigw.testing import FaultyUpstream, Hangup, Status


def main() -> None:
    """Ask while the pool is down, then again when half of it is back."""
    with FaultyUpstream() as east, FaultyUpstream() as west, FaultyUpstream("Hello from the spare.") as spare:
        pool = aigw.Balance(
            aigw.Target(east.url, model="large", name="east"),
            aigw.Target(west.url, model="large", name="west"),
            by="round_robin",
        )
        backup = aigw.Target(spare.url, model="small", name="spare")
        with aigw.Gateway({"smart": aigw.Fallback(pool, backup)}, aigw.standard()) as gateway:
            print(gateway.describe(), "\n")

            east.always(Status(429, retry_after=60))
            west.always(Hangup())
            answer = gateway.chat("Why is the sky blue?", model="smart")
            print(answer.text)
            print(answer.trace, "\n")

            west.always(None)
            answer = gateway.chat("Why is the sky blue?", model="smart")
            print(answer.text)
            print(answer.trace)


if __name__ == "__main__":
    main()
