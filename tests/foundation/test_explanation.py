"""`Explanation`: what a call would do, for people to read."""

from __future__ import annotations

from aigw.explanation import Explanation, PlannedTarget

GOOD = PlannedTarget("local", "local", "small", "model.gguf")
BAD = PlannedTarget("openai/gpt", "openai", "gpt", "https://x/v1", "no key")


def test_an_explanation_is_readable():
    """It shows the policies, the route with its tree, and why a target could not be reached."""
    explained = Explanation("smart", ("Deadline(60)", "Retry(attempts=3)"), ("Fallback", "  local"), (GOOD, BAD))

    assert str(explained).splitlines() == [
        "| Deadline(60)",
        "| Retry(attempts=3)",
        "smart:",
        "Fallback",
        "  local",
        "! openai/gpt: no key",
    ]


def test_no_problem_no_line():
    """A target without a problem adds no line."""
    assert str(Explanation("a", (), ("local",), (GOOD,))) == "a:\nlocal"
