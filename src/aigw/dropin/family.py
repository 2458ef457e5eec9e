"""The two families of HTTP libraries, ``httpx`` and its fork ``httpx2``: the same names, but classes of their own.

A client takes only what is made of the classes of its own family, so everything here is asked of the module that a
request comes from. Neither is imported before it is there already, or an SDK needs it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aigw.errors import ConfigError
from aigw.runtime import drive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.dropin.protocol import Answered, Output

FAMILIES: Final = ("httpx2", "httpx")
"""The families, the one that is taken where nothing tells which first."""

SDKS: Final[Mapping[str, tuple[str, str]]] = {
    "openai": ("openai", "http://aigw.invalid/v1"),
    "anthropic": ("anthropic", "http://aigw.invalid"),
    "gemini": ("google-genai", "http://aigw.invalid"),
}
"""The distribution of each SDK, and a base URL whose host does not exist anywhere."""

TIMEOUT: Final = 600.0
CONNECT: Final = 5.0
"""Seconds that a client waits if nobody says otherwise: as long as SDKs do. These libraries would wait for five."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


class RaisedError(Exception):
    """What is not told with an answer, but raised as an exception of the client's own family."""

    name: ClassVar[str]
    """The exception, which both families have."""


class TimeIsOverError(RaisedError):
    """The client's own time limit is over."""

    name = "ReadTimeout"


class CutError(RaisedError):
    """A body of which the gateway understands nothing was cut: its client must not take it for whole."""

    name = "RemoteProtocolError"


class Family:
    """One of the HTTP libraries.

    Args:
        module: the library.
    """

    def __init__(self, module: Any) -> None:
        self._module = module
        self._bodies = {
            True: type("GatewayBody", (_BlockingBody, module.SyncByteStream), {}),
            False: type("AsyncGatewayBody", (_LoopBody, module.AsyncByteStream), {}),
        }

    def response(self, answered: Answered, request: Any, *, blocking: bool) -> Any:
        """Make a response.

        Args:
            answered: the answer.
            request: the request that it answers.
            blocking: a blocking client reads it.
        """
        body, told = answered.body, {"headers": answered.headers, "extensions": answered.extensions}
        if isinstance(body, bytes):
            return self._module.Response(answered.status, content=body, **told)
        return self._module.Response(answered.status, stream=self._bodies[blocking](self, request, body), **told)

    def exception(self, error: RaisedError, request: Any) -> Exception:
        """Make the exception that a client gets."""
        made: Exception = getattr(self._module, error.name)(str(error), request=request)
        return made

    def client(self, transport: Any, base_url: str, *, blocking: bool) -> Any:
        """Make a client over a transport."""
        make = self._module.Client if blocking else self._module.AsyncClient
        return make(transport=transport, base_url=base_url, timeout=self._module.Timeout(TIMEOUT, connect=CONNECT))


class _Body:
    """A body that a client reads piece by piece; each family has its own subclass."""

    def __init__(self, family: Family, request: Any, output: Output) -> None:
        self._family = family
        self._request = request
        self._output = output


class _BlockingBody(_Body):
    def __iter__(self) -> _BlockingBody:
        return self

    def __next__(self) -> bytes:
        try:
            data = drive(self._output.read())
        except RaisedError as error:
            raise self._family.exception(error, self._request) from error
        if not data:
            raise StopIteration
        return data

    def close(self) -> None:
        drive(self._output.close())


class _LoopBody(_Body):
    def __aiter__(self) -> _LoopBody:
        return self

    async def __anext__(self) -> bytes:
        try:
            data = await self._output.read()
        except RaisedError as error:
            raise self._family.exception(error, self._request) from error
        if not data:
            raise StopAsyncIteration
        return data

    async def aclose(self) -> None:
        await self._output.close()


def family_of(request: Any) -> Family:
    """Return the family that a request was made by.

    Raises:
        TypeError: none that is known.
    """
    for cls in type(request).__mro__:
        name = cls.__module__.partition(".")[0]
        if name in FAMILIES:
            return _family(name)
    raise TypeError(f"a GatewayTransport takes requests of {' or '.join(FAMILIES)}, not of {type(request).__module__}")


def family_for(sdk: str) -> tuple[Family, str]:
    """Return the family that the installed version of an SDK wants, and the base URL for its clients.

    Args:
        sdk: ``openai``, ``anthropic`` or ``gemini``.

    Raises:
        ConfigError: there is no such SDK, or the library that it wants is not installed.
    """
    known = SDKS.get(sdk)
    if known is None:
        raise ConfigError(
            f"http_client({sdk!r}): there are {', '.join(map(repr, SDKS))}; for others see GatewayTransport"
        )
    distribution, base_url = known
    wanted = _wanted_by(distribution)
    name = next((name for name in wanted if importlib.util.find_spec(name) is not None), None)
    if name is None:
        raise ConfigError(f"http_client({sdk!r}) needs {wanted[0]}, which is not installed: pip install {wanted[0]}")
    return _family(name), base_url


def _wanted_by(distribution: str) -> tuple[str, ...]:
    """Return the families that a distribution depends on, extras not counted; both if it says nothing."""
    try:
        lines = importlib.metadata.requires(distribution) or ()
    except importlib.metadata.PackageNotFoundError:
        return FAMILIES
    names = {found[0] for line in lines if "extra ==" not in line and (found := _NAME.match(line))}
    return tuple(name for name in FAMILIES if name in names) or FAMILIES


@cache
def _family(name: str) -> Family:
    return Family(importlib.import_module(name))
