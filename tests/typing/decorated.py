"""Decorated functions keep their signatures for mypy --strict and pyright, and misuses are found.

Nothing here is run. An ignore that is no longer needed is an error of both.
"""

# ruff: noqa: PIE790  (pyright takes a docstring alone for a function that forgets to return)
# mypy: disable-error-code="empty-body"
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import assert_type

import aigw

gateway = aigw.Gateway()


@dataclass
class City:
    """What an answer is read as."""

    name: str


def prompt_of(number: int) -> str:
    """Find the prompt."""
    return str(number)


@gateway.wrap(model="gpt-5.5")
def ask(question: str, *, tone: str = "kind") -> int:
    """Ask."""
    return len(question + tone)


@gateway.aio.wrap(model="openai/gpt-5.5", prompt=prompt_of, usage=lambda _: aigw.Usage(1, 2))
async def wait(number: int) -> City:
    """Wait."""
    return City(str(number))


@gateway.wrap(model="m", name="reader", policies=[aigw.AttemptTimeout(5)], principal="alice", tags=["a"], timeout=5)
def read(question: str) -> Iterator[str]:
    """Read."""
    yield question


@gateway.wrap(model="m")
async def read_async(question: str) -> AsyncIterator[str]:
    """Read."""
    yield question


class Client:
    """Methods."""

    @gateway.wrap(model="m")
    def ask(self, question: str) -> str:
        """Ask."""
        return question

    @gateway.prompt()
    def say(self, topic: str) -> str:
        """Say something about {{ topic }}."""
        ...


@gateway.prompt(model="smart", temperature=0, max_tokens=50)
def classify(review: str, *, strict: bool = False) -> City:
    """Classify {{ review }} {{ strict }}."""
    ...


@gateway.aio.prompt()
async def write(topic: str) -> AsyncIterator[str]:
    """Write about {{ topic }}."""
    ...


def wrapped_functions() -> None:
    """Calls are as before."""
    assert_type(ask("hi", tone="dry"), int)
    assert_type(read("hi"), Iterator[str])
    assert_type(read_async("hi"), AsyncIterator[str])
    assert_type(ask.__wrapped__("hi"), int)
    assert_type(ask.__name__, str)
    assert_type(Client().ask("hi"), str)
    assert_type(Client.ask(Client(), "hi"), str)


async def prompt_functions() -> None:
    """Calls are as their signatures say."""
    assert_type(await wait(5), City)
    assert_type(await wait.__wrapped__(5), City)
    assert_type(classify("fine", strict=True), City)
    assert_type(classify.render("fine"), tuple[aigw.Message, ...])
    assert_type(classify.__wrapped__("fine"), City)
    assert_type(await write("rain"), AsyncIterator[str])
    assert_type(Client().say("rain"), str)
    assert_type(Client.say.render(Client(), "rain"), tuple[aigw.Message, ...])
    async for piece in await write("rain"):
        assert_type(piece, str)


def misuses() -> None:
    """What a type checker finds before the program runs."""
    ask(5)  # type: ignore[arg-type]
    ask("hi", tone=5)  # type: ignore[arg-type]
    ask()  # type: ignore[call-arg]
    Client().ask(5)  # type: ignore[arg-type]
    classify("fine", stict=True)  # type: ignore[call-arg]
    classify.render(5)  # type: ignore[arg-type]
    Client().say()  # type: ignore[call-arg]
    gateway.wrap()  # type: ignore[call-arg]
    gateway.wrap(model="m", temperature=1)  # type: ignore[call-arg]
    gateway.prompt(temprature=1)  # type: ignore[call-arg]
