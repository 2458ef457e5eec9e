"""Answers of several parts, cut into chunks."""

from __future__ import annotations

from aigw import Chunk, ToolCallDelta


def merged(parts):
    """Join neighbours of one kind, as answers have them; each tool call is one of its own."""
    found = []
    for kind, text in parts:
        if found and kind == found[-1][0] != "tool":
            found[-1] = (kind, found[-1][1] + text)
        elif text or kind == "tool":
            found.append((kind, text))
    return found


def pieces(parts, cuts, index=0):
    """Cut parts into chunks."""
    tool = -1
    for kind, text in parts:
        tool += kind == "tool"
        ends = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
        for number, (start, end) in enumerate(zip(ends, ends[1:] or [len(text)], strict=False)):
            piece = text[start:end]
            if kind == "tool":
                name = ("id", "tool") if number == 0 else (None, None)
                yield Chunk(tool_calls=(ToolCallDelta(tool, *name, arguments=piece),), index=index)
            else:
                yield Chunk(**{kind: piece}, index=index)
    yield Chunk(finish_reason="stop", index=index)
