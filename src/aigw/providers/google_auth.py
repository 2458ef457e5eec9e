"""Access tokens of Google Cloud's application default credentials, through google-auth (the extra ``aigw[vertex]``)."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import AuthenticationFailed, ConfigError
from aigw.providers.auth import BEARER, Shown
from aigw.providers.background import in_background

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.errors import ProviderError
    from aigw.providers.auth import Unsigned

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
USUAL_TIMEOUT: Final = 30.0
"""Seconds for one request for a token."""


class GoogleAuth:
    """Access tokens of the application default credentials, fetched when they are needed and kept until they expire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._credentials: Any = None

    def check(self) -> None:
        """Look whether google-auth is installed; see `aigw.providers.auth.Auth`."""
        try:
            found = importlib.util.find_spec("google.auth")
        except ModuleNotFoundError:  # not even the package google
            found = None
        if found is None:
            raise ConfigError('vertex needs the package google-auth: pip install "aigw[vertex]"; or give api_key=')

    async def show(self, request: Unsigned) -> Shown:
        """Make the header of the token; see `aigw.providers.auth.Auth`."""
        credentials = self._credentials
        if credentials is None or not credentials.valid:
            self.check()
            credentials = await in_background(request.call, self._refreshed)
        headers = [(BEARER[0], BEARER[1] + credentials.token)]
        if credentials.quota_project_id:
            headers.append(("x-goog-user-project", credentials.quota_project_id))
        return Shown(tuple(headers))

    def refused(self, tried: Sequence[int], error: ProviderError, now: float) -> bool:  # noqa: ARG002  (there is one)
        """There are no others; see `aigw.providers.auth.Auth`."""
        return False

    def _refreshed(self) -> Any:
        """Fetch a token, unless another thread has just done it. Blocks."""
        from google.auth import default
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

        with self._lock:
            try:
                if self._credentials is None:
                    self._credentials, _ = default(scopes=[SCOPE])
                if not self._credentials.valid:
                    self._credentials.refresh(request)
            except DefaultCredentialsError:
                raise ConfigError(
                    "vertex: there are no application default credentials; run gcloud auth application-default login, "
                    "set GOOGLE_APPLICATION_CREDENTIALS, or give api_key="
                ) from None
            except GoogleAuthError as error:
                raise AuthenticationFailed(
                    f"no access token could be fetched ({type(error).__name__})", provider="vertex"
                ) from None
            return self._credentials


@dataclass(frozen=True, slots=True)
class Response:
    """What google-auth wants to know of an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def request(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **_: Any,
) -> Response:
    """Send a request for google-auth; the signature is that of ``google.auth.transport.Request``.

    With the standard library, because google-auth's own way needs the package ``requests``. Blocks.

    Raises:
        TransportError: no answer came.
    """
    from urllib.error import HTTPError, URLError  # loads TLS and more, which few need this way
    from urllib.request import Request, urlopen

    from google.auth.exceptions import TransportError

    if not url.startswith(("http://", "https://")):
        raise TransportError("a token is fetched over HTTP only")  # type: ignore[no-untyped-call]  # it has no types
    made = Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310  (checked above)
    try:
        with urlopen(made, timeout=timeout or USUAL_TIMEOUT) as answer:  # noqa: S310  (checked above)
            return Response(answer.status, dict(answer.headers), answer.read())
    except HTTPError as error:
        with error:
            return Response(error.code, dict(error.headers), error.read())
    except URLError as error:
        raise TransportError(error.reason) from error  # type: ignore[no-untyped-call]  # it has no types
