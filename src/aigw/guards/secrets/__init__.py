"""`Secrets`: keys, tokens, passwords and private keys in texts."""

from __future__ import annotations

from aigw.guards.secrets.detector import KINDS, Secrets

__all__ = ["KINDS", "Secrets"]
