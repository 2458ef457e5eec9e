"""Every provider with every wire format that it speaks: read from the table, so that a new row is tested at once."""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from aigw import Target
from aigw.providers.table import COMPATIBLE, SERVICES
from gateway.secrets_check import KEY

ANY_SERVER = "http://127.0.0.1:9/base"
"""The address of a server that is known by its URL only; nobody listens there."""

PLACES = {
    "azure": {"base_url": "https://contract.openai.azure.com"},
    "bedrock": {"region": "us-east-1"},
    "bedrock-guardrails": {"region": "us-east-1"},
    "vertex": {"api_key": f"ya29.{KEY}"},
}
"""What a target of a provider must say besides its model and its key."""

MODELS = {"bedrock-guardrails": "contract:1"}
"""Models of providers without chats whose names have a certain form."""

VARIABLES = {
    "CONTENT_SAFETY_ENDPOINT": "https://contract.cognitiveservices.azure.com",
    "GOOGLE_CLOUD_PROJECT": "contract-project",
    "GOOGLE_CLOUD_LOCATION": "us-central1",
}
"""Variables that have a certain form; any other that a base URL names is filled with a word."""


@cache
def oracle_of(wire: str) -> Any:
    """Return what knows a format."""
    return importlib.import_module(f"contract.oracles.{wire}")


@dataclass(frozen=True)
class Endpoint:
    """A provider and a wire format that it speaks.

    Args:
        provider: its name in the table; of a server that is known by its URL only, the name that it has in errors.
        wire: the format; empty for a provider without chats.
        known: it has a row in the table.
    """

    provider: str
    wire: str
    known: bool = True

    def __str__(self) -> str:
        return f"{self.provider}-{self.wire}"

    @property
    def service(self) -> Any:
        """Its row."""
        return SERVICES[self.provider] if self.known else COMPATIBLE[self.wire]

    @property
    def oracle(self) -> Any:
        """What knows its format."""
        return oracle_of(self.wire)

    @property
    def model(self) -> str:
        """The model that is asked for."""
        return self.oracle.MODEL if self.wire else MODELS.get(self.provider, "contract-model")

    def target(self, **settings: Any) -> Target:
        """Make a target.

        Args:
            settings: arguments of `Target` that replace the usual ones.
        """
        given = {"api_key": KEY, "wire": self.wire, **PLACES.get(self.provider, {}), **settings}
        if self.known:
            return Target(f"{self.provider}/{self.model}", **given)
        return Target(given.pop("base_url", ANY_SERVER), model=self.model, **given)


def known_endpoints() -> list[Endpoint]:
    """Read the table of providers."""
    return [Endpoint(name, wire) for name, service in SERVICES.items() for wire in service.wires]


def compatible_endpoints() -> list[Endpoint]:
    """Read the table of servers that are known by their URL only."""
    return [Endpoint(service.name, wire, known=False) for wire, service in COMPATIBLE.items()]


ENDPOINTS = [*known_endpoints(), *compatible_endpoints()]
"""All of them."""

ONE_OF_EACH = list({endpoint.wire: endpoint for endpoint in reversed(ENDPOINTS)}.values())
"""The first endpoint of each format, for what belongs to the format alone."""

every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
every_format = pytest.mark.parametrize("endpoint", ONE_OF_EACH, ids=str)
whole_and_streamed = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])


@cache
def placeholders() -> dict[str, str]:
    """Return the variables of the environment that the base URLs of the table name, and values for them."""
    names = {name for service in SERVICES.values() for name in re.findall(r"\{([A-Z_]+)\}", service.base_url)}
    return {name: VARIABLES.get(name, "contract") for name in names} | VARIABLES


def set_places(patch: pytest.MonkeyPatch) -> None:
    """Set what the base URLs of the table are filled with."""
    for name, value in placeholders().items():
        patch.setitem(os.environ, name, value)
