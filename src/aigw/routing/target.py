"""`Target`: a model at a provider, the leaf of the routing tree."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aigw.errors import ConfigError, NoCapableTarget
from aigw.mechanics.health import Health
from aigw.mechanics.load import Load
from aigw.providers.base import Provider
from aigw.providers.capabilities import UNKNOWN, capabilities_of
from aigw.providers.service import Settings
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.routing.attempt import Running
from aigw.routing.needs import fitted, left_out, missing
from aigw.routing.node import Node
from aigw.stats import TargetStats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aigw.call import Call
    from aigw.mechanics.pool import Pool
    from aigw.policy import Policy
    from aigw.providers.auth import ApiKey
    from aigw.providers.capabilities import Capabilities
    from aigw.reply import Reply


class Target(Node):
    """A model at a provider.

    ``Target("openai/gpt-5.5")`` names a known provider, ``Target("http://gpu-1:8000/v1", model="llama-3.3-70b")`` any
    server that speaks OpenAI's format, and ``Target(provider, model=…)`` takes a provider object.

    Args:
        at: ``provider/model``, a base URL, or a `Provider`.
        model: the model's name there; part of `at` in the first form.
        name: its name in traces and errors; ``provider/model`` by default. Must be unique in a route.
        weight: its share in a `Balance`; with 0 it is used only when the others have failed.
        region: where it runs; becomes part of the name and a tag, and chooses the endpoint of Bedrock and Vertex.
        tags: labels that routing may ask for.
        policies: policies around this target alone, outermost first. What they refuse counts as the target's failure.
        api_key: a key, a function (also a coroutine function) that is asked for one before each attempt, or a list of
            these, which take turns. By default the environment variable of the provider is read.
        base_url: replaces the provider's own; means what it means in the provider's official SDK.
        api_version: version of the API, where there are several: ``"v1beta"`` of Gemini, a date of Azure or Anthropic.
        wire: the wire format, where the provider or server speaks several: ``openai_chat``, ``openai_responses``,
            ``anthropic_messages``, ``gemini``, ``bedrock_converse``, ``cohere_chat``.
        headers: more headers for every request.
        capabilities: what the model can do, where the built-in data does not know it or is wrong, such as
            ``{"vision": True, "context_window": 32_000}``. A call that needs more is not sent here.
        strict: what becomes of things that the wire format cannot say. By default content that would be lost is
            refused, and parameters that only tune the answer are left out, with a note in the trace. ``True`` refuses
            both, ``False`` leaves out both.

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
        api_version: str | None = None,
        wire: str | None = None,
        headers: Mapping[str, str] | None = None,
        capabilities: Capabilities | Mapping[str, Any] | None = None,
        strict: bool | None = None,
    ) -> None:
        settings = Settings(base_url, api_key, {} if headers is None else headers, api_version, wire, region, strict)
        if isinstance(at, str):
            self.provider, self.model, default_name = _find(at, model, settings)
        else:
            self.provider, self.model, default_name = _given(at, model, replace(settings, region=None))
        known = capabilities_of(self.provider.name, self.model)
        try:
            self.capabilities = known if capabilities is None else known.with_(capabilities)
        except ConfigError as error:
            raise ConfigError(f"Target({default_name!r}): {error}") from None
        self._strict = bool(strict)
        if region:
            default_name = f"{default_name}@{region}"
        self.region = region
        self.tags = frozenset((tags,) if isinstance(tags, str) else tags) | (
            frozenset((region,)) if region else frozenset()
        )
        self._lock = threading.Lock()
        self._in_flight = 0
        self.draining = False
        """It takes no new calls, and finishes those that it has."""
        self.health = Health()
        self._load = Load()
        super().__init__(name=name or default_name, weight=weight, policies=policies)
        hooks = (getattr(policy, "availability", None) for policy in self.policies)
        self._availabilities: tuple[Callable[[float], float], ...] = tuple(hook for hook in hooks if hook is not None)

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

    @property
    def pace(self) -> float | None:
        """Seconds for a unit of work; ``None`` where nothing was seen; see `aigw.mechanics.health`."""
        return self.health.pace

    @property
    def at_once(self) -> float:
        """Calls that it serves at once without slowing down; see `aigw.mechanics.load`."""
        return self._load.at_once

    def expected_pace(self, now: float, best: float | None, *, idle: bool) -> float:
        """Return the pace to expect of the next call; see `Health.expected_pace`."""
        return self.health.expected_pace(now, best, idle=idle)

    @property
    def priced_as(self) -> str:
        """Name of the provider whose prices it has; empty where only the model tells."""
        name: str = getattr(self.provider, "priced_as", self.provider.name)
        return name

    def is_fresh(self, avoid: frozenset[str]) -> bool:
        """Tell whether this call has not failed here."""
        return self.name not in avoid

    @property
    def may_be_ejected(self) -> bool:
        """Whether one of its policies tells an availability."""
        return bool(self._availabilities)

    def availability(self, now: float) -> float:
        """Return the share of its traffic that it should get, from 0 (none) to 1, as its policies tell."""
        return min((share(now) for share in self._availabilities), default=1.0)

    def share(self, now: float) -> float:
        """Return its weight as it counts now: less while a `Breaker` lets it recover."""
        return self.weight * self.availability(now) if self._availabilities else self.weight

    def ejected(self, now: float) -> bool:
        """Tell whether its policies would refuse a call now."""
        return bool(self._availabilities) and self.availability(now) <= 0

    def join(self, pool: Pool) -> None:
        """Hand its policies the pool that they ask before they leave it alone."""
        for policy in self.policies:
            hook: Callable[[Pool], None] | None = getattr(policy, "in_pool", None)
            if hook is not None:
                hook(pool)

    def lacks(self, call: Call) -> str:
        """Tell what the call needs and the model cannot do; empty if nothing is known to be missing."""
        if self.draining:
            return f"{self.name} is being drained"
        lacking = missing(call, self.capabilities)
        if self._strict and self.capabilities is not UNKNOWN:
            lacking += tuple(left_out(call, self.capabilities))
        return f"{self.name} lacks {', '.join(lacking)}" if lacking else ""

    def refusal(self, call: Call) -> str:
        """Tell why this target could not serve the call; empty if it could, as far as is known. Nothing is sent."""
        refusal = getattr(self.provider, "refusal", None)  # not every provider can tell beforehand
        return self.lacks(call) or (refusal(call, self.model) if refusal is not None else "")

    async def _route(self, call: Call) -> Reply:
        if self.capabilities is not UNKNOWN or self.draining:
            if lacking := self.lacks(call):
                raise NoCapableTarget(lacking, policy=self.name)
            call = fitted(call, self.capabilities)
        if call.asked is not None:
            call.asked.append(self.name)
        attempt = Running(self, call)
        try:
            reply = await self.provider.send(call, self.model)
        except BaseException as error:  # a cancelled attempt is over as well, and is counted and written down
            attempt.fail(error)
            raise
        if call.opened is not None:
            call.opened.append(reply)
        attempt.reply = reply
        reply.when_committed(attempt.commit)
        reply.when_done(attempt.done)
        await reply.prime(whole=not call.stream)
        return reply

    def _placed(self, policy: Policy) -> Policy:
        """Return the form of a policy that it takes around a target."""
        place: Callable[[Target], Policy] | None = getattr(policy, "at_target", None)
        return super()._placed(policy) if place is None else place(self)

    def begin(self) -> int:
        """Count a call in flight; return how many others there are."""
        with self._lock:
            self._in_flight += 1
            return self._in_flight - 1

    def end(self) -> None:
        """Count a call that is over."""
        with self._lock:
            self._in_flight -= 1

    def stats(self, route: str, now: float) -> TargetStats:
        """Tell how it is doing."""
        with self._lock:
            return TargetStats(
                route,
                self.name,
                self._in_flight,
                self.health.successes,
                self.health.failures,
                self.health.error_rate,
                self.health.pace,
                self.health.first_chunk,
                self._load.at_once,
                self.availability(now),
                self.draining,
            )

    def answered(self, seconds: float, *, others: int, output: int, first: float | None, now: float) -> None:
        """Take note of an answer.

        Args:
            seconds: how long it took.
            others: calls in flight when it began.
            output: its tokens.
            first: seconds to the first chunk, of a stream.
            now: the time.
        """
        with self._lock:
            self._load.add(others, self.health.succeeded(now, seconds, output, first), now)

    def failed(self, seconds: float, *, now: float) -> None:
        """Take note of a failure of its own.

        Args:
            seconds: how long it took.
            now: the time.
        """
        with self._lock:
            self.health.failed(now, seconds)

    def _line(self) -> str:
        weight = "" if self.weight == 1.0 else f", weight {self.weight:g}"
        return f"{self.name}: {self.model} at {self.provider.where}{weight}"


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


