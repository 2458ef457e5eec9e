"""``RateLimit`` and ``RateLimit-Policy`` of the IETF, in the forms that its drafts had and servers send.

Since draft 8 both are lists whose members have names: ``"api";r=495;t=140`` and ``"fixed window";"api";q=500;w=300``
(Hugging Face, Cloudflare). Draft 7 wrote ``limit=100, remaining=50, reset=30`` and ``100;w=60``. The drafts before it
had a header each: ``RateLimit-Limit: 100, 100;w=60, 10000;w=86400``, ``RateLimit-Remaining`` and ``RateLimit-Reset``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.quota import Allowance
from aigw.wire.quota_fields import Member, count, members, number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aigw.quota import Dimension

_UNITS: Final[Mapping[str, Dimension]] = {
    "requests": "requests",
    "tokens": "tokens",
    "input-tokens": "input_tokens",
    "output-tokens": "output_tokens",
}
"""Quota units, ``qu``. The draft has two more, bytes and requests at one time, which are no allowance here."""

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit, without what is left of it."""

    names: tuple[str, ...]
    limit: int | None
    window: float | None = None
    unit: str = "requests"


def read_policies(text: str | None) -> tuple[Policy, ...]:
    """Read ``RateLimit-Policy``, or what ``RateLimit-Limit`` has beyond a number."""
    return tuple(_policy(member) for member in members(text))


def _policy(member: Member) -> Policy:
    has = member.parameters
    first = member.names[0] if member.names else None
    return Policy(
        names=member.names,
        limit=count(has.get("q", first)),
        window=number(has.get("w", has.get("window"))),
        unit=has.get("qu", "requests"),
    )


def window_of(limit: int | None, policies: tuple[Policy, ...]) -> float | None:
    """Return the window of the policy that has this limit."""
    known = (one.window for one in policies if limit is not None and one.limit == limit)
    return next((window for window in known if window is not None), None)


def read_ratelimit(
    state: str | None, policies: tuple[Policy, ...], at: float, told: frozenset[int | None] = frozenset()
) -> Iterator[Allowance]:
    """Put the two headers together by the names of their members.

    Args:
        state: ``RateLimit``.
        policies: ``RateLimit-Policy``.
        at: the Unix time now, for servers that send a time where seconds belong.
        told: limits of which other headers told already what is left.
    """
    rest = list(policies)
    for member in _states(state):
        has = member.parameters
        limit = count(has.get("limit"))
        own = next((one for one in rest if _belongs(one, member, limit)), None)
        if own is not None:
            rest.remove(own)
        yield from _allowance(own or Policy(member.names, limit), at, has)
    for one in rest:
        if one.limit not in told:
            yield from _allowance(one, at)


def _states(text: str | None) -> list[Member]:
    found = members(text)
    if any(not member.names for member in found):  # draft 7: a dictionary, not a list
        return [Member((), {name: value for member in found for name, value in member.parameters.items()})]
    return found


def _belongs(policy: Policy, state: Member, limit: int | None) -> bool:
    return limit == policy.limit if limit is not None else not set(policy.names).isdisjoint(state.names)


def _allowance(policy: Policy, at: float, has: Mapping[str, str] = _NOTHING) -> Iterator[Allowance]:
    dimension = _UNITS.get(policy.unit)
    left = count(has.get("r", has.get("remaining")))
    if dimension is not None and (policy.limit is not None or left is not None):
        reset = seconds(has.get("t", has.get("reset")), at)
        yield Allowance(dimension, policy.limit, left, reset, policy.window)
