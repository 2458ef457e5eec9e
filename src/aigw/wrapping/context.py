"""A decorator's call, once more for each use of the function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from aigw.dropin.context import current, joined

if TYPE_CHECKING:
    from aigw.call import Call

AnyCall = TypeVar("AnyCall", bound="Call")


def used(call: AnyCall, **fields: Any) -> AnyCall:
    """Copy the call of a decorator for one use: with mappings of its own, and what ``aigw.context`` says here.

    Args:
        call: the call as the decorator describes it.
        fields: what is new in this use.
    """
    own = {"tags": call.tags, "metadata": dict(call.metadata)}
    return call.evolve(extra=dict(call.extra), **joined(own, current()), **fields)
