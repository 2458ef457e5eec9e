"""What `Pii` finds in a text that grows is what it finds in the whole."""

# ruff: noqa: E501, RUF001  (tables of values, of many scripts)
from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aigw.guards import StreamDetector
from aigw.guards.pii import Custom, Pii
from guards.contract import check

PLAIN = Pii()
WITH_CUSTOM = Pii(custom={"EMPLOYEE": Custom(r"\bE-\d{4,6}\b", max_length=12)})


def names(text):
    """Find names, as a plugin would."""
    return [(match.start(), match.end(), "PERSON", 0.8) for match in re.finditer(r"Ann( Lee)?", text)]


WITH_PLUGIN = Pii(plugins=[names])

PIECES = [
    "ann@example.org", "ann (at) example (dot) org", "ann at example dot org", '"ann"@example.org', "ann＠example．org",
    "josé@exämple.de", "联系ann@example.org谢谢", "4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111",
    "GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000", "(415) 555-0132 ext. 5", "415-555-0132x123",
    "+44 (0)20 7946 0958", "06 12 34 56 78", "0171/1234567", "+1", "192.168.1.1", "2001:db8::8a2e:370:7334", "fe80::1%eth0",
    "::1", "00:1a:2b:3c:4d:5e", "ab:cd:ef:ab:cd:ef", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "078-05-1123", "12345678Z",
    "DOB", "born on ", "March 12, 1985", "12 de marzo de 1985", "03/12/1985", "phone ", "call ", "order ", "card ", "ssn ",
    "version ", "E-12345", "E-1", "Ann Lee", "Ann", "https://u:secret@h.example/x", "%40", "\\n", "(at)", " at ", " dot com",
    "٤١١١", "١١١١", "\u200b", "\u200b" * 7, "\u200b" * 9, "\u00ad", "\u00a0", "\ud800", "\0", " ", "  ", "\n", ", ", ".", "-",
    "(", ")", "[", "{", "<", '"', "'", "@", ":", "::", "/", "+", "x", "1", "12", "1234567", "a", "the", "look", "word. ", "。",
    "phone # ", "my number is ", "number ", "# ", "MAC=", "3c22fb8a105d", "passport ", "L01X00T47", "AB12 ", "手机", "order # ", "RSSMRA85T10A562S",
    "-Office", " (mobile)", " ABCD EFGH", "UA47 8989 72VL LDWQ UYKQ VGZC PDAB Y", "upgraded from 1.2.3.4 to ", "pip 4.10.0.2", "-py3", "D.O.B. ", "phoneNumber=", "ID ", "8001015009087",
    "870614-06-0393", "NIT 900.373.115-3", "Boston, MA ", "02110-1301", "(b. ", "IdNr ", "x1234567l", "registered ", "\u8054\u7cfb", "de septiembre de 1985", "00 12 ", "a" * 45, "Ñ", "&", "D.O.B. ", "1,", "0171-", "x" * 70, "7" * 30, "1 2 3 4 5 6 7 8 9 ", "12 34 56 78 90 ",
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(st.sampled_from(" aA1@.:-+()\n٤\u200b"), max_size=6)), max_size=9
).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example("call 415-555-0132" + " 12 34 56 78 90" * 40)
@example("x" * 500 + "ann@example.org" + "x" * 500)
@example("a,b" * 200 + "1 https://u,vvvvvvvvvvvv:secret@h.example " + "7-" * 300)
@example("am 12. Juli 1984 geboren ist, 12.07.1984 г.р. und 12 июля 1984 года рождения")
@example("scp ann@web1.example.com:/etc, ssh://ann@web1.example.com:22, ann@example.com: 22")
@example("tel " + "\u200b" * 9 + "07700 900123" + "\u200b" * 8 + " ")
def test_streams_find_what_the_whole_has(text):
    """Every beginning of a text is settled as the whole text decides, with nothing leaked and nothing invented."""
    check(PLAIN, text)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_streams_with_custom_patterns(text):
    """Patterns of the user obey the same contract."""
    check(WITH_CUSTOM, text)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_streams_with_plugins(text):
    """Plugins see whole lines, also in streams."""
    check(WITH_PLUGIN, text)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 40))
def test_a_window_that_moves_leaks_nothing(text, step):
    """A stream that keeps only the context finds the same values as the whole, in any chunking."""
    kept, base, cut, found = "", 0, 0, []
    for at in range(0, len(text), step):
        kept += text[at : at + step]
        new = PLAIN.settled(kept, cut)
        found += [(span.start + base, span.end + base, span.kind) for span in PLAIN.find(kept, cut) if span.start < new]
        drop = max(0, new - PLAIN.context)
        kept, base, cut = kept[drop:], base + drop, new - drop
    found += [(span.start + base, span.end + base, span.kind) for span in PLAIN.find(kept, cut)]

    assert found == [(span.start, span.end, span.kind) for span in PLAIN.find(text)]


def test_it_is_a_stream_detector():
    """It has what the protocol asks for."""
    assert isinstance(PLAIN, StreamDetector)


@pytest.mark.parametrize("value", ["ann@example.org", "4111 1111 1111 1111", "+44 20 7946 0958", "192.168.1.1"])
def test_little_is_held_back(value):
    """Of ordinary prose hardly more than a word is held back, and a value no longer than until its sentence goes on."""
    text = f"The quick brown fox jumps over the lazy dog, says {value} and then the quick brown fox jumps over the dog again."
    held = sorted(end - PLAIN.settled(text[:end]) for end in range(len(text)))

    assert held[len(held) // 2] <= 14
    assert held[-1] <= len(value) + 48
