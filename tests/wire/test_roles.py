"""Roles of messages."""

from __future__ import annotations

import pytest

from aigw.errors import ConfigError
from aigw.wire.roles import read_role


def test_a_role_of_the_format_is_returned() -> None:
    """One that the format has is read."""
    assert read_role({"role": "user", "content": "x"}, ("system", "user"), "messages[0]") == "user"


@pytest.mark.parametrize("data", [{"role": "tool"}, {"role": None}, {"role": ["user"]}, {}])
def test_another_role_is_refused(data: dict) -> None:
    """The error names the path and the roles that there are."""
    with pytest.raises(ConfigError, match=r"^messages\[0\]\.role must be one of system, user$"):
        read_role(data, ("system", "user"), "messages[0]")


def test_what_is_no_message_is_refused() -> None:
    """The error names the path and the type that was given."""
    with pytest.raises(ConfigError, match=r"^messages\[0\] must be an object with a role and content, not str$"):
        read_role("hello", ("system", "user"), "messages[0]")
