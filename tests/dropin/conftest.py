"""Fixtures of the tests of the drop-in transports."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aigw import Gateway, Target
from aigw.testing import ScriptedProvider
from dropin.sides import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropin.sides import Side


# These need packages of their own: ``nox -s sdks`` has them, and names the folder that it runs.
collect_ignore = [name for name in ("newer", "older") if not any(f"dropin/{name}" in word for word in sys.argv)]


@pytest.fixture(scope="module", autouse=True)
def _no_leaks() -> Iterator[None]:
    """Have what a test left open found before the next file: its warning is an error."""
    yield
    gc.collect()


@pytest.fixture(params=list(SIDES))
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """The SDKs' blocking clients, then their async ones."""
    made = SIDES[request.param]()
    yield made
    made.shut_down()


@pytest.fixture
def scripted() -> Callable[..., tuple[Gateway, ScriptedProvider]]:
    """Make a gateway with one route, ``smart``, to a provider that follows a script."""

    def make(*script: Any, policies: Any = (), **options: Any) -> tuple[Gateway, ScriptedProvider]:
        provider = ScriptedProvider(*script, **options)
        return Gateway({"smart": Target(provider, model="test-model")}, policies), provider

    return make
