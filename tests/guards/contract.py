"""The contract of stream detectors, checked for every beginning of a text."""

from __future__ import annotations

from itertools import pairwise

from aigw.guards.window import StreamWindow


def check(detector, text):
    """Check what `StreamDetector` promises."""
    whole = detector.find(text)
    cut = 0
    for end in range(len(text) + 1):
        begun = text[:end]
        last, cut = cut, detector.settled(begun, cut)
        assert last <= cut <= end
        before = [span for span in whole if span.start < cut]
        assert [span for span in detector.find(begun) if span.start < cut] == before
        assert all(span.end <= cut for span in before)
        if cut > last:
            assert detector.settled(begun) <= cut
            rest = [span for span in whole if span.start >= cut]
            assert detector.find(text, cut) == rest
            shift = max(0, cut - detector.context)
            moved = detector.find(text[shift:], cut - shift)
            assert [(one.start + shift, one.end + shift, one.kind) for one in moved] == [
                (one.start, one.end, one.kind) for one in rest
            ]


def streamed(detector, text, cuts):
    """Return the spans that a window finds in a text that is cut into pieces; check that all of the text comes out."""
    window = StreamWindow([detector])
    segments = []
    for start, end in pairwise(sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})):
        segments += window.feed(text[start:end])
    segments += window.flush()
    assert "".join([piece for piece, _ in segments]) == text
    return [span for _, span in segments if span is not None]


def found(detector, text):
    """Return the pieces that are found, with their kinds."""
    return [(span.kind, text[span.start : span.end]) for span in detector.find(text)]
