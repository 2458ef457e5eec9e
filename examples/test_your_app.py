"""Test an application without a model, a network or a wait: script the answers, turn the clock by hand.

Run it with pytest, or as ``python test_your_app.py``.
"""

import sys

import pytest

import aigw
from aigw.testing import FakeClock, ScriptedProvider

LIMIT = 60
"""Tokens of a summary."""


def summarize(gateway: aigw.Gateway, text: str) -> str:
    """Be the application. It is handed its gateway; that is all that testing it needs."""
    system = aigw.Message("system", "Summarize in one sentence.")
    try:
        return gateway.chat([system, aigw.Message("user", text)], max_tokens=LIMIT).text
    except aigw.ProviderError:
        return f"{text[:20]}…"


def test_it_asks_for_one_sentence() -> None:
    """The model is told what to do, and its answer is returned."""
    provider = ScriptedProvider("It is about bees.")
    gateway = aigw.Gateway({"smart": aigw.Target(provider, model="any")})

    assert summarize(gateway, "Bees are …") == "It is about bees."
    (call,) = provider.calls
    assert call.messages[0].text == "Summarize in one sentence."
    assert call.max_tokens == LIMIT


def test_it_waits_as_long_as_the_provider_asks() -> None:
    """A busy provider is tried again; on a FakeClock seven seconds pass at once."""
    asked = 7
    provider = ScriptedProvider(aigw.Overloaded("busy", retry_after=asked), "It is about bees.")
    clock = FakeClock()
    gateway = aigw.Gateway({"smart": aigw.Target(provider, model="any")}, aigw.standard(), clock=clock)

    assert summarize(gateway, "Bees are …") == "It is about bees."
    assert clock.now() >= asked


def test_it_does_without_a_model() -> None:
    """When the key is wrong the user still gets something."""
    provider = ScriptedProvider(aigw.AuthenticationFailed("wrong key"))
    gateway = aigw.Gateway({"smart": aigw.Target(provider, model="any")})

    assert summarize(gateway, "Bees are social insects that …") == "Bees are social inse…"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q"]))
