"""The examples run, offline, as they are."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

SHOWN = {
    "access.py": [
        "analyst  Who is ann@example.org?  -> our own server",
        "403 principal gus may not handle data",
        "old key  What is new?             -> 403",
        "new key  What is new?             -> the cloud",
        "None AccessDenied",
        "after a change: Flaw(line=3",
    ],
    "anthropic_sdk.py": ["tool_use: weather", "It |is |raining", "['user', 'assistant', 'tool']"],
    "async_many.py": ["Accra", "2 attempts", "10 requests"],
    "budgets.py": [
        "again in 23 hours",
        "WARNING month: 80% of usd_per_month are used up",
        "bob: A cheap answer.",
        "48 of 100 calls were served, for $0.96",
    ],
    "decorators.py": ["mood='good'", "after 2 calls", "Come |again!", "in call 2", "What is this review like"],
    "fallback.py": ["Hello from the spare.", "ProviderRateLimited", "Unreachable", "moved on"],
    "fastapi_app.py": ["alice 200", "alice 429 RateLimited 60", "bob 502 AuthenticationFailed"],
    "guards.py": ["<EMAIL_1_", "sees:     Noted: Write to ann@example.org", "bob@example.org", "INJECTION in user"],
    "langchain_chat.py": ["['rain in Oslo']", "is |blue.", "City(name='Oslo'", "Because", "['alice', 'nobody'"],
    "one_interface.py": [
        "[tool_calls]",
        "left out: seed",
        "gemini: I have heard of rain.",
        "openai_chat: I have heard of rain.",
    ],
    "openai_sdk.py": ["moved on", "The |sky |is", "City(name='Oslo'", "InternalServerError: 503, AllTargetsFailed"],
    "pydantic_ai_agent.py": ["Advice(umbrella=True", "2 requests of the agent", "alice ['user', 'assistant', 'tool']"],
    "rate_limits.py": [
        "again in 20 s",
        "planned would refuse",
        "Hello from the spare.",
        "everybody waits",
        "took 5.0 s",
    ],
    "streaming.py": ["whole: stop", "enough: abandoned", "cut: 'The sky is blue because ' is all that came"],
    "test_your_app.py": ["3 passed"],
    "usage.py": ["alice          2", "spare/small", "abandoned: 1 calls, 1 of unknown cost"],
    "write_a_policy.py": ["slow: smart took", "SlowAnswers must stand outside Retry"],
}
"""What each of them must print."""


def test_every_example_is_run():
    """No example is left out below."""
    found = {path.name for path in EXAMPLES.glob("*.py")}

    assert found == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_runs(name):
    """It ends well, without a warning, and prints what it is there to show."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name], capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert [words for words in SHOWN[name] if words not in ended.stdout] == []


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_is_short(name):
    """It has at most 60 lines, and its docstring says what it shows."""
    source = (EXAMPLES / name).read_text(encoding="utf-8")

    assert len(source.splitlines()) <= 60
    assert ast.get_docstring(ast.parse(source))
