"""Fixtures of the tests of whole gateways."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from aigw.testing import FaultyUpstream
from gateway.faces import FACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.faces import Face

TEXT = "one two drüben four"


@pytest.fixture(scope="module", autouse=True)
def _no_leaks() -> Iterator[None]:
    """Have what a test left open found before the next file: its warning is an error."""
    yield
    gc.collect()


@pytest.fixture(params=list(FACES))
def face(request: pytest.FixtureRequest) -> Iterator[Callable[..., Face]]:
    """Make gateways, ``face(routes, policies, clock=…, rng=…)``; the test runs once with each face of them."""
    made: list[Face] = []

    def make(routes: Any = None, policies: Any = (), **options: Any) -> Face:
        made.append(FACES[request.param](routes, policies, **options))
        return made[-1]

    make.blocking = FACES[request.param].blocking
    yield make
    for one in made:
        one.shut_down()


@pytest.fixture
def upstream() -> Iterator[FaultyUpstream]:
    """Serve the text of four words."""
    with FaultyUpstream(TEXT) as upstream:
        yield upstream


@pytest.fixture
def second() -> Iterator[FaultyUpstream]:
    """Serve another text, for a fallback."""
    with FaultyUpstream("from the second") as upstream:
        yield upstream
