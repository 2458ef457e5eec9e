"""Detectors that raise, hang or talk nonsense, and texts that are large, broken or odd, through whole gateways."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigw import AnswerBlocked, ConfigError, Guard, Message, PromptBlocked, Target, ToolResult
from aigw.guards import Injection, Moderation, Pii, Secrets, Span
from aigw.testing import ScriptedProvider
from guards.codes import Asking, Codes

MAIL = "ann.miller@example.org"


def last(call):
    """Answer with what was said last."""
    return call.messages[-1].text


def behind(face, outcome, *policies, **options):
    """Make a gateway, and what is behind it."""
    provider = ScriptedProvider.repeat(outcome)
    return face({"smart": Target(provider)}, policies, **options), provider


class Raising(Codes):
    """Raises with the text in its words, at one of its methods."""

    def __init__(self, method):
        self._method = method

    def find(self, text, start=0):
        return self._answer("find", super().find(text, start), text)

    def settled(self, text, start=0):
        return self._answer("settled", super().settled(text, start), text)

    def _answer(self, method, answer, text):
        if method == self._method:
            raise LookupError(f"cannot read {text!r}")
        return answer


class Saying:
    """Says what it is told to, whatever the text."""

    def __init__(self, found):
        self._found = found

    def find(self, text, start=0):
        return self._found


class Hanging:
    """Hangs until it is let go."""

    def __init__(self):
        self.release = threading.Event()

    def find(self, text, start=0):
        self.release.wait(60)
        return []


class Lost:
    """Waits for an answer that does not come before `release`."""

    def __init__(self):
        self.flags = []

    async def examine(self, call, texts):
        self.flags.append(call.ports.flag())
        await self.flags[-1].wait(60)
        return [[] for _ in texts]

    def release(self):
        for flag in self.flags:
            flag.set()


@pytest.mark.parametrize(("method", "streamed"), [("find", False), ("find", True), ("settled", True)])
def test_a_detector_that_raises_follows_the_failure_mode(face, method, streamed):
    """Closed by default, also while an answer streams, and nothing of the text is told; open where the user says so."""
    text = "all is well, K-123-456"
    for policy, wanted in (
        (Guard(Raising(method), where="answer", action="block"), AnswerBlocked),
        (Guard(Raising(method), where="answer", action="block", on_failure="allow"), None),
    ):
        made, _ = behind(face, [text[:9], text[9:]], policy)
        ask = made.read if streamed else (lambda made=made: made.chat().text)
        if wanted is None:
            assert ask() == text
            continue
        with pytest.raises(wanted, match="Raising: LookupError") as caught:
            ask()
        assert "well" not in str(caught.value) + str(caught.value.trace)


@pytest.fixture
def lost():
    """An examiner that hangs while the test runs."""
    one = Lost()
    yield one
    one.release()


@pytest.mark.parametrize("how", ["raises", "hangs"])
@pytest.mark.parametrize(("where", "error"), [("user", PromptBlocked), ("answer", AnswerBlocked)])
def test_an_examiner_that_raises_or_hangs_follows_the_failure_mode(face, lost, how, where, error):
    """For prompts and answers; one that hangs is left when its time is over."""
    asking = Asking("zzz", error=RuntimeError(MAIL)) if how == "raises" else lost
    made, _ = behind(face, "fine", Guard(asking, where=where, timeout=0.02))
    with pytest.raises(error) as caught:
        made.chat(MAIL)

    assert MAIL not in str(caught.value) + str(caught.value.trace)
    made, _ = behind(face, "fine", Guard(asking, where=where, timeout=0.02, on_failure="allow"))
    assert made.chat(MAIL).text == "fine"


@pytest.mark.parametrize("where", ["user", "answer"])
def test_a_detector_that_hangs_follows_the_failure_mode(face, where):
    """It is left in its thread, and the call goes the way that the user chose."""
    hanging = Hanging()
    closed, _ = behind(face, "fine", Guard(hanging, where=where, timeout=0.02))
    opened, _ = behind(face, "fine", Guard(hanging, where=where, timeout=0.02, on_failure="allow"))
    with pytest.raises((PromptBlocked, AnswerBlocked), match="Hanging: TooSlow"):
        closed.chat("one")

    assert opened.chat("two").text == "fine"
    hanging.release.set()


@pytest.mark.parametrize("found", [7, ["x"], [None], [(0, 1)], [Span(0, 1, None)], [Span("0", "1", "CODE")]], ids=repr)
def test_a_detector_that_talks_nonsense_has_failed(face, found):
    """What is no list of spans is an error of the detector: closed by default."""
    made, provider = behind(face, "fine", Guard(Saying(found), action={"CODE": "mask", "*": "block"}))
    with pytest.raises(PromptBlocked, match="Saying"):
        made.chat("hello")

    assert provider.calls == []
    made, _ = behind(face, "fine", Guard(Saying(found), on_failure="allow"))
    assert made.chat("hello").text == "fine"


@pytest.mark.parametrize("span", [Span(-5, 3, "CODE"), Span(2, 999, "CODE"), Span(3, 3, "CODE"), Span(4, 2, "CODE")])
def test_spans_outside_of_the_text_are_cut_to_it(face, span):
    """Nothing is masked where nothing is, and the text comes back."""
    made, _ = behind(face, last, Guard(Saying([span]), action="mask"))

    assert made.chat("hello").text == "hello"


def everything():
    """Make guards with everything on; what injection finds is flagged, so that the rest is seen at work."""
    return [
        Guard(Injection(), action="flag", name="injection"),
        Guard(Pii(), Secrets()),
        Guard(Moderation(["forbidden"]), where="answer", action="flag", name="moderation"),
    ]


LARGE = {
    "prose": "The committee met on Tuesday to discuss the new library; nobody was surprised. " * 12_800,
    "one letter": "x" * 1_000_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE.keys())
def test_a_megabyte_is_looked_through(face, text):
    """A value at its end leaves as a token, with everything on; a rule that is not linear would never end."""
    made, provider = behind(face, "fine", *everything())
    text = f"{text}\nwrite to {MAIL}"

    assert made.chat(text).text == "fine"
    assert len(text) > 900_000
    assert MAIL not in provider.calls[-1].messages[-1].text


ODD = {
    "NUL": f"a\0b {MAIL}\0",
    "control characters": f"\x01\x02\x1b[31m {MAIL}\x7f\x85",
    "non-characters": f"\ufffe\uffff {MAIL} \U0010ffff",
    "line separators": f"\u2028{MAIL}\u2029",
    "carriage returns": f"\r{MAIL}\r\n",
    "byte order mark": f"\ufeff{MAIL}",
    "combining marks": "e" + "\u0301" * 2000 + f" {MAIL}",
    "emoji": f"👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 {MAIL} 😀",
    "nothing else": MAIL,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_characters_pass_and_hide_nothing(face, echo, text):
    """Over HTTP, with everything on: they leave as they are, around a token, and come back around the value."""
    made = face({"smart": Target(echo.url, model="m")}, everything())

    assert made.chat(text).text == text
    assert made.read(text) == text
    assert MAIL not in repr([request.json for request in echo.requests])


@pytest.mark.parametrize("surrogates", [[0xD800], [0xDFFF], [0xDE00, 0xD83D]])
def test_what_no_request_can_hold_is_refused_and_not_told(face, echo, surrogates):
    """A lone surrogate cannot be sent. The guards read past it; the error names no word of the prompt."""
    made = face({"smart": Target(echo.url, model="m")}, everything())
    with pytest.raises(ConfigError) as caught:
        made.chat(f"{''.join(map(chr, surrogates))} write to {MAIL}")

    assert "write" not in str(caught.value)
    assert MAIL not in str(caught.value.trace) + str(caught.value)
    assert echo.requests == []


ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(ANY, st.sampled_from(["", MAIL, "K-123-456", "4111 1111 1111 1111"]), ANY), min_size=1))
def test_any_text_comes_back(face, texts):
    """Whatever the characters, also in tool results: no error, and an answer that repeats the prompt is the prompt."""
    made, provider = behind(face, last, *everything(), Guard(Codes(), name="codes"))
    prompt = "".join(map("".join, texts))

    assert made.chat([Message("tool", ToolResult("1", prompt)), Message("user", prompt)]).text == prompt
    assert "K-123-456" not in repr(provider.calls[-1].messages)
