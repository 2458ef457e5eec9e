"""Unmodified SDKs go through the gateway: ``OpenAI(http_client=gateway.http_client("openai"))``, without a socket.

A client of ``httpx`` or ``httpx2`` hands its requests to a *transport*. `GatewayTransport` is one that reads them, in
the format of the SDK that made them, serves them through the gateway, and answers in that format again.
"""

from aigw.dropin.context import context
from aigw.dropin.transport import GatewayTransport

__all__ = ["GatewayTransport", "context"]
