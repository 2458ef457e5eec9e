"""`Dialect`: what differs between the models that Bedrock's Converse API serves, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aigw.wire.bedrock_converse.families import FAMILIES, UNKNOWN, Family

WIRE: Final = "bedrock_converse"
"""The name of this format."""

ANSWER_TOOL: Final = "aigw_answer"
"""Name of the tool that takes an answer which must fit a JSON schema, where the model knows no other way."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak this format.

    Args:
        provider: name of the provider, for errors, and for reasoning that goes back only to where it came from.
        families: what its models differ in, the first that fits counts.
    """

    provider: str = "bedrock"
    families: tuple[Family, ...] = FAMILIES

    def family(self, model: str) -> Family:
        """Return the family of a model, by its id; what is usual where the id says nothing."""
        return next((family for family in self.families if re.search(family.pattern, model)), UNKNOWN)


DEFAULT: Final = Dialect()
