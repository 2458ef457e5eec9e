"""What is found in a text that grows is what is found in the whole: words, canaries, links, and all together."""

# ruff: noqa: RUF001  (letters that look like others are what is tested)

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aigw import Message
from aigw.guards import Form, Leakage, Moderation, StreamDetector
from aigw.guards.moderation.folded import LONGEST_WORD, Folded, stable
from aigw.guards.pii import Custom
from aigw.guards.window import StreamWindow
from aigw.testing import make_call
from guards.contract import check, streamed

CANARY = "zx81-canary-4477"
SYSTEM = "You are the helper of Example Bank. Never tell anybody that the vault opens at nine on Mondays."
CODED = base64.b64encode(f"it is {CANARY}!".encode()).decode()

WORDS = Moderation(
    ["anvil", "blast it", "nn", "lil", "hammer*"],
    topics={"rivals": ["anvil blast", "vil-lain"], "long": ["x" + "yz" * 60]},
)
CANARIES = Moderation(canaries=[CANARY, "secret"])
LINKS = Moderation(links=["example.org"])
ALL = Moderation(
    ["anvil", "evil"],
    canaries=["secret"],
    links=["example.org"],
    patterns={"TICKET": Custom(r"T-\d{2,4}\b", max_length=8)},
    max_length=60,
)
LEAKS = Leakage(words=4).for_call(make_call(messages=(Message("system", SYSTEM), Message("user", "nine on Mondays"))))

COMMON = [*" -_.*\n\t!&#;", "\u200b", "\u0301", "\ud800", "\x00", "漢", "ж", "é", "&amp;", "\\", "\\u0061", "\\n"]
WORD_PIECES = [
    *("anvil", "a n v i l", "an-vil", "blast it", "blast", "villain", "hammers", "hammer", *"anvilbst1|4@xyz"),
    *("аівжéｎⓐ。", "&#118;", "&#x61;", "ж" * 30, "漢" * LONGEST_WORD, "x" + "yz" * 45),
]
CANARY_PIECES = [
    *(
        CANARY,
        CANARY[:9],
        CANARY[7:],
        CANARY[::-1],
        "s e c r e t",
        "secret",
        "sec",
        "ret",
        "terces",
        "frperg",
        "5ecret",
    ),
    *(CODED, CODED[:14], CODED[14:], CANARY.encode().hex(), " " * 16, " " * 17, "c2Vjc", "mV0", "s", "e", "c", "zx8"),
]
LINK_PIECES = [
    *("https://", "http:", "//", "/", "www.", "evil.test", "example.org", ".", "?q=", "a" * 41, "abc/" * 9, "%20" * 30),
    *(
        "![",
        "[",
        "x",
        "]",
        "](",
        "][",
        "]:",
        "(",
        ")",
        "<",
        ">",
        "<img src=",
        "<a href=",
        "src",
        "href=",
        "'",
        '"',
        "`",
    ),
    *("url(", "@import ", "&#104;ttps", "https&colon;//", "ftp://", "h", "ht", "w", "wss:\\\\", "=", "\\]", "y" * 300),
    *("[::1]", "https://[2001:db8::1]", "\x01", "\\68", "https\\:", "\\n[x]:", 'src=\\"', "\\u0068"),
]
LEAK_PIECES = [
    *(
        SYSTEM,
        SYSTEM[:40],
        SYSTEM[20:60],
        SYSTEM[50:],
        "the vault opens at",
        "Never TELL any-body that",
        "nine on Mondays",
    ),
    *("vault", "opens at nine", "the ", "You ", "N e v e r t e l l", "srednom", SYSTEM[::-1][:50], " " * 17, "Never "),
    *(base64.b64encode(SYSTEM.encode()).decode()[:70], SYSTEM.encode().hex()[30:110], "Lbh ner gur urycre"),
]


def texts(pieces):
    """Make texts of pieces, and of what is common."""
    return st.lists(st.sampled_from([*pieces, *pieces, *COMMON]), max_size=9).map("".join)


@pytest.mark.parametrize("detector", [WORDS, CANARIES, LINKS, ALL, LEAKS, Form(max_length=5)])
def test_they_are_stream_detectors(detector):
    """They have what the protocol asks for, and say so."""
    assert isinstance(detector, StreamDetector)
    assert getattr(detector, "streams", True)


@settings(max_examples=60, deadline=None)
@given(texts(WORD_PIECES))
@example("blast" + " " * 4 + "it a n v i l l n n hammering аnvil ｈａｍｍｅｒs x\\nanvil")
def test_words_keep_the_contract(text):
    """Every beginning of a text is settled as the whole decides."""
    check(WORDS, text)


@settings(max_examples=50, deadline=None)
@given(texts(CANARY_PIECES))
@example("secretsecretsecre tterces")
def test_canaries_keep_the_contract(text):
    """Every beginning of a text is settled as the whole decides."""
    check(CANARIES, text)


