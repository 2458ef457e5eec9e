"""Both transports, behind one blocking interface."""

from __future__ import annotations

import asyncio
import gc

import pytest

from aigw.ports import HttpRequest
from aigw.runtime import drive
from aigw.transport.blocking import BlockingTransport
from aigw.transport.lines import Certificates
from aigw.transport.loop import LoopTransport


class Line:
    """A transport of one kind, used from a test.

    Args:
        blocking: which kind.
        tls: the TLS set-up.
    """

    def __init__(self, *, blocking, tls=None):
        self._runner = None if blocking else asyncio.Runner()
        self.blocking = blocking
        self.tls = tls or Certificates()
        self.transport = BlockingTransport(self.tls) if blocking else LoopTransport(self.tls)

    def wait(self, coroutine):
        """Run what the transport returns."""
        return drive(coroutine) if self._runner is None else self._runner.run(coroutine)

    def send(self, url, body=b"{}", *, headers=(), connect=5.0, timeout=5.0, method="POST"):
        """Send a request, as a gateway would."""
        return self.send_again(HttpRequest(url, tuple(headers), method), body, connect=connect, timeout=timeout)

    def send_again(self, request, body=b"{}", *, connect=5.0, timeout=5.0):
        """Send a request that is kept."""
        return self.wait(self.transport.send(request, body, connect=connect, timeout=timeout))

    def ask(self, url, body=b"{}", **options):
        """Send a request and return the whole body of the answer."""
        return self.wait(self.send(url, body, **options).read_all(5.0))

    def pieces(self, response, timeout=5.0):
        """Read a body piece by piece."""
        pieces = []
        while piece := self.wait(response.read(timeout)):
            pieces.append(piece)
        return pieces

    def close(self):
        """Close the transport."""
        self.wait(self.transport.close())

    def shut_down(self):
        """Close it for good."""
        self.close()
        if self._runner is not None:
            self._runner.close()


@pytest.fixture(params=["blocking", "async"])
def line(request):
    """Make a transport; the test runs with each kind of them."""
    line = Line(blocking=request.param == "blocking")
    yield line
    line.shut_down()


@pytest.fixture(scope="module", autouse=True)
def _no_leaks():
    """Have what a test left open found before the next file: its warning is an error."""
    yield
    gc.collect()
