"""Azure OpenAI: the two forms of its URLs, keys and Entra tokens.

- The *v1* form, ``https://NAME.openai.azure.com/openai/v1``, is OpenAI's own API with the deployment as the model. It
  is used unless an ``api_version`` is given.
- The *deployments* form, ``…/openai/deployments/DEPLOYMENT/chat/completions?api-version=2024-10-21``, is used with a
  dated ``api_version``, of the argument or of ``OPENAI_API_VERSION``.

``base_url`` is the endpoint of the resource, or the whole path up to ``/chat/completions`` as the SDK's ``base_url``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from aigw.providers.auth import BEARER, KeyAuth, Shown
from aigw.providers.http import HttpProvider
from aigw.providers.service import HttpService, Settings, chosen_wire, filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Operation
    from aigw.providers.auth import Unsigned
    from aigw.providers.format import Format, Formats

VERSION: Final = "OPENAI_API_VERSION"
KEYS: Final = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN")
UNDATED: Final = frozenset({"v1", "preview", "latest"})
"""Values of ``api_version`` that belong to the v1 form."""


class AzureAuth(KeyAuth):
    """A key of the resource, or a token of Entra ID (which is a JWT, and goes where tokens go)."""

    async def show(self, request: Unsigned) -> Shown:
        """Make the header of the key or token; see `aigw.providers.auth.Auth`."""
        headers, key = await super().show(request)
        return Shown(tuple([_placed(header) for header in headers]), key)


def _placed(header: tuple[str, str]) -> tuple[str, str]:
    name, value = header
    is_token = value.startswith("eyJ") and value.count(".") == 2  # noqa: PLR2004  (the three parts of a JWT)
    return (BEARER[0], BEARER[1] + value) if is_token else (name, value)


@dataclass(frozen=True, slots=True)
class AzureService:
    """The row of Azure OpenAI."""

    name: str = "azure"
    base_url: str = "{AZURE_OPENAI_ENDPOINT}"
    key_env: tuple[str, ...] = KEYS
    wires: tuple[str, ...] = ("openai_chat", "openai_responses")

    def connect(self, settings: Settings, model: str) -> HttpProvider:  # noqa: ARG002  (all deployments are alike)
        """Make the provider object of a target; see `aigw.providers.service.Service`."""
        given = settings.base_url or filled(self.base_url, self.name)
        wire = chosen_wire(self, settings)
        version = settings.api_version or os.environ.get(VERSION)
        prefix = "" if urlsplit(given).path.strip("/") else _prefix(version)
        return HttpProvider(
            self.name,
            given,
            _formats(wire, prefix, version),
            AzureAuth(self.name, settings.api_key, env=self.key_env, header=("api-key", "")),
            headers=settings.headers,
            strict=settings.strict,
            tls=settings.tls,
        )


def _prefix(version: str | None) -> str:
    return "/openai/v1" if version is None or version in UNDATED else "/openai"


def _formats(wire: str, prefix: str, version: str | None) -> Formats:
    """Take OpenAI's formats, and put them where Azure has them."""
    row = HttpService("azure", "", others=("openai_embeddings",))
    query = f"?api-version={quote(version)}" if version and version != "v1" else ""

    def placed(operation: Operation) -> Format | None:
        own = row.format(operation, wire, None)
        if own is None:
            return None
        per_deployment = prefix == "/openai" and own.wire != "openai_responses"  # which is the same for all deployments
        return replace(own, path=_path(own, prefix, query, per_deployment=per_deployment))

    return placed


def _path(own: Format, prefix: str, query: str, *, per_deployment: bool) -> Callable[[str, bool], str]:
    def path(model: str, stream: bool) -> str:  # noqa: FBT001  (the signature of Format.path)
        deployment = f"/deployments/{quote(model, safe='')}" if per_deployment else ""
        return f"{prefix}{deployment}{own.path(model, stream)}{query}"

    return path
