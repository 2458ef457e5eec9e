"""`prompt`: makes of a typed function one that asks a model."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from aigw.arguments import as_messages, chat_call
from aigw.errors import ConfigError
from aigw.prompts.asking import ask
from aigw.prompts.body import is_empty
from aigw.prompts.returns import Returns, returns_of
from aigw.prompts.template import Template
from aigw.prompts.texts import AsyncTexts, Texts
from aigw.runtime import drive
from aigw.stream import AsyncStream, Stream
from aigw.wrapping.context import used

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.call import Call
    from aigw.engine import Engine
    from aigw.message import Message
    from aigw.prompts.signature import Prompted
    from aigw.reply import Reply

P = ParamSpec("P")
R = TypeVar("R")


def prompt(engine: Engine, options: Mapping[str, Any]) -> Callable[[Callable[P, R]], Prompted[P, R]]:
    """Make the decorator; see `aigw.gateway.Gateway.prompt`.

    Raises:
        TypeError: there is no such option.
        ConfigError: an argument makes no sense, or there is no such route.
    """
    call = chat_call("prompt", "", options)
    if "/" not in call.model:
        engine.routes.find(call.model)

    def decorate(function: Callable[P, R]) -> Prompted[P, R]:
        if not inspect.isfunction(function):
            raise ConfigError(f"prompt() makes a function ask, not {function!r}; it goes below @staticmethod")
        asking = _Asking(engine, call, function)
        wrapper: Any = functools.wraps(function)(asking.wrapper())
        wrapper.render = asking.render
        return cast("Prompted[P, R]", wrapper)

    return decorate


class _Asking:
    """A prompt function. Holds nothing of its uses, so threads and loops share it."""

    def __init__(self, engine: Engine, call: Call, function: Callable[..., Any]) -> None:
        owner = f"prompt() of {function.__qualname__.rpartition('<locals>.')[2]}()"
        self._engine = engine
        self._function = function
        self._owner = owner
        self._waits = inspect.iscoroutinefunction(function)
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigError(f"{owner}: it yields; let it return the prompt, and the gateway make the stream")
        self._returns = returns_of(function, owner)
        if self._waits and self._returns.kind == "pieces":
            raise ConfigError(f"{owner}: async functions return an AsyncIterator[str]")
        self._signature = inspect.signature(function)
        self._template = _template(function, self._signature, owner) if is_empty(function) else None
        self._call = _with_schema(call, self._returns, owner)

    def render(self, *args: Any, **kwargs: Any) -> tuple[Message, ...]:
        """Return the messages that a call with these arguments sends, and send nothing.

        Raises:
            ConfigError: the function makes its prompt with ``await``; ask ``__wrapped__`` for it.
        """
        if self._template is None and self._waits:
            raise ConfigError(f"{self._owner}: its body is async, so await its __wrapped__(…) to see the prompt")
        return self._messages(args, kwargs)

    def wrapper(self) -> Callable[..., Any]:
        """Make the function that takes the place of the one that was written."""
        if self._waits:
            return self._coroutine()
        match self._returns.kind:
            case "pieces":
                return lambda *args, **kwargs: self._texts(self._use(self._messages(args, kwargs)))
            case "async pieces":
                return lambda *args, **kwargs: self._async_texts(self._use(self._messages(args, kwargs)))
            case _:
                return lambda *args, **kwargs: self._ask(self._use(self._messages(args, kwargs)))

    def _ask(self, call: Call) -> Any:
        return drive(ask(self._engine, call, self._engine.runtimes.blocking, self._returns))

    def _coroutine(self) -> Callable[..., Any]:
        async def asked(*args: Any, **kwargs: Any) -> Any:
            if self._template is None:
                messages = as_messages(self._owner, await self._function(*args, **kwargs))
            else:
                messages = self._messages(args, kwargs)
            call = self._use(messages)
            if self._returns.kind == "async pieces":
                return self._async_texts(call)
            return await ask(self._engine, call, await self._engine.runtimes.current(), self._returns)

        return asked

    def _messages(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Message, ...]:
        if self._template is None:
            return as_messages(self._owner, self._function(*args, **kwargs))
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return self._template.render(bound.arguments)

    def _use(self, messages: tuple[Message, ...]) -> Call:
        return used(self._call, messages=messages)

    def _texts(self, call: Call) -> Texts:
        engine = self._engine
        return Texts(Stream(lambda: engine.open(call, engine.runtimes.blocking)))

    def _async_texts(self, call: Call) -> AsyncTexts:
        async def opener() -> tuple[Call, Reply]:
            return await self._engine.open(call, await self._engine.runtimes.current())

        return AsyncTexts(AsyncStream(opener))


def _template(function: Callable[..., Any], signature: inspect.Signature, owner: str) -> Template:
    """Read the docstring, and compare it with the arguments.

    Raises:
        ConfigError: there is none, or the two do not fit.
    """
    text = inspect.getdoc(function)
    if not text:
        raise ConfigError(f"{owner}: write the prompt as its docstring, or let it return the prompt")
    template = Template(text, owner)
    names = list(signature.parameters)
    for name in template.names:
        if name not in names:
            known = ", ".join(names) or "none"
            raise ConfigError(f"{owner}: {{{{ {name} }}}} is none of its arguments; there are: {known}")
    for position, name in enumerate(names):
        is_self = position == 0 and name in ("self", "cls")
        if name not in template.names and not name.startswith("_") and not is_self:
            raise ConfigError(
                f"{owner}: its argument {name!r} is not used: put {{{{ {name} }}}} into the docstring, "
                f"or call it _{name}"
            )
    return template


def _with_schema(call: Call, returns: Returns, owner: str) -> Call:
    """Ask for what the function returns.

    Raises:
        ConfigError: an option asks for something that it does not return.
    """
    stream = returns.kind in ("pieces", "async pieces")
    if returns.kind == "answer":
        return call
    if call.tools or (call.n or 1) > 1:
        raise ConfigError(f"{owner}: with tools= or n= let it return aigw.Answer, which shows what came")
    if call.schema is not None:
        raise ConfigError(f"{owner}: leave schema= out, the return annotation says it; or let it return aigw.Answer")
    return call.evolve(stream=stream, schema=returns.schema)
