"""`Dialect`: what servers that speak the OpenAI format do differently, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak OpenAI chat completions.

    The defaults are OpenAI's own API. Many other servers know only the older ``max_tokens``::

        Dialect(provider="vllm", max_tokens="max_tokens")

    Args:
        provider: name of the provider, for errors and as the owner of its reasoning.
        max_tokens: name of the field that bounds the output.
        stream_usage: ask for usage at the end of a stream (``stream_options.include_usage``); off for servers that
            refuse the field or send usage anyhow.
        reasoning_fields: fields of an answer in which readable reasoning may stand; the first one that holds text is
            taken, the others repeat it.
        reasoning_back: how its own reasoning goes back to the server in an assistant message: the name of a field
            (``reasoning_content``), ``"reasoning_details"`` (OpenRouter's list of blocks, unchanged), or ``"content"``
            (Mistral's parts of type ``thinking``). ``None`` leaves it out, because most servers refuse it.
        reasoning_always: every assistant message must have the field of `reasoning_back`, be it empty: DeepSeek refuses
            a conversation with tools that lacks it.
        drops: fields of `Call` that the server has no field for, such as ``seed``. A parameter that tunes is left out
            with a note; several answers and forced tool calls are content.
        seed: name of the field for the seed.
        developer: it knows the role ``developer``; others get ``system``.
        names: it takes the names of speakers (``messages[].name``); others get none.
        schema: how it is told about a JSON schema. With ``json_object`` it only knows that JSON is wanted, and with
            ``text`` nothing: then an instruction holds the schema.
        named_tool: it can be told which tool to call; others get that tool alone and must call one.
        tool_ids: ``alnum9`` for servers that insist on ids of nine letters and digits (Mistral).
        tool_images: it takes images in the results of tools.
        image_urls: it fetches images from the net; others take ``data:`` URLs only.
        files: how documents go out: ``file`` as OpenAI has it (``data:`` URLs and ids), ``url`` the same with URLs of
            any kind (OpenRouter), ``document_url`` (Mistral), ``none`` not at all.
        stop_limit: how many texts may end an answer; ``None`` for as many as one likes.
    """

    provider: str = "openai"
    max_tokens: str = "max_completion_tokens"
    stream_usage: bool = True
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    reasoning_back: str | None = None
    reasoning_always: bool = False
    drops: frozenset[str] = frozenset()
    seed: str = "seed"
    developer: bool = True
    names: bool = True
    schema: Literal["json_schema", "json_object", "text"] = "json_schema"
    named_tool: bool = True
    tool_ids: Literal["any", "alnum9"] = "any"
    tool_images: bool = False
    image_urls: bool = True
    files: Literal["file", "url", "document_url", "none"] = "file"
    stop_limit: int | None = 4


WIRE: Final = "openai_chat"
"""The name of this format."""

DEFAULT: Final = Dialect()
"""OpenAI's own API; meant wherever no dialect is given."""
