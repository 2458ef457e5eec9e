"""What a call may wish for, one thing at a time, and how one sees that a request says it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aigw import File, Image, Message, Text, Tool, ToolResult
from contract.said import Request
from contract.scenarios import ASKED, CALLING, CITY, INLINE, LINKED, PIXEL, TOOLS, WEATHER, WITH_TOOLS


class Outcome(Enum):
    """What becomes of a wish."""

    SAID = "said"
    """The request says it, and nothing is noted."""
    EMULATED = "emulated"
    """The request says it in another way, and the trace tells."""
    CHANGED = "changed"
    """The request says the nearest thing, and the trace tells."""
    LEFT_OUT = "left out"
    """It only tunes the answer: the request does not say it, and the trace tells. A strict target refuses."""
    REFUSED = "refused"
    """The model would read or do something else: the call is refused, unless the target may lose content."""


@dataclass(frozen=True)
class Wish:
    """One thing that a call may wish for.

    Args:
        options: of the call.
        said: whether a request says it, in its own words.
        names: words one of which names it in a note or a refusal.
        prompt: what is asked.
        essence: texts that a request has in it that says it in other words.
    """

    options: Mapping[str, Any]
    said: Callable[[Request], bool]
    names: tuple[str, ...]
    prompt: Any = "hi"
    essence: tuple[str, ...] = field(default=())

    def is_hinted_at(self, body: Any) -> bool:
        """Tell whether a request has the essence of it."""
        return all(text in json.dumps(body).replace("\\", "") for text in self.essence)


def _setting(name: str, value: Any, *names: str) -> Wish:
    return Wish({name: value}, lambda request: request.settings.get(name) == value, (name, *names))


def _tool(choice: str, *names: str, essence: tuple[str, ...] = ()) -> Wish:
    options = {"tools": TOOLS, "tool_choice": choice}
    return Wish(options, lambda request: request.choice == choice, ("tool", *names), ASKED, essence)


def _has(*item: Any) -> Callable[[Request], bool]:
    return lambda request: item in request.items


PDF = File("data:application/pdf;base64,JVBERi0xLjcK", name="a.pdf")
SEEN = Message("tool", (ToolResult("call_abc123XYZ", (Text("a map"), INLINE)), ToolResult("call_def456UVW", "sun")))
LATE = [ASKED, Message("assistant", "Yes."), Message("system", "Be polite."), Message("user", "Go on.")]
FAILED = Message("tool", (ToolResult("call_abc123XYZ", "no", is_error=True), ToolResult("call_def456UVW", "sun")))
STRICT = Tool(WEATHER.name, WEATHER.description, WEATHER.parameters, strict=True)

WISHES: Mapping[str, Wish] = {
    "temperature": _setting("temperature", 0.5),
    "a high temperature": _setting("temperature", 1.7),
    "top_p": _setting("top_p", 0.5),
    "max_tokens": _setting("max_tokens", 50),
    "stop": _setting("stop", ["END", "STOP"]),
    "many stop texts": _setting("stop", [f"stop {number}" for number in range(7)]),
    "seed": _setting("seed", 7),
    "several answers": _setting("n", 2, "several answers"),
    "reasoning": _setting("reasoning", "low"),
    "no reasoning": _setting("reasoning", "none"),
    "a forced tool": _tool("weather"),
    "any tool": _tool("required"),
    "no tool": _tool("none"),
    "automatic tools": Wish(
        {"tools": TOOLS, "tool_choice": "auto"}, lambda request: request.choice in ("auto", None), ("tool",), ASKED
    ),
    "one call at a time": Wish(
        {"tools": TOOLS, "parallel_tool_calls": False}, lambda request: request.parallel is False, ("parallel",), ASKED
    ),
    "a strict tool": Wish({"tools": [STRICT]}, lambda request: "strict" in request.marks, ("strict",), ASKED),
    "a schema": Wish(
        {"schema": CITY}, lambda request: request.schema == CITY, ("schema",), essence=('"people"', '"integer"')
    ),
    "a schema beside tools": Wish(
        {"schema": CITY, "tools": TOOLS},
        lambda request: request.schema == CITY and "weather" in request.tools,
        ("schema",),
        essence=('"people"', '"integer"'),
    ),
    "an image": Wish({}, _has("image", INLINE.url), ("image",), Message("user", ["What is this?", INLINE])),
    "an image by its URL": Wish({}, _has("image", LINKED.url), ("image",), Message("user", ["What is this?", LINKED])),
    "a closer look": Wish(
        {},
        lambda request: bool({"high", "MEDIA_RESOLUTION_HIGH"} & request.marks),
        ("detail",),
        Message("user", ["What is this?", Image(INLINE.url, "high")]),
    ),
    "a file": Wish({}, _has("file", PDF.url), ("file",), Message("user", ["Sum it up.", PDF])),
    "an image in a result": Wish(
        {"tools": TOOLS}, _has("image", INLINE.url), ("image",), [ASKED, CALLING, SEEN], (PIXEL,)
    ),
    "a late instruction": Wish({}, _has("system", "Be polite."), ("system",), LATE, ("Be polite.",)),
    "a developer": Wish(
        {}, _has("system", "Be brief."), ("developer",), [Message("developer", "Be brief."), ASKED], ("Be brief.",)
    ),
    "a failed tool": Wish(
        {"tools": TOOLS}, lambda request: request.failed == [0], ("error", "failed"), [ASKED, CALLING, FAILED], ("no",)
    ),
    "a name": Wish({}, lambda request: "bob" in request.marks, ("name",), Message("user", "hi", name="bob")),
    "results without tools": Wish({}, _has("result", 1, "sun"), ("tool",), WITH_TOOLS),
}
"""By the names that the tables of exceptions have for them."""
