"""`Target`: a model at a provider, the leaf of the routing tree."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aigw.errors import ConfigError, NoCapableTarget
from aigw.mechanics.first_chunks import FirstChunks
from aigw.mechanics.score import Standing
from aigw.providers.base import Provider
from aigw.providers.capabilities import UNKNOWN, capabilities_of
from aigw.providers.service import Settings
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.routing.attempt import Running, check_time
from aigw.routing.needs import fitted, left_out, missing
from aigw.routing.node import Node
from aigw.routing.plain import check_plain
from aigw.routing.told import Told
from aigw.stats import TargetStats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from aigw.call import Call
    from aigw.mechanics.pool import Pool
    from aigw.policy import Next, Policy
    from aigw.ports import Runtime, Tls
    from aigw.providers.auth import ApiKey
    from aigw.providers.capabilities import Capabilities
    from aigw.quota import QuotaHint
    from aigw.reply import Reply

    Prices = Callable[[str, str], tuple[Decimal | None, Decimal | None]]
    """US dollars for a million tokens of prompts and of answers, by the names of the provider and the model."""


class Target(Node):
    """A model at a provider.

    ``Target("openai/gpt-5.5")`` names a known provider, ``Target("https://gpu-1:8000/v1", model="llama-3.3-70b")`` any
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
        tls: certificates of its own: a private authority, or a client certificate.
        plain_http: allow a URL without TLS. Needed for all but this machine itself, and refused for public addresses.

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
        tls: Tls | None = None,
        plain_http: bool = False,
    ) -> None:
        settings = Settings(
            base_url, api_key, {} if headers is None else headers, api_version, wire, region, strict, tls
        )
        if isinstance(at, str):
            self.provider, self.model, default_name = _find(at, model, settings)
            check_plain(self.provider.where, allowed=plain_http)
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
        self.standing = Standing()
        """How it is doing: what it is chosen by."""
        self._first_chunks = FirstChunks()
        self._told = Told()
        self.draining = False
        """It takes no new calls, and finishes those that it has."""
        super().__init__(name=name or default_name, weight=weight, policies=policies)
        self._names = (self.name, f"{self.provider.name}/{self.model}")
        self._availabilities: tuple[Callable[[float], float], ...] = self._hooks("availability")
        self._attending: tuple[Callable[[Call, Next], None], ...] = self._hooks("attend")
        self._headrooms: tuple[Callable[[float], float | None], ...] = self._hooks("headroom")

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
        return self.standing.in_flight

    @property
    def pace(self) -> float | None:
        """Seconds for a unit of work; ``None`` where nothing was seen; see `aigw.mechanics.health`."""
        return self.standing.health.pace

    def cost(self, best: float, now: float, priority: str) -> float:
        """Return its score; see `aigw.mechanics.score`."""
        return self.standing.cost(best, now, priority)

    def unhurried(self, best: float, now: float) -> float:
        """Return the pace to expect of the next call, whatever it is doing; see `aigw.mechanics.score`."""
        return self.standing.unhurried(best, now)

    @property
    def window(self) -> int | None:
        """The context window of its model in tokens, where it is known."""
        return self.capabilities.context_window

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

    @property
    def is_watched(self) -> bool:
        """Whether one of its policies wants to `attend`."""
        return bool(self._attending)

    def attend(self, call: Call) -> None:
        """Let its policies see to it, while a call looks for a target."""
        if not self.draining:
            for hook in self._attending:
                hook(call, self._route)

    async def close(self, runtime: Runtime) -> None:
        """Let its policies end what they have begun with these ports."""
        for hook in self._hooks("close"):
            await hook(runtime)

    def availability(self, now: float) -> float:
        """Return the share of its traffic that it should get, from 0 (none) to 1, as its policies tell."""
        hooks = self._availabilities
        if len(hooks) == 1:
            return hooks[0](now)
        return min([share(now) for share in hooks]) if hooks else 1.0

    def headroom(self, now: float) -> float | None:
        """Return the share of its quota that is left, from 0 to 1, where its policies know it."""
        known = [left for hook in self._headrooms if (left := hook(now)) is not None]
        return min(known, default=None)

    def join(self, pool: Pool) -> None:
        """Hand its policies the pool that they ask before they leave it alone."""
        for hook in self._hooks("in_pool"):
            hook(pool)

    def _hooks(self, name: str) -> tuple[Any, ...]:
        """Return the methods of its policies that have this name; see `Policy`."""
        found = [getattr(policy, name, None) for policy in self.policies]
        return tuple([hook for hook in found if hook is not None])

    def lacks(self, call: Call) -> str:
        """Tell what the call needs and the model cannot do; empty if nothing is known to be missing."""
        if self.draining:
            return f"{self.name} is being drained"
        if call.fence is not None and (outside := call.fence.refusal(call.route, self._names, self.tags)):
            return f"{self.name} lacks {outside}"
        lacking = missing(call, self.capabilities)
        if self._strict and self.capabilities is not UNKNOWN:
            lacking += tuple(left_out(call, self.capabilities))
        return f"{self.name} lacks {', '.join(lacking)}" if lacking else ""

    def refusal(self, call: Call) -> str:
        """Tell why this target could not serve the call; empty if it could, as far as is known. Nothing is sent."""
        refusal = getattr(self.provider, "refusal", None)  # not every provider can tell beforehand
        return self.lacks(call) or (refusal(call, self.model) if refusal is not None else "")

    async def _route(self, call: Call) -> Reply:
        if self.capabilities is not UNKNOWN or self.draining or call.fence is not None:
            if lacking := self.lacks(call):
                raise NoCapableTarget(lacking, policy=self.name)
            call = fitted(call, self.capabilities)
        if call.deadline is not None:
            check_time(self, call)
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

    def usual_first_chunk(self, now: float) -> float | None:
        """Return the seconds to the first chunk that half of the streams take; ``None`` where too few were seen."""
        with self._lock:
            return self._first_chunks.usual(now)

    def _placed(self, policy: Policy) -> Policy:
        """Return the form of a policy that it takes around a target."""
        place: Callable[[Target], Policy] | None = getattr(policy, "at_target", None)
        return super()._placed(policy) if place is None else place(self)

    def begin(self) -> int:
        """Count a call in flight; return how many others there are."""
        with self._lock:
            self.standing.in_flight += 1
            return self.standing.in_flight - 1

    def end(self) -> None:
        """Count a call that is over."""
        with self._lock:
            self.standing.in_flight -= 1

    def stats(self, route: str, now: float, price: Prices) -> TargetStats:
        """Tell how it is doing.

        Args:
            route: name of the route.
            now: the time.
            price: tells what a million tokens cost.
        """
        availability, headroom = self.availability(now), self.headroom(now)
        bought, sold = price(self.priced_as, self.model)
        with self._lock:
            health = self.standing.health
            return TargetStats(
                route=route,
                name=self.name,
                in_flight=self.standing.in_flight,
                answers=health.successes,
                failures=health.failures,
                error_rate=health.error_rate,
                pace=health.pace,
                first_chunk=health.first_chunk,
                at_once=self.standing.load.at_once,
                availability=availability,
                headroom=self._told.left(now) if headroom is None else headroom,
                input_price=bought,
                output_price=sold,
                draining=self.draining,
            )

    def told(self, ask: Callable[[], QuotaHint | None], now: float) -> None:
        """Take note of where to ask for what the provider told of its quota."""
        with self._lock:
            self._told.add(ask, now)

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
            self.standing.answered(seconds, others=others, output=output, first=first, now=now)

    def began(self, seconds: float, now: float) -> None:
        """Take note of the time to the first chunk of a stream."""
        with self._lock:
            self._first_chunks.add(seconds, now)

    def failed(self, seconds: float, *, now: float) -> None:
        """Take note of a failure of its own.

        Args:
            seconds: how long it took.
            now: the time.
        """
        with self._lock:
            self.standing.health.failed(now, seconds)

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
            "Target(provider): base_url, api_key, api_version, wire, headers, strict and tls belong to the provider "
            "object"
        )
    model = model or provider.name
    return provider, model, f"{provider.name}/{model}" if model != provider.name else model
