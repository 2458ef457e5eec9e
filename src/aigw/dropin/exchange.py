"""One request of an SDK: read, served by the gateway, answered. It waits only through ports, so that both faces run it.

Whatever fails before the first byte is an HTTP answer in the shape of the SDK's API, and whatever fails after it an
event of its stream. The only thing that is raised is that the client's own time is over.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from aigw.call import UNSET
from aigw.dropin.context import ROUTE, fields_of
from aigw.dropin.failure import Failure, Rejected, broken, failure_of
from aigw.dropin.family import RaisedError
from aigw.dropin.output import Events, Limit
from aigw.dropin.protocol import EVENTS_TYPE, JSON_TYPE, Answered, Api, Asked, Endpoint, Known, encoded
from aigw.dropin.routes import find_route, provider_of
from aigw.engine import Engine
from aigw.errors import AigwError

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.ports import Clock, Runtime

_GOOGLE: Final = ("x-goog-api-key", "x-goog-api-client")
_METHOD: Final = re.compile(r"/models/.+:[A-Za-z]+$")
_LOG: Final = logging.getLogger("aigw.dropin")
_RETRIES: Final = "x-stainless-retry-count"
"""Where the SDKs of OpenAI and Anthropic tell how often they have sent a request before."""
_NEAREST: Final[dict[int, int]] = {529: 503}
"""What stands for a status where an API does not have it."""
_OF_THE_FORMAT: Final = ("anthropic-beta", "openai-beta")
"""Headers that tell a provider to take more than usual."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Serves the requests of SDKs.

    Args:
        engine: the gateway.
        now: the wall clock, for the time that answers tell.
        passthrough: send what the gateway does not know to the provider.
    """

    engine: Engine
    now: Callable[[], float]
    passthrough: bool = True

    async def serve(self, asked: Asked, runtime: Runtime) -> Answered:
        """Answer a request.

        Raises:
            TimeIsOverError: the client's own time is over.
        """
        api = api_of(asked)
        try:
            return await self._serve(api, asked, runtime)
        except RaisedError:
            raise
        except Rejected as error:
            failure = error.failure
        except AigwError as error:
            failure = failure_of(error)
        except Exception as error:  # noqa: BLE001  (raised, a bug in a policy would make an SDK send the request again)
            _LOG.exception("a call failed in a way that nobody foresaw")
            failure = broken(error)
        return refusal(api, failure)

    async def _serve(self, api: Api, asked: Asked, runtime: Runtime) -> Answered:
        found = api.find(asked)
        if isinstance(found, Endpoint):
            return await self._call(api, found, asked, runtime)
        if isinstance(found, Known):
            return self._tell(found)
        if not self.passthrough:
            raise Rejected(Failure(404, "not_found", f"the gateway does not serve {asked.method} {asked.path}"))
        from aigw.dropin.passthrough import pass_on

        return await pass_on(self.engine.routes, asked, runtime)

    def _tell(self, found: Known) -> Answered:
        told = found.tell(tuple(self.engine.routes.nodes))
        if told is None:
            raise Rejected(Failure(404, "not_found", "the gateway has no route of this name"))
        return Answered(200, dict((JSON_TYPE, *found.headers.items())), encoded(told))

    async def _call(self, api: Api, endpoint: Endpoint, asked: Asked, runtime: Runtime) -> Answered:
        fields = fields_of(asked.headers)
        route = asked.headers.get(ROUTE)
        name, node = find_route(self.engine.routes, route or endpoint.model, exactly=route is not None)
        form = endpoint.bind(provider_of(node))
        headers = {header: asked.headers[header] for header in _OF_THE_FORMAT if header in asked.headers}
        call = form.parse().evolve(model=name, headers=headers, **fields)
        call = bounded(call, asked.read_timeout, runtime.clock)
        limit = Limit(asked.read_timeout, runtime.clock)
        try:
            call, reply = await self.engine.open(call, runtime)
            _look_for_retries(asked, call)
            if call.stream and form.renderer is not None:
                events = Events(call, reply, form, limit, int(self.now()))
                return Answered(200, {**_headers(api, call), **dict([EVENTS_TYPE])}, events, {"aigw.trace": call.trace})
            await self.engine.read_all(call, reply)
        except AigwError as error:
            limit.judge(error)
            raise
        whole = form.whole(reply.delivered, call, int(self.now()))
        return Answered(200, {**_headers(api, call), **dict([JSON_TYPE])}, encoded(whole), {"aigw.trace": call.trace})


def api_of(asked: Asked) -> Api:
    """Tell whose SDK sent a request: the headers that only one of them sends, or else the path."""
    path = asked.path
    if "anthropic-version" in asked.headers or path.endswith(("/v1/messages", "/messages/count_tokens")):
        from aigw.dropin.anthropic import API as ANTHROPIC

        return ANTHROPIC
    if any(name in asked.headers for name in _GOOGLE) or (asked.method == "POST" and _METHOD.search(path)):
        from aigw.dropin.gemini import API as GEMINI

        return GEMINI
    from aigw.dropin.openai import API as OPENAI

    return OPENAI


def _look_for_retries(asked: Asked, call: Call) -> None:
    """Tell of an SDK that sends its requests again, whose retries come on top of the gateway's own.

    They are told not to, so this happens only where the SDK's own time was over.
    """
    count = asked.headers.get(_RETRIES, "0")
    if count != "0" and count.isdecimal():
        call.note("SDK", "retry", f"it has sent this request {int(count) + 1} times; give it max_retries=0")
        _LOG.warning("an SDK sends requests again by itself: give it max_retries=0 and a longer timeout")


def bounded(call: Call, read_timeout: float | None, clock: Clock) -> Call:
    """Hold a call to the time for which its client waits.

    A read timeout is the time between two pieces of an answer. A whole answer is one piece, so it bounds the call. Of a
    stream it bounds each wait. It only ever shortens: SDKs always send one, which would lift a shorter `Deadline`.
    """
    if read_timeout is None:
        return call
    if call.stream:
        known = call.timeouts
        first, between = (_shorter(limit, read_timeout) for limit in (known.first_chunk, known.between_chunks))
        return call.evolve(timeouts=replace(known, first_chunk=first, between_chunks=between))
    if call.timeout is UNSET:
        return call.evolve(deadline=clock.now() + read_timeout)
    return call.evolve(timeout=_shorter(call.timeout, read_timeout))


def refusal(api: Api, failure: Failure) -> Answered:
    """Answer with an error."""
    if failure.status not in api.statuses:
        failure = replace(failure, status=_NEAREST.get(failure.status, failure.status))
    call_id = failure.trace.call_id if failure.trace is not None else ""
    headers = {**dict([JSON_TYPE]), **failure.headers}
    if call_id:
        headers |= {api.id_header: call_id, "x-aigw-call-id": call_id}
    extensions = {"aigw.trace": failure.trace, "aigw.detail": failure.detail}
    return Answered(failure.status, headers, encoded(api.error(failure, call_id)), extensions)


def _headers(api: Api, call: Call) -> dict[str, str]:
    return {api.id_header: call.id, "x-aigw-call-id": call.id}


def _shorter(limit: Any, read_timeout: float) -> float:
    return read_timeout if limit is None else min(limit, read_timeout)
