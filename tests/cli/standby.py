"""A stand-in for the local model, for tests of what stands around it."""

from __future__ import annotations

from aigw.testing import ScriptedProvider


class Standby(ScriptedProvider):
    """Answers from a script, and knows whether it was closed, as a local model does."""

    where = "standby.gguf"

    def __init__(self, *script, **options):
        super().__init__(*script, name="local", **options)
        self.closed = False

    def close(self):
        self.closed = True


def nothing():
    """Find no installed model."""
