"""`Fallback`: the next choice when one has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.checks import at_least
from aigw.errors import (
    AigwError,
    AllTargetsFailed,
    ContextTooLong,
    DeadlineExceeded,
    NoCapableTarget,
    ProviderError,
    Refused,
    failed_targets,
)
from aigw.routing.conditions import Conditions
from aigw.routing.node import Node, blame, check_members, name_of
from aigw.routing.target import as_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.call import Call
    from aigw.policy import Policy
    from aigw.reply import Reply
    from aigw.routing.conditions import Condition
    from aigw.routing.target import Target


class Fallback(Node):
    """Tries its choices in order, until one answers.

    It moves on when the *target* failed: unreachable, timed out, 5xx, 429, no quota, 401 and 403, a malformed answer,
    or refused by the target's own policies. It does not when the *caller* did (400 and its like: it would fail
    everywhere), and never after the first output. Choices that cannot serve the call are skipped. A prompt that is too
    long for one model goes to the next that may take more.

    Args:
        choices: targets, texts such as ``"openai/gpt-5.5"``, or other nodes, the best one first.
        on: what else moves on: classes of errors, such as `ContentFiltered` or `AnswerBlocked`; functions of the
            `Answer` that return true where it is not good enough; ``"schema"`` for one that does not fit the call's
            schema. Functions and ``"schema"`` need the whole answer, so that a stream comes in one piece at its end.
        tries: how many targets of a choice that has several (a `Balance`) are tried before the next choice.
        name: its name in traces and errors.
        weight: its share in a `Balance` around it.
        policies: policies around it, outermost first.

    Raises:
        AllTargetsFailed: (from a call) no choice answered; holds every error.
    """

    def __init__(
        self,
        *choices: Node | str,
        on: Sequence[Condition] = (),
        tries: int = 2,
        name: str | None = None,
        weight: float = 1.0,
        policies: Sequence[Policy] = (),
    ) -> None:
        self.choices = tuple(as_node(choice, "Fallback") for choice in choices)
        self.tries = at_least("Fallback(tries)", tries, 1)
        self._conditions = Conditions("Fallback", on)
        check_members("Fallback", self.choices)
        super().__init__(name=name or name_of("Fallback", self.choices), weight=weight, policies=policies)

    def __repr__(self) -> str:
        return self.name

    @property
    def children(self) -> tuple[Node, ...]:
        """Its choices."""
        return self.choices

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets below."""
        return tuple(target for choice in self.choices for target in choice.targets)

    async def _route(self, call: Call) -> Reply:
        failures: list[AigwError] = []
        try:
            return await self._try(call, failures)
        finally:
            failures.clear()  # their tracebacks know this list: the garbage collector alone could free them all

    async def _try(self, call: Call, failures: list[AigwError]) -> Reply:
        too_long = 0
        for choice in self._in_order(call):
            if lacking := choice.lacks(call):
                failures.append(NoCapableTarget(lacking, policy=choice.name))
                call.note(self.name, "skipped", lacking)
                continue
            if too_long and not _may_take_more(choice, too_long):
                call.note(self.name, "skipped", f"{choice.name} takes no longer prompts")
                continue
            for _ in range(min(self.tries, len(choice.targets))):
                try:
                    return await self._served(call, choice)
                except AigwError as error:
                    if not self._moves_on(error, call):
                        raise
                    failed = self._note(call, choice, error)
                    failures.append(error)
                    call = call.avoiding(failed)
                    if isinstance(error, ContextTooLong):
                        too_long = max(too_long, _window(choice))
                        break
                if call.remaining() <= 0:
                    raise DeadlineExceeded("the deadline came before another target could be tried") from failures[-1]
                if not failed or not choice.is_fresh(call.avoid):  # none failed: the choice as a whole refused
                    break
        raise self._summary(failures)

    async def _served(self, call: Call, choice: Node) -> Reply:
        reply = await choice(call)
        if self._conditions.look_at(call):
            return await self._conditions.judged(call, reply)
        await reply.prime()
        return reply

    def _moves_on(self, error: AigwError, call: Call) -> bool:
        return moves_on(error, call) or isinstance(error, self._conditions.errors)

    def _in_order(self, call: Call) -> Sequence[Node]:
        """Return the choices; what has failed in this call already comes last."""
        if not call.avoid:
            return self.choices
        return sorted(self.choices, key=lambda choice: not choice.is_fresh(call.avoid))

    def _note(self, call: Call, choice: Node, error: AigwError) -> frozenset[str]:
        """Write down that a choice failed; return the targets that are to blame."""
        blame(error, choice)
        call.note(self.name, "moved on", f"{choice.name}: {type(error).__name__}")
        return failed_targets(error)

    def _summary(self, failures: Sequence[AigwError]) -> AigwError:
        if len(failures) == 1 or any(all(isinstance(error, kind) for error in failures) for kind in _ALIKE):
            return failures[-1]
        if all(isinstance(error, NoCapableTarget) for error in failures):
            return NoCapableTarget("; ".join(str(error) for error in failures), policy=self.name)
        return AllTargetsFailed(f"all targets of {self.name} failed", list(failures))


_ALIKE: Final = (ContextTooLong, DeadlineExceeded)
"""What every choice says for the same reason, so that one of them says it all."""


def _window(choice: Node) -> int:
    """Return the tokens that a choice surely takes; 1 where nothing is known, so that any known window is more."""
    return max((target.capabilities.context_window or 1 for target in choice.targets), default=1)


def _may_take_more(choice: Node, tokens: int) -> bool:
    windows = [target.capabilities.context_window for target in choice.targets]
    return any(window is None or window > tokens for window in windows)


def moves_on(error: AigwError, call: Call) -> bool:
    """Tell whether another target may do better."""
    if isinstance(error, ProviderError):
        return error.target_fault or isinstance(error, ContextTooLong)
    if isinstance(error, DeadlineExceeded):  # of the target's own Deadline, perhaps; the call's own ends everything
        return call.remaining() > 0
    return isinstance(error, (Refused, AllTargetsFailed))
