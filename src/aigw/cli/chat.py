"""``aigw chat``: one question, one answer."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aigw
from aigw.cli import terminal

if TYPE_CHECKING:
    from aigw.cli.choice import Choice


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        text: the question.
        system: what the model is told before it.
        max_tokens: upper bound of the answer.
    """

    text: str
    system: str | None = None
    max_tokens: int | None = None

    @property
    def messages(self) -> list[aigw.Message]:
        """The conversation."""
        before = [aigw.Message("system", self.system)] if self.system else []
        return [*before, aigw.Message("user", self.text)]


def run(question: Question, choice: Choice, *, as_json: bool = False, show_trace: bool = False) -> None:
    """Ask, and print the answer.

    Args:
        question: what is asked.
        choice: who answers; is closed.
        as_json: print one JSON object in place of the text.
        show_trace: print the trace on standard error.

    Raises:
        AigwError: there is no answer, or not all of it.
    """
    for note in choice.notes:
        terminal.note(note)
    with closing(choice), aigw.Gateway({"chat": choice.node}, aigw.standard()) as gateway:
        answer = _whole(gateway, question) if as_json else _streamed(gateway, question)
        if answer.finish_reason not in {"stop", None}:
            terminal.note(f"the answer ended early: {answer.finish_reason}")
        if show_trace:
            terminal.beside(str(answer.trace))


def _whole(gateway: aigw.Gateway, question: Question) -> aigw.Answer:
    answer = gateway.chat(question.messages, max_tokens=question.max_tokens)
    _tell_of_fallback(answer.trace)
    terminal.line(json.dumps(as_document(answer)))
    return answer


def _streamed(gateway: aigw.Gateway, question: Question) -> aigw.Answer:
    last = "\n"
    try:
        with gateway.stream(question.messages, max_tokens=question.max_tokens) as stream:
            _tell_of_fallback(stream.trace)
            for chunk in stream:
                if text := chunk.text + chunk.refusal:
                    terminal.write(text)
                    last = text[-1]
            return stream.answer
    finally:  # what comes next, an error too, starts on a line of its own
        if last != "\n":
            terminal.line()


def _tell_of_fallback(trace: aigw.CallTrace) -> None:
    for decision in trace.decisions:
        if decision.action == "moved on":
            terminal.note(f"the next model answers in its place: {decision.reason}")


def as_document(answer: aigw.Answer) -> dict[str, Any]:
    """Turn an answer into what ``--json`` prints."""
    return {
        "text": answer.text,
        "model": answer.model,
        "usage": None if answer.usage is None else json.loads(answer.usage.to_json()),
        "finish_reason": answer.finish_reason,
        "trace": json.loads(answer.trace.to_json()),
    }
