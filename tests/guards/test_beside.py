"""What would hold up an event loop is done in a thread, and follows the failure mode when it takes too long."""

from __future__ import annotations

import asyncio
import threading

import pytest

from aigw import Chunk, Guard, Reply
from aigw.guards import Pii
from aigw.guards.scan import SHORT, DetectorFailed, Scanner
from aigw.runtime import drive
from aigw.testing import make_call


@pytest.mark.parametrize(
    ("length", "blocking", "moves"), [(SHORT, False, False), (SHORT + 1, False, True), (10**9, True, False)]
)
def test_long_texts_go_to_a_thread(length, blocking, moves):
    """Beside a loop only: a blocking gateway has its thread anyway, and short texts are done sooner than moved."""
    scanner = Scanner("Guard", (), 10.0, "block")

    async def run():
        return await scanner.beside(make_call(blocking=blocking), length, threading.get_ident)

    ident = drive(run()) if blocking else asyncio.run(run())

    assert (ident != threading.get_ident()) == moves


def test_what_takes_too_long_has_failed():
    """Whoever waits is told as by a detector that is too slow."""
    scanner = Scanner("Guard", (), 0.01, "block")
    release = threading.Event()

    async def run():
        await scanner.beside(make_call(blocking=False), SHORT + 1, lambda: release.wait(60))

    with pytest.raises(DetectorFailed, match="not done within"):
        asyncio.run(run())
    release.set()


def test_new_kinds_are_masked_beside_a_loop(monkeypatch):
    """Masking a new set of kinds makes patterns, which takes too long for a loop; the next call has them."""
    guard, seen = Guard(Pii()), []
    masked = guard._conversations.masked

    def watched(call, found):
        seen.append(threading.get_ident() == own)
        return masked(call, found)

    async def inner(_):
        return Reply.replay([Chunk("fine", finish_reason="stop")])

    async def ask(*prompts):
        for prompt in prompts:
            await guard.handle(make_call(prompt, blocking=False), inner)

    monkeypatch.setattr(guard._conversations, "masked", watched)
    own = threading.get_ident()
    asyncio.run(ask("to ann@example.org", "to bob@example.org", "from 192.0.2.7 to ann@example.org", "of 192.0.2.8"))

    assert seen == [False, True, False, False]
