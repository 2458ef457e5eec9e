"""Signatures of AWS (version 4) and the credentials behind them, through botocore (the extra ``aigw[bedrock]``)."""

from __future__ import annotations

import importlib.util
import threading
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import AuthenticationFailed, ConfigError, ProviderError
from aigw.providers.auth import Shown
from aigw.providers.background import in_background

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.providers.auth import Headers, Unsigned

ALGORITHM: Final = "AWS4-HMAC-SHA256"
TIME: Final = "%Y%m%dT%H%M%SZ"

_NO_CREDENTIALS: Final = (
    "no AWS credentials for {name}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or whatever else "
    "botocore reads; or give api_key="
)


class SigV4Auth:
    """Signs requests with the credentials that botocore finds, fetched when they are needed and kept while they last.

    Args:
        provider: name of the provider, for errors.
        service: name of the service in signatures.
        region: where the service runs.
        headers: headers of the request that must be signed too, lower case.
    """

    def __init__(self, provider: str, service: str, region: str, headers: Mapping[str, str]) -> None:
        self._provider = provider
        self._service = service
        self._region = region
        self._headers = dict(headers)
        self._lock = threading.Lock()
        self._credentials: Any = None

    def __repr__(self) -> str:
        return f"SigV4Auth({self._provider!r}, region={self._region!r})"

    def check(self) -> None:
        """Look whether botocore is installed; see `aigw.providers.auth.Auth`."""
        if importlib.util.find_spec("botocore") is None:
            raise ConfigError(
                f'{self._provider} needs the package botocore: pip install "aigw[bedrock]"; or give api_key='
            )

    async def show(self, request: Unsigned) -> Shown:
        """Sign the request; see `aigw.providers.auth.Auth`."""
        credentials = self._credentials
        if credentials is None or _must_be_refreshed(credentials):
            self.check()
            frozen = await in_background(request.call, self._fetched)
        else:
            frozen = credentials.get_frozen_credentials()
        return Shown(self._signed(request, frozen))

    def refused(self, tried: Sequence[int], error: ProviderError, now: float) -> bool:  # noqa: ARG002  (there is one)
        """Look for credentials anew in the next call, if these were refused; see `aigw.providers.auth.Auth`."""
        if isinstance(error, AuthenticationFailed):
            self._credentials = None
        return False

    def _fetched(self) -> Any:
        """Find credentials, or refresh those that have been found. Blocks."""
        from botocore.exceptions import (  # type: ignore[import-untyped]  # it has no types
            BotoCoreError,
            ClientError,
            ProfileNotFound,
        )
        from botocore.session import Session  # type: ignore[import-untyped]  # the same

        try:
            with self._lock:
                credentials = self._credentials
                if credentials is None:
                    credentials = self._credentials = Session().get_credentials()
            if credentials is None:
                raise ConfigError(_NO_CREDENTIALS.format(name=self._provider))
            return credentials.get_frozen_credentials()
        except ProfileNotFound:
            raise ConfigError(f"{self._provider}: AWS_PROFILE names a profile that is not in the AWS files") from None
        except (BotoCoreError, ClientError, RuntimeError) as error:  # the last: what came new had expired, too
            raise AuthenticationFailed(
                f"no AWS credentials could be fetched ({type(error).__name__})", provider=self._provider
            ) from None

    def _signed(self, request: Unsigned, credentials: Any) -> Headers:
        """Return the headers of the signature.

        Made of the public steps of botocore's signer: done in one piece it writes the session token into its log.
        """
        from datetime import UTC, datetime

        from botocore.auth import SigV4Auth as Signer  # type: ignore[import-untyped]  # it has no types
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # the same

        time = datetime.now(UTC).strftime(TIME)
        shown = {"x-amz-date": time}
        if credentials.token:
            shown["x-amz-security-token"] = credentials.token
        signed = AWSRequest("POST", request.url, data=request.body, headers={**self._headers, **shown})
        signed.context["timestamp"] = time
        signer = Signer(credentials, self._service, self._region)
        signature = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
        names = signer.signed_headers(signer.headers_to_sign(signed))
        shown["authorization"] = (
            f"{ALGORITHM} Credential={signer.scope(signed)}, SignedHeaders={names}, Signature={signature}"
        )
        return tuple(shown.items())


def _must_be_refreshed(credentials: Any) -> bool:
    """Whether reading them would fetch new ones, which takes its time; those that never expire need not."""
    expires = getattr(credentials, "refresh_needed", None)
    return bool(expires is not None and expires())
