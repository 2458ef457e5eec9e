"""A policy that counts how often each reply that it saw has ended."""

from __future__ import annotations

import threading


class Counting:
    """Sees every reply and every chunk, and changes nothing.

    Args:
        name: tells it from others.
    """

    def __init__(self, name="counting"):
        self.name = name
        self.replies = []
        """For each reply the ends that were told of it; there should be one."""
        self.chunks = 0
        self._lock = threading.Lock()

    def __repr__(self):
        return f"Counting({self.name!r})"

    @property
    def counts(self):
        """How often each reply has ended."""
        return [len(ends) for ends in self.replies]

    @property
    def outcomes(self):
        """How each reply ended."""
        return [end.outcome for ends in self.replies for end in ends]

    async def handle(self, call, inner):
        """Count."""
        reply = await inner(call)
        ends = []
        with self._lock:
            self.replies.append(ends)
        reply.when_done(ends.append)
        reply.tap(self._see)
        return reply

    def _see(self, chunk):
        with self._lock:
            self.chunks += 1
        return chunk
