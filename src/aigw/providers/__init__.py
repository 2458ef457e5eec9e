"""Providers: what a target sends its calls to."""

from aigw.providers.local import Local

__all__ = ["Local"]
