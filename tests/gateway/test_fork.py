"""A gateway that was used before a fork."""

import os
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
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def test_a_child_opens_its_own_connections():
    """Two processes never write to one connection."""
    with FaultyUpstream() as upstream, Gateway({"r": Target(upstream.url, model="m")}) as gateway:
        gateway.chat("before")
        text = in_child(lambda: gateway.chat("in the child").text)
        gateway.chat("after")

        assert text == upstream.answer
        assert upstream.accepted == 2


def test_a_child_makes_its_own_choices():
    """Workers that were forked from one process do not balance in step, and their calls have their own ids."""
    gateway = Gateway({"r": Target(ScriptedProvider.repeat("hello"), model="m")})
    gateway.chat("before")
    child = in_child(lambda: gateway.chat("hi").trace.call_id)

    assert child.startswith("call_")
    assert child != gateway.chat("hi").trace.call_id
