"""What a call needs of a model, and what it must not say to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.estimate import BYTES_A_TOKEN, IMAGE, MESSAGE, estimate_input
from aigw.message import File, Image, Reasoning, Text, ToolCall, ToolResult
from aigw.providers.capabilities import UNKNOWN

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.message import Part
    from aigw.providers.capabilities import Capabilities


_UNSET: Final = (None, ())


def missing(call: Call, capabilities: Capabilities) -> tuple[str, ...]:
    """Tell what the call needs and the model lacks, in words for people; empty if all is well, or nothing is known.

    A prompt counts as too long only if it surely is: if half of what it is estimated at does not fit, because the
    estimate is good to a factor of two. A prompt that may be too long is left to the provider to judge.

    Args:
        call: the call.
        capabilities: what is known of the model.
    """
    if capabilities is UNKNOWN:
        return ()
    if call.operation != "chat":
        return _missing_for_inputs(call, capabilities)
    size, kinds = _content(call)
    needs = (
        ("vision", Image in kinds, capabilities.vision),
        ("files", File in kinds, capabilities.files),
        ("tools", bool(call.tools) or ToolCall in kinds or ToolResult in kinds, capabilities.tools),
        ("json_schema", call.schema is not None, capabilities.json_schema),
        ("reasoning", call.reasoning not in {None, "none"}, capabilities.reasoning),
    )
    lacking = [what for what, needed, able in needs if needed and able is False]
    window, most = capabilities.context_window, capabilities.max_output
    if window is not None and size > 2 * window and (tokens := estimate_input(call)) > 2 * window:
        lacking.append(_too_long(tokens, window))
    if most is not None and call.max_tokens is not None and call.max_tokens > most:
        lacking.append(f"max output ({call.max_tokens} of {most} tokens)")
    return tuple(lacking)


def _missing_for_inputs(call: Call, capabilities: Capabilities) -> tuple[str, ...]:
    """Look at the texts of an embeddings call, each of which must fit by itself."""
    window = capabilities.context_window
    if call.operation != "embeddings" or window is None:
        return ()
    tokens = max((len(text.encode()) // BYTES_A_TOKEN for text in call.inputs), default=0)
    return (_too_long(tokens, window),) if tokens > 2 * window else ()


def _too_long(tokens: int, window: int) -> str:
    return f"context window (about {tokens} tokens, it has {window})"


def _content(call: Call) -> tuple[int, set[type]]:
    """Return an upper bound of the estimated tokens of the messages, and what types of parts they have.

    The bound is what makes this cheap: a character is at most four bytes, which are one token. Tools are not in it:
    they alone fill no window.
    """
    size = MESSAGE * len(call.messages)
    kinds: set[type] = set()
    for message in call.messages:
        for part in message.parts:
            kinds.add(type(part))
            size += _bound(part)
            if isinstance(part, ToolResult) and not isinstance(part.content, str):
                kinds.update(map(type, part.content))
    return size, kinds


def bound(call: Call) -> int:
    """Return an upper bound of the estimated tokens of the messages of a call; cheap, and without its tools."""
    return MESSAGE * len(call.messages) + sum([_bound(part) for message in call.messages for part in message.parts])


def _bound(part: Part) -> int:
    if isinstance(part, (Text, Reasoning)):
        return len(part.text) + 1
    if isinstance(part, ToolCall):
        return len(part.name) + len(part.arguments) + 1
    if isinstance(part, ToolResult):
        return len(part.content) + 1 if isinstance(part.content, str) else sum(map(_bound, part.content))
    return IMAGE


def left_out(call: Call, capabilities: Capabilities) -> dict[str, str]:
    """Tell which tuning parameters of the call the model refuses, and why.

    Args:
        call: the call.
        capabilities: what is known of the model.

    Returns:
        Reasons by the names of the fields; only fields that are set.
    """
    if capabilities is UNKNOWN:
        return {}
    reasons = dict.fromkeys(capabilities.rejects, "the model does not take it")
    if capabilities.rejects_reasoning and _reasons(call, capabilities):
        reasons |= dict.fromkeys(capabilities.rejects_reasoning, "the model does not take it while it reasons")
    if capabilities.reasoning is False and call.reasoning == "none":
        reasons["reasoning"] = "the model never reasons"
    return {name: reasons[name] for name in sorted(reasons) if getattr(call, name) not in _UNSET}


def _reasons(call: Call, capabilities: Capabilities) -> bool:
    """Tell whether the model reasons for this call."""
    return capabilities.reasons_by_default is True if call.reasoning is None else call.reasoning != "none"


def fitted(call: Call, capabilities: Capabilities) -> Call:
    """Leave out the tuning parameters that the model refuses, each with a note in the trace.

    Args:
        call: the call.
        capabilities: what is known of the model.

    Returns:
        The same call where nothing is to be left out.
    """
    reasons = left_out(call, capabilities)
    if not reasons:
        return call
    for name, reason in reasons.items():
        call.note("capabilities", "left out", f"{name}: {reason}")
    return call.evolve(**{name: () if name == "stop" else None for name in reasons})
