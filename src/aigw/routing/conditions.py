"""``Fallback(on=…)``: what else, besides failures of a target, sends a call to the next choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from aigw.answer import Answer
from aigw.assembly import assemble
from aigw.errors import AigwError, BadResponse, ConfigError, ProviderError
from aigw.reply import Reply
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from aigw.call import Call

Condition = type[AigwError] | Callable[[Answer], bool] | Literal["schema"]
"""A class of errors; a function that tells of an answer whether the next choice should try; or ``"schema"`` for an
answer that does not fit the call's schema."""


class Conditions:
    """What a user gave as ``on=``.

    Args:
        owner: whose they are, for errors.
        on: the conditions.

    Raises:
        ConfigError: one of them is none.
    """

    def __init__(self, owner: str, on: Sequence[Condition]) -> None:
        if isinstance(on, (str, type)) or not isinstance(on, Sequence):
            raise ConfigError(f"{owner}(on) must be a list of conditions, such as [aigw.ContentFiltered], not {on!r}")
        for condition in on:
            known = condition == "schema" or (
                issubclass(condition, AigwError) if isinstance(condition, type) else callable(condition)
            )
            if not known:
                raise ConfigError(
                    f"{owner}(on): {condition!r} is neither a class of aigw's errors, nor a function of the answer, "
                    "nor 'schema'"
                )
        self.errors = tuple(one for one in on if isinstance(one, type))
        self._judges = tuple(one for one in on if not isinstance(one, (type, str)))
        self._schema = "schema" in on

    def look_at(self, call: Call) -> bool:
        """Tell whether the answer of this call must be looked at, and so be read to its end first."""
        return call.operation == "chat" and bool(self._judges or (self._schema and call.schema is not None))

    async def judged(self, call: Call, reply: Reply) -> Reply:
        """Read a reply to its end, and return one that gives the same chunks.

        Raises:
            BadResponse: a condition holds: the answer is not taken.
            AigwError: the reply failed.
        """
        await reply.prime(whole=True)  # what fails until here is an ordinary failure, not a cut stream
        quota = reply.quota
        while await reply.read() is not None:
            pass
        answer = assemble(reply.delivered, call.trace or CallTrace())
        reason = self._objection(call, answer)
        if reason:
            error = BadResponse(f"the answer was not taken: {reason}", model=answer.model or "")
            attempts = call.trace.attempts if call.trace is not None else ()
            error.target = attempts[-1].target if attempts else None
            raise error
        return Reply.replay(reply.delivered, lambda: quota)

    def _objection(self, call: Call, answer: Answer) -> str:
        for judge in self._judges:
            if judge(answer):
                return f"{getattr(judge, '__qualname__', type(judge).__name__)}() says so"
        if self._schema and call.schema is not None:
            from aigw.schema import parse_answer

            try:
                parse_answer(call.schema, answer)
            except ProviderError as error:
                return str(error.args[0])
        return ""
