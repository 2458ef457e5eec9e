"""Google's own client, with a server of ours behind it that no socket leads to."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
from google import genai
from google.genai import types

Answer = Callable[[str, dict], httpx2.Response]


class Server:
    """Answers the client, and keeps what it asked.

    Args:
        body: what to answer: JSON, or the bytes of a stream.
        status: the HTTP status.
        vertex: be Vertex AI.
    """

    def __init__(self, body: object, *, status: int = 200, vertex: bool = False) -> None:
        self._body = body
        self._status = status
        self._vertex = vertex
        self.paths: list[str] = []
        self.bodies: list[dict] = []

    def __enter__(self) -> genai.Client:
        http = httpx2.Client(transport=httpx2.MockTransport(self._answer))
        options = types.HttpOptions(httpx_client=http, base_url="http://x", api_version="v1beta")
        self.client = genai.Client(vertexai=self._vertex, api_key="k", http_options=options)
        return self.client

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.paths.append(request.url.raw_path.decode())
        self.bodies.append(json.loads(request.content))
        if isinstance(self._body, bytes):
            return httpx2.Response(self._status, content=self._body, headers={"content-type": "text/event-stream"})
        return httpx2.Response(self._status, json=self._body)
