"""`Routes`: from the name that a caller gives to the endpoint that serves it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from aigw.errors import ConfigError
from aigw.pipeline import as_policies, check_order, describe, stack
from aigw.routing.target import Target, as_node

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Sequence

    from aigw.call import Call
    from aigw.policy import Next, Policy
    from aigw.reply import Reply
    from aigw.routing.node import Node

MOST_DIRECT = 256
"""Targets named by the caller as ``provider/model`` that are kept; the least used is dropped beyond it."""


class Route(NamedTuple):
    """A way for calls.

    Args:
        name: its name.
        node: the tree of its targets.
        endpoint: the tree, with the gateway's policies around it.
    """

    name: str
    node: Node
    endpoint: Next


class Routes:
    """The routes of a gateway, each with the gateway's policies around it.

    Args:
        routes: route names and their nodes.
        policies: the gateway's policies, outermost first.

    Raises:
        ConfigError: a name, a node or the order of the policies is wrong, or a key is missing.
    """

    def __init__(self, routes: Mapping[str, Node | str] | None, policies: Sequence[Policy]) -> None:
        self.policies = as_policies(policies, "Gateway")
        if routes is not None and not isinstance(routes, Mapping):
            raise ConfigError(f"Gateway(routes) must map names to targets, not be a {type(routes).__name__}")
        self.nodes: dict[str, Node] = {}
        self._routes: dict[str, Route] = {}
        for name, given in (routes or {}).items():
            if not name or not isinstance(name, str):
                raise ConfigError(f"Gateway(routes): {name!r} is not a name")
            node = as_node(given, f"routes[{name!r}]")
            self._check(name, node)
            self.nodes[name] = node
            self._routes[name] = self._route(name, node)
        self._direct: OrderedDict[str, Route] = OrderedDict()
        self._lock = threading.Lock()
        for policy in self.policies:
            for name in detours(policy):
                self._check_detour(policy, name)

    def find(self, model: str) -> Route:
        """Return a route.

        Args:
            model: a route, ``provider/model``, or nothing where it is clear what is meant.

        Raises:
            ConfigError: there is no such route; names those that there are.
        """
        route = self._routes.get(model)
        if route is not None:
            return route
        return self._direct_to(model) if model else self._routes[self._only()]

    def targets(self, name: str = "") -> Iterator[tuple[str, Target]]:
        """Yield the targets of all routes, each with the name of its route, also those that were named directly.

        Args:
            name: only those with this name.
        """
        with self._lock:
            direct = {route.name: route.node for route in self._direct.values()}
        for route, node in {**direct, **self.nodes}.items():
            for target in node.targets:
                if not name or target.name == name:
                    yield route, target

    def describe(self) -> str:
        """Show the policies and the routing trees, a line for each part."""
        lines = [f"| {line}" for line in describe(self.policies)]
        for name, node in self.nodes.items():
            lines += [f"{name}:", *(f"  {line}" for line in node.describe())]
        return "\n".join(lines)

    def _only(self) -> str:
        if "default" in self.nodes:
            return "default"
        if len(self.nodes) == 1:
            return next(iter(self.nodes))
        raise ConfigError(f"say which model: {self._known()}")

    def _direct_to(self, model: str) -> Route:
        with self._lock:
            known = self._direct.get(model)
            if known is not None:
                self._direct.move_to_end(model)
                return known
        if "/" not in model or "://" in model:
            close = get_close_matches(model, self.nodes, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ConfigError(f"no route is called {model!r}; {hint}{self._known()}")
        node = Target(model)
        self._check(model, node)
        made = self._route(model, node)
        with self._lock:
            self._direct[model] = made
            if len(self._direct) > MOST_DIRECT:
                self._direct.popitem(last=False)
        return made

    def around(self, name: str, node: Node) -> Route:
        """Put the gateway's policies around a node that is not one of its routes.

        Args:
            name: what to call it in errors.
            node: the node.

        Raises:
            ConfigError: the order of the policies on a way to a target is wrong.
        """
        self._check_order(name, node)
        return self._route(name, node)

    def _route(self, name: str, node: Node) -> Route:
        def inmost(call: Call) -> Awaitable[Reply]:
            """Enter the route's tree, or that of the route which a policy has chosen instead."""
            if call.route == name:
                return node(call)
            if call.trace is not None:
                call.trace.route = call.route
            return self.find(call.route).node(call)

        return Route(name, node, stack(self.policies, inmost))

    def _check_order(self, name: str, node: Node) -> None:
        for way, policies in node.paths(self.policies):
            check_order(policies, f"{name}, {way}")
            for policy in policies:
                if detours(policy) and policy not in self.policies:
                    raise ConfigError(
                        f"{name}, {way}: {policy!r} sends calls to another route, which only a policy of the gateway "
                        "can do: put it into Gateway(policies=[...])"
                    )

    def _check_detour(self, policy: Policy, name: str) -> None:
        try:
            self.find(name)
        except ConfigError as error:
            raise ConfigError(f"{policy!r}: {error}") from None

    def _check(self, name: str, node: Node) -> None:
        self._check_order(f"route {name!r}", node)
        for target in node.targets:
            try:
                target.provider.check()
            except ConfigError as error:
                raise ConfigError(f"route {name!r}, target {target.name!r}: {error}") from error

    def _known(self) -> str:
        routes = ", ".join(repr(name) for name in self.nodes)
        return (
            f"the routes are {routes}; or write provider/model"
            if routes
            else "there are no routes; write provider/model"
        )


def detours(policy: Policy) -> Sequence[str]:
    """Name the routes that a policy may send calls to, in place of their own."""
    names: Sequence[str] = getattr(policy, "detours", ())
    return names
