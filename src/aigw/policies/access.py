"""`Access`: who may ask for what, and which targets may serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from aigw.access.features import features
from aigw.access.role import Role
from aigw.call import Fence, Principal, fits
from aigw.checks import text
from aigw.errors import AccessDenied, AigwError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import Reply

Verify = Callable[[str], Any]
Classify = Callable[["Call"], Iterable[str] | str | None]


class Access:
    """Lets principals do what their roles allow, and nothing else.

    A principal comes from the ``principal`` argument, from `aigw.context`, or from a credential (``token=``, or the key
    that an SDK was given) that `verify` knows. Rights of several roles add up. What a role allows is asked for twice:
    here, before anything else happens, and at every target, before anything is sent, so that no fallback and no detour
    leads around it.

    Args:
        roles: what each role may do.
        default: role of principals that have none, and of calls without a principal; by default these are denied.
        verify: makes a `Principal` of a credential, or raises an error: `VirtualKeys.verify`, or a function of your
            own, such as one that checks a JWT; for `AsyncGateway` also a coroutine function. With it a call must show a
            credential, unless its principal was given by the application.
        data: the tags that a target must have for each class of data: ``{"confidential": "private"}``. A call's tags
            name its classes.
        classify: tells of a call which further classes of data it has, from its content.
        name: its name in the trace and in errors.
        shadow: write into the trace what would have happened, but deny nothing.

    Raises:
        ConfigError: an argument makes no sense.
        AccessDenied: (from a call) the principal may not do this; ``scope`` names it.
    """

    def __init__(
        self,
        roles: Mapping[str, Role],
        *,
        default: str | None = None,
        verify: Verify | None = None,
        data: Mapping[str, Iterable[str] | str] | None = None,
        classify: Classify | None = None,
        name: str | None = None,
        shadow: bool = False,
    ) -> None:
        given: Any = roles
        if not isinstance(given, Mapping) or not all(isinstance(role, Role) for role in given.values()):
            raise ConfigError(f"Access(roles) must be a mapping from names to Role objects, not {roles!r}")
        if default is not None and default not in roles:
            raise ConfigError(f"Access(default): there is no role {default!r}; there are {', '.join(map(repr, roles))}")
        for argument, function in (("verify", verify), ("classify", classify)):
            if function is not None and not callable(function):
                raise ConfigError(f"Access({argument}) must be a function, not {function!r}")
        self.name = text("Access(name)", "Access" if name is None else name)
        self.roles = dict(roles)
        self.default = default
        self.verify = verify
        self.classify = classify
        self.shadow = shadow
        self.data = {kind: frozenset((tags,) if isinstance(tags, str) else tags) for kind, tags in (data or {}).items()}
        why = "what a call may do is decided before anything is counted, kept or looked at for it"
        self.outside = dict.fromkeys(("Guard", "Cache", "Coalesce", "Budget", "RateLimit", "Queue", "Retry"), why)
        unknown = {kind for role in roles.values() for kind in role.data} - {*self.data, "*"}
        if unknown:
            raise ConfigError(f"Access(data) does not know the class {min(unknown)!r}, which a role may handle")

    def __repr__(self) -> str:
        return f"Access({', '.join(self.roles)})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Decide, and go on with a fence around the targets that may serve the call."""
        try:
            call = await self._identified(call)
            allowed = self._allowed(call, await self._classes(call))
        except AccessDenied as error:
            error.policy = self.name
            call.note(self.name, "would deny" if self.shadow else "denied", str(error))
            if not self.shadow:
                raise
            return await inner(call)
        if self.shadow:
            return await inner(call)
        return await inner(allowed)

    async def _identified(self, call: Call) -> Call:
        """Find out who asks."""
        if self.verify is None or (call.token is None and call.principal is not None):
            return call
        if call.token is None:
            raise AccessDenied("nobody said who asks, and no credential was shown")
        try:
            principal = await call.ports.resolve(partial(self.verify, call.token))
        except AigwError:
            raise
        except Exception as error:  # whatever it is, nobody has been identified
            raise AccessDenied(f"the credential was not accepted ({type(error).__name__})") from error
        if not isinstance(principal, Principal):
            raise AccessDenied("the credential was not accepted")
        if call.trace is not None:
            # Usage and audit records are written by whoever began the call, with the call as it was.
            call.trace.principal = principal
        return call.evolve(principal=principal)

    async def _classes(self, call: Call) -> frozenset[str]:
        """Tell which classes of data a call has."""
        classes = frozenset(kind for kind in self.data if kind in call.tags)
        if self.classify is None:
            return classes
        try:
            told = await call.ports.resolve(partial(self.classify, call))
        except AigwError:
            raise
        except Exception as error:  # whatever it is, nobody knows what the data are
            raise AccessDenied(f"the data could not be classified ({type(error).__name__})") from error
        found = frozenset((told,) if isinstance(told, str) else told or ())
        if found - set(self.data):
            raise AccessDenied(f"no rule says where data of the class {min(found - set(self.data))!r} may go")
        return classes | found

    def _allowed(self, call: Call, classes: frozenset[str]) -> Call:
        """Return the call as it may go on.

        Raises:
            AccessDenied: it may not.
        """
        who, roles = self._roles(call)
        objection = next(_objections(call, classes, roles), None)
        if objection is not None:
            raise AccessDenied(f"{who} may not {objection}", scope=who)
        tags = frozenset[str]().union(*(self.data[kind] for kind in classes))
        fence = Fence(
            tags,
            tuple(dict.fromkeys(pattern for role in roles for pattern in role.routes)),
            tuple(dict.fromkeys(pattern for role in roles for pattern in role.models)),
            call.fence,
        )
        call.note(self.name, "allowed", f"{who}, data {', '.join(sorted(classes))}" if classes else who)
        most = _most_tokens(roles)
        if most is not None and call.max_tokens is None and call.operation == "chat":
            call = call.evolve(max_tokens=most)
        return call.evolve(fence=fence)

    def _roles(self, call: Call) -> tuple[str, Sequence[Role]]:
        """Name who asks, and tell the roles."""
        principal = call.principal
        who = f"principal {principal.id}" if principal is not None else "a call without a principal"
        names = sorted(principal.roles & set(self.roles)) if principal is not None else []
        if not names and self.default is not None:
            names = [self.default]
        if not names:
            raise AccessDenied(f"{who} has no role", scope=who)
        return who, [self.roles[name] for name in names]


def _objections(call: Call, classes: frozenset[str], roles: Sequence[Role]) -> Iterator[str]:
    """Tell what a call may not do, in words that follow ``may not``; nothing if it may."""
    asked = call.route or call.model
    wanted = [("routes", asked, f"use route {asked!r}")]
    wanted += [("features", feature, f"make use of {feature}") for feature in sorted(features(call))]
    wanted += [("tools", tool.name, f"bring the tool {tool.name!r}") for tool in call.tools]
    wanted += [("priorities", call.priority, f"have the priority {call.priority}")]
    wanted += [("data", kind, f"handle data of the class {kind!r}") for kind in sorted(classes)]
    for right, name, words in wanted:
        if not any(fits(name, getattr(role, right)) for role in roles):
            yield words
    most = _most_tokens(roles)
    if most is not None and (call.max_tokens or 0) > most:
        yield f"ask for {call.max_tokens:,} tokens of output (at most {most:,})"


def _most_tokens(roles: Sequence[Role]) -> int | None:
    """Return the output tokens that one of the roles allows; ``None`` for any number."""
    limits = [role.max_tokens for role in roles if role.max_tokens is not None]
    return max(limits) if len(limits) == len(roles) else None
