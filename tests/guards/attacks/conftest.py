"""Fixtures of the tests of attacks: whole gateways, of both faces, over servers on loopback."""

from __future__ import annotations

import pytest

from aigw.testing import FaultyUpstream
from gateway.conftest import _no_leaks, face

__all__ = ["_no_leaks", "echo", "face"]


@pytest.fixture
def echo():
    """Serve what the last message says."""
    with FaultyUpstream(lambda request: request.json["messages"][-1]["content"]) as upstream:
        yield upstream
