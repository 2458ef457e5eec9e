"""A lean chat completions server in a process of its own, so that only the client's CPU is measured."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager

ANSWER = "The sky is blue because air scatters short waves of light more than long ones."
USAGE = {"prompt_tokens": 12, "completion_tokens": 16, "total_tokens": 28}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "m", "system_fingerprint": "fp_1"}


def _whole() -> bytes:
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = json.dumps(HEAD | {"object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
    return _response(b"200 OK", b"application/json", body)


def _burst(count: int = 200) -> bytes:
    deltas = [{"role": "assistant", "content": ""}, *({"content": f"word{i} "} for i in range(count))]
    choices = [[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}] for delta in deltas]
    choices += [[{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}], []]
    events = [HEAD | {"object": "chat.completion.chunk", "choices": choice, "usage": None} for choice in choices]
    events[-1]["usage"] = USAGE
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    return _response(b"200 OK", b"text/event-stream", body)


def _response(status: bytes, kind: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (status, kind, len(body))
    return head + body


class _Server(asyncio.Protocol):
    whole = _whole()
    burst = _burst()
    broken = _response(b"500 Internal Server Error", b"application/json", b'{"error": {"message": "broken"}}')

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if b"/broken/" in head.partition(b"\r\n")[0]:
            return self.broken
        return self.burst if b'"stream":true' in body else self.whole


@contextmanager
def serving():
    """Yield the base URL of a running server."""
    process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Server, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
