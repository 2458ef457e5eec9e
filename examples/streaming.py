"""Streams: read an answer while it comes, stop when it is enough, and never take a cut answer for a whole one."""

import aigw
from aigw.testing import FaultyUpstream, Unfinished

QUESTION = "Why is the sky blue?"


def main() -> None:
    """Read a stream to its end, a part of one, and one that is cut."""
    with FaultyUpstream() as upstream:
        routes = {"smart": aigw.Target(upstream.url, model="large")}
        with aigw.Gateway(routes, aigw.standard()) as gateway:
            with gateway.stream(QUESTION) as stream:
                for chunk in stream:
                    print(chunk.text, end="", flush=True)
            print(f"\n  whole: {stream.answer.finish_reason}, {stream.answer.usage}\n")

            # Leaving the block closes the connection, so the server stops as well.
            with gateway.stream(QUESTION) as stream:
                for chunk in stream:
                    print(chunk.text, end="", flush=True)
                    if "sky" in chunk.text:
                        break
            print(f"\n  enough: {stream.trace.attempts[-1].outcome}\n")

            # Behind the first output nothing is tried again: the reader has seen a part of this answer.
            upstream.next(Unfinished(after=5))
            try:
                with gateway.stream(QUESTION) as stream:
                    for chunk in stream:
                        print(chunk.text, end="", flush=True)
            except aigw.StreamInterrupted as error:
                print(f"\n  cut: {error.partial!r} is all that came")


if __name__ == "__main__":
    main()
