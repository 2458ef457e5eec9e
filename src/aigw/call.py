"""`Call`: what travels inwards, from the application through policies and routing to a target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, Protocol, runtime_checkable

from aigw.errors import ConfigError
from aigw.message import Message, Tool
from aigw.ports import Clock, Runtime
from aigw.trace import CallTrace, Decision
from aigw.values import Evolving, Value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from aigw.chunk import Chunk, Usage


class _Unset(Enum):
    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset.UNSET
"""Stands for "not given, inherit it", where ``None`` means "off"."""

Unset = _Unset
Operation = Literal["chat", "embeddings", "rerank", "moderation"]
Priority = Literal["interactive", "standard", "batch"]


@dataclass(frozen=True, slots=True)
class Principal(Value):
    """Who makes a call.

    Args:
        id: the user or service.
        team: the group that it belongs to.
        roles: what it may do, for access policies.
    """

    id: str
    team: str | None = None
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Schema(Value):
    """The JSON schema that an answer must fit.

    Args:
        schema: the JSON schema.
        name: a name for it; some providers want one.
        strict: the provider must hold the model to it; ``None`` leaves that to the provider.
        type: the Python type that the schema was made of, if it was made of one; stays in this process.
    """

    _local: ClassVar[Mapping[str, Any]] = {"type": True}

    schema: Mapping[str, Any]
    name: str = "answer"
    strict: bool | None = None
    type: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts(Value):
    """How long one attempt may take, in seconds; ``None`` is no limit. The call's deadline bounds them all.

    Args:
        connect: until the connection stands.
        first_chunk: until the first chunk of a stream; comments and pings do not count. Not used for calls that are
            not streamed, whose only chunk comes when everything is done: `total` bounds those.
        between_chunks: between two chunks of a stream.
        total: for the whole attempt, the pauses of a slow reader included.
    """

    connect: float | None = 5.0
    first_chunk: float | None = 60.0
    between_chunks: float | None = 60.0
    total: float | None = 600.0


DEFAULT_TIMEOUTS: Final = Timeouts()


@dataclass(frozen=True, slots=True)
class Fence(Value):
    """Which targets may serve a call, whatever its route says. Every target looks at it before it sends anything.

    Args:
        tags: a target must have all of these, such as ``private`` or a region.
        routes: patterns, one of which the name of the route must fit; ``*`` and ``?`` stand for other characters.
        models: patterns, one of which its name, or its ``provider/model``, must fit.
        outer: another fence, which holds as well; each policy that sets one keeps the one that was there.
    """

    tags: frozenset[str] = frozenset()
    routes: tuple[str, ...] = ("*",)
    models: tuple[str, ...] = ("*",)
    outer: Fence | None = None

    def refusal(self, route: str, names: Sequence[str], tags: frozenset[str]) -> str:
        """Tell why a target is outside; empty if it is not.

        Args:
            route: name of the route.
            names: what the target is called.
            tags: its tags.
        """
        if not self.tags <= tags:
            return f"the tags {', '.join(sorted(self.tags - tags))}, which the call asks for"
        if not fits(route, self.routes):
            return f"access to route {route!r}"
        if not any(fits(name, self.models) for name in names):
            return "access for this principal"
        return "" if self.outer is None else self.outer.refusal(route, names, tags)


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a name fits one of some patterns, in which ``*`` and ``?`` stand for other characters."""
    return "*" in patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


class Cost(NamedTuple):
    """What tokens cost.

    Args:
        usd: US dollars, exact.
        prices: version of the prices, such as ``genai-prices 0.2.3``.
    """

    usd: Decimal
    prices: str


@runtime_checkable
class Meter(Protocol):
    """Counts the tokens and the money of one call. Never fails: what it cannot tell is ``None``."""

    async def input_tokens(self, call: Call) -> int:
        """Tokens of the prompt: exact where the model's tokenizer is known, else a calibrated guess."""
        ...

    def output_tokens(self, call: Call) -> int:
        """Tokens that the answer is likely to have, by what such calls had before; not more than `max_tokens`."""
        ...

    def most_output_tokens(self, call: Call) -> int | None:
        """Tokens that all answers of the call may have at most; ``None`` where nothing bounds them."""
        ...

    def guess(self, call: Call, chunks: Sequence[Chunk]) -> Usage:
        """Guess what was used, where a provider did not tell: the prompt and what came; marked ``estimated``."""
        ...

    def learn(self, call: Call, model: str, usage: Usage) -> None:
        """Take note of what a provider counted, for later guesses."""
        ...

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """What a usage costs there; ``None`` where the price is not known."""
        ...

    def dearest(self, call: Call, usage: Usage) -> Cost | None:
        """What a usage costs at the dearest target that may serve the call; ``None`` where one has no known price."""
        ...


