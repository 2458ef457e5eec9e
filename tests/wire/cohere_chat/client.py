"""Cohere's own client, with our answers instead of a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cohere
import httpx

if TYPE_CHECKING:
    from types import TracebackType


class Server:
    """Answers every request with one body, and keeps the requests.

    ``with Server(body) as client`` gives the client.

    Args:
        answer: a body, or the bytes of a stream.
        status: the HTTP status.
    """

    def __init__(self, answer: dict[str, Any] | bytes, status: int = 200) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answer = answer
        self._status = status
        self._http = httpx.Client(transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(json.loads(request.content))
        if isinstance(self._answer, bytes):
            return httpx.Response(200, content=self._answer, headers={"content-type": "text/event-stream"})
        return httpx.Response(self._status, json=self._answer)

    def __enter__(self) -> cohere.ClientV2:
        return cohere.ClientV2(api_key="k", httpx_client=self._http)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
