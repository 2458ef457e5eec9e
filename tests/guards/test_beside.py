"""What would hold up an event loop is done in a thread, and follows the failure mode when it takes too long."""

from __future__ import annotations

import asyncio
import threading

import pytest

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
