"""Who asks, and on what terms: from ``with aigw.context(…)`` and from ``x-aigw-*`` headers to fields of the call."""

from __future__ import annotations

import json
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from aigw.arguments import COMMON_READERS, FIELDS
from aigw.call import Fence
from aigw.dropin.failure import Failure, Rejected
from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta

    from aigw.call import Principal, Priority, Unset

PREFIX: Final = "x-aigw-"
ROUTE: Final = "x-aigw-route"
IDEMPOTENCY: Final = "idempotency-key"
"""Where SDKs put the key that a request is recognised by, if they are given one."""
OPTIONS: Final = ("principal", "tags", "priority", "timeout", "metadata", "require", "token")
_TOKENS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""Where SDKs put the key that they were given."""

_CURRENT: Final[ContextVar[Mapping[str, Any] | None]] = ContextVar("aigw.context", default=None)


class ContextOptions(TypedDict, total=False):
    """Options of `context`, with the meaning that they have for ``gateway.chat``.

    Attributes:
        principal: who asks: an id, or a `Principal`.
        tags: labels for routing and policies; a text or several. Inner contexts add theirs.
        priority: ``interactive``, ``standard`` or ``batch``.
        timeout: seconds for the whole call, also as a `timedelta`; ``None`` for no limit.
        metadata: labels for usage records and audit. Inner contexts add theirs.
        require: tags that a target must have to serve the call; a text or several. Inner contexts add theirs.
        token: a credential that the caller showed, of which an `Access` policy makes the principal.
    """

    principal: str | Principal | None
    tags: str | Iterable[str]
    priority: Priority
    timeout: float | timedelta | Unset | None
    metadata: Mapping[str, str]
    require: str | Iterable[str]
    token: str | None


@contextmanager
def context(**options: Unpack[ContextOptions]) -> Iterator[None]:
    """Say who asks, for all calls that SDKs make within the block, in this thread or task.

    ::

        with aigw.context(principal="alice", tags="internal"):
            client.chat.completions.create(model="smart", messages=messages)

    Contexts may be nested: the inner one counts, tags and metadata add up.

    Args:
        **options: see `ContextOptions`.

    Raises:
        TypeError: there is no such option.
        ConfigError: an argument makes no sense.
    """
    given: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise TypeError(f"context() has no option {name!r}; there are {', '.join(OPTIONS)}")
        given[FIELDS.get(name, name)] = COMMON_READERS[name](f"context({name})", value)
    token = _CURRENT.set(joined(current(), given))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Mapping[str, Any]:
    """Return the fields of the call that the contexts around this line set."""
    return _CURRENT.get() or {}


def joined(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Join fields of a call: the inner ones count, tags and metadata add up."""
    fields = {**outer, **inner}
    if "tags" in outer and "tags" in inner:
        fields["tags"] = outer["tags"] | inner["tags"]
    if "metadata" in outer and "metadata" in inner:
        fields["metadata"] = {**outer["metadata"], **inner["metadata"]}
    if outer.get("fence") and inner.get("fence"):
        fields["fence"] = Fence(outer["fence"].tags | inner["fence"].tags)
    return fields


def fields_of(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of the call that the headers of a request and the contexts around it set.

    A header says what holds for a client (``default_headers=``), a context what holds for a part of the program, so
    the context counts where both say something.

    Raises:
        Rejected: there is no such header, or its value makes no sense.
    """
    given: dict[str, Any] = {"token": _token(headers)}
    if headers.get(IDEMPOTENCY):
        given["idempotency_key"] = headers[IDEMPOTENCY]
    for name in headers:
        if name.startswith(PREFIX) and name != ROUTE:
            field = name.removeprefix(PREFIX)
            if field not in OPTIONS:
                known = ", ".join(PREFIX + field for field in (*OPTIONS, "route"))
                raise _rejected(f"there is no header {name}; there are {known}")
            try:
                given[FIELDS.get(field, field)] = COMMON_READERS[field](name, _value(field, headers[name], name))
            except ConfigError as error:
                raise _rejected(str(error)) from None
    return joined(given, current())


def _token(headers: Mapping[str, str]) -> str | None:
    """Return the key that the SDK was given, without the name of its scheme."""
    shown = next((headers[name] for name in _TOKENS if headers.get(name)), "")
    scheme, space, token = shown.partition(" ")
    return (token if space and scheme.lower() == "bearer" else shown) or None


def _value(field: str, text: str, name: str) -> Any:
    """Read the text of a header as the value that an argument of the same name has."""
    if field in {"tags", "require"}:
        return [tag for part in text.split(",") if (tag := part.strip())]
    if field == "timeout":
        try:
            return None if text == "none" else float(text)
        except ValueError:
            raise ConfigError(f"{name} must be seconds, or none") from None
    if field == "metadata":
        labels = _labels(text)
        if labels is None:
            raise ConfigError(f'{name} must be a JSON object of texts, such as {{"feature": "search"}}')
        return labels
    return text


def _labels(text: str) -> dict[str, str] | None:
    try:
        labels = json.loads(text)
    except ValueError:
        return None
    return labels if isinstance(labels, dict) and all(isinstance(label, str) for label in labels.values()) else None


def _rejected(message: str) -> Rejected:
    return Rejected(Failure(400, "invalid_request", message))
