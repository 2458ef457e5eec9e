"""Every fault of a `FaultyUpstream`, and what must come of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from aigw import errors
from aigw.testing import Cut, Hangup, Malformed, Slow, Stall, Status, Unfinished
from aigw.testing.faults import Fault
from aigw.testing.upstream.answers import Content, chat
from gateway.secrets_check import KEY, PROMPT

TEXT = "one two drüben four"
MODEL = "test-model"
TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Gießen", "days": 3}'},
}
SHORT = 0.1
"""Seconds after which a test gives a server up that says nothing."""


@dataclass(frozen=True)
class Fails:
    """It fails before any output.

    Args:
        kind: the class of the error.
        moves: another target is tried.
        facts: attributes of the error.
    """

    kind: type[errors.ProviderError]
    moves: bool = True
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Interrupted:
    """It breaks after the first output.

    Args:
        partial: the text until then.
        cause: the class of the error behind it.
        arguments: the arguments of the tool call until then.
        usage: whether the usage was known.
    """

    partial: str
    cause: type[errors.ProviderError] = errors.BadResponse
    arguments: str | None = None
    usage: bool = False


@dataclass(frozen=True)
class Complete:
    """It is a whole answer all the same."""


Outcome = Fails | Interrupted | Complete


@dataclass(frozen=True)
class Row:
    """A fault and what comes of it.

    Args:
        name: for people.
        fault: the fault of the first upstream.
        outcome: of a call that has only this upstream.
        limits: arguments of an `AttemptTimeout` at its target.
        tool: the upstream answers with a tool call in place of a text.
    """

    name: str
    fault: Fault
    outcome: Outcome
    limits: dict[str, float] = field(default_factory=dict)
    tool: bool = False

    def __str__(self) -> str:
        return self.name


def body(*, stream: bool, tool: bool = False) -> list[bytes]:
    """Return the pieces of the body that a healthy upstream answers with."""
    asked = {
        "model": MODEL,
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": stream,
        "stream_options": {"include_usage": True},
    }
    content = Content("", (TOOL_CALL,)) if tool else Content(TEXT)
    return list(chat(asked, content, 1).pieces)


EVENTS = body(stream=True)
TOOL_EVENTS = body(stream=True, tool=True)
WHOLE = b"".join(body(stream=False))


def after(events: int, more: int = 0, *, tool: bool = False) -> Cut:
    """Cut behind so many events and so many bytes."""
    return Cut(sum(map(len, (TOOL_EVENTS if tool else EVENTS)[:events])) + more)


def amid(pieces: bytes) -> int:
    """Return a place in the middle of the first character that has two bytes."""
    return next(at for at, byte in enumerate(pieces) if byte > 127) + 1


def echo(status: int, **fields: Any) -> Status:
    """Make an error that quotes the prompt and the key, as careless servers do."""
    return Status(status, message=f"wrong key {KEY}; you said: {PROMPT}", **fields)


STATUSES = (
    Row("302", Status(302, body="<a href='https://other.example/'>"), Fails(errors.BadResponse, facts={"status": 302})),
    Row(
        "400", echo(400), Fails(errors.BadRequest, moves=False, facts={"status": 400, "code": "invalid_request_error"})
    ),
    Row(
        "400-context",
        echo(400, code="context_length_exceeded"),
        Fails(errors.ContextTooLong, facts={"code": "context_length_exceeded"}),
    ),
    Row("400-filter", echo(400, code="content_filter"), Fails(errors.ContentFiltered, moves=False)),
    Row(
        "401", echo(401, code="invalid_api_key"), Fails(errors.AuthenticationFailed, facts={"code": "invalid_api_key"})
    ),
    Row("402", echo(402), Fails(errors.QuotaExhausted)),
    Row("403", echo(403), Fails(errors.PermissionDenied)),
    Row("404", echo(404, code="model_not_found"), Fails(errors.NotFound)),
    Row("408", echo(408), Fails(errors.TimedOut)),
    Row("413", echo(413), Fails(errors.ContextTooLong)),
    Row("422", echo(422), Fails(errors.BadRequest, moves=False)),
    Row("429", echo(429), Fails(errors.ProviderRateLimited, facts={"status": 429, "retry_after": None})),
    Row("429-after", echo(429, retry_after=7), Fails(errors.ProviderRateLimited, facts={"retry_after": 7.0})),
    Row(
        "429-after-ms",
        echo(429, retry_after=7, retry_after_ms=1500),
        Fails(errors.ProviderRateLimited, facts={"retry_after": 1.5}),
    ),
    Row(
        "429-quota",
        echo(429, code="insufficient_quota"),
        Fails(errors.QuotaExhausted, facts={"retryable": False, "code": "insufficient_quota"}),
    ),
    Row("500", echo(500), Fails(errors.ServerError, facts={"status": 500, "request_id": "req-2"})),
    Row("502-html", Status(502, body=f"<h1>{KEY} {PROMPT}</h1>"), Fails(errors.ServerError)),
    Row("503", echo(503, retry_after=2), Fails(errors.Overloaded, facts={"retry_after": 2.0})),
    Row("504", echo(504), Fails(errors.TimedOut)),
    Row("529", echo(529), Fails(errors.Overloaded)),
    Row("hangup", Hangup(), Fails(errors.Unreachable)),
)
"""Faults that are the same for a stream and for a whole answer."""

STREAMED = (
    *STATUSES,
    Row("slow", Slow(0.01), Complete()),
    Row("slow-first", Slow(math.inf), Fails(errors.TimedOut), {"first_chunk": SHORT}),
    Row("slow-total", Slow(math.inf), Fails(errors.TimedOut), {"total": SHORT}),
    Row("stall-head", Stall(0), Fails(errors.TimedOut), {"first_chunk": SHORT}),
    Row("stall-text", Stall(2), Interrupted("one two ", errors.TimedOut), {"between_chunks": SHORT}),
    Row("stall-total", Stall(2), Interrupted("one two ", errors.TimedOut), {"total": 0.4}),
    Row("stall-end", Stall(9), Interrupted(TEXT, errors.TimedOut), {"between_chunks": SHORT}),
    Row("stall-a-while", Stall(1, 0.01), Complete()),
    Row("cut-head", Cut(0), Fails(errors.BadResponse)),
    Row("cut-in-role", Cut(9), Fails(errors.BadResponse)),
    Row("cut-before-text", after(1), Fails(errors.BadResponse)),
    Row("cut-in-first-text", after(1, 30), Fails(errors.BadResponse)),
    Row("cut-between-texts", after(2), Interrupted("one ")),
    Row("cut-in-character", Cut(amid(b"".join(EVENTS))), Interrupted("one two ")),
    Row("cut-behind-text", after(5), Interrupted(TEXT)),
    Row("cut-behind-reason", after(6), Interrupted(TEXT)),
    Row("cut-behind-usage", after(7), Interrupted(TEXT, usage=True)),
    Row("cut-in-done", after(7, 9), Interrupted(TEXT, usage=True)),
    Row("cut-behind-done", after(8), Complete()),
    Row("cut-tool-start", after(2, tool=True), Interrupted("", arguments=""), tool=True),
    Row("cut-in-tool", after(4, 40, tool=True), Interrupted("", arguments='{"city": "Gießen'), tool=True),
    Row(
        "cut-in-tool-character",
        Cut(amid(b"".join(TOOL_EVENTS))),
        Interrupted("", arguments='{"city":'),
        tool=True,
    ),
    Row("unfinished-0", Unfinished(0), Fails(errors.BadResponse)),
    Row("unfinished-2", Unfinished(2), Interrupted("one two ")),
    Row("unfinished-9", Unfinished(9), Interrupted(TEXT)),
    Row("unfinished-tool", Unfinished(2), Interrupted("", arguments='{"city":'), tool=True),
    Row("malformed-0", Malformed(0), Fails(errors.BadResponse)),
    Row("malformed-2", Malformed(2), Interrupted("one two ")),
    Row("malformed-end", Malformed(9), Interrupted(TEXT)),
)

WHOLE_ANSWERS = (
    *STATUSES,
    Row("slow", Slow(0.01), Complete()),
    Row("slow-total", Slow(math.inf), Fails(errors.TimedOut), {"total": SHORT}),
    Row("stall-head", Stall(0), Fails(errors.TimedOut), {"total": SHORT}),
    Row("stall-body", Stall(1), Fails(errors.TimedOut), {"total": SHORT}),
    Row("stall-a-while", Stall(1, 0.01), Complete(), {"first_chunk": 0.001, "between_chunks": 0.001}),
    Row("cut-head", Cut(0), Fails(errors.BadResponse)),
    Row("cut-middle", Cut(len(WHOLE) // 2), Fails(errors.BadResponse)),
    Row("cut-in-character", Cut(amid(WHOLE)), Fails(errors.BadResponse)),
    Row("cut-last-byte", Cut(len(WHOLE) - 1), Fails(errors.BadResponse)),
    Row("cut-tool", Cut(len(WHOLE) // 2), Fails(errors.BadResponse), tool=True),
    Row("cut-behind", Cut(10**6), Complete()),
    Row("unfinished-0", Unfinished(0), Fails(errors.BadResponse)),
    Row("unfinished-1", Unfinished(1), Fails(errors.BadResponse)),
    Row("malformed", Malformed(), Fails(errors.BadResponse)),
)
