"""`ScriptedProvider`: a provider for tests that answers each call as its script says."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Self

from aigw.call import UNSET
from aigw.chunk import Chunk
from aigw.reply import Reply
from aigw.testing.fake_model import vector
from aigw.testing.script import Answerer, ScriptedSource, check_outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.call import Call, Unset
    from aigw.chunk import Usage
    from aigw.testing.script import Outcome, Step


class ScriptedProvider:
    """A provider that follows a script, the same for streamed and other calls, on both faces of a gateway.

    ::

        provider = ScriptedProvider("hello", Overloaded("busy", retry_after=7), ["first ", 0.5, "second ", BadResponse])
        gateway = Gateway(routes={"smart": Target(provider, model="test-model")})

    Each argument is the outcome of one call, in the order of the calls:

    - a text is a complete answer; for an embeddings call it stands for vectors that depend only on the inputs;
    - a `Chunk` is a complete answer too, one with tool calls or vectors, say;
    - an error, or a class of errors, is raised in place of an answer;
    - a list is a stream, step by step: texts and chunks to give out, seconds to sleep on the call's clock, an error to
      raise at this point. ``["so far ", BadResponse]`` is a stream that ends without its proper end;
    - a function gets the call and returns any of these.

    Errors are copied before they are raised, and get `provider` and `model` where they have none. What an answer does
    not tell itself (finish reason, usage) is added at its end.

    Args:
        script: the outcomes.
        name: name of the provider.
        latency: seconds that it sleeps on the call's clock before each outcome.
        usage: the usage that answers tell; words are counted unless given, ``None`` tells nothing.

    Raises:
        TypeError: something in the script is no outcome.
    """

    where = "scripted"
    """Where calls go: nowhere."""

    def __init__(
        self,
        *script: Outcome,
        name: str = "scripted",
        latency: float = 0.0,
        usage: Usage | Unset | None = UNSET,
    ) -> None:
        for position, outcome in enumerate(script):
            check_outcome(outcome, f"outcome {position} of ScriptedProvider {name!r}")
        self.name = name
        self.calls: list[Call] = []
        """The calls that came, in order."""
        self.models: list[str] = []
        """The model that each of them asked for."""
        self._script: Iterator[Outcome] = iter(script)
        self._length = len(script)
        self._latency = latency
        self._usage = usage
        self._open = 0
        self._lock = threading.Lock()

    @classmethod
    def repeat(
        cls,
        outcome: Outcome,
        *,
        name: str = "scripted",
        latency: float = 0.0,
        usage: Usage | Unset | None = UNSET,
    ) -> Self:
        """Make a provider with the same outcome for every call, without end."""
        provider = cls(outcome, name=name, latency=latency, usage=usage)
        provider._script = itertools.repeat(outcome)
        return provider

    @property
    def open(self) -> int:
        """How many answers are neither read to their end nor closed; 0 unless somebody leaks them."""
        return self._open

    def check(self) -> None:
        """Find nothing wrong."""

    async def send(self, call: Call, model: str) -> Reply:
        """Answer as the script says.

        Raises:
            AssertionError: the script has no outcome for this call.
            TypeError: a function of the script returned something that is no outcome.
            BaseException: what the script says.
        """
        number, outcome = self._take(call, model)
        if self._latency:
            await call.clock.sleep(self._latency)
        by = Answerer(self.name, model, f"{self.name}-{number}", self._usage)
        while callable(outcome) and not isinstance(outcome, type):
            outcome = outcome(call)
            check_outcome(outcome, f"what the function for call {number} of ScriptedProvider {self.name!r} returned")
        if isinstance(outcome, BaseException | type):
            raise by.failure(outcome)
        source = ScriptedSource(call, _steps(outcome, call), by, self._count_closed)
        with self._lock:
            self._open += 1
        return Reply(source)

    def _take(self, call: Call, model: str) -> tuple[int, Outcome]:
        with self._lock:
            self.calls.append(call)
            self.models.append(model)
            number = len(self.calls)
            for outcome in self._script:
                return number, outcome
        raise AssertionError(
            f"the script of ScriptedProvider {self.name!r} is over: "
            f"it has {self._length} outcomes, and this is call {number}"
        )

    def _count_closed(self) -> None:
        with self._lock:
            self._open -= 1

    def __repr__(self) -> str:
        return f"ScriptedProvider(name={self.name!r})"


def _steps(outcome: str | Chunk | Sequence[Step], call: Call) -> Sequence[Step]:
    if not isinstance(outcome, (str, Chunk)):
        return outcome
    if isinstance(outcome, str) and call.operation == "embeddings":
        return (Chunk(vectors=tuple(vector(text, call.dimensions) for text in call.inputs)),)
    return (outcome,)
