"""Azure AI Content Safety: harmful content in texts, by its severity.

``azure-content-safety/text`` is the only model. ``base_url=`` or ``CONTENT_SAFETY_ENDPOINT`` is the endpoint of the
resource. Keys and tokens of Entra ID are told apart as for Azure OpenAI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aigw.providers.azure import AzureAuth
from aigw.providers.piecewise import PiecewiseProvider
from aigw.providers.service import HttpService, Settings, chosen_wire, filled

if TYPE_CHECKING:
    from aigw.providers.http import HttpProvider

VERSION: Final = "2024-09-01"
"""The newest version of the API that is no preview."""


@dataclass(frozen=True, slots=True)
class ContentSafetyService:
    """The row of Azure AI Content Safety."""

    name: str = "azure-content-safety"
    base_url: str = "{CONTENT_SAFETY_ENDPOINT}"
    key_env: tuple[str, ...] = ("CONTENT_SAFETY_KEY",)
    wires: tuple[str, ...] = ()
    others: tuple[str, ...] = ("azure_content_safety",)

    def connect(self, settings: Settings, model: str) -> HttpProvider:  # noqa: ARG002  (there is one)
        """Make the provider object of a target; see `aigw.providers.service.Service`."""
        from aigw.wire.content_safety import LONGEST

        wire = chosen_wire(self, settings)
        row = HttpService(self.name, self.base_url, others=self.others)
        return PiecewiseProvider(
            self.name,
            settings.base_url or filled(self.base_url, self.name),
            lambda operation: row.format(operation, wire, settings.api_version or VERSION),
            AzureAuth(self.name, settings.api_key, env=self.key_env),
            headers=settings.headers,
            strict=settings.strict,
            tls=settings.tls,
            longest=LONGEST,
        )
