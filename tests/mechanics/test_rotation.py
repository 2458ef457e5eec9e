"""Taking turns among things of which some rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.rotation import Rotation


def test_all_take_turns():
    """While none rests, each comes once before any comes again."""
    rotation = Rotation(3)

    assert [rotation.take(0.0) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_one_that_rests_is_left_out():
    """It comes again when its time is over, not before."""
    rotation = Rotation(3)
    rotation.rest(1, until=10.0)

    assert [rotation.take(9.9) for _ in range(4)] == [0, 2, 0, 2]
    assert sorted(rotation.take(10.0) for _ in range(3)) == [0, 1, 2]


def test_if_all_rest_the_first_to_wake_is_taken():
    """There is always one to try."""
    rotation = Rotation(3)
    for position, until in enumerate((30.0, 10.0, 20.0)):
        rotation.rest(position, until)

    assert rotation.take(0.0) == 1
    assert not rotation.is_awake(9.9)
    assert rotation.is_awake(10.0)


def test_a_shorter_rest_does_not_end_a_longer_one():
    """The later time counts, whatever order the failures come in."""
    rotation = Rotation(1)
    rotation.rest(0, until=30.0)
    rotation.rest(0, until=10.0)

    assert not rotation.is_awake(20.0)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 4), st.floats(0, 100)), max_size=8),
    st.lists(st.floats(0, 100), min_size=1, max_size=20),
)
def test_who_rests_is_taken_only_if_all_rest(count, rests, times):
    """Whatever happened before, a turn goes to one that is awake if there is one."""
    rotation = Rotation(count)
    until = [0.0] * count
    for position, time in rests:
        if position < count:
            rotation.rest(position, time)
            until[position] = max(until[position], time)
    for now in sorted(times):
        taken = rotation.take(now)

        assert until[taken] <= now or all(time > now for time in until)
