"""Detectors and the masking vault: plain objects, with or without a gateway; `aigw.Guard` is the policy around them.

>>> from aigw.guards import Pii
>>> [(span.kind, span.start, span.end) for span in Pii().find("write to ann@example.org")]
[('EMAIL', 9, 24)]

Each is loaded when it is first used: patterns take milliseconds to compile, and a model takes memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw.guards.span import Detector, Span, StreamDetector

if TYPE_CHECKING:
    from aigw.guards.injection import Injection
    from aigw.guards.moderation import Form, Leakage, LlamaGuard, Moderation, ModerationModel
    from aigw.guards.pii import Pii
    from aigw.guards.secrets import Secrets
    from aigw.guards.vault import Vault

__all__ = [
    "Detector",
    "Form",
    "Injection",
    "Leakage",
    "LlamaGuard",
    "Moderation",
    "ModerationModel",
    "Pii",
    "Secrets",
    "Span",
    "StreamDetector",
    "Vault",
]

_HOMES: Final = {
    "Form": "aigw.guards.moderation",
    "Injection": "aigw.guards.injection",
    "Leakage": "aigw.guards.moderation",
    "LlamaGuard": "aigw.guards.moderation",
    "Moderation": "aigw.guards.moderation",
    "ModerationModel": "aigw.guards.moderation",
    "Pii": "aigw.guards.pii",
    "Secrets": "aigw.guards.secrets",
    "Vault": "aigw.guards.vault",
}


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelled name for granted

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'aigw.guards' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
