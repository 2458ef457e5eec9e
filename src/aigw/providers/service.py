"""What a provider is described with: a row of the table, and what a target may say beyond it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.errors import ConfigError
from aigw.ports import Tls
from aigw.providers.auth import ApiKey, KeyAuth, KeyHeader

if TYPE_CHECKING:
    from aigw.call import Operation
    from aigw.providers.base import Provider
    from aigw.providers.format import Format
    from aigw.providers.http import HttpProvider

_PLACEHOLDER: Final = re.compile(r"\{([A-Z_]+)\}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a target says about its provider beyond its name; ``None`` means: as usual there.

    Args:
        base_url: where its API begins, as its official SDK takes it.
        api_key: a key, a function that gives one, or several.
        headers: more headers for every request.
        api_version: version of the API, where there are several.
        wire: name of the wire format, where the provider speaks several.
        region: where it runs, at providers that have regions.
        strict: what becomes of things that the wire format cannot say; see `aigw.wire.losses.Losses`.
        tls: certificates of its own.
    """

    base_url: str | None = None
    api_key: ApiKey | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str | None = None
    wire: str | None = None
    region: str | None = None
    strict: bool | None = None
    tls: Tls | None = None


class Service(Protocol):
    """A provider that a target can name."""

    @property
    def name(self) -> str:
        """As in ``provider/model``."""
        ...

    @property
    def base_url(self) -> str:
        """Where its API begins; empty or with ``{PLACEHOLDERS}`` where that depends on the account."""
        ...

    @property
    def key_env(self) -> tuple[str, ...]:
        """Environment variables that may hold its key; empty where it needs none."""
        ...

    @property
    def wires(self) -> tuple[str, ...]:
        """The wire formats that it speaks for chats; the first one is used unless another is asked for."""
        ...

    def connect(self, settings: Settings, model: str) -> Provider:
        """Make the provider object of a target.

        Args:
            settings: what the target says beyond its name.
            model: the model, which some providers speak with in different ways.

        Raises:
            ConfigError: a setting does not fit.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpService:
    """A row of the table of providers: everything in which one service differs from another, as data.

    Args:
        name: as in ``provider/model``.
        base_url: where its API begins, as its official SDK takes it. ``{NAME}`` in it is taken from the environment.
        key_env: environment variables that may hold its key; empty where it needs none.
        wires: the wire formats that it speaks for chats, the usual one first; none where it has no chats.
        others: the formats of its other operations, such as ``openai_embeddings``.
        dialects: how it differs from others that speak a wire format: arguments of the format's ``Dialect``.
        base_urls: for wire formats that begin elsewhere than `base_url`.
        key_header: where its key goes, if not where the wire format has it.
        api_version: the usual version of its API, where there are several; ``None`` where there are not.
        idempotency_header: the header by which it recognises a request that it has got already, or which does no harm
            there; empty where it knows none.
    """

    name: str
    base_url: str
    key_env: tuple[str, ...] = ()
    wires: tuple[str, ...] = ("openai_chat",)
    others: tuple[str, ...] = ()
    dialects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    key_header: KeyHeader | None = None
    api_version: str | None = None
    idempotency_header: str = ""

    def connect(self, settings: Settings, model: str) -> HttpProvider:  # noqa: ARG002  (all its models speak alike)
        """Make the provider object of a target; see `Service`."""
        from aigw.providers.http import HttpProvider

        wire = chosen_wire(self, settings)
        if settings.api_version is not None and self.api_version is None:
            raise ConfigError(f"{self.name} has no api_version; leave it out")
        return HttpProvider(
            self.name,
            settings.base_url or filled(self.base_urls.get(wire, self.base_url), self.name),
            lambda operation: self.format(operation, wire, settings.api_version or self.api_version),
            KeyAuth(self.name, settings.api_key, env=self.key_env, header=self.key_header),
            headers=settings.headers,
            strict=settings.strict,
            tls=settings.tls,
            idempotency_header=self.idempotency_header,
        )

    def format(self, operation: Operation, wire: str, version: str | None) -> Format | None:
        """Make the format of an operation; ``None`` where the provider does not have it.

        Args:
            operation: what is asked for.
            wire: the format of chats.
            version: version of the API.
        """
        from aigw.providers.wires import FORMATS

        for name in (wire, *self.others) if wire else self.others:
            serves, make = FORMATS[name]
            if serves == operation:
                return make(self.name, version, self.dialects.get(name, {}))
        return None


def chosen_wire(service: Service, settings: Settings) -> str:
    """Return the wire format that a target asks for, the service's first one if it asks for none.

    It is empty for a service without chats.

    Raises:
        ConfigError: the provider does not speak it.
    """
    if settings.wire is None:
        return service.wires[0] if service.wires else ""
    if settings.wire not in service.wires:
        known = ", ".join(map(repr, service.wires)) or "none for chats"
        raise ConfigError(f"{service.name} does not speak wire={settings.wire!r}; it speaks {known}")
    return settings.wire


def filled(base_url: str, provider: str) -> str:
    """Fill ``{NAME}`` in a base URL from the environment.

    Raises:
        ConfigError: a variable is not set; names it.
    """

    def value(found: re.Match[str]) -> str:
        given = os.environ.get(found[1])
        if not given:
            raise ConfigError(f"{provider}: set the environment variable {found[1]}, or give base_url=")
        return given

    return _PLACEHOLDER.sub(value, base_url)
