"""A gateway that was used before a fork."""

import os
import select
import signal
import threading
import warnings

import pytest

from aigw import Gateway, Target
from aigw.testing import FaultyUpstream, ScriptedProvider

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def in_child(work):
    """Run `work` in a forked process; return what it returns, as text."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads run: that is what is tested here
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        ready, _, _ = select.select([pipe], [], [], 60)
        if not ready:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert ready, "the child hangs"
        return pipe.read()


def test_a_child_opens_its_own_connections():
    """Two processes never write to one connection."""
    with FaultyUpstream() as upstream, Gateway({"r": Target(upstream.url, model="m")}) as gateway:
        gateway.chat("before")
        text = in_child(lambda: gateway.chat("in the child").text)
        gateway.chat("after")

        assert text == upstream.answer
        assert upstream.accepted == 2


def test_a_child_waits_for_no_thread_of_its_parent():
    """A thread that held the watchdog's lock when the process was forked is not in the child to give it back."""
    with FaultyUpstream() as upstream, Gateway({"r": Target(upstream.url, model="m")}) as gateway:
        gateway.chat("before")
        lock = gateway._engine.runtimes.blocking.transport._dog._changed
        held, done = threading.Event(), threading.Event()

        def hold():
            with lock:
                held.set()
                done.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        try:
            text = in_child(lambda: gateway.chat("in the child").text)
        finally:
            done.set()
            holder.join()

        assert text == upstream.answer


def test_a_child_makes_its_own_choices():
    """Workers that were forked from one process do not balance in step, and their calls have their own ids."""
    gateway = Gateway({"r": Target(ScriptedProvider.repeat("hello"), model="m")})
    gateway.chat("before")
    child = in_child(lambda: gateway.chat("hi").trace.call_id)

    assert child.startswith("call_")
    assert child != gateway.chat("hi").trace.call_id
