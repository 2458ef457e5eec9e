"""`Dialect`: what servers that speak Gemini's format do differently, and `Family`: what its models do, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Efforts = Mapping[str, str | int]
"""What a `Call.reasoning` becomes: the name of a ``thinkingLevel``, or the tokens of a ``thinkingBudget``."""

_LEVELS: Final = {"none": "MINIMAL", "minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_BUDGETS: Final = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576}
_TO_HIGH: Final = {"xhigh": "HIGH", "max": "HIGH"}
_TO_XHIGH: Final = {"xhigh": "XHIGH", "max": "XHIGH"}
_MOST: Final = {"xhigh": 24576, "max": 24576}


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of one generation take.

    Args:
        prefix: how their names begin; the part behind the last ``/`` counts.
        efforts: what a `Call.reasoning` becomes. A word that is not in it goes out in capitals, as a level.
        signed_calls: they refuse function calls of the current turn that have no thought signature.
        media_results: they take images in the results of functions.
        media_detail: they take a resolution for each image.
    """

    prefix: str
    efforts: Efforts
    signed_calls: bool = True
    media_results: bool = True
    media_detail: bool = True


def _older(prefix: str, **changes: int) -> Family:
    efforts = MappingProxyType({**_BUDGETS, **_MOST, **changes})
    return Family(prefix, efforts, signed_calls=False, media_results=False, media_detail=False)


def _newer(prefix: str, **changes: str) -> Family:
    return Family(prefix, MappingProxyType({**_LEVELS, **changes}))


FAMILIES: Final[tuple[Family, ...]] = (
    _older("gemini-2.5-pro", none=128, minimal=128, xhigh=32768, max=32768),  # it cannot stop thinking
    _older("gemini-1"),
    _older("gemini-2"),
    _older("gemini-robotics-er-1"),
    _older("gemma-"),
    _newer("gemini-3-pro", none="LOW", minimal="LOW", medium="HIGH", **_TO_HIGH),
    _newer("gemini-3.1-pro", none="LOW", minimal="LOW", **_TO_HIGH),
    _newer("gemini-3", **_TO_HIGH),
    _newer("", **_TO_XHIGH),
)
"""The generations of models, the first that fits counts. The last one fits all: what is not known is taken for new."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak Gemini's format.

    The defaults are the Gemini API of Google AI Studio. Vertex AI speaks the same::

        Dialect(provider="vertex")

    Args:
        provider: name of the provider, for errors and for thought signatures. A signature goes back only to the
            provider whose it is: Vertex AI and the Gemini API refuse each other's, although the models are the same.
        json_schema: schemas stand in the fields for JSON schema (``parametersJsonSchema``, ``responseJsonSchema``);
            off for servers that know only the older ones (``parameters``, ``responseSchema``), to which the schema goes
            as it is.
        call_ids: ids of function calls are sent; off for servers that refuse the field.
        file_names: names of files are sent as ``displayName``; off for servers that refuse the field.
        include_thoughts: ask for readable thoughts wherever a call says how hard to think.
        families: what the models take.
    """

    provider: str = "gemini"
    json_schema: bool = True
    call_ids: bool = True
    file_names: bool = True
    include_thoughts: bool = True
    families: tuple[Family, ...] = FAMILIES

    def family(self, model: str) -> Family:
        """Return what this model takes."""
        name = model.rpartition("/")[2]
        return next((family for family in self.families if name.startswith(family.prefix)), FAMILIES[-1])


WIRE: Final = "gemini"
"""The name of this format."""

DEFAULT: Final = Dialect()