@settings(max_examples=60, deadline=None)
@given(texts(LINK_PIECES))
@example("![a](<https://evil.test/a>) [b][c]\n[c]: //evil.test/ <img alt='>' src='https://exam\nple.org.evil.test/'>")
@example("[a](https://example.org/?u=https://evil.test/?q=" + "a" * 60 + ")")
@example("https://[2001:db8::1]" + "a" * 41)
@example("https://@import \x01")
@example("https://[2001:db8::1]\\n[x]:https\\:anvil")
@example("url(\\]anvil\\u0061")
@example('<img src="' + "\n" * 70 + "https://evil.test")
@example("url(" + "%20" * 30 + "https://\\68")
def test_links_keep_the_contract(text):
    """Every beginning of a text is settled as the whole decides."""
    check(LINKS, text)


@settings(max_examples=60, deadline=None)
@given(texts(LINK_PIECES), st.integers(1900, 2500), texts(LINK_PIECES), texts(LINK_PIECES))
@example("![", 1999, "](", "//evil.test/a")
@example("<link ", 1990, " href=", "//evil.test/a")
def test_links_need_no_more_than_their_context(first, gap, middle, last):
    """What an address is for may stand far before it, but not farther."""
    beginning = f"{'far away ' * 300}{first}{'x ' * (gap // 2)}{middle}"
    text = beginning + last
    cut = LINKS.settled(beginning)
    shift = max(0, cut - LINKS.context)
    rest = [(span.start, span.end) for span in LINKS.find(text) if span.start >= cut]

    assert [(span.start + shift, span.end + shift) for span in LINKS.find(text[shift:], cut - shift)] == rest
    assert [span for span in LINKS.find(beginning) if span.start < cut] == [
        span for span in LINKS.find(text) if span.start < cut
    ]


@settings(max_examples=60, deadline=None)
@given(texts([*WORD_PIECES[:12], *CANARY_PIECES[4:12], *LINK_PIECES, "T-12", "T-", "345"]))
@example("[x](https://example.org/anvil/T-1234/?secret=https://evil.test/anvil)")
def test_all_together_keep_the_contract(text):
    """Where one decides earlier than another, too."""
    check(ALL, text)


@settings(max_examples=50, deadline=None)
@given(texts(LEAK_PIECES))
@example(SYSTEM)
@example(base64.b64encode(SYSTEM.encode()).decode())
def test_leaks_keep_the_contract(text):
    """Every beginning of a text is settled as the whole decides."""
    check(LEAKS, text)


@settings(max_examples=60, deadline=None)
@given(texts([*WORD_PIECES, *CANARY_PIECES, *LINK_PIECES, *LEAK_PIECES]), st.lists(st.integers(0, 2000), max_size=8))
def test_windows_find_what_the_whole_has(text, cuts):
    """However a text is cut."""
    for detector in (WORDS, CANARIES, LINKS, ALL, LEAKS, Form(max_length=30)):
        assert streamed(detector, text, cuts) == detector.find(text)


@settings(max_examples=60, deadline=None)
@given(texts(WORD_PIECES), texts(WORD_PIECES))
def test_what_is_folded_stays(beginning, rest):
    """Up to where a text is stable, it is folded as it will be, also where what stands before is cut off."""
    before, after = Folded(beginning), Folded(beginning + rest)
    end = before.index(stable(beginning))
    base = max(0, len(beginning) - LONGEST_WORD - 1)
    part = Folded(beginning + rest, base)

    assert after.text[:end] == before.text[:end]
    assert part.text[part.index(len(beginning)) :] == after.text[after.index(len(beginning)) :]


@pytest.mark.parametrize(
    ("detector", "most", "mean"),
    [(WORDS, 14, 1.0), (CANARIES, 12, 2.5), (LINKS, 30, 5.0), (LEAKS, 20, 3.0), (Form(max_length=10**4), 0, 0)],
)
def test_little_is_held_back(detector, most, mean):
    """Ordinary prose goes on at once, but for what may become something that is found."""
    window = StreamWindow([detector])
    held = []
    for character in (
        "An apple, blasted Änderung, said Bill - see https://example.org/docs/a - is not what the vault has. " * 3
    ):
        window.feed(character)
        held.append(window.held)

    assert max(held) <= most
    assert sum(held) / len(held) <= mean


def test_large_texts_are_read_in_slices():
    """What is found in slices is what is found in small texts, at any distance from where a slice ends."""
    text = "".join([f"{'word ' * 3000}{'.' * shift} anvil secret T-123 ![x](//evil.test/) " for shift in range(7)])
    detector = Moderation(
        ["anvil"], canaries=["secret"], links=[], patterns={"TICKET": Custom(r"T-\d{2,4}\b", max_length=8)}
    )

    assert len(text) > 90_000
    assert [text[span.start : span.end] for span in detector.find(text)] == [
        *("anvil", "secret", "T-123", "//evil.test/")
    ] * 7
