"""A stream over HTTP that is cut at any byte: within characters, within escapes of JSON, within tokens and values."""

from __future__ import annotations

import itertools
import json

import pytest

from aigw import AnswerBlocked, Guard, Target, Tool
from aigw.guards import Pii, Secrets
from aigw.testing import FaultyUpstream
from aigw.testing.upstream.plan import Body

MINE = "ann.miller@example.org"
"""A value of the user: in the answer its token stands for it."""
THEIRS = "+1 415 555 0132"
"""A value that the model says by itself."""


class Pieces(FaultyUpstream):
    """Streams an answer that repeats the user's token, cut where it is told.

    Args:
        at: the places; ``None`` sends each byte alone.
    """

    def __init__(self):
        super().__init__()
        self.at = ()

    def _body(self, request, number):
        data = b"".join(events(request.json["messages"][-1]["content"].split()[-1]))
        places = range(1, len(data)) if self.at is None else self.at
        ends = [0, *(place for place in places if 0 < place < len(data)), len(data)]
        pieces = tuple(data[start:end] for start, end in itertools.pairwise(ends))
        return Body(outputs=pieces, chunked=True, media_type="text/event-stream")


def events(token):
    """Write an answer as a provider may: in UTF-8, and with escapes, also of what is escaped already."""
    escaped = token.replace("<", "\\u003c").replace(">", "\\u003e")
    first, rest = f'{{"to": "{escaped}", "note": "é😀 {token[:9]}', f'{token[9:]}"}}'
    yield event({"content": f"Grüße 😀 an {token[:5]}"})
    yield event({"content": f"{token[5:]}, tel. {THEIRS[:9]}"}, ascii_only=True)
    yield event({"content": f"{THEIRS[9:]} \u2028"}, ascii_only=True)
    yield event({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "mail", "arguments": first}}]})
    yield event({"tool_calls": [{"index": 0, "function": {"arguments": rest}}]}, ascii_only=True)
    arguments = json.dumps({"q": token})
    yield event({"tool_calls": [{"index": 1, "id": "2", "function": {"name": "web", "arguments": arguments}}]})
    yield event({}, finish_reason="tool_calls")
    yield b"data: [DONE]\n\n"


def event(delta, *, ascii_only=False, finish_reason=None):
    """Write one event."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=ascii_only).encode() + b"\n\n"


LENGTH = sum(map(len, events("<EMAIL_1_01234567>")))
APART = 60
CUTS = [range(first, LENGTH, APART) for first in range(APART)]
"""Streams that are cut now and then: each byte of the answer is a place where one of them is."""


@pytest.fixture(scope="module")
def server():
    """Serve the answer."""
    with Pieces() as server:
        yield server


def read(made):
    """Read the stream; return its text and the arguments of its tools."""
    reading = made.stream(f"write to {MINE}", tools=[Tool("mail"), Tool("web")])
    reading.rest()
    mail, web = reading.answer.tool_calls
    return reading.text, mail.parse(), web.arguments


@pytest.mark.parametrize(("where", "theirs"), [("prompt", THEIRS), ("everything", "[PHONE]")])
def test_a_cut_at_any_byte_changes_nothing(face, server, where, theirs):
    """The user's value is back, in the text and for the trusted tool, and the model's is masked if it is looked at."""
    guard = Guard(Pii(), Secrets(), where=where, trusted_tools=["mail"])
    made = face({"smart": Target(server.url, model="m")}, [guard])
    seen = set()
    for at in (None, *CUTS):
        server.at = at
        text, mail, web = read(made)
        seen.add((text, json.dumps(mail), web))
    ((text, mail, web),) = seen

    assert text == f"Grüße 😀 an {MINE}, tel. {theirs} \u2028"
    assert json.loads(mail) == {"to": MINE, "note": f"é😀 {MINE}"}
    assert "EMAIL_1_" in web
    assert MINE not in web + repr([request.json for request in server.requests])


def test_no_byte_of_what_is_blocked_comes_out(face, server):
    """Wherever the stream is cut, what stands before the value is all that is seen of it."""
    made = face({"smart": Target(server.url, model="m")}, [Guard(Pii(["PHONE"]), where="answer", action="block")])
    seen = set()
    for at in (None, *CUTS):
        server.at = at
        reading = made.stream("hello you")
        with pytest.raises(AnswerBlocked, match="PHONE in answer"):
            reading.rest()
        seen.add(reading.text)

    assert all("Grüße 😀 an you, tel. ".startswith(text) for text in seen)
