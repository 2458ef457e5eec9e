"""Who speaks: the role of a message in a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.message import Role


def read_role(data: Any, roles: Sequence[Role], where: str) -> Role:
    """Read the role of a message.

    Args:
        data: the message.
        roles: those that the format has.
        where: path of the message, for the error.

    Raises:
        ConfigError: it is no message, or has another role; the message names the path.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} must be an object with a role and content, not {type(data).__name__}")
    given: Any = data.get("role")
    if given not in roles:
        raise ConfigError(f"{where}.role must be one of {', '.join(roles)}")
    role: Role = given
    return role
