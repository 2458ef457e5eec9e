"""Run a `FaultyUpstream` as a process of its own: print its URL, serve until standard input is closed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from aigw.testing.faults import Status
from aigw.testing.upstream import DEFAULT_ANSWER, FaultyUpstream

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until standard input is closed; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m aigw.testing.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of 127.0.0.1; 0 takes a free one (default)")
    parser.add_argument("--answer", default=DEFAULT_ANSWER, help="what the model says")
    parser.add_argument("--burst", action="store_true", help="write a stream in one piece")
    parser.add_argument("--status", type=int, help="answer everything with this HTTP error")
    given = parser.parse_args(arguments)
    with FaultyUpstream(given.answer, burst=given.burst, port=given.port, record=False) as upstream:
        if given.status is not None:
            upstream.always(Status(given.status))
        print(upstream.url, flush=True)  # noqa: T201  (the URL is what this command is run for)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
