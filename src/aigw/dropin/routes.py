"""From the model that an SDK names to a route of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.dropin.failure import Failure, Rejected
from aigw.errors import ConfigError
from aigw.providers.table import SERVICES

if TYPE_CHECKING:
    from aigw.routing.node import Node
    from aigw.routing.routes import Routes


def find_route(routes: Routes, model: str, *, exactly: bool = False) -> tuple[str, Node]:
    """Return the route for a model and its node.

    A route of that name counts first, then ``provider/model``. Any other name is that of a model which the program
    asked for before it had a gateway: it gets the route called ``default``, or the only one.

    Args:
        routes: the routes of the gateway.
        model: the name.
        exactly: it was meant for the gateway, so other names are not taken.

    Raises:
        Rejected: there is no such route.
    """
    service, slash, _ = model.partition("/")
    named = model in routes.nodes or bool(slash and service in SERVICES)
    try:
        name, node, _ = routes.find(model if named or exactly else "")
    except ConfigError as error:
        message = str(error)
    else:
        return name, node
    if not named and not exactly:
        known = ", ".join(map(repr, routes.nodes)) or "none"
        message = f"the model {model!r} is no route of the gateway, and none is called 'default'; the routes: {known}"
    raise Rejected(Failure(404, "not_found", message))


def provider_of(node: Node) -> str | None:
    """Return the provider that all targets of a node have in common."""
    names = {target.provider.name for target in node.targets}
    return names.pop() if len(names) == 1 else None
