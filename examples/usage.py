"""Usage records: who used what, what is known of the cost, and what failed, from a file that outlives the process."""

import tempfile
from pathlib import Path

import aigw
from aigw.testing import ScriptedProvider


def main() -> None:
    """Make a few calls, and ask what came together."""
    large = ScriptedProvider(
        "Because of the air.", aigw.Overloaded("busy", status=503), ["It ", "is ", "the ", "light."]
    )
    small = ScriptedProvider.repeat("So it seems.", name="spare")
    routes = {"smart": aigw.Fallback(aigw.Target(large, model="large"), aigw.Target(small, model="small"))}

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "usage.db"
        with aigw.Gateway(routes, usage=path) as gateway:
            gateway.chat("Why is the sky blue?", principal="alice")
            gateway.chat("Is it?", principal="bob")
            with gateway.stream("Why?", principal="alice") as stream:
                next(stream)  # leaving the block here abandons the stream

        # Another gateway, or another process, reads the same file; so does `aigw usage usage.db --by principal`.
        with aigw.Gateway(usage=path) as gateway:
            print(gateway.usage(by="principal", since="1h"))
            print()
            print(gateway.usage(by=("target", "outcome")))
            for row in gateway.usage(by="outcome"):
                print(f"\n{row.group['outcome']}: {row.calls} calls, {row.unknown_costs} of unknown cost", end="")
    print()


if __name__ == "__main__":
    main()
