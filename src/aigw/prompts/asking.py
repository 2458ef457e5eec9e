"""The answer to a prompt function: a text, the answer as it is, or a value, with one attempt at repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import BadResponse
from aigw.message import Message
from aigw.schema import parse_answer

if TYPE_CHECKING:
    from aigw.answer import Answer
    from aigw.call import Call
    from aigw.engine import Engine
    from aigw.ports import Runtime
    from aigw.prompts.returns import Returns

REPAIR: Final = "This cannot be read: {error}. Answer again, with JSON that fits the schema and nothing else."


async def ask(engine: Engine, call: Call, runtime: Runtime, returns: Returns) -> Any:
    """Ask, and make of the answer what the function returns.

    Raises:
        BadResponse: the answer does not fit, not even after the model was shown what is wrong; or it refused.
    """
    if returns.kind == "value":
        return await _value(engine, call, runtime, boxed=returns.boxed)
    answer = await engine.chat(call, runtime)
    if returns.kind == "answer":
        return answer
    if answer.refusal and not answer.text:
        raise refused(answer)
    return answer.text


async def _value(engine: Engine, call: Call, runtime: Runtime, *, boxed: bool) -> Any:
    answer = await engine.answer(call, runtime)
    try:
        return _read(call, answer, boxed=boxed)
    except BadResponse as error:
        if answer.refusal or answer.finish_reason == "length":  # to ask again would cost as much, and help as little
            raise
        wrong = error.args[0]
    told = Message("user", REPAIR.format(error=wrong))
    again = call.evolve(messages=(*call.messages, answer.message, told))
    return _read(call, await engine.answer(again, runtime), boxed=boxed)


def _read(call: Call, answer: Answer, *, boxed: bool) -> Any:
    assert call.schema is not None
    if answer.refusal:
        raise refused(answer)
    try:
        value = parse_answer(call.schema, answer)
    except BadResponse as error:
        error.trace = answer.trace
        raise
    return value.value if boxed else value


def refused(answer: Answer) -> BadResponse:
    """Make the error of an answer that the model refused to give; its words are the `detail`."""
    error = BadResponse("the model refused to answer", model=answer.model or "", detail=answer.refusal)
    error.trace = answer.trace
    return error
