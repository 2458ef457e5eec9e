"""AWS Bedrock: the models behind its Converse API.

The region comes from ``region=``, from the model if that is an ARN, or from ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.
With ``api_key=`` or ``AWS_BEARER_TOKEN_BEDROCK`` requests show a Bedrock API key; else they are signed with the
credentials that botocore finds (the extra ``aigw[bedrock]``).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aigw.errors import ConfigError
from aigw.providers.auth import BEARER, KeyAuth, Shown
from aigw.providers.aws_auth import SigV4Auth
from aigw.providers.http import HttpProvider
from aigw.providers.service import Settings, chosen_wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Operation
    from aigw.errors import ProviderError
    from aigw.providers.auth import Auth, Unsigned
    from aigw.providers.format import Format
    from aigw.providers.service import Service

KEY: Final = "AWS_BEARER_TOKEN_BEDROCK"
REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
ENDPOINTS: Final = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL")
"""Environment variables of the AWS SDKs for another base URL."""

SIGNING_NAME: Final = "bedrock"

_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_ARN: Final = re.compile(rf"arn:aws[a-z-]*:bedrock:({_REGION.pattern}):")
_SUFFIXES: Final = (
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("", "amazonaws.com"),
)
"""How the host names of a region end, by how the name of the region begins."""


@dataclass(frozen=True, slots=True)
class BedrockService:
    """The row of AWS Bedrock."""

    name: str = "bedrock"
    base_url: str = "https://bedrock-runtime.{AWS_REGION}.amazonaws.com"
    key_env: tuple[str, ...] = (KEY,)
    wires: tuple[str, ...] = ("bedrock_converse",)

    def connect(self, settings: Settings, model: str) -> HttpProvider:
        """Make the provider object of a target; see `aigw.providers.service.Service`."""
        chosen_wire(self, settings)
        base_url, auth = reached(self, settings, model)
        return HttpProvider(
            self.name,
            base_url,
            self._format,
            auth,
            headers=settings.headers,
            strict=settings.strict,
            tls=settings.tls,
        )

    def _format(self, operation: Operation) -> Format | None:
        if operation != "chat":
            return None
        from aigw.providers.wires import chat_format
        from aigw.wire import bedrock_converse

        return chat_format(bedrock_converse, self.name, {}, path=_path)


class BedrockAuth:
    """The API key of the environment, if one is set at the moment; else signatures.

    Args:
        provider: name of the provider, for errors.
        region: where it runs; empty where that is not known.
        headers: headers that a target adds to every request.
    """

    def __init__(self, provider: str, region: str, headers: Mapping[str, str]) -> None:
        self._provider = provider
        self._region = region
        self._key = KeyAuth(provider, env=(KEY,), header=BEARER)
        given = {name.lower(): value for name, value in headers.items()}
        to_sign = {name: value for name, value in given.items() if name == "content-type" or name.startswith("x-amz")}
        self._signature = SigV4Auth(provider, SIGNING_NAME, region, {"content-type": "application/json", **to_sign})

    def check(self) -> None:
        """Look for a key, or for what it takes to sign; see `aigw.providers.auth.Auth`."""
        if not os.environ.get(KEY):
            self._check_region()
            self._signature.check()

    async def show(self, request: Unsigned) -> Shown:
        """Show the key or sign; see `aigw.providers.auth.Auth`."""
        if os.environ.get(KEY):
            return await self._key.show(request)
        self._check_region()
        return await self._signature.show(request)

    def refused(self, tried: Sequence[int], error: ProviderError, now: float) -> bool:
        """Hear that an attempt was refused; see `aigw.providers.auth.Auth`."""
        return self._signature.refused(tried, error, now)

    def _check_region(self) -> None:
        if not self._region:
            raise ConfigError(
                f"{self._provider}: a signature names the region; give region=, or set the environment variable "
                f"{REGIONS[0]}"
            )


def reached(service: Service, settings: Settings, model: str) -> tuple[str, Auth]:
    """Return where a target of Bedrock is, and what shows there who asks.

    Args:
        service: its row of the table.
        settings: what the target says.
        model: the model or guardrail, which may name the region.

    Raises:
        ConfigError: a setting does not fit, or there is no region.
    """
    if settings.api_version is not None:
        raise ConfigError(f"{service.name} has no api_version; leave it out")
    region = _region(settings, model)
    base_url = settings.base_url or next(filter(None, map(os.environ.get, ENDPOINTS)), None)
    if base_url is None:
        if not region:
            raise ConfigError(f"{service.name}: give region=, or set the environment variable {REGIONS[0]}")
        base_url = _endpoint(region)
    if settings.api_key is not None:
        return base_url, KeyAuth(service.name, settings.api_key, header=BEARER)
    return base_url, BedrockAuth(service.name, region, settings.headers)


def _region(settings: Settings, model: str) -> str:
    named = _ARN.match(model)
    given = (settings.region, named and named[1], *map(os.environ.get, REGIONS))
    region = next(filter(None, given), "")
    if region and not _REGION.fullmatch(region):
        raise ConfigError(f"{region!r} is not the name of an AWS region, such as eu-west-1")
    return region


def _endpoint(region: str) -> str:
    suffix = next(suffix for prefix, suffix in _SUFFIXES if region.startswith(prefix))
    return f"https://bedrock-runtime.{region}.{suffix}"


def _path(model: str, stream: bool) -> str:  # noqa: FBT001  (the signature of Format.path)
    return f"/model/{quote(model, safe='')}/converse{'-stream' if stream else ''}"
