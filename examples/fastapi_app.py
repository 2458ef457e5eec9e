"""A gateway in a FastAPI application: who asks is the principal, and a refusal becomes the HTTP status that says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Body, FastAPI, Header, Request, Response
from fastapi.testclient import TestClient

import aigw
from aigw.policy import Next
from aigw.testing import ScriptedProvider


class NotTooOften:
    """Lets nobody ask twice in a row."""

    last: aigw.Principal | None = None

    async def handle(self, call: aigw.Call, inner: Next) -> aigw.Reply:
        """Refuse the second call."""
        if call.principal == self.last:
            raise aigw.RateLimited("let others ask first", policy="NotTooOften", retry_after=60)
        self.last = call.principal
        return await inner(call)


provider = ScriptedProvider("Because of the air.", aigw.AuthenticationFailed("the key is wrong"))
gateway = aigw.Gateway({"smart": aigw.Target(provider, model="any")}, [NotTooOften(), *aigw.standard()]).aio


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close the gateway with the application."""
    async with gateway:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/ask")
async def ask(question: Annotated[str, Body(embed=True)], user: Annotated[str, Header()]) -> str:
    """Answer a question of a user, whom something in front of this has let in."""
    return (await gateway.chat(question, principal=user)).text


@app.exception_handler(aigw.Refused)
@app.exception_handler(aigw.ProviderError)
@app.exception_handler(aigw.AllTargetsFailed)
async def tell(_: Request, error: aigw.Refused | aigw.ProviderError | aigw.AllTargetsFailed) -> Response:
    """Tell a refusal with its own status, and what failed behind the gateway as 502."""
    headers = {} if error.retry_after is None else {"retry-after": f"{error.retry_after:.0f}"}
    return Response(type(error).__name__, error.status if isinstance(error, aigw.Refused) else 502, headers)


with TestClient(app) as client:  # it calls the application in this process: nothing listens
    for user in ("alice", "alice", "bob"):
        response = client.post("/ask", json={"question": "Why is the sky blue?"}, headers={"user": user})
        print(user, response.status_code, response.text, response.headers.get("retry-after", ""))
