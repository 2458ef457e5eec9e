"""Values in codes: what is written in base64, hex or escapes is looked at as what it says."""

from __future__ import annotations

import base64

import pytest

from aigw import Guard
from aigw.guards.encoded import LONGEST, SLICE, Decoding
from aigw.guards.rules import Rule
from guards.codes import Codes, Words

CODE = "K-123-456"
WRITTEN = base64.b64encode(f"my code is {CODE}".encode()).decode()


def found(text, start=0):
    """Return what is found, as it stands in the text."""
    return [text[span.start : span.end] for span in Decoding(Codes()).find(text, start)]


@pytest.mark.parametrize(
    "frame",
    ["{}", "a {} b", '{{"data": "{}"}}', "data:text/plain;base64,{}", "({})", "x={};", "\n{}\n", "a.{}.b"],
)
def test_the_whole_run_is_found(frame):
    """From its first to its last character, whatever stands around it."""
    assert found(frame.format(WRITTEN)) == [WRITTEN]


def test_a_value_as_it_stands_is_found_too():
    """Both, where both are there; what begins before the start is not told."""
    text = f"{CODE} {WRITTEN}"

    assert found(text) == [CODE, WRITTEN]
    assert found(text, 1) == [WRITTEN]
    assert found(text, len(CODE) + 2) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_read_together(end):
    """As mails and certificates wrap them, with a word before and behind."""
    code = base64.b64encode(("we are here, " * 12 + CODE + ", and there").encode()).decode()
    lines = end.join(code[at : at + 64] for at in range(0, len(code), 64))

    assert found(f"see:{end}{lines}{end}{end}bye") == [lines]


def test_a_line_that_says_something_alone_is_found_among_others():
    """Where the lines together say nothing."""
    assert found(f"{'9f86d081' * 8}\n{WRITTEN}\n{'x' * 30}") == [WRITTEN]


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(b"\xff\xfe" + CODE.encode()).decode(),
        base64.b64encode(f"\x01\x02{CODE}".encode()).decode(),
        base64.b64encode(base64.b64encode(f"my code is {CODE}".encode())).decode(),
        base64.b64encode(("x" * LONGEST + CODE).encode()).decode(),
        f"{WRITTEN[:-3]}!",
        "a" * 13,
        "\\u0041\\u0042",
    ],
)
def test_what_is_no_text_is_left_alone(text):
    """Data, what is encoded twice, what is too long, and what is not encoded."""
    assert found(text) == []


@pytest.mark.parametrize("at", [0, SLICE - 20, SLICE, SLICE + LONGEST - 20, 2 * SLICE + LONGEST])
@pytest.mark.parametrize("filler", ["x ", "long-words-of-letters ", "é"])
def test_large_texts_are_read_in_slices(filler, at):
    """A run is found wherever it stands, as long as there is white space now and then."""
    text = (filler * at)[:at] + f" {WRITTEN} " + filler * 100

    assert found(text) == [WRITTEN]


@pytest.mark.parametrize(
    "piece", ["x", "x ", "ab" * 6 + " ", WRITTEN, "A" * 64 + "\n", "%41", "&#65;", "\\u0041", "&#", "="]
)
def test_hostile_texts_are_read_to_their_end(piece):
    """100,000 characters made to be slow are read through, and a value behind them is found."""
    assert found(piece * (100_000 // len(piece)) + f" {CODE}").count(CODE) == 1


def test_detectors_of_values_look_into_codes_of_prompts():
    """Those that mask by default; others know best what they look through, and streams are watched as they come."""
    rule = Rule(Codes(), ["user", "answer"], "block")

    assert isinstance(rule.at("user"), Decoding)
    assert isinstance(rule.at("answer"), Codes)
    assert isinstance(Rule(Words("x"), None, None).at("user"), Words)
    assert repr(Guard(Codes())) == "Guard(Codes in system, user, assistant, tool_results, tools, extra)"
