"""`VirtualKeys`: keys that an application hands out, so that callers need none of a provider's.

A key holds 256 random bits, so that its plain SHA-256 is enough: there is nothing to guess, and no dictionary to try.
Only that digest is kept.
"""

from __future__ import annotations

import hmac
import os
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aigw.call import Principal
from aigw.checks import seconds
from aigw.errors import AccessDenied, ConfigError
from aigw.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFIX: Final = "aigw"


@dataclass(frozen=True, slots=True)
class KeyRecord(Value):
    """What is kept of a key: enough to know it again, not enough to use it.

    Args:
        id: its public name, which is part of the key.
        digest: SHA-256 of the whole key, in hexadecimal digits.
        principal: whose it is.
        expires: seconds since 1970 after which it is worth nothing; ``None`` for never.
    """

    id: str
    digest: str
    principal: Principal
    expires: float | None = None


class VirtualKeys:
    """Keys for callers, with expiry and rotation.

    ::

        keys = VirtualKeys()
        key = keys.issue(Principal("alice", roles=frozenset({"analyst"})), lifetime=timedelta(days=30))
        gateway = aigw.Gateway(routes, [aigw.Access(roles, verify=keys.verify)])
        OpenAI(api_key=key, http_client=gateway.http_client("openai"))

    The records may be kept anywhere: they are values that turn into JSON and back (`KeyRecord.to_json`).

    Args:
        records: keys that were issued before.
        now: the time, in seconds since 1970.

    Raises:
        ConfigError: two records have the same id.
    """

    def __init__(
        self, records: Iterable[KeyRecord] = (), *, now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    ) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._records: dict[str, KeyRecord] = {}
        for record in records:
            if record.id in self._records:
                raise ConfigError(f"VirtualKeys(records): there are two keys with the id {record.id!r}")
            self._records[record.id] = record

    @property
    def records(self) -> tuple[KeyRecord, ...]:
        """What is to be kept of the keys. A key that has expired is left out."""
        now = self._now()
        return tuple(record for record in tuple(self._records.values()) if not _is_over(record, now))

    def issue(self, principal: Principal, *, lifetime: float | timedelta | None = None) -> str:
        """Make a key. It is returned once, and kept nowhere.

        Args:
            principal: who is to use it.
            lifetime: seconds until it expires, also as a `timedelta`; ``None`` for never.
        """
        if not isinstance(principal, Principal):
            raise ConfigError(f"VirtualKeys.issue(principal) must be a Principal, not {principal!r}")
        expires = None if lifetime is None else self._now() + seconds("VirtualKeys.issue(lifetime)", lifetime)
        name = os.urandom(6).hex()
        key = f"{PREFIX}-{name}-{urlsafe_b64encode(os.urandom(32)).decode().rstrip('=')}"
        with self._lock:
            self._records[name] = KeyRecord(name, _digest(key), principal, expires)
        return key

    def rotate(self, id: str, *, grace: float | timedelta = 3600.0, lifetime: float | timedelta | None = None) -> str:  # noqa: A002  (it is the id)
        """Make a new key for the same principal; the old one expires.

        Args:
            id: the old key's id.
            grace: seconds for which the old one is still taken; 0 for a key that became known to others.
            lifetime: that of the new one.

        Raises:
            ConfigError: there is no such key.
        """
        old = self._find(id)
        key = self.issue(old.principal, lifetime=lifetime)
        limit = self._now()
        if grace not in (0, timedelta()):
            limit += seconds("VirtualKeys.rotate(grace)", grace)
        with self._lock:
            self._records[id] = replace(old, expires=limit if old.expires is None else min(limit, old.expires))
        return key

    def revoke(self, id: str) -> None:  # noqa: A002  (it is the id)
        """Take a key no more, from now on.

        Raises:
            ConfigError: there is no such key.
        """
        self._find(id)
        with self._lock:
            self._records.pop(id, None)

    def verify(self, token: str) -> Principal:
        """Tell whose key it is.

        Raises:
            AccessDenied: it is no key of ours, or it has expired or was revoked.
        """
        _, _, rest = token.partition("-")
        record = self._records.get(rest.partition("-")[0])
        known = record is not None and hmac.compare_digest(_digest(token), record.digest)
        if record is None or not known:
            raise AccessDenied("the key is not known")
        if _is_over(record, self._now()):
            raise AccessDenied(f"the key {record.id} has expired")
        return record.principal

    def _find(self, name: str) -> KeyRecord:
        record = self._records.get(name)
        if record is None:
            raise ConfigError(f"VirtualKeys: there is no key with the id {name!r}")
        return record

    def __repr__(self) -> str:
        return f"VirtualKeys({len(self._records)} keys)"


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _is_over(record: KeyRecord, now: float) -> bool:
    return record.expires is not None and now >= record.expires