def _find(at: str, model: str | None, settings: Settings) -> tuple[Provider, str, str]:
    if "://" in at:
        return _compatible(at, model, settings)
    service_name, slash, rest = at.partition("/")
    service = SERVICES.get(service_name)
    if service is None or not slash or not rest:
        raise ConfigError(
            f"Target({at!r}): write provider/model, with one of these providers: {', '.join(sorted(SERVICES))}; "
            "or the URL of a server, with model="
        )
    if model is not None:
        raise ConfigError(f"Target({at!r}): the model is given already; leave model= out")
    try:
        return service.connect(settings, rest), rest, at
    except ConfigError as error:
        raise ConfigError(f"Target({at!r}): {error}") from None


def _compatible(url: str, model: str | None, settings: Settings) -> tuple[Provider, str, str]:
    """Make a target of a URL; it speaks OpenAI's format unless it is said to speak another."""
    wire = settings.wire or "openai_chat"
    service = COMPATIBLE.get(wire)
    if service is None:
        raise ConfigError(f"Target(wire={wire!r}): a server may speak one of {', '.join(map(repr, COMPATIBLE))}")
    provider = service.connect(replace(settings, base_url=url, wire=wire), model or "")
    if settings.base_url is not None:
        raise ConfigError(f"Target({url!r}): the URL is given already; leave base_url= out")
    if not model:
        raise ConfigError(f"Target({url!r}): say which model of that server, model=…")
    return provider, model, f"{urlsplit(url).netloc}/{model}"


def _given(provider: object, model: str | None, settings: Settings) -> tuple[Provider, str, str]:
    if isinstance(provider, type) or not isinstance(provider, Provider):
        raise ConfigError(f"Target({provider!r}): not a text and not a provider (name, where, check(), send())")
    if settings != Settings():
        raise ConfigError(
            "Target(provider): base_url, api_key, api_version, wire, headers and strict belong to the provider object"
        )
    model = model or provider.name
    return provider, model, f"{provider.name}/{model}" if model != provider.name else model
