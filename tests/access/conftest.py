"""Fixtures of the tests of access: gateways of both faces."""

from __future__ import annotations

import gc

import pytest

from gateway.faces import FACES


@pytest.fixture(scope="module", autouse=True)
def _no_leaks():
    """Have what a test left open found before the next file: its warning is an error."""
    yield
    gc.collect()


@pytest.fixture(params=list(FACES))
def face(request):
    """Make gateways; the test runs once with each face of them."""
    made = []

    def make(routes, policies=(), **options):
        made.append(FACES[request.param](routes, policies, usage=None, **options))
        return made[-1]

    yield make
    for one in made:
        one.shut_down()
