"""The routing tree: targets, and the nodes that choose among them."""
