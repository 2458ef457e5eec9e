"""Seams: what was cut in pieces, so that no piece shows it, shows where the pieces meet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aigw.message import Message, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.call import Call

REACH: Final = 300
"""Characters on each side of a seam that are looked at."""

JOINTS: Final = ("", " ")
"""What may have stood where a text was cut: nothing, within a word or a number, or a space."""


def windows(texts: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield what stands around the places where texts meet, and where these places are in it.

    Short texts are seen together, so that what was cut in many pieces is found as well. What stands around a seam does
    not change when texts are added behind it, but for the last one.

    Args:
        texts: texts that follow each other.
    """
    texts = [text for text in texts if text]
    for joint in JOINTS:
        joined = joint.join(texts)
        seams, at = [], 0
        for text in texts[:-1]:
            at += len(text) + len(joint)
            seams.append(at)
        for seam in seams:
            start, end = max(0, seam - REACH), seam + REACH
            yield joined[start:end], tuple(other - start for other in seams if start < other < end)


def meeting(call: Call) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield the runs of text parts in messages: the number of the message, that of the first part, and the texts."""
    for number, message in enumerate(call.messages):
        run: list[str] = []
        for position, part in enumerate((*message.parts, None)):
            if isinstance(part, Text):
                run.append(part.text)
                continue
            if len(run) > 1:
                yield number, position - len(run), tuple(run)
            run = []


def merged(call: Call, number: int, first: int, count: int) -> Call:
    """Make one part of several text parts of a message, so that what crosses their seams can be changed.

    Args:
        call: the call.
        number: which message.
        first: the first of the parts.
        count: how many; the others keep their places.
    """
    message = call.messages[number]
    parts = message.parts
    texts = [part for part in parts[first : first + count] if isinstance(part, Text)]
    whole = replace(texts[0], text="".join([part.text for part in texts]), extra=texts[-1].extra)
    changed = Message(
        message.role, (*parts[:first], whole, *parts[first + count :]), message.name, message.extra, message.wire
    )
    return call.evolve(messages=(*call.messages[:number], changed, *call.messages[number + 1 :]))
