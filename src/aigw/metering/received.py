"""The tokens of what came of an answer, where its provider did not tell them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aigw.message import Reasoning, Text, ToolCall, ToolResult
from aigw.metering.counting import BYTES_A_TOKEN, SHORT, size
from aigw.metering.encodings import ENCODINGS
from aigw.metering.models import encoding_of
from aigw.metering.slices import count_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.chunk import Chunk
    from aigw.message import Part
    from aigw.metering.calibration import Calibration


def received_tokens(chunks: Sequence[Chunk], model: str, calibration: Calibration) -> int:
    """Count the tokens of what came: by the encoding of the model if it is there and takes no time, else by the bytes.

    Args:
        chunks: what came.
        model: the model that wrote it.
        calibration: what was learned of models.
    """
    text = "".join([text for chunk in chunks for text in _texts(chunk)])
    if not text:
        return 0
    bytes_ = size(text)
    name = encoding_of(model)
    encoding = ENCODINGS.loaded(name) if name is not None and bytes_ <= SHORT else None
    if encoding is not None:
        return count_text(encoding, text)
    return math.ceil(bytes_ / BYTES_A_TOKEN * calibration.factor(model))


def _texts(chunk: Chunk) -> Iterator[str]:
    yield chunk.reasoning
    yield chunk.text
    yield chunk.refusal
    for delta in chunk.tool_calls:
        yield delta.name or ""
        yield delta.arguments
    for part in chunk.parts:
        yield from _written(part)


def _written(part: Part) -> Iterator[str]:
    if isinstance(part, (Text, Reasoning)):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.name
        yield part.arguments
    elif isinstance(part, ToolResult) and isinstance(part.content, str):
        yield part.content
