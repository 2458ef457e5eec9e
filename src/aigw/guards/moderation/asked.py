"""Examiners: models that are asked what is wrong with a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aigw.chunk import join_text
from aigw.errors import ConfigError
from aigw.guards.span import Span
from aigw.message import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from aigw.call import Call
    from aigw.reply import Reply

    Node = Callable[[Call], Awaitable[Reply]]
    """A `Target`, or any other node of a routing tree."""

_UNSAFE: Final = re.compile(r"\s*unsafe\b\s*([SO0-9,\s]*)", re.IGNORECASE)
_SAFE: Final = re.compile(r"\s*safe\b", re.IGNORECASE)


class ModerationModel:
    """Asks a moderation model about each text: ``ModerationModel(aigw.Target("openai/omni-moderation-latest"))``.

    What it finds has the names of its categories in capitals, and is the whole text.

    Args:
        target: who serves the operation ``moderation``: a `Target` or another node.
        categories: only these; by default all that the model flags.
        threshold: the score from which on a category counts, in place of the model's own judgement.

    Raises:
        ConfigError: an argument makes no sense.
    """

    default_where: ClassVar[tuple[str, ...]] = ("user", "answer")
    default_action: ClassVar[str] = "block"

    def __init__(self, target: Any, *, categories: Iterable[str] | None = None, threshold: float | None = None) -> None:
        self._target: Node = _node("ModerationModel", target)
        self._categories = None if categories is None else frozenset(categories)
        if threshold is not None and not 0 < threshold <= 1:
            raise ConfigError(f"ModerationModel(threshold) must be above 0 and at most 1, not {threshold!r}")
        self._threshold = threshold

    async def examine(self, call: Call, texts: Sequence[str]) -> list[list[Span]]:
        """Ask about some texts in one request."""
        asked = _question(call).evolve(operation="moderation", messages=(), inputs=tuple(texts))
        reply = await self._target(asked)
        while await reply.read() is not None:
            pass
        verdicts = [verdict for chunk in reply.delivered for verdict in chunk.verdicts]
        return [
            [Span(0, len(text), name.upper(), verdict.scores.get(name, 1.0)) for name in self._flagged(verdict)]
            if text
            else []
            for text, verdict in zip(texts, verdicts, strict=True)
        ]

    def _flagged(self, verdict: Any) -> list[str]:
        if self._threshold is not None:
            names = [name for name, score in verdict.scores.items() if score >= self._threshold]
        else:
            names = [name for name, flagged in verdict.categories.items() if flagged]
            if verdict.flagged and not names:
                names = ["flagged"]
        return sorted(names if self._categories is None else self._categories.intersection(names))


class LlamaGuard:
    """Asks Llama Guard, or a model that answers like it (``safe``, or ``unsafe`` and the categories), about each text.

    Args:
        target: who serves it: a `Target` or another node, ``Target("https://gpu-1/v1", model="llama-guard-4")`` say.
        categories: only these, such as ``["S1", "S9"]``; by default all.

    Raises:
        ConfigError: an argument makes no sense.
    """

    default_where: ClassVar[tuple[str, ...]] = ("user", "answer")
    default_action: ClassVar[str] = "block"

    def __init__(self, target: Any, *, categories: Iterable[str] | None = None) -> None:
        self._target: Node = _node("LlamaGuard", target)
        self._categories = None if categories is None else frozenset([one.upper() for one in categories])

    async def examine(self, call: Call, texts: Sequence[str]) -> list[list[Span]]:
        """Ask about some texts, one after the other."""
        return [await self._ask(call, text) if text else [] for text in texts]

    async def _ask(self, call: Call, text: str) -> list[Span]:
        asked = _question(call).evolve(messages=(Message("user", text),), temperature=0.0, max_tokens=40)
        reply = await self._target(asked)
        while await reply.read() is not None:
            pass
        told = join_text(reply.delivered)
        unsafe = _UNSAFE.match(told)
        if unsafe is None:
            if _SAFE.match(told) is None:
                raise ValueError("the model said neither safe nor unsafe")
            return []
        names = [name for part in unsafe[1].split(",") if (name := part.strip().upper())] or ["UNSAFE"]
        if self._categories is not None:
            names = [name for name in names if name in self._categories]
        return [Span(0, len(text), name) for name in names]


def _question(call: Call) -> Call:
    """Copy a call without what was asked in it; who asks, how long it may take and where it may go stay."""
    return call.evolve(
        operation="chat", tools=(), tool_choice=None, parallel_tool_calls=None, schema=None, stream=False, n=None,
        reasoning=None, stop=(), seed=None, top_p=None, temperature=None, max_tokens=None, extra={}, headers={},
        wire="", avoid=frozenset(), idempotency_key=None,
    )  # fmt: skip


def _node(owner: str, target: Any) -> Any:
    if isinstance(target, (str, type)) or not callable(target):
        raise ConfigError(
            f"{owner}(target) must be a node, such as aigw.Target('openai/omni-moderation-latest'), not {target!r}"
        )
    return target
