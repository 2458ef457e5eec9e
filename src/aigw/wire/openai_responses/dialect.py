"""`Dialect`: what servers that speak OpenAI Responses do differently, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak OpenAI Responses.

    The defaults are OpenAI's own API. Servers for open models want their readable reasoning back::

        Dialect(provider="vllm", reasoning_back=True)

    Args:
        provider: name of the provider, for errors and for the signatures of its reasoning.
        store: what ``store`` says in a call that does not say it itself; ``None`` leaves the field out, for servers
            that refuse it.
        encrypted_reasoning: ask for the signature of reasoning (``include: ["reasoning.encrypted_content"]``).
            ``None`` asks where the call shows that the model reasons, because OpenAI refuses the question for models
            that do not; ``True`` asks always, ``False`` never.
        reasoning_back: send readable reasoning without a signature back to the server as well.
    """

    provider: str = "openai"
    store: bool | None = False
    encrypted_reasoning: bool | None = None
    reasoning_back: bool = False


WIRE: Final = "openai_responses"
"""The name of this format."""

DEFAULT: Final = Dialect()
"""OpenAI's own API; meant wherever no dialect is given."""
