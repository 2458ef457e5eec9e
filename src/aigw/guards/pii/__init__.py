"""`Pii`: personal data in texts."""

from __future__ import annotations

from aigw.guards.pii.custom import Custom
from aigw.guards.pii.detector import KINDS, LOCALES, Pii
from aigw.guards.pii.presidio import Presidio

__all__ = ["KINDS", "LOCALES", "Custom", "Pii", "Presidio"]
