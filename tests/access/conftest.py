"""Fixtures of the tests of access: gateways of both faces."""

from gateway.conftest import _no_leaks, face

__all__ = ["_no_leaks", "face"]
