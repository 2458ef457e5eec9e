"""The ports: what a transport gets to see, and who fills them."""

from __future__ import annotations

import asyncio
import random

from aigw.ports import HttpRequest, Runtime
from aigw.runtime import BlockingRuntime, LoopRuntime


def test_a_request_shows_no_header():
    """Headers hold keys: they are not in the ``repr`` of a request, nor is what a transport keeps there."""
    request = HttpRequest("https://x/v1", (("authorization", "Bearer secret"),))
    request.prepared = "Bearer secret"

    assert repr(request) == "HttpRequest(url='https://x/v1', method='POST', tls=None)"


def test_requests_are_compared_by_identity():
    """Two requests are never the same, so that a transport may keep its own form in each."""
    assert HttpRequest("https://x") != HttpRequest("https://x")
    assert HttpRequest("https://x").prepared is None


def test_both_runtimes_fill_the_ports():
    """What each face gives to its calls is a `Runtime`, and says whether waiting blocks."""
    blocking = BlockingRuntime(None, random.Random(0), object)
    loop = asyncio.new_event_loop()
    suspending = LoopRuntime(loop, None, random.Random(0), object)
    loop.close()

    assert isinstance(blocking, Runtime)
    assert isinstance(suspending, Runtime)
    assert (blocking.blocking, suspending.blocking) == (True, False)
