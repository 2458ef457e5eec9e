"""Which of several members have a context window for a prompt that has to be counted to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.routing.needs import bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.routing.node import Node


async def roomy(call: Call, members: Sequence[Node], able: list[int]) -> list[int]:
    """Leave out members whose known context window is too small for the prompt, if others are left.

    The prompt is counted only if it may make a difference: where one of the windows might be too small. If all are,
    nobody is left out: a count is a guess where the tokenizer is not known, and the provider has the last word.

    Args:
        call: the call.
        members: all members.
        able: the positions to look at.
    """
    if len(able) < 2 or call.operation != "chat":  # noqa: PLR2004  (one has nobody to compare with)
        return able
    windows = [members[position].window for position in able]
    least = min([window for window in windows if window is not None], default=None)
    if least is None or 2 * bound(call) <= least:
        return able
    tokens = await call.meter.input_tokens(call)
    fit = [position for position, window in zip(able, windows, strict=True) if window is None or tokens <= window]
    if fit and len(fit) < len(able):
        small = ", ".join(members[position].name for position in able if position not in fit)
        call.note("Balance", "skipped", f"{small}: the prompt of {tokens} tokens is too long for the context window")
    return fit or able
