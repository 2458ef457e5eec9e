"""Vertex AI: Gemini and Claude in a Google Cloud project.

The project comes from ``GOOGLE_CLOUD_PROJECT``, the location from ``region=`` or ``GOOGLE_CLOUD_LOCATION`` (else
``global``). Without ``api_key=`` the application default credentials are used, through google-auth (the extra
``aigw[vertex]``); ``api_key=`` is an access token, a function that returns one, or a key of Vertex's express mode.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from aigw.errors import ConfigError
from aigw.providers.auth import BEARER, KeyAuth
from aigw.providers.format import Format
from aigw.providers.google_auth import GoogleAuth
from aigw.providers.http import HttpProvider
from aigw.providers.service import HttpService, Settings, chosen_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Call, Operation

PROJECT: Final = "GOOGLE_CLOUD_PROJECT"
LOCATION: Final = "GOOGLE_CLOUD_LOCATION"
MULTI_REGIONS: Final = frozenset({"us", "eu"})
TOKEN: Final = "ya29."  # noqa: S105  (how one begins)
"""How an access token begins, which is no key."""

USUAL_VERSION: Final = {"gemini": "v1beta1", "anthropic_messages": "v1", "openai_chat": "v1"}
ANTHROPIC_VERSION: Final = "vertex-2023-10-16"
"""What stands in the body of a request to Claude on Vertex, in place of a header."""


@dataclass(frozen=True, slots=True)
class VertexService:
    """The row of Vertex AI."""

    name: str = "vertex"
    base_url: str = "https://{GOOGLE_CLOUD_LOCATION}-aiplatform.googleapis.com"
    key_env: tuple[str, ...] = ()
    wires: tuple[str, ...] = ("gemini", "anthropic_messages", "openai_chat")

    def connect(self, settings: Settings, model: str) -> HttpProvider:
        """Make the provider object of a target; see `aigw.providers.service.Service`."""
        wire = _usual_wire(model) if settings.wire is None else chosen_wire(self, settings)
        location = settings.region or os.environ.get(LOCATION) or "global"
        project = os.environ.get(PROJECT)
        is_express = isinstance(settings.api_key, str) and not settings.api_key.startswith(TOKEN)
        if not project and not is_express:
            raise ConfigError(f"vertex: set the environment variable {PROJECT} to the id of the project")
        place = "" if is_express else f"/projects/{project}/locations/{location}"
        return HttpProvider(
            self.name,
            settings.base_url or _endpoint(location),
            lambda operation: _format(operation, wire, model, f"/{settings.api_version or USUAL_VERSION[wire]}{place}"),
            GoogleAuth() if settings.api_key is None else _key_auth(settings, is_express=is_express),
            headers=settings.headers,
            strict=settings.strict,
            tls=settings.tls,
        )


def _usual_wire(model: str) -> str:
    """Return the format that a model speaks: Claude's, OpenAI's for models of other publishers, else Google's."""
    if model.startswith("claude"):
        return "anthropic_messages"
    return "openai_chat" if "/" in model else "gemini"


def _key_auth(settings: Settings, *, is_express: bool) -> KeyAuth:
    return KeyAuth("vertex", settings.api_key, header=("x-goog-api-key", "") if is_express else BEARER)


def _endpoint(location: str) -> str:
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _format(operation: Operation, wire: str, model: str, place: str) -> Format | None:
    """Take the other providers' formats, and put them where Vertex has them."""
    if operation == "embeddings":
        return _embeddings(model, place)
    own = HttpService("vertex", "").format(operation, wire, None)
    if own is None or wire == "openai_chat":
        return own and replace(own, path=lambda _model, _stream: f"{place}/endpoints/openapi/chat/completions")
    if wire == "gemini":
        path = _path(f"{place}/publishers/google", "generateContent", "streamGenerateContent?alt=sse")
        return replace(own, path=path, key_header=BEARER)
    path = _path(f"{place}/publishers/anthropic", "rawPredict", "streamRawPredict")
    return replace(own, path=path, render=_without_model(own), headers=(), key_header=BEARER)


def _embeddings(model: str, place: str) -> Format:
    """Make the format of embeddings, which was another one before Gemini's own models for it."""
    from aigw.wire.gemini import classify, embeddings, predict

    newer = "gemini" in model
    method = "batchEmbedContents" if newer else "predict"
    render = partial(embeddings.render_request, nested=True) if newer else predict.render_request
    return Format(
        wire="gemini_embeddings" if newer else "vertex_embeddings",
        path=_path(f"{place}/publishers/google", method, method),
        render=lambda call, model, strict: render(call, model, strict=strict),
        parse=partial(embeddings.parse_response if newer else predict.parse_response, provider="vertex"),
        classify=classify,
    )


def _path(prefix: str, method: str, stream_method: str) -> Callable[[str, bool], str]:
    def path(model: str, stream: bool) -> str:  # noqa: FBT001  (the signature of Format.path)
        return f"{prefix}/models/{quote(model, safe='@')}:{stream_method if stream else method}"

    return path


def _without_model(own: Format) -> Callable[[Call, str, bool | None], dict[str, Any]]:
    def render(call: Call, model: str, strict: bool | None) -> dict[str, Any]:  # noqa: FBT001  (as Format.render)
        body = own.render(call, model, strict)
        body.pop("model", None)
        return {"anthropic_version": ANTHROPIC_VERSION, **body}

    return render
