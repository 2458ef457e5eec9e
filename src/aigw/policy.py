"""The protocol of a policy: all that third parties need in order to write one.

A policy stands around the rest of the stack::

    class Slow:
        outside = {"Retry": "the pause is meant once for each call, not for each attempt"}

        async def handle(self, call: Call, inner: Next) -> Reply:
            await call.clock.sleep(1)               # wait only through what the call carries
            reply = await inner(call)               # once, never, or several times
            reply.when_done(lambda end: print(end.outcome))
            return reply

`inner` raises for every failure before the first output of the answer; what fails later is raised to whoever reads the
reply, and `Reply.when_done` tells of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from aigw.call import Call
from aigw.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

Next = Callable[[Call], Awaitable[Reply]]
"""The rest of the stack."""


@runtime_checkable
class Policy(Protocol):
    """Something that stands around a call.

    A class may also declare where it must stand. Each of these is optional and is looked up by `aigw.pipeline`:

    - ``inside``: mapping from the name of another policy to the reason why this one must stand inside of it;
    - ``outside``: likewise, outside of it;
    - ``alone``: the reason why there must be only one of it on the way to a target;
    - ``detours``: names of the routes that it may send a call to, as ``inner(call.evolve(route=name))``; only a policy
      of the gateway itself can;
    - ``at_target(target)`` and ``at_node(node)``: methods that return the policy to use around a target, or around
      another node of the tree, where that differs; they are called when the node is made;
    - ``availability(now)``: of a policy around a target, the share of its traffic that the target should get, from 0
      (it would refuse now: `Balance` takes others while there are any) to 1;
    - ``headroom(now)``: of a policy around a target, the share of the target's quota that is left, from 0 to 1, or
      ``None`` where it does not know; calls of a batch leave alone what is nearly used up;
    - ``attend(call, inner)``: of a policy around a target, called for each call of a `Balance` before it chooses; it
      may begin something beside the call, with ``call.ports.spawn``, and must not take long;
    - ``close(runtime)``: of a policy around a target, or of the gateway itself, a coroutine function that ends what it
      has begun with these ports; called when the gateway is closed;
    - ``in_pool(pool)``: hands such a policy the `aigw.mechanics.pool.Pool` that the targets of a `Balance` share; it
      asks ``pool.leave()`` before its availability goes to 0 because of failures.

    Names are class names; a subclass answers to the names of its bases as well.
    """

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Serve the call, most often by calling `inner`."""
        ...


def constraints(policy: Policy, kind: str) -> Mapping[str, str]:
    """Read the ``inside`` or ``outside`` of a policy; empty where it declares none."""
    declared: Mapping[str, str] = getattr(policy, kind, {})
    return declared
