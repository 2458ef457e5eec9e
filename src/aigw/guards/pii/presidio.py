"""`Presidio`: names, addresses and places, found by presidio-analyzer."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KINDS: Final = {
    "PERSON": "PERSON",
    "LOCATION": "LOCATION",
    "ADDRESS": "ADDRESS",
    "STREET_ADDRESS": "ADDRESS",
    "GPE": "LOCATION",
}


class Presidio:
    """A plugin for `Pii` that asks presidio-analyzer for what patterns cannot find. Needs the extra ``presidio``.

    The analyzer is made at the first text, which loads a language model: seconds, and hundreds of megabytes.

    Args:
        engine: an ``AnalyzerEngine`` of your own; by default one with the settings of presidio.
        language: the language of the texts, as the engine knows it.
        entities: which entities of presidio are asked for, and as which kinds they are reported. By default ``PERSON``,
            ``LOCATION`` and addresses, as far as the engine supports them.
        min_score: what presidio is less sure of is left out.
    """

    def __init__(
        self,
        engine: Any = None,
        *,
        language: str = "en",
        entities: Mapping[str, str] | None = None,
        min_score: float = 0.5,
    ) -> None:
        if not 0 <= min_score <= 1:
            raise ConfigError(f"min_score must be between 0 and 1, not {min_score!r}")
        self._engine = engine
        self._language = language
        self._kinds = dict(_KINDS if entities is None else entities)
        self._entities: list[str] | None = None
        self._min_score = min_score
        self._lock = threading.Lock()

    def __call__(self, text: str) -> Sequence[Span]:
        """Find names, addresses and places in a text."""
        engine, entities = self._load()
        if not entities:
            return []
        results = engine.analyze(text=text, language=self._language, entities=entities, score_threshold=self._min_score)
        return [Span(r.start, r.end, self._kinds[r.entity_type], float(r.score)) for r in results]

    def _load(self) -> tuple[Any, list[str]]:
        with self._lock:
            if self._engine is None:
                try:
                    presidio = import_module("presidio_analyzer")
                except ImportError as error:
                    raise ConfigError("Presidio needs presidio-analyzer: pip install 'aigw[presidio]'") from error
                self._engine = presidio.AnalyzerEngine(supported_languages=[self._language])
            if self._entities is None:
                known = set(self._engine.get_supported_entities(language=self._language))
                self._entities = [name for name in self._kinds if name in known]
            return self._engine, self._entities
