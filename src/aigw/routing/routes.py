"""`Routes`: from the name that a caller gives to the endpoint that serves it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from aigw.errors import ConfigError
from aigw.pipeline import as_policies, check_order, describe, stack
from aigw.routing.target import Target, as_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.policy import Next, Policy
    from aigw.routing.node import Node

MOST_DIRECT = 256
"""Targets named by the caller as ``provider/model`` that are kept; the least used is dropped beyond it."""


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
        self._endpoints: dict[str, Next] = {}
        for name, given in (routes or {}).items():
            if not name or not isinstance(name, str):
                raise ConfigError(f"Gateway(routes): {name!r} is not a name")
            node = as_node(given, f"routes[{name!r}]")
            self._check(name, node)
            self.nodes[name] = node
            self._endpoints[name] = stack(self.policies, node)
        self._direct: OrderedDict[str, tuple[Node, Next]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, model: str) -> tuple[str, Next]:
        """Return the name of the route and its endpoint.

        Args:
            model: a route, ``provider/model``, or nothing where it is clear what is meant.

        Raises:
            ConfigError: there is no such route; names those that there are.
        """
        endpoint = self._endpoints.get(model)
        if endpoint is not None:
            return model, endpoint
        if not model:
            model = self._only()
            return model, self._endpoints[model]
        return model, self._direct_to(model)[1]

    def node(self, model: str) -> tuple[str, Node]:
        """Return the name of the route and its node; see `find`."""
        model = model or self._only()
        return model, self.nodes[model] if model in self.nodes else self._direct_to(model)[0]

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

    def _direct_to(self, model: str) -> tuple[Node, Next]:
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
        made = (node, stack(self.policies, node))
        with self._lock:
            self._direct[model] = made
            if len(self._direct) > MOST_DIRECT:
                self._direct.popitem(last=False)
        return made

    def around(self, name: str, node: Node) -> Next:
        """Put the gateway's policies around a node.

        Args:
            name: what to call it in errors.
            node: the node.

        Raises:
            ConfigError: the order of the policies on a way to a target is wrong.
        """
        self._check_order(name, node)
        return stack(self.policies, node)

    def _check_order(self, name: str, node: Node) -> None:
        for way, policies in node.paths(self.policies):
            check_order(policies, f"{name}, {way}")

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
