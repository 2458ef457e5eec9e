"""Exact time limits for blocking reads.

A blocking socket has a time limit for each receive, and httpcore takes it once for a whole body: a server that sends a
byte now and then could hold a thread for ever. So one thread watches all lines of a transport, and shuts down the
socket of a read that has run out of time; the read then fails in its own thread.
"""

from __future__ import annotations

import heapq
import socket
import threading
import time
import weakref
from contextlib import suppress
from itertools import count


class Watch:
    """The limit of one line. Armed for each read; a dog that never barks costs no system call.

    Args:
        watchdog: who looks after it.
        sock: the socket to shut down.
    """

    __slots__ = ("_dog", "_due", "_lock", "_queued", "_sock", "fired")

    def __init__(self, watchdog: Watchdog, sock: socket.socket) -> None:
        self._dog = watchdog
        self._sock = weakref.ref(sock)  # the dog's list may be long; it must not keep a dropped gateway's sockets open
        self._lock = threading.Lock()
        self._due: float | None = None
        self._queued = float("inf")
        self.fired = False

    def arm(self, seconds: float) -> None:
        """Allow the read that follows this many seconds."""
        due = time.monotonic() + seconds
        # Queued only if nothing earlier is: a line that is armed again and again keeps its place in the heap, and the
        # dog asks for the newest limit when it gets there.
        with self._lock:
            self._due = due
            earlier = due < self._queued
            if earlier:
                self._queued = due
        if earlier:
            self._dog.queue(due, self)

    def disarm(self) -> None:
        """The read is over."""
        self._due = None

    def cut(self) -> None:
        """Shut the socket at once."""
        _shut(self._sock())

    def release(self) -> bool:
        """Leave the queue, if no read is going on; the next one queues again."""
        with self._lock:
            if self._due is None:
                self._queued = float("inf")
            return self._due is None

    def look(self, now: float) -> float | None:
        """Shut the socket if the time is over; return when to look again, ``None`` if nothing is left to watch."""
        with self._lock:
            due = self._due
            if due is not None and due > now:
                self._queued = due
                return due
            self._queued = float("inf")
            self.fired = due is not None
        if self.fired:
            _shut(self._sock())
        return None


class Watchdog:
    """The thread that looks after the blocking reads of a transport; it runs while there is something to watch."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Watch]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def queue(self, due: float, watch: Watch) -> None:
        """Look at `watch` when it is `due`."""
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._order), watch))
            if self._thread is None or not self._thread.is_alive():  # not alive: after a fork
                self._thread = threading.Thread(target=self._run, name="aigw-watchdog", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is watch:
                self._changed.notify()

    def stop(self) -> threading.Thread | None:
        """Let the thread end, and return it if there was one, without waiting for it; it stays while a read goes on."""
        with self._changed:
            self._heap = [entry for entry in self._heap if not entry[2].release()]
            heapq.heapify(self._heap)
            if self._heap:
                return None
            thread, self._thread = self._thread, None
            self._changed.notify()
        return thread

    def close(self) -> None:
        """End the thread; if a read goes on, it ends by itself after that."""
        thread = self.stop()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        me = threading.current_thread()
        with self._changed:
            while self._heap and self._thread is me:
                now = time.monotonic()
                due, _, watch = self._heap[0]
                if due > now:
                    self._changed.wait(due - now)
                    continue
                heapq.heappop(self._heap)
                again = watch.look(now)
                if again is not None:
                    heapq.heappush(self._heap, (again, next(self._order), watch))
            if self._thread is me:
                self._thread = None


def _shut(sock: socket.socket | None) -> None:
    if sock is None:
        return
    with suppress(OSError):  # closed already, which is what was wanted
        # The plain socket's shutdown even for TLS: SSLSocket.shutdown() would take the session away under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
