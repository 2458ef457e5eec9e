"""What the tests of an application need: clocks to turn by hand, providers that follow a script, a faulty server."""

from aigw.testing.call import make_call
from aigw.testing.clock import FakeClock, HeldClock
from aigw.testing.faults import Cut, Hangup, Malformed, Slow, Stall, Status, Unfinished
from aigw.testing.meter import FixedMeter
from aigw.testing.scripted import ScriptedProvider
from aigw.testing.upstream import FaultyUpstream

__all__ = [
    "Cut",
    "FakeClock",
    "FaultyUpstream",
    "FixedMeter",
    "Hangup",
    "HeldClock",
    "Malformed",
    "ScriptedProvider",
    "Slow",
    "Stall",
    "Status",
    "Unfinished",
    "make_call",
]
