"""`wrap`: makes of a function one that goes through the policies of a gateway."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from aigw.arguments import chat_call
from aigw.chunk import join_text
from aigw.errors import ConfigError
from aigw.providers.capabilities import UNKNOWN
from aigw.routing.target import Target
from aigw.runtime import drive
from aigw.stream import AsyncStream, Stream
from aigw.wrapping.asked import Asked
from aigw.wrapping.context import used
from aigw.wrapping.failures import original
from aigw.wrapping.items import AsyncItems, Items, Outlet, not_ours
from aigw.wrapping.provider import FunctionProvider
from aigw.wrapping.use import About, Carrier, FunctionCall, Use, not_texts, said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw.call import Call
    from aigw.engine import Engine
    from aigw.policy import Policy
    from aigw.ports import Runtime
    from aigw.reply import Reply
    from aigw.wrapping.results import TellUsage
    from aigw.wrapping.signature import Wrapped
    from aigw.wrapping.use import Kind

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: Final = frozenset({"principal", "priority", "timeout", "tags", "metadata"})


def wrap(
    engine: Engine,
    *,
    model: Any,
    prompt: Callable[..., Any] | None,
    usage: TellUsage | None,
    name: str | None,
    policies: Sequence[Policy],
    options: Mapping[str, Any],
) -> Callable[[Callable[P, R]], Wrapped[P, R]]:
    """Make the decorator; see `aigw.gateway.Gateway.wrap`.

    Raises:
        TypeError: there is no such option.
        ConfigError: an argument makes no sense.
    """
    for option in options:
        if option not in _OPTIONS:
            raise TypeError(f"wrap() has no option {option!r}; there are {', '.join(sorted(_OPTIONS))}")
    if not isinstance(model, str) or not model:
        raise ConfigError(f"wrap(model) must be the name of the model that the function asks, not {model!r}")
    if usage is not None and not callable(usage):
        raise ConfigError(f"wrap(usage) must be a function of the result, not {usage!r}")
    call = chat_call("wrap", "", {"model": model, **options})

    def decorate(function: Callable[P, R]) -> Wrapped[P, R]:
        kind = _kind(function)
        label = name or function.__qualname__.rpartition("<locals>.")[2]
        provider, _, asks = model.rpartition("/")
        about = About(label, kind, provider or label, asks, usage)
        wrapping = _Wrapping(engine, about, call, function, Asked(function, label, prompt), policies=policies)
        return cast("Wrapped[P, R]", functools.wraps(function)(_MAKERS[kind](wrapping)))

    return decorate


def _kind(function: Any) -> Kind:
    is_other = isinstance(function, (type, staticmethod, classmethod))
    if is_other or not callable(function) or not hasattr(function, "__qualname__"):
        raise ConfigError(
            f"wrap() stands around a function, not {function!r}; it goes below @staticmethod and @classmethod"
        )
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    return "generator" if inspect.isgeneratorfunction(function) else "function"


class _Wrapping:
    """A function and the policies around it. Holds nothing of its uses, so threads and loops share it."""

    def __init__(
        self,
        engine: Engine,
        about: About,
        call: Call,
        function: Callable[..., Any],
        asked: Asked,
        *,
        policies: Sequence[Policy],
    ) -> None:
        target = Target(FunctionProvider(about), model=about.model, name=about.name, policies=policies)
        target.capabilities = UNKNOWN  # what the model can do is the function's business
        self.engine = engine
        self._via = engine.routes.around(about.name, target)
        self._name = about.name
        self._function = function
        self._asked = asked
        self._call = FunctionCall(**{**call.__dict__, "stream": "generator" in about.kind})
        returns = getattr(function, "__annotations__", {}).get("return")
        said = returns if isinstance(returns, str) else getattr(returns, "__name__", str(returns))
        self._texts = said == "str" or "[str" in str(returns)

    def begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> FunctionCall:
        """Make the call of one use."""
        bound = self._asked.bind(args, kwargs)
        fields, text = self._asked.read(bound)
        use = Use(self._function, bound, text)
        call = used(self._call, use=use, **fields)
        use.begin(call)
        return call

    async def open(self, call: FunctionCall, runtime: Runtime) -> tuple[Call, Reply]:
        """Start the call."""
        return await self.engine.open(call, runtime, self._via)

    async def serve(self, call: FunctionCall, runtime: Runtime) -> tuple[Any, Exception | None]:
        """Run the call of a function that is no generator; return its result, or what it raised."""
        use: Use = call.use
        found: Exception | None = None
        try:
            started, reply = await self.open(call, runtime)
            await self.engine.read_all(started, reply)
            return self._result(use, reply), None
        except Exception as error:  # whatever the function raised is raised, by the caller of this
            found = original(error, use.raised)
            if found is None:
                raise
            return None, found
        finally:
            del found  # its traceback knows this frame
            use.raised.clear()

    def outlet(self, use: Use) -> Outlet:
        """Make what lets the items of a generator out."""
        return Outlet(use, self._name, texts=self._texts)

    def _result(self, use: Use, reply: Reply) -> Any:
        carried = next((chunk for chunk in reversed(reply.delivered) if isinstance(chunk, Carrier)), None)
        if carried is None and not use.items:
            if not self._texts:
                raise ConfigError(not_ours(self._name))
            return join_text(reply.delivered)
        result = use.items[-1][1] if carried is None else carried.item
        if isinstance(result, str):
            text = join_text(reply.delivered)
            return result if text == result else text
        if carried is not None and said(reply.delivered) != carried.said:
            raise ConfigError(not_texts(self._name))
        return result


def _blocking(wrapping: _Wrapping) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        result, raised = drive(wrapping.serve(wrapping.begin(args, kwargs), wrapping.engine.runtimes.blocking))
        try:
            if raised is not None:
                raise raised
            return result
        finally:
            del raised  # its traceback knows this frame

    return call


def _coroutine(wrapping: _Wrapping) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        runtime = await wrapping.engine.runtimes.current()
        result, raised = await wrapping.serve(wrapping.begin(args, kwargs), runtime)
        try:
            if raised is not None:
                raise raised
            return result
        finally:
            del raised  # its traceback knows this frame

    return call


def _generator(wrapping: _Wrapping) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Items:
        made = wrapping.begin(args, kwargs)
        stream = Stream(lambda: wrapping.open(made, wrapping.engine.runtimes.blocking))
        return Items(stream, made.use, wrapping.outlet(made.use))

    return call


def _async_generator(wrapping: _Wrapping) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> AsyncItems:
        made = wrapping.begin(args, kwargs)

        async def opener() -> tuple[Call, Reply]:
            return await wrapping.open(made, await wrapping.engine.runtimes.current())

        return AsyncItems(AsyncStream(opener), made.use, wrapping.outlet(made.use))

    return call


_MAKERS: Final[Mapping[Kind, Callable[[_Wrapping], Callable[..., Any]]]] = {
    "function": _blocking,
    "coroutine": _coroutine,
    "generator": _generator,
    "async generator": _async_generator,
}
