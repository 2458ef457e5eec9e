"""`Conversations`: masks calls, so that those of one conversation have the same tokens, and no others have."""

from __future__ import annotations

import hmac
import itertools
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aigw.aside import breathe
from aigw.errors import ConfigError
from aigw.guards.places import visit_call
from aigw.guards.span import best
from aigw.guards.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Call
    from aigw.guards.modes import Mode
    from aigw.guards.places import Kind, Place
    from aigw.guards.rules import Found
    from aigw.guards.span import Span

_SHORTEST_KEY: Final = 16
_NONCE_LENGTH: Final = 8
_MARK_LENGTH: Final = 16

MOST_KNOWN: Final = 256
"""Sets of kinds whose patterns are kept; see `aigw.guards.tokens.heads`."""


class Conversations:
    """Masks calls. Nothing is kept from call to call: a conversation is sent again with each of its turns.

    The tokens of a call end in a nonce that is made of the key, the principal, and the conversation: the label
    ``conversation`` of its metadata, or else what its user said first.

    Args:
        mode: what masked values become: see `Vault`.
        key: the secret; by default random.

    Raises:
        ConfigError: an argument makes no sense.
    """

    def __init__(self, mode: Mode | Mapping[str, Mode], key: bytes | None) -> None:
        given: object = key
        if given is not None and (not isinstance(given, bytes) or len(given) < _SHORTEST_KEY):
            raise ConfigError(f"Guard(key) must be at least {_SHORTEST_KEY} bytes")
        self._key = os.urandom(32) if key is None else key
        self._mode: Mode | Mapping[str, Mode] = mode
        self._known: set[frozenset[str]] = set()
        Vault((), mode=mode)

    def takes_long(self, found: Sequence[Found]) -> bool:
        """Tell whether masking needs patterns that are made anew, about 10 ms for each set of kinds.

        Args:
            found: what is to be masked.
        """
        return _kinds(found) not in self._known

    def masked(self, call: Call, found: Sequence[Found]) -> tuple[Call, Vault]:
        """Put tokens in the place of what was found, wherever it stands in the prompt.

        Args:
            call: the call.
            found: what was found in its texts, which are numbered as `visit_call` shows them.

        Raises:
            VaultFull: it has more values than a vault holds.
        """
        vault = Vault((), nonce=self._digest(call)[:_NONCE_LENGTH], mode=self._mode, key=self._key)
        spans: dict[int, list[Span]] = {}
        for one in found:
            breathe()
            spans.setdefault(one.number, []).append(one.span)
        numbers = itertools.count()
        known: dict[tuple[Kind, str], int] = {}

        def mask(_: Place, text: str, kind: Kind) -> str:
            masked = vault.mask(text, best(spans.get(next(numbers), ())), json=kind == "json")
            breathe()
            known[kind, masked] = len(vault)
            return masked

        def mask_again(_: Place, text: str, kind: Kind) -> str:
            return text if known.get((kind, text)) == len(vault) else vault.replace_known(text, json=kind == "json")

        # Twice, because a value that was found in the last text may also stand in the first.
        masked = visit_call(visit_call(call, mask), mask_again)
        breathe()
        vault.prepare()
        breathe()
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add(_kinds(found))
        return masked, vault

    def mark(self, call: Call) -> str:
        """Return what marks data in a conversation; nothing else in it says the same."""
        return self._digest(call, "mark")[:_MARK_LENGTH]

    def _digest(self, call: Call, *purpose: str) -> str:
        principal = call.principal
        who = (principal.id, principal.team or "") if principal is not None else None
        conversation = call.metadata.get("conversation") or sha256(_beginning(call)).hexdigest()
        message = repr((who, conversation, *purpose)).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, sha256).hexdigest()


def _kinds(found: Sequence[Found]) -> frozenset[str]:
    return frozenset([one.span.kind for one in found])


def _beginning(call: Call) -> bytes:
    """Return what a conversation begins with, which stays the same while it goes on."""
    first = next((message for message in call.messages if message.role == "user"), None)
    beginning = first.text if first is not None else "".join(call.inputs[:1])
    return beginning.encode("utf-8", "surrogatepass")
