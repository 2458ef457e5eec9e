"""What the tests of AWS Bedrock share."""

from __future__ import annotations

from aigw.providers.bedrock import BedrockService
from aigw.providers.service import Settings
from aigw.runtime import drive
from providers.fake_http import FakeResponse, FakeTransport

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab.c-1"
ACCESS, SECRET, TOKEN = "AKIDEXAMPLE", "hunter2-secret", "hunter2-session"
ANSWER = b"""{"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}, "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 1}}"""
JSON = {"content-type": "application/json"}


def forget_this_machine(monkeypatch, tmp_path):
    """See to it that no file, variable or metadata server of the machine tells who it is."""
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def set_credentials(monkeypatch):
    """Put credentials into the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


def connect(model=CLAUDE, **settings):
    """Make the provider of a target."""
    return BedrockService().connect(Settings(**settings), model)


def answers(*, number=1):
    """A transport that answers well."""
    return FakeTransport(*[FakeResponse(ANSWER, headers=JSON) for _ in range(number)])


def sent(model=CLAUDE, *, stream=False, **settings):
    """Send a call, and return the transport."""
    transport = answers()
    drive(connect(model, **settings).send(transport.call(stream=stream), model))
    return transport


def headers_of(transport):
    """Return the headers of the last request."""
    return {name.lower(): value for name, value in transport.requests[-1].headers}
