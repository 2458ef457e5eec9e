"""Fixtures of the tests of moderation: gateways whose model gives one answer."""

from __future__ import annotations

import pytest

from aigw import Target
from aigw.testing import ScriptedProvider
from gateway.faces import FACES


@pytest.fixture(params=list(FACES))
def face(request):
    """Make gateways, with each face."""
    made = []

    def make(outcome, *policies):
        provider = ScriptedProvider.repeat(outcome)
        made.append(FACES[request.param]({"r": Target(provider)}, policies))
        return made[-1]

    yield make
    for one in made:
        one.shut_down()
