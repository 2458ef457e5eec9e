"""`count_tokens`: counting without a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aigw.call import Call
from aigw.errors import ConfigError
from aigw.message import Message, Tool
from aigw.metering.calibration import Calibration
from aigw.metering.counting import count, measure, tokens
from aigw.metering.encodings import ENCODINGS, FACTS
from aigw.metering.models import encoding_of
from aigw.metering.slices import count_text


def count_tokens(
    prompt: str | Message | Mapping[str, Any] | Sequence[Message | Mapping[str, Any]],
    *,
    model: str,
    tools: Sequence[Tool] = (),
) -> int:
    """Count the tokens of a text or of a conversation, offline.

    ::

        count_tokens("Why is the sky blue?", model="gpt-5.5")  # 6
        count_tokens([Message("user", "Why is the sky blue?")], model="gpt-5.5")  # 13

    Exact for texts and models of OpenAI, a guess of 3.5 bytes a token and 10 % more for others; see `encoding_of`. The
    first exact count in a process loads the encoding, which takes about a quarter of a second.

    Args:
        prompt: a text, which is counted as it is; or a message, or messages, also as OpenAI's API writes them, which
            are counted as a prompt, with what a conversation costs besides its text.
        model: the model that the count is for.
        tools: tools that come with the prompt; counted unless it is a text.

    Raises:
        ConfigError: `prompt` is none of these.
        OSError: the table of the encoding is missing.
        ValueError: it was changed.
    """
    name = encoding_of(model)
    encoding = None if name is None else ENCODINGS.load(name)
    if isinstance(prompt, str):
        if encoding is not None:
            return count_text(encoding, prompt)
        return tokens(measure(Call(operation="embeddings", inputs=(prompt,)), model), model, Calibration())
    call = Call(messages=_messages(prompt), tools=tuple(tools))
    found = measure(call, model) if encoding is None else count(call, model, encoding)
    return tokens(found, model, Calibration())


def load_encodings(*names: str) -> None:
    """Load encodings now, and wait for it: each takes about a quarter of a second, and 30 to 80 MB.

    For about a tenth of a second of this no other thread of the process can run, nor an event loop. So calls of a loop
    do not have them loaded: they count by light encodings, which find the same tokens and take three to five times as
    long. A service that counts much calls this before it begins to serve.

    Args:
        names: ``o200k_base``, ``cl100k_base``; by default both.

    Raises:
        ConfigError: there is no such encoding.
        OSError: a table is missing.
        ValueError: it was changed.
    """
    for name in names:
        if name not in FACTS:
            raise ConfigError(f"load_encodings({name!r}): the encodings are {', '.join(FACTS)}")
    for name in names or FACTS:
        ENCODINGS.load(name)


def _messages(prompt: object) -> tuple[Message, ...]:
    given = (prompt,) if isinstance(prompt, (Message, Mapping)) else prompt
    if not isinstance(given, Sequence) or isinstance(given, (bytes, bytearray)):
        raise ConfigError(f"count_tokens(prompt): give a text, a message or messages, not {type(prompt).__name__}")
    return tuple(_message(position, one) for position, one in enumerate(given))


def _message(position: int, given: object) -> Message:
    if isinstance(given, Message):
        return given
    if isinstance(given, Mapping):
        from aigw.wire.openai_chat.messages import parse_message

        try:
            return parse_message(given, f"prompt[{position}]")
        except ConfigError as error:
            raise ConfigError(f"count_tokens(prompt): {error}") from None
    raise ConfigError(
        f"count_tokens(prompt): prompt[{position}] is a {type(given).__name__}; write Message('user', …) or a dict"
    )