@dataclass(frozen=True, kw_only=True)
class Call(Evolving):
    """One call of the application: what it asks, who asks, and how long it may take.

    Frozen: a policy that changes something passes a changed copy on, ``inner(call.evolve(max_tokens=100))``.

    Args:
        operation: what is asked for.
        model: what the caller named: a route or ``provider/model``.
        messages: the conversation, for ``chat``.
        inputs: the texts, for ``embeddings`` and ``moderation``; the documents, for ``rerank``.
        query: what the documents are ranked by, for ``rerank``.
        top_n: how many of them to return, for ``rerank``; ``None`` for all.
        tools: tools that the model may call.
        tool_choice: ``auto``, ``none``, ``required``, or the name of the tool that it must call.
        parallel_tool_calls: whether it may call several at once.
        schema: the answer must be JSON that fits.
        temperature: randomness, as the provider scales it.
        top_p: nucleus sampling.
        max_tokens: upper bound of the output, reasoning included.
        stop: texts that end the answer.
        seed: asks for repeatable sampling.
        n: how many answers.
        reasoning: how hard to think: ``none``, ``minimal``, ``low``, ``medium``, ``high``, …
        dimensions: length of the vectors, for ``embeddings``.
        extra: fields for the provider that aigw does not model, sent untouched.
        wire: the wire format that the call was read from, whose fields `extra` and those of its tools hold: other
            formats leave them out. Empty for a call that was made by hand: every format sends all of its fields.
        headers: headers for targets that speak the format `wire`, such as ``anthropic-beta``; others get none.
        idempotency_key: by what a provider recognises a request that it has got already, where it does; by default made
            of the call's id, the same for every attempt that sends the same request.
        stream: the caller reads chunks as they come.
        principal: who asks.
        token: a credential that the caller showed; an `Access` policy makes a principal of it. Never sent on.
        fence: which targets may serve it; ``None`` for all of its route.
        priority: how urgent it is.
        tags: labels that routing and policies look at.
        metadata: labels for usage records and audit.
        timeouts: bounds of each attempt.
        timeout: seconds that the caller himself gave the whole call, ``None`` for no limit. It replaces the default of
            the outermost `Deadline`.
        deadline: when the call must be over, on `clock`; ``None`` where there is no limit.
        route: name of the route that serves it.
        avoid: names of the targets that failed in this call already.
        attempt: which try this is, from 1.
        id: its own id.
        runtime: the ports of the face that runs it.
        trace: where decisions and attempts are written down.
        started: when it began, on `clock`.
        metering: counts its tokens and its money.
        opened: the replies that targets gave; whatever is left open when the call fails is closed.
        asked: names of the targets that were asked, in order, where a policy wants to know at once.
        turn: where it stands in the lines of those who wait for a limit, if it came through a `Queue`.
    """

    _local: ClassVar[Mapping[str, Any]] = {
        "deadline": True,
        "runtime": True,
        "trace": True,
        "started": True,
        "opened": True,
        "asked": True,
        "turn": True,
        "metering": True,
        "token": True,
        "schema": {"type"},
    }

    operation: Operation = "chat"
    model: str = ""
    messages: tuple[Message, ...] = ()
    inputs: tuple[str, ...] = ()
    query: str = ""
    top_n: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    schema: Schema | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int | None = None
    reasoning: str | None = None
    dimensions: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    wire: str = field(default="", compare=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    stream: bool = False
    principal: Principal | None = None
    token: str | None = field(default=None, compare=False, repr=False)
    fence: Fence | None = None
    priority: Priority = "standard"
    tags: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    timeout: float | Unset | None = UNSET
    deadline: float | None = field(default=None, compare=False)
    route: str = ""
    avoid: frozenset[str] = frozenset()
    attempt: int = 1
    id: str = field(default="", compare=False)
    runtime: Runtime | None = field(default=None, compare=False, repr=False)
    trace: CallTrace | None = field(default=None, compare=False, repr=False)
    started: float = field(default=0.0, compare=False, repr=False)
    opened: list[Any] | None = field(default=None, compare=False, repr=False)
    asked: list[str] | None = field(default=None, compare=False, repr=False)
    turn: Any = field(default=None, compare=False, repr=False)
    metering: Meter | None = field(default=None, compare=False, repr=False)

    @property
    def ports(self) -> Runtime:
        """The runtime of a call that runs.

        Raises:
            ConfigError: the call was made by hand and has none.
        """
        if self.runtime is None:
            raise ConfigError(
                "this Call has no runtime; a gateway sets one, and aigw.testing.make_call() does in tests"
            )
        return self.runtime

    @property
    def clock(self) -> Clock:
        """The clock to wait with."""
        return self.ports.clock

    @property
    def meter(self) -> Meter:
        """What counts the tokens and the money of a call that runs.

        Raises:
            ConfigError: the call was made by hand and has none.
        """
        if self.metering is None:
            raise ConfigError("this Call has no meter; a gateway sets one, and aigw.testing.make_call() does in tests")
        return self.metering

    def remaining(self) -> float:
        """Seconds until the deadline; infinity where there is none, negative when it is over."""
        return math.inf if self.deadline is None else self.deadline - self.clock.now()

    def elapsed(self) -> float:
        """Seconds since the call began."""
        return self.clock.now() - self.started

    def avoiding(self, targets: Iterable[str]) -> Call:
        """Copy the call; the copy prefers other targets."""
        return self.evolve(avoid=self.avoid | frozenset(targets))

    def note(self, by: str, action: str, reason: str = "", *, wait: float | None = None) -> None:
        """Write a decision into the trace."""
        if self.trace is not None:
            self.trace.add(Decision(self.elapsed(), by, action, reason, wait))
