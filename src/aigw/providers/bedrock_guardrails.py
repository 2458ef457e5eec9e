"""AWS Bedrock Guardrails: ``ApplyGuardrail``, by which a guardrail judges a text without a model.

``bedrock-guardrails/GUARDRAIL:VERSION`` names the id or the ARN of a guardrail and its version, ``DRAFT`` by default.
Regions, keys and signatures are those of Bedrock.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aigw.errors import ConfigError
from aigw.providers.bedrock import KEY, reached
from aigw.providers.piecewise import PiecewiseProvider
from aigw.providers.service import HttpService, Settings, chosen_wire
from aigw.providers.wires import GUARDRAIL

if TYPE_CHECKING:
    from aigw.providers.http import HttpProvider


@dataclass(frozen=True, slots=True)
class BedrockGuardrailsService:
    """The row of AWS Bedrock Guardrails."""

    name: str = "bedrock-guardrails"
    base_url: str = "https://bedrock-runtime.{AWS_REGION}.amazonaws.com"
    key_env: tuple[str, ...] = (KEY,)
    wires: tuple[str, ...] = ()
    others: tuple[str, ...] = ("bedrock_guardrail",)

    def connect(self, settings: Settings, model: str) -> HttpProvider:
        """Make the provider object of a target; see `aigw.providers.service.Service`."""
        from aigw.wire.bedrock_guardrail import LONGEST

        if GUARDRAIL.fullmatch(model) is None:
            raise ConfigError(
                f"{self.name}/{model}: name a guardrail by its id or ARN, and its version: {self.name}/abc123:1"
            )
        wire = chosen_wire(self, settings)
        base_url, auth = reached(self, settings, model)
        row = HttpService(self.name, self.base_url, others=self.others)
        return PiecewiseProvider(
            self.name,
            base_url,
            partial(row.format, wire=wire, version=None),
            auth,
            headers=settings.headers,
            strict=settings.strict,
            tls=settings.tls,
            longest=LONGEST,
        )
