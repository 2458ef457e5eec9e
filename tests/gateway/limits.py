"""Limits for tests of slow servers, which are short because the time is real."""

from __future__ import annotations

import pytest

from aigw import AttemptTimeout, Deadline, errors
from transport.raw_server import chunk, event

SHORT = 0.1
ENOUGH = 0.3
LONG = 20.0

END = chunk(event(reason="stop")) + chunk(b"data: [DONE]\n\n") + chunk(b"")

total_or_deadline = pytest.mark.parametrize(
    ("policies", "kind"),
    [
        ([AttemptTimeout(3 * SHORT, connect=1)], errors.TimedOut),
        ([Deadline(3 * SHORT), AttemptTimeout(connect=1)], errors.DeadlineExceeded),
    ],
    ids=["total", "deadline"],
)
both_calls = pytest.mark.parametrize("call", ["chat", "read"])


def failure(gateway, call, **options):
    """Return the error of a call."""
    with pytest.raises(errors.AigwError) as caught:
        getattr(gateway, call)("hello", **options)
    return caught.value
