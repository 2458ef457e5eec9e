"""The public face of aigw.testing."""

from __future__ import annotations

from typing import get_args

import aigw.testing
from aigw.testing import faults


def test_all_is_sorted_and_complete():
    """``__all__`` is sorted, every name exists, and every fault is among them."""
    names = aigw.testing.__all__

    assert names == sorted(names)
    assert all(hasattr(aigw.testing, name) for name in names)
    assert {fault.__name__ for fault in get_args(faults.Fault)} <= set(names)
