"""What every test gets: no network beyond this machine, no settings of this machine, and clocks to turn by hand."""

from __future__ import annotations

import gc
import random
import socket

import pytest
from hypothesis import settings

from aigw.providers.table import SERVICES
from aigw.testing import FakeClock

settings.register_profile("aigw", deadline=None, print_blob=True)  # no test may depend on how fast a machine is
settings.load_profile("aigw")

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
PLACES = (
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AZURE_OPENAI_ENDPOINT",
    "CLOUDFLARE_ACCOUNT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_PROJECT",
    "OPENAI_API_VERSION",
)
SETTINGS = (*PROXIES, *PLACES, *(name for service in SERVICES.values() for name in service.key_env))


@pytest.fixture(autouse=True, scope="module")
def _young():
    """Leave what is there already out of garbage collections: many tests make one, to see what becomes of their own."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _alone():
    """Keep tests on this machine, and the settings of this machine out of the tests."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test wanted to connect to {address[0]}; tests stay on this machine")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when somebody sleeps on it."""
    return FakeClock()


@pytest.fixture
def rng() -> random.Random:
    """Chance that repeats."""
    return random.Random(0)
