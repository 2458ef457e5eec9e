"""`Turn`: what a `Queue` gives to its calls: where they stand wherever they have to wait, and what is settled then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aigw.mechanics.fair_queue import INPUT_COST, OUTPUT_COST
from aigw.policies.used import mark, used_since

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aigw.call import Call
    from aigw.mechanics.fair_queue import Rules


def turn_of(call: Call) -> Turn | None:
    """Return the turn of a call that has to wait; ``None`` where it did not come through a `Queue`."""
    turn: Turn | None = call.turn
    if turn is not None:
        turn.identify()
    return turn


class _Stay(NamedTuple):
    line: object
    place: int
    settle: Callable[[float], None]


class Turn:
    """The standing of one call in all lines inside of its `Queue`.

    Args:
        rules: of these lines.
        group: its class.
        read: tells whose call it is; asked only if it has to wait.
        longest: seconds that it may wait in a line, ``None`` for as long as the policy there lets it.
    """

    __slots__ = ("_read", "_stays", "group", "longest", "rules", "tenant")

    def __init__(self, rules: Rules, group: str, read: Callable[[], Hashable], longest: float | None) -> None:
        self.rules = rules
        self.group = group
        self.longest = longest
        self.tenant: Hashable = None
        """Whose call it is, once it has to wait; see `turn_of`."""
        self._read: Callable[[], Hashable] | None = read
        self._stays: list[_Stay] = []

    def identify(self) -> None:
        """Find out whose call it is. It may ask a function of the user, so not under a lock."""
        read, self._read = self._read, None
        if read is not None:
            self.tenant = read()

    @property
    def has_waited(self) -> bool:
        """Whether it went on from a line, and so was charged for."""
        return bool(self._stays)

    async def cost(self, call: Call) -> float:
        """Guess what the call will cost, in weighted tokens."""
        prompt = await call.meter.input_tokens(call)
        return INPUT_COST * prompt + OUTPUT_COST * call.meter.output_tokens(call)

    def went_on(self, call: Call, line: object, settle: Callable[[float], None]) -> None:
        """Take note that it went on from a line, which has charged a guess.

        Args:
            call: the call.
            line: which; when it comes back there, an attempt has failed, and what that has cost is known.
            settle: puts what it has really cost in the place of the guess. Must not wait.
        """
        again = [stay for stay in self._stays if stay.line is line]
        self._stays = [stay for stay in self._stays if stay.line is not line]
        self._settle(call, again)
        self._stays.append(_Stay(line, mark(call), settle))

    def over(self, call: Call) -> None:
        """The call is over."""
        stays, self._stays = self._stays, []
        self._settle(call, stays)

    def _settle(self, call: Call, stays: list[_Stay]) -> None:
        for stay in stays:
            usage = used_since(call, stay.place).usage
            stay.settle(INPUT_COST * usage.input + OUTPUT_COST * usage.output)
