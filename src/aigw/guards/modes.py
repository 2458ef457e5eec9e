"""What masked values become: a token that can be undone, or something that cannot."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal, get_args

from aigw.checks import check_choice
from aigw.errors import ConfigError
from aigw.guards.tokens import label_of

Mode = Literal["token", "redact", "hash", "last4"]
"""``<EMAIL_1_k3f9>``, which is put back in answers; ``[EMAIL]``; ``[EMAIL:51fa0c92b3d4]``, the same for the same value
and key; ``**** 1111``."""

_SHOWN: Final = 4
_SHORTEST_SHOWN: Final = 12
"""Letters and digits of the shortest value whose last ones are shown: of a shorter one they would tell too much."""


class Modes:
    """Says what values of each kind become.

    Args:
        mode: one mode for all kinds, or a mapping from kinds, with ``"*"`` for the others (by default ``token``).
        key: the key of hashes; by default random.

    Raises:
        ConfigError: an argument makes no sense.
    """

    def __init__(self, mode: Mode | Mapping[str, Mode], key: bytes | str | None) -> None:
        modes: Mapping[str, Mode] = mode if isinstance(mode, Mapping) else {"*": mode}
        for one in modes.values():
            check_choice("Vault(mode)", one, get_args(Mode))
        self._modes: Mapping[str, Mode] = MappingProxyType(dict(modes))
        self._key = os.urandom(32) if key is None else _bytes(key)

    def of(self, kind: str) -> Mode:
        """Return the mode of a kind."""
        return self._modes.get(kind, self._modes.get("*", "token"))

    def replacement(self, kind: str, value: str) -> str | None:
        """Return what a value becomes for good; ``None`` where it becomes a token."""
        match self.of(kind):
            case "redact":
                return f"[{label_of(kind)}]"
            case "hash":
                digest = hmac.new(self._key, value.encode("utf-8", "surrogatepass"), sha256)
                return f"[{label_of(kind)}:{digest.hexdigest()[:12]}]"
            case "last4":
                shown = [character for character in value if character.isalnum()]
                return f"**** {''.join(shown[-_SHOWN:])}" if len(shown) >= _SHORTEST_SHOWN else "****"
        return None


def _bytes(key: object) -> bytes:
    if not key or not isinstance(key, (bytes, str)):
        raise ConfigError("Vault(key) must be bytes or a text that is not empty; leave it out for a random one")
    return key.encode() if isinstance(key, str) else key
