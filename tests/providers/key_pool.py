"""A provider with keys and the smallest wire format there is, behind a transport without sockets."""

from __future__ import annotations

import pytest

from aigw.chunk import Chunk
from aigw.errors import ProviderError
from aigw.providers.auth import BEARER, KeyAuth, Unsigned
from aigw.providers.format import Format
from aigw.providers.http import HttpProvider
from aigw.runtime import drive
from aigw.wire.failures import Failures
from providers.fake_http import FakeResponse, FakeTransport
from testing.faces import read_all

FORMAT = Format(
    wire="mini",
    path=lambda model, stream: "/go",
    render=lambda call, model, strict: {"model": model},
    parse=lambda data: [Chunk(text=data["text"], finish_reason="stop")],
    classify=Failures().classify,
)
"""What is tested here knows nothing of formats."""


def fine() -> FakeResponse:
    """Answer."""
    return FakeResponse(b'{"text": "hello"}')


def fails(status: int, *, times: int = 1, **headers: str) -> list[FakeResponse]:
    """Refuse so often."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return [FakeResponse(b"{}", status=status, headers=headers) for _ in range(times)]


class Pool:
    """A provider with keys, behind a transport that answers as told.

    Args:
        api_key: the keys.
        answers: what the transport answers.
        env: environment variables to read without keys.
    """

    def __init__(self, api_key, *answers, env=()):
        self.transport = FakeTransport(*answers)
        self.clock = self.transport.clock
        self.auth = KeyAuth("mini", api_key, env=env)
        self.provider = HttpProvider("mini", "http://gpu-1:8000/v1", lambda operation: FORMAT, self.auth)
        self.call = None

    @property
    def keys(self):
        """The keys that were sent, in order."""
        count = len(self.transport.requests)
        return [
            key.removeprefix("Bearer ") for at in range(count) for key in self.transport.header("authorization", at)
        ]

    def ask(self, **fields):
        """Make a call on the blocking face, and return the text of its answer."""
        self.call = self.transport.call(**fields)
        return "".join(chunk.text for chunk in drive(read_all(drive(self.provider.send(self.call, "m")))))

    def fail(self, kind=ProviderError, **fields):
        """Make a call that fails, and return its error."""
        with pytest.raises(kind) as caught:
            self.ask(**fields)
        return caught.value


async def later(key="sk-later"):
    """Give a key, as a coroutine function."""
    return key


class Vault:
    """A function for a key that is no function object, and gives another key each time."""

    def __init__(self, *keys):
        self._keys = iter(keys)

    def __call__(self):
        return next(self._keys)


async def shown(auth, call, key_header=BEARER):
    """Return the headers that `auth` shows for a call."""
    return (await auth.show(Unsigned(call, "http://x/v1/go", b"{}", key_header))).headers
