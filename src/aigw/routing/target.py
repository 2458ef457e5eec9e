"""`Target`: a model at a provider, the leaf of the routing tree."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aigw.errors import ConfigError, ProviderError
from aigw.providers.base import Provider
from aigw.providers.http import HttpProvider
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.routing.node import Node
from aigw.trace import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aigw.call import Call
    from aigw.policy import Policy
    from aigw.providers.http import ApiKey
    from aigw.reply import End, Reply


class Target(Node):
    """A model at a provider.

    ``Target("openai/gpt-5.5")`` names a known provider, ``Target("http://gpu-1:8000/v1", model="llama-3.3-70b")`` any
    server that speaks OpenAI's format, and ``Target(provider, model=…)`` takes a provider object.

    Args:
        at: ``provider/model``, a base URL, or a `Provider`.
        model: the model's name there; part of `at` in the first form.
        name: its name in traces and errors; ``provider/model`` by default. Must be unique in a route.
        weight: its share in a `Balance`; with 0 it is used only when the others have failed.
        region: where it runs; becomes part of the name and a tag.
        tags: labels that routing may ask for.
        policies: policies around this target alone, outermost first. What they refuse counts as the target's failure.
        api_key: a key, or a function (also a coroutine function) that is asked for one before each attempt. By default
            the environment variable of the provider is read.
        base_url: replaces the provider's own.
        headers: more headers for every request.

    Raises:
        ConfigError: no such provider, or arguments that do not fit together.
    """

    def __init__(
        self,
        at: str | Provider,
        *,
        model: str | None = None,
        name: str | None = None,
        weight: float = 1.0,
        region: str | None = None,
        tags: Iterable[str] = (),
        policies: Sequence[Policy] = (),
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(at, str):
            self.provider, self.model, default_name = _find(at, model, base_url, api_key, headers)
        else:
            self.provider, self.model, default_name = _given(at, model, (base_url, api_key, headers))
        if region:
            default_name = f"{default_name}@{region}"
        self.region = region
        self.tags = frozenset((tags,) if isinstance(tags, str) else tags) | (
            frozenset((region,)) if region else frozenset()
        )
        self._lock = threading.Lock()
        self._in_flight = 0
        super().__init__(name=name or default_name, weight=weight, policies=policies)

    def __repr__(self) -> str:
        return f"Target({self.name!r})"

    @property
    def children(self) -> tuple[Node, ...]:
        """None: it is a leaf."""
        return ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Itself."""
        return (self,)

    @property
    def in_flight(self) -> int:
        """Calls that it is serving now."""
        return self._in_flight

    def is_fresh(self, avoid: frozenset[str]) -> bool:
        """Tell whether this call has not failed here."""
        return self.name not in avoid

    async def _route(self, call: Call) -> Reply:
        attempt = _Attempt(self, call)
        try:
            reply = await self.provider.send(call, self.model)
        except BaseException as error:  # a cancelled attempt is over as well, and is counted and written down
            attempt.fail(error)
            raise
        if call.opened is not None:
            call.opened.append(reply)
        reply.when_committed(attempt.commit)
        reply.when_done(attempt.done)
        await reply.prime(whole=not call.stream)
        return reply

    def count(self, change: int) -> None:
        """Add to the calls in flight."""
        with self._lock:
            self._in_flight += change

    def _line(self) -> str:
        weight = "" if self.weight == 1.0 else f", weight {self.weight:g}"
        return f"{self.name}: {self.model} at {self.provider.where}{weight}"


class _Attempt:
    """Counts one attempt while it runs, and writes it down when it is over."""

    __slots__ = ("_call", "_first", "_started", "_target")

    def __init__(self, target: Target, call: Call) -> None:
        self._target = target
        self._call = call
        self._started = call.clock.now()
        self._first: float | None = None
        target.count(+1)

    def commit(self) -> None:
        """Note the time of the first output."""
        self._first = self._call.clock.now() - self._started

    def fail(self, error: BaseException) -> None:
        """It failed before there was a reply."""
        self._over(type(error).__name__, error, None)

    def done(self, end: End) -> None:
        """The reply is over."""
        self._over(end.outcome, end.error, end)

    def _over(self, outcome: str, error: BaseException | None, end: End | None) -> None:
        target, call = self._target, self._call
        target.count(-1)
        if isinstance(error, ProviderError):
            error.target = target.name
        if call.trace is None:
            return
        call.trace.add(
            Attempt(
                at=self._started - call.started,
                target=target.name,
                provider=target.provider.name,
                model=target.model,
                outcome="cancelled" if outcome == "CancelledError" else outcome,
                duration=call.clock.now() - self._started,
                time_to_first_chunk=self._first,
                usage=end.usage if end else None,
                status=error.status if isinstance(error, ProviderError) else None,
                reason=str(error) if isinstance(error, Exception) else "",
            )
        )


def as_node(given: object, owner: str) -> Node:
    """Take a node, or the text of a target.

    Raises:
        ConfigError: it is neither; names `owner`.
    """
    if isinstance(given, Node):
        return given
    if isinstance(given, str):
        return Target(given)
    raise ConfigError(f"{owner}: {given!r} is neither a target nor a text such as 'openai/gpt-5.5'")


def _find(
    at: str, model: str | None, base_url: str | None, api_key: ApiKey | None, headers: Mapping[str, str] | None
) -> tuple[Provider, str, str]:
    if "://" in at:
        provider = HttpProvider(COMPATIBLE, base_url=at, api_key=api_key, headers=headers)
        if base_url is not None:
            raise ConfigError(f"Target({at!r}): the URL is given already; leave base_url= out")
        if not model:
            raise ConfigError(f"Target({at!r}): say which model of that server, model=…")
        return provider, model, f"{urlsplit(at).netloc}/{model}"
    service_name, slash, rest = at.partition("/")
    service = SERVICES.get(service_name)
    if service is None or not slash or not rest:
        raise ConfigError(
            f"Target({at!r}): write provider/model, with one of these providers: {', '.join(sorted(SERVICES))}; "
            "or the URL of a server that speaks OpenAI's format, with model="
        )
    if model is not None:
        raise ConfigError(f"Target({at!r}): the model is given already; leave model= out")
    return HttpProvider(service, base_url=base_url, api_key=api_key, headers=headers), rest, at


def _given(provider: object, model: str | None, others: tuple[object, ...]) -> tuple[Provider, str, str]:
    if isinstance(provider, type) or not isinstance(provider, Provider):
        raise ConfigError(f"Target({provider!r}): not a text and not a provider (name, where, check(), send())")
    if any(other is not None for other in others):
        raise ConfigError("Target(provider): base_url, api_key and headers belong to the provider object")
    model = model or provider.name
    return provider, model, f"{provider.name}/{model}" if model != provider.name else model
