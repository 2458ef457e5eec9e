"""Counts what calls ask: exactly where the model's encoding is known, else by bytes and a learned factor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.aside import breathe
from aigw.message import Image, Text
from aigw.metering.encodings import ENCODINGS, LIGHT
from aigw.metering.light import LightEncoding
from aigw.metering.models import encoding_of
from aigw.metering.prompt import Prompt
from aigw.metering.slices import count_text

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.metering.calibration import Calibration
    from aigw.metering.encodings import Encoder

BYTES_A_TOKEN: Final = 3.5
"""Bytes of UTF-8 that a token stands for, before anything is learned."""

SAMPLED: Final = 65_536
"""Characters of a text that is not ASCII from which on its bytes are not counted but sampled."""

SHORT: Final = 8192
"""Bytes of text that an event loop can wait for: about 0.3 ms, and less than 4 ms for the worst of texts."""

SHORT_OF_LIGHT: Final = 2048
"""The same for a light encoding."""

OF_A_MESSAGE: Final = 64
"""Bytes that reading a message takes as long as."""

OF_AN_IMAGE: Final = 256
"""Bytes that finding out the size of an image takes as long as."""

OF_A_TOOL: Final = 1024
"""Bytes that reading a tool takes as long as."""

MANY: Final = 1000
"""Messages that are read without counting in about a millisecond."""


class Measure(NamedTuple):
    """What was found out about a prompt.

    Args:
        bytes: tokens by its bytes, before any factor; what is fixed is counted as it is.
        exact: tokens by the model's encoding; ``None`` where it is not known or not loaded.
    """

    bytes: int
    exact: int | None = None


def size(text: str) -> int:
    """Return the bytes of a text in UTF-8; a good guess where it is long."""
    length = len(text)
    if text.isascii():
        return length
    if length <= SAMPLED:
        return len(text.encode("utf-8", "surrogatepass"))
    step = length // 64
    sample = "".join([text[start : start + 1024] for start in range(0, length, step)])
    return round(length * len(sample.encode("utf-8", "surrogatepass")) / len(sample))


def measure(call: Call, model: str) -> Measure:
    """Measure a prompt by its bytes.

    Args:
        call: the call.
        model: the model that it is for.
    """
    prompt = Prompt(call, model, _size)
    return Measure(math.ceil(prompt.texts / BYTES_A_TOKEN) + prompt.fixed)


def count(call: Call, model: str, encoding: Encoder) -> Measure:
    """Count a prompt by an encoding, and measure it by its bytes as well.

    Args:
        call: the call.
        model: the model that it is for.
        encoding: the encoding of that model.
    """
    bytes_ = 0

    def both(text: str) -> int:
        nonlocal bytes_
        bytes_ += _size(text)
        return count_text(encoding, text)

    prompt = Prompt(call, model, both)
    return Measure(math.ceil(bytes_ / BYTES_A_TOKEN) + prompt.fixed, int(prompt.texts) + prompt.fixed)


def _size(text: str) -> int:
    breathe()
    return size(text)


def is_short(call: Call, encoding: Encoder | None = None) -> bool:
    """Tell whether counting a prompt takes so little time that an event loop can wait for it."""
    left = SHORT_OF_LIGHT if isinstance(encoding, LightEncoding) else SHORT
    left -= OF_A_MESSAGE * len(call.messages) + OF_A_TOOL * (len(call.tools) + (call.schema is not None))
    if left < 0:
        return False
    for text in (*call.inputs, call.query):
        left -= _weight(text)
    for message in call.messages:
        for part in message.parts:
            left -= _weight(part.text) if type(part) is Text else _weight_of(part)
        if left < 0:
            return False
    return left >= 0


def _weight(text: str) -> int:
    return len(text) if text.isascii() else 3 * len(text)


def _weight_of(part: Any) -> int:
    """Weigh the texts of a part that is not text itself."""
    if isinstance(part, Image):
        return OF_AN_IMAGE
    content = getattr(part, "content", "")
    texts = (getattr(part, "text", ""), getattr(part, "arguments", ""), content if isinstance(content, str) else "")
    inside = sum(_weight(text) for text in texts if text)
    return inside + (0 if isinstance(content, str) else sum(_weight_of(one) for one in content)) + OF_A_MESSAGE


def tokens(found: Measure, model: str, calibration: Calibration) -> int:
    """Make the best of a measure: the exact count, or the bytes by what was learned of the model."""
    return found.exact if found.exact is not None else math.ceil(found.bytes * calibration.factor(model))


def ready_encoding(model: str, *, blocking: bool = True) -> Encoder | None:
    """Return the encoding of a model, if it has a known one and that is loaded; else have it loaded.

    Args:
        model: the model.
        blocking: whether no event loop asks; one waits for tiktoken's only where somebody has loaded it.
    """
    name = encoding_of(model)
    if name is None:
        return None
    return ENCODINGS.ready(name) if blocking else ENCODINGS.loaded(name) or LIGHT.ready(name)
