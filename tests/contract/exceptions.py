"""What holds not everywhere, and why. Everything that is not in these tables holds at every endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from contract.wishes import Outcome

if TYPE_CHECKING:
    import pytest

    from contract.endpoints import Endpoint

SAID, EMULATED, CHANGED, LEFT_OUT, REFUSED = Outcome


@dataclass(frozen=True)
class Known:
    """A bug that is known, and the tests that find it.

    Args:
        what: what is wrong.
        test: name of the test.
        having: what its parameters have in their ids, all of it.
    """

    what: str
    test: str
    having: tuple[str, ...] = ()

    def finds(self, item: pytest.Item) -> bool:
        """Tell whether a test is one of those that find it."""
        name, _, parameters = item.name.partition("[")
        return name == self.test and all(part in parameters for part in self.having)


_FAILURE = "test_a_failure_before_an_answer"
_HEARD = "test_what_nobody_has_heard_of"

KNOWN: tuple[Known, ...] = ()
"""Bugs that are known; their tests must fail until they are fixed."""


class Exceptional(NamedTuple):
    """What becomes of a wish where it is not simply said.

    Args:
        outcome: what becomes of it.
        why: why.
    """

    outcome: Outcome
    why: str


_Table = Mapping[str, Exceptional]

_SEED: _Table = {"seed": Exceptional(LEFT_OUT, "there is no field for it")}
_NAME: _Table = {"a name": Exceptional(LEFT_OUT, "messages have no names")}
_ONE: _Table = {"several answers": Exceptional(REFUSED, "it gives one answer")}
_NO_PARALLEL: _Table = {"one call at a time": Exceptional(LEFT_OUT, "there is no field for it")}
_STOPS: _Table = {"many stop texts": Exceptional(LEFT_OUT, "it takes four or five")}
_NO_FILES: _Table = {"a file": Exceptional(REFUSED, "it takes no files")}
_LATE: _Table = {"a late instruction": Exceptional(EMULATED, "instructions stand before the conversation")}
_WORDS: _Table = {"a failed tool": Exceptional(EMULATED, "there is no field for it, but there are words")}
_TOOL_IMAGE: _Table = {"an image in a result": Exceptional(REFUSED, "results are texts")}
_ONLY_TOOL: _Table = {"a forced tool": Exceptional(EMULATED, "it gets that tool alone, and must call one")}
_NO_URLS: _Table = {"an image by its URL": Exceptional(REFUSED, "it fetches nothing")}
_NO_DETAIL: _Table = {"a closer look": Exceptional(LEFT_OUT, "images have no detail")}
_COOL: _Table = {"a high temperature": Exceptional(CHANGED, "temperatures end at 1")}

OF_FORMATS: Mapping[str, _Table] = {
    "openai_chat": {**_WORDS},
    "openai_responses": {
        **_WORDS,
        **_SEED,
        **_NAME,
        **_ONE,
        "stop": Exceptional(LEFT_OUT, "there is no field for it"),
        "many stop texts": Exceptional(LEFT_OUT, "there is no field for it"),
    },
    "anthropic_messages": {**_SEED, **_NAME, **_ONE, **_LATE, **_COOL, **_NO_DETAIL},
    "gemini": {
        **_NAME,
        **_LATE,
        **_STOPS,
        **_NO_PARALLEL,
        "no reasoning": Exceptional(CHANGED, "the newest models think at least a little"),
        "a strict tool": Exceptional(LEFT_OUT, "there is no field for it"),
    },
    "bedrock_converse": {
        **_SEED,
        **_NAME,
        **_ONE,
        **_NO_PARALLEL,
        **_NO_URLS,
        **_NO_DETAIL,
        "a high temperature": Exceptional(LEFT_OUT, "temperatures end at 1"),
        "no tool": Exceptional(EMULATED, "there is no such choice; the tools stay, and an instruction forbids them"),
        "a late instruction": Exceptional(CHANGED, "instructions stand before the conversation"),
        "results without tools": Exceptional(EMULATED, "calls are refused where there are no tools"),
    },
    "cohere_chat": {
        **_WORDS,
        **_NAME,
        **_ONE,
        **_STOPS,
        **_NO_PARALLEL,
        **_NO_FILES,
        **_TOOL_IMAGE,
        **_ONLY_TOOL,
        "a high temperature": Exceptional(LEFT_OUT, "temperatures end at 1"),
        "reasoning": Exceptional(EMULATED, "it knows a number of tokens"),
        "a schema beside tools": Exceptional(EMULATED, "it takes one or the other"),
        "results without tools": Exceptional(EMULATED, "text beside calls stands in their plan"),
    },
}
"""What a wire format cannot say, or says in another way."""

_PLAIN: _Table = {**_TOOL_IMAGE, **_STOPS}
_OLDER: _Table = {**_TOOL_IMAGE, **_NO_FILES}

_CHAT: Mapping[str, _Table] = {
    "openai": _PLAIN,
    "azure": _PLAIN,
    "vertex": _PLAIN,
    "deepseek": {
        **_OLDER,
        **_SEED,
        **_ONE,
        **_NO_PARALLEL,
        "a schema": Exceptional(EMULATED, "it knows that JSON is wanted, and no more"),
        "a schema beside tools": Exceptional(EMULATED, "it knows that JSON is wanted, and no more"),
    },
    "mistral": _NAME,
    "xai": {**_PLAIN, **_NO_FILES},
    "groq": {**_STOPS, **_ONE, **_NO_FILES, **_NAME},
    "together": {**_OLDER, **_NO_PARALLEL},
    "fireworks": _OLDER,
    "openrouter": _STOPS,
    "perplexity": {**_OLDER, **_SEED, **_NAME, **_ONLY_TOOL},
    "huggingface": {**_OLDER, **_NO_PARALLEL},
    "github": {**_PLAIN, **_NO_FILES},
    "cloudflare": _OLDER,
    "ollama": {
        **_OLDER,
        **_ONE,
        **_NO_PARALLEL,
        **_NO_URLS,
        "a forced tool": Exceptional(REFUSED, "it overlooks tool_choice"),
        "any tool": Exceptional(REFUSED, "it overlooks tool_choice"),
        "no tool": Exceptional(EMULATED, "it overlooks tool_choice, and gets no tools"),
    },
    "vllm": _NO_FILES,
    "sglang": _NO_FILES,
    "lmstudio": {**_OLDER, **_NO_URLS, **_ONLY_TOOL},
    "llamacpp": {**_OLDER, **_ONLY_TOOL},
    "openai-compatible": _TOOL_IMAGE,
}
"""In what servers that speak OpenAI chat completions differ from each other."""

AT: Mapping[tuple[str, str], _Table] = {
    **{(provider, "openai_chat"): table for provider, table in _CHAT.items()},
    ("deepseek", "anthropic_messages"): {"a high temperature": Exceptional(SAID, "temperatures end at 2")},
}
"""What one provider cannot say, or can although its format cannot elsewhere."""


def expected(endpoint: Endpoint, wish: str) -> Outcome:
    """Return what must become of a wish at an endpoint."""
    own = AT.get((endpoint.provider, endpoint.wire), {})
    found = own.get(wish) or OF_FORMATS.get(endpoint.wire, {}).get(wish)
    return SAID if found is None else found.outcome
