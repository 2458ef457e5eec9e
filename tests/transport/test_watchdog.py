"""The watchdog: it shuts a socket when its time is over, and costs nothing while it is not."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from aigw.transport.watchdog import Watch, Watchdog

LONG = 60.0


@pytest.fixture
def others():
    """Tell which threads there were before."""
    return set(threading.enumerate())


@pytest.fixture
def dog(others):
    """Make a watchdog, and end it."""
    dog = Watchdog()
    yield dog
    dog.close()


@pytest.fixture
def pair():
    """Make two sockets that are connected to each other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(LONG)
        theirs.settimeout(LONG)
        yield ours, theirs


def threads(others):
    """Return the threads that the watchdog has started and that still run."""
    return [thread for thread in threading.enumerate() if thread not in others]


def test_a_read_that_takes_too_long(dog, pair):
    """The socket is shut under the reader, who sees an end, and knows from ``fired`` that it is none."""
    ours, theirs = pair
    watch = Watch(dog, ours)
    watch.arm(0.02)
    data = ours.recv(1)
    watch.disarm()

    assert (data, watch.fired) == (b"", True)
    assert theirs.recv(1) == b""


def test_a_limit_that_is_over_already(dog, pair):
    """It fires at once."""
    watch = Watch(dog, pair[0])
    watch.arm(-1)

    assert pair[0].recv(1) == b""
    assert watch.fired


def test_a_read_in_time(dog, pair):
    """A watch that is disarmed never fires, and the socket stays good."""
    ours, theirs = pair
    watch, other = Watch(dog, ours), Watch(dog, theirs)
    theirs.sendall(b"a")
    watch.arm(0.02)
    data = ours.recv(1)
    watch.disarm()
    other.arm(0.04)  # by the time that it has fired the first one's time is over too
    ours_is_told = ours.recv(1)

    assert (data, watch.fired, other.fired, ours_is_told) == (b"a", False, True, b"")


def test_a_limit_that_is_moved_on(dog, pair):
    """Armed again, the newest limit counts, whether it is later or earlier than the first."""
    ours, theirs = pair
    later, earlier = Watch(dog, ours), Watch(dog, theirs)
    later.arm(0.02)
    later.arm(LONG)
    earlier.arm(LONG)
    earlier.arm(0.04)
    theirs.recv(1)  # until the second one fires

    assert (later.fired, earlier.fired) == (False, True)


def test_many_reads_keep_one_place(dog, pair, others):
    """A line that is armed for each of its chunks is queued once, and one thread does."""
    watch = Watch(dog, pair[0])
    for _ in range(1000):
        watch.arm(LONG)
        watch.disarm()

    assert len(dog._heap) == 1
    assert len(threads(others)) == 1


def test_an_earlier_limit_wakes_the_dog(dog, pair):
    """It does not sleep through a short limit because it waits for a long one."""
    ours, theirs = pair
    Watch(dog, theirs).arm(LONG)
    watch = Watch(dog, ours)
    watch.arm(0.02)

    assert ours.recv(1) == b""
    assert watch.fired


def test_many_lines(dog):
    """Each fires for itself; those that are disarmed do not."""
    pairs = [socket.socketpair() for _ in range(32)]
    try:
        watches = [Watch(dog, ours) for ours, _ in pairs]
        for number, watch in enumerate(watches):
            watch.arm(0.02 if number % 2 else LONG)
        for watch in watches[::4]:
            watch.disarm()
        for ours, _ in pairs[1::2]:
            ours.settimeout(LONG)
            assert ours.recv(1) == b""

        assert [watch.fired for watch in watches] == [False, True] * 16
    finally:
        for ours, theirs in pairs:
            ours.close()
            theirs.close()


def test_a_socket_that_is_closed_already(dog, pair):
    """There is nothing to shut, and the dog goes on."""
    ours, theirs = pair
    closed, good = Watch(dog, ours), Watch(dog, theirs)
    closed.arm(0.01)
    ours.close()
    good.arm(0.03)
    theirs.recv(1)
    theirs_again, other = socket.socketpair()
    with theirs_again, other:
        theirs_again.settimeout(LONG)
        watch = Watch(dog, theirs_again)
        watch.arm(0.01)

        assert theirs_again.recv(1) == b""
        assert watch.fired


def test_the_thread_ends_with_its_work(dog, pair, others):
    """When nothing is left to watch there is no thread; the next limit starts another."""
    ours, theirs = pair
    first = Watch(dog, ours)
    first.arm(0.01)
    ours.recv(1)
    for thread in threads(others):
        thread.join(LONG)
    idle = threads(others)
    second = Watch(dog, theirs)
    second.arm(LONG)
    busy = threads(others)

    assert (len(idle), len(busy)) == (0, 1)


def test_closing(dog, pair, others):
    """It ends the thread at once if nobody waits, and may be done again; a limit after that is kept as ever."""
    ours, theirs = pair
    idle = Watch(dog, theirs)
    idle.arm(LONG)
    idle.disarm()
    running = len(threads(others))
    dog.close()
    dog.close()
    ended = len(threads(others))
    watch = Watch(dog, ours)
    watch.arm(0.01)

    assert (running, ended) == (1, 0)
    assert ours.recv(1) == b""
    assert (watch.fired, idle.fired) == (True, False)


def test_a_watch_that_was_queued_when_the_dog_was_closed(dog, pair):
    """It can be armed again: a transport that was closed may be used again."""
    ours, _ = pair
    watch = Watch(dog, ours)
    watch.arm(LONG)
    watch.disarm()
    dog.close()
    watch.arm(0.02)

    assert ours.recv(1) == b""
    assert watch.fired


def test_a_later_limit_after_the_dog_was_closed(dog, pair):
    """It is kept like an earlier one: a gateway may be closed while a stream is read."""
    ours, _ = pair
    ours.settimeout(1)
    watch = Watch(dog, ours)
    watch.arm(0.05)
    watch.disarm()
    dog.close()
    watch.arm(0.1)

    assert ours.recv(1) == b""
    assert watch.fired


def test_a_reader_who_waits_when_the_dog_is_closed(dog, pair):
    """The limit holds all the same."""
    ours, _ = pair
    ours.settimeout(1)
    watch = Watch(dog, ours)
    watch.arm(0.1)
    closer = threading.Thread(target=dog.close)
    closer.start()
    data = None
    with suppress(TimeoutError):
        data = ours.recv(1)
    closer.join()

    assert data == b""
    assert watch.fired


def test_arming_from_many_threads(dog):
    """Sixteen readers at once: each limit is kept."""
    fired = []

    def read():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(LONG)
            watch = Watch(dog, ours)
            for _ in range(50):
                theirs.sendall(b"a")
                watch.arm(LONG)
                ours.recv(1)
                watch.disarm()
            watch.arm(0.01)
            ours.recv(1)
            fired.append(watch.fired)

    readers = [threading.Thread(target=read) for _ in range(16)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert fired == [True] * 16
