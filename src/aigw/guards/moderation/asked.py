"""Examiners: models that are asked what is wrong with a text."""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from aigw.chunk import join_text
from aigw.errors import ConfigError
from aigw.guards.places import ANSWER
from aigw.guards.span import Span
from aigw.message import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from aigw.call import Call
    from aigw.chunk import Chunk, Verdict
    from aigw.guards.places import Place
    from aigw.reply import Reply

    Node = Callable[[Call], Awaitable[Reply]]
    """A `Target`, or any other node of a routing tree."""

Asks = TypeVar("Asks", "ModerationModel", "LlamaGuard")

MOST_TEXTS: Final = 32
"""Texts that a moderation model is asked about in one request."""

LONGEST_TOLD: Final = 100
"""Tokens in which a model can name all of its categories."""

_TOLD: Final = re.compile(
    r"\s*(?P<verdict>safe|unsafe)\b[ \t.:]*(?:<\|[^|]{1,40}\|>\s*)*"
    r"(?:(?=[SO]\d)|\n|\Z)\s*(?P<categories>[^\n]*)",
    re.IGNORECASE,
)
_CATEGORY: Final = re.compile(r"\b[SO]\d{1,2}\b", re.IGNORECASE)


class ModerationModel:
    """Asks a moderation model about each text: ``ModerationModel(aigw.Target("openai/omni-moderation-latest"))``.

    What it finds has the names of its categories in capitals, and is the whole text. About answers it is asked with the
    label ``source: output``, for services that judge them otherwise than prompts.

    Args:
        target: who serves the operation ``moderation``: a `Target` or another node.
        categories: only these, in the names of the model, in any case; by default all that the model flags.
        threshold: the score from which on a category counts, in place of the model's own judgement.

    Raises:
        ConfigError: an argument makes no sense.
    """

    default_where: ClassVar[tuple[str, ...]] = ("user", "answer")
    default_action: ClassVar[str] = "block"

    def __init__(self, target: Any, *, categories: Iterable[str] | None = None, threshold: float | None = None) -> None:
        self._target: Node = _node("ModerationModel", target)
        self._categories = _names("ModerationModel", categories)
        if threshold is not None and not 0 < threshold <= 1:
            raise ConfigError(f"ModerationModel(threshold) must be above 0 and at most 1, not {threshold!r}")
        self._threshold = threshold
        self._of_answers = False

    def for_place(self, place: Place) -> ModerationModel:
        """Return what asks about texts of a place."""
        return _about_answers(self) if place in ANSWER else self

    async def examine(self, call: Call, texts: Sequence[str]) -> list[list[Span]]:
        """Ask about some texts, in as few requests as may be."""
        asked = [text for text in texts if text.strip()]
        verdicts: list[Verdict] = []
        for first in range(0, len(asked), MOST_TEXTS):
            verdicts += await self._ask(call, asked[first : first + MOST_TEXTS])
        told = iter(verdicts)
        return [self._spans(text, next(told)) if text.strip() else [] for text in texts]

    async def _ask(self, call: Call, texts: Sequence[str]) -> list[Verdict]:
        metadata = {**call.metadata, "source": "output" if self._of_answers else "input"}
        question = _question(call).evolve(
            operation="moderation", messages=(), inputs=tuple(texts), query="", metadata=metadata
        )
        verdicts = [verdict for chunk in await _told(self._target, question) for verdict in chunk.verdicts]
        if len(verdicts) != len(texts):
            raise ValueError(f"the model gave {len(verdicts)} verdicts on {len(texts)} texts")
        return verdicts

    def _spans(self, text: str, verdict: Verdict) -> list[Span]:
        """Return what was found in a text; the same place has several kinds where it has several categories."""
        found = self._flagged(verdict)
        return [Span(0, len(text), name.upper(), min(verdict.scores.get(name, 1.0), 1.0)) for name in found]

    def _flagged(self, verdict: Verdict) -> list[str]:
        if self._threshold is not None:
            names = [name for name, score in verdict.scores.items() if score >= self._threshold]
        else:
            names = [name for name, flagged in verdict.categories.items() if flagged]
        # What is flagged without a reason counts whatever was asked for: it may be for one of these.
        unnamed = verdict.flagged and self._threshold is None and not names
        if self._categories is not None:
            names = [name for name in names if name.upper() in self._categories]
        return ["flagged"] if unnamed else sorted(names)


class LlamaGuard:
    """Asks Llama Guard, or a model that answers like it (``safe``, or ``unsafe`` and the categories), about each text.

    It is asked about an answer as what the assistant said to the last message of the user, and about anything else as
    what a user said.

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
        self._categories = _names("LlamaGuard", categories)
        self._of_answers = False

    @property
    def depends_on_call(self) -> bool:
        """Whether what it says of a text depends on what the user said before it."""
        return self._of_answers

    def for_place(self, place: Place) -> LlamaGuard:
        """Return what asks about texts of a place."""
        return _about_answers(self) if place in ANSWER else self

    async def examine(self, call: Call, texts: Sequence[str]) -> list[list[Span]]:
        """Ask about some texts, one after the other."""
        return [await self._ask(call, text) if text.strip() else [] for text in texts]

    async def _ask(self, call: Call, text: str) -> list[Span]:
        question = _question(call).evolve(
            messages=self._conversation(call, text), temperature=0.0, max_tokens=LONGEST_TOLD
        )
        told = _TOLD.match(join_text(await _told(self._target, question)))
        if told is None:
            raise ValueError("the model said neither safe nor unsafe")
        if told["verdict"].lower() == "safe":
            return []
        names = [name.upper() for name in _CATEGORY.findall(told["categories"])]
        if names and self._categories is not None:
            names = [name for name in names if name in self._categories]
            return [Span(0, len(text), name) for name in names]
        return [Span(0, len(text), name) for name in names or ["UNSAFE"]]

    def _conversation(self, call: Call, text: str) -> tuple[Message, ...]:
        said = [message.text for message in call.messages if message.role == "user" and message.text.strip()]
        if self._of_answers and said:
            return Message("user", said[-1]), Message("assistant", text)
        return (Message("user", text),)


def _about_answers(examiner: Asks) -> Asks:
    changed = copy(examiner)
    changed._of_answers = True  # noqa: SLF001  (its own copy)
    return changed


async def _told(target: Node, question: Call) -> Sequence[Chunk]:
    reply = await target(question)
    while await reply.read() is not None:
        pass
    return reply.delivered


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


def _names(owner: str, categories: Iterable[str] | None) -> frozenset[str] | None:
    if categories is None:
        return None
    if isinstance(categories, str):
        raise ConfigError(f"{owner}(categories) must be a list of names, such as [{categories!r}]")
    names = frozenset([name.upper() for name in categories])
    if not names:
        raise ConfigError(f"{owner}(categories) is empty: nothing would be found; leave it out for all")
    return names
