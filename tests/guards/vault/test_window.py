"""`StreamWindow`: a growing text is cut exactly as the whole one would be, and soon."""

from __future__ import annotations

from hypothesis import given

from aigw.guards.span import best
from aigw.guards.window import StreamWindow
from guards.vault.finders import EMAIL, Between, Plain, Runs, chunked, detectors, pem


def whole(found_by, text: str) -> list:
    """Cut a whole text."""
    return best([span for detector in found_by for span in detector.find(text) if span.start < span.end])


@given(chunked())
def test_any_chunking_finds_what_the_whole_has(case):
    """However a text is cut into pieces, several detectors find in it what is best in the whole, at the same places."""
    text, pieces = case
    window = StreamWindow(detectors())
    segments = [segment for piece in pieces for segment in window.feed(piece)] + window.flush()

    assert "".join([part for part, _ in segments]) == text
    assert [span for _, span in segments if span] == whole(detectors(), text)
    assert all(text[span.start : span.end] == part for part, span in segments if span)


@given(chunked())
def test_a_window_may_be_used_again(case):
    """After a flush another text begins, which knows nothing of the one before."""
    text, pieces = case
    window = StreamWindow(detectors())
    window.feed("-BEGIN- ann@exam")
    window.flush()
    segments = [segment for piece in pieces for segment in window.feed(piece)] + window.flush()

    assert [span for _, span in segments if span] == whole(detectors(), text)


def test_only_what_is_not_decided_is_held():
    """Prose goes on but for its last word, and nothing of a find comes out before its end."""
    window = StreamWindow([EMAIL])

    assert window.feed("write to ") == [("write to ", None)]
    assert window.feed("ann@example") == []
    assert window.held == 11
    assert [(part, span.kind if span else None) for part, span in window.feed(".org now")] == [
        ("ann@example.org", "EMAIL"),
        (" ", None),
    ]
    assert window.flush() == [("now", None)]
    assert window.held == 0


def test_a_find_of_one_waits_for_a_longer_one_of_another():
    """What one detector has decided is not handed on while it may be a part of what another one finds."""
    digits = Runs("DIGITS", "0-9", r"\d+")
    window = StreamWindow([digits, Between("CODE", "1 ", "!")])

    assert window.feed("1 22 ") == []
    assert [span.kind for _, span in window.feed("33!") if span] == ["CODE"]


def test_a_detector_that_cannot_watch_holds_everything():
    """A detector without `settled` decides nothing before the end."""
    window = StreamWindow([EMAIL, Plain("WORD", "secret")])

    assert window.feed("nothing at all, and a secret") == []
    assert window.held == 28
    assert [span.kind for _, span in window.flush() if span] == ["WORD"]


def test_no_detectors_hold_nothing():
    """Without detectors every piece goes on as it is."""
    window = StreamWindow([])

    assert window.feed("ann@example.org") == [("ann@example.org", None)]
    assert window.flush() == []


def test_long_holds_are_not_looked_at_again_and_again():
    """A text that is held for long is looked at in all a fixed number of times, however small its pieces are."""
    detector = pem()
    window = StreamWindow([detector])
    length = 200_000
    window.feed("-BEGIN-")
    for _ in range(length // 4):
        window.feed("abcd")
    held = window.held
    segments = [*window.feed("-END-"), *window.flush()]

    assert held == length + 7
    assert detector.looked_at < 12 * length
    assert [(len(part), span.kind if span else None) for part, span in segments] == [(length + 12, "PRIVATE_KEY")]


def test_what_went_on_is_forgotten():
    """A window keeps what detectors look back to, and no more."""
    window = StreamWindow([EMAIL])
    for _ in range(1000):
        window.feed("some words and more, ")

    assert len(window._text) < 30
