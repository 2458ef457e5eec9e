"""One use of a wrapped function: the `Call` that carries it inwards, and the chunks that carry its results outwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aigw.call import Call
from aigw.chunk import Chunk
from aigw.errors import ConfigError
from aigw.message import Message

if TYPE_CHECKING:
    import inspect

_SETTINGS: Final = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "schema",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "n",
    "reasoning",
    "extra",
)
"""What a policy may change for a provider, and cannot change for a function that has its arguments already."""


Place = tuple[str] | tuple[str, str | int]
"""Where an argument stands: its name, or that of ``*args`` or ``**kwargs`` and its place in there."""

Kind = Literal["function", "coroutine", "generator", "async generator"]


@dataclass(frozen=True, slots=True)
class About:
    """What all uses of a wrapped function have in common.

    Args:
        name: its name, in traces and errors.
        kind: what it is.
        provider: name of the provider that it asks.
        model: the model that it asks.
        usage: finds the usage in a result, or in an item.
    """

    name: str
    kind: Kind
    provider: str
    model: str
    usage: Callable[[Any], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionCall(Call):
    """A call that a function of the application makes itself.

    Args:
        use: the function and its arguments; stays in this process.
    """

    _local: ClassVar[Mapping[str, Any]] = {**Call._local, "use": True}  # noqa: SLF001  (that of its base)

    use: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Carrier(Chunk):
    """A chunk that carries what the user's function gave out, for the caller.

    Args:
        item: the result, or the item of a generator.
        number: its place among the items.
        said: what the function said with it, before any policy saw it.
    """

    _local: ClassVar[Mapping[str, Any]] = {"item": True, "said": True}

    item: Any = field(default=None, compare=False, repr=False)
    number: int = field(default=0, compare=False, repr=False)
    said: tuple[str, ...] = field(default=(), compare=False, repr=False)


class Use:
    """A function and the arguments of one call of it.

    Args:
        function: the function, as it was written.
        bound: its arguments.
        text: place of the argument that is all of the prompt, as a text; ``None`` where there is no such argument.
    """

    __slots__ = ("_asked", "_bound", "_text", "called", "function", "items", "raised", "returned")

    def __init__(self, function: Callable[..., Any], bound: inspect.BoundArguments, text: Place | None) -> None:
        self.function = function
        self.called = False
        """The function was called; if not, a policy answered in its place."""
        self.raised: list[Exception] = []
        """What the function raised, once for each attempt."""
        self.items: deque[tuple[int, Any]] = deque()
        """What the function gave out and the caller has not got yet, numbered from 0; a result is a single item."""
        self.returned: Any = None
        """What a generator returned at its end."""
        self._bound = bound
        self._text = text
        self._asked: dict[str, Any] = {}

    def begin(self, call: Call) -> None:
        """Remember what is asked before any policy sees it."""
        self._asked = {name: getattr(call, name) for name in ("messages", *_SETTINGS)}

    def __call__(self, call: Call, name: str) -> Any:
        """Call the function.

        What a policy has made of a prompt that is a single text goes to the function. A change of any other prompt
        would not reach the model, and raises; changes of what only tunes the answer are written into the trace.

        Args:
            call: the call as the policies made it.
            name: name of the function, for the trace and errors.

        Raises:
            ConfigError: a policy changed a prompt that cannot be given to the function.
        """
        asked = self._asked
        args, kwargs = self._bound.args, self._bound.kwargs
        if call.messages != asked["messages"]:
            args, kwargs = self._with_prompt(call, name)
        for setting in _SETTINGS:
            if getattr(call, setting) != asked[setting]:
                call.note(name, "left out", f"{setting}, which the function decides")
        self.called = True
        self.items.clear()  # those of an attempt that failed
        return self.function(*args, **kwargs)

    def carry(self, chunk: Chunk, item: Any, number: int = 0, before: Sequence[Chunk] = ()) -> Carrier:
        """Copy a chunk; the copy brings an item to the caller.

        Args:
            chunk: the last chunk of the item.
            item: the item.
            number: its place among the items.
            before: the other chunks of a whole result.
        """
        self.items.append((number, item))
        return Carrier(**{**chunk.__dict__, "item": item, "number": number, "said": said([*before, chunk])})

    def _with_prompt(self, call: Call, name: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        messages = call.messages
        text = messages[0].text if len(messages) == 1 else ""
        if self._text is None or messages != (Message("user", text),):
            raise ConfigError(
                f"a policy changed the prompt of {name}(), which makes its request itself: only a prompt that is a "
                "single text argument can be changed. Take the policy away, or ask with gateway.chat"
            )
        changed = self._bound.signature.bind(*self._bound.args, **self._bound.kwargs)
        arguments: dict[str, Any] = changed.arguments
        match self._text:
            case (name,):
                arguments[name] = text
            case (name, int(position)):
                arguments[name] = (*arguments[name][:position], text, *arguments[name][position + 1 :])
            case (name, key):
                arguments[name] = {**arguments[name], key: text}
        return changed.args, changed.kwargs


def said(chunks: Iterable[Chunk]) -> tuple[str, ...]:
    """Return what chunks say: texts, reasoning, refusals, the arguments of tool calls."""
    pieces = [
        (one.text, one.reasoning, one.refusal, "".join([delta.arguments for delta in one.tool_calls])) for one in chunks
    ]
    return tuple(["".join(column) for column in zip(*pieces, strict=True)])


def not_texts(name: str) -> str:
    """Say that a policy's change would be lost."""
    return (
        f"a policy changed what {name}() gave out, which is no text, so that the change would be lost: "
        "let it return texts, take the policy away, or ask with gateway.chat"
    )
