"""The routing tree: targets, and the nodes that choose among them."""

from aigw.routing.balance import Balance
from aigw.routing.fallback import Fallback
from aigw.routing.node import Node
from aigw.routing.target import Target

__all__ = ["Balance", "Fallback", "Node", "Target"]
