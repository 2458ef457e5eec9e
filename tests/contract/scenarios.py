"""What is asked and answered in many tests, in canonical terms."""

from __future__ import annotations

from aigw import Image, Message, Text, Tool, ToolCall, ToolResult
from contract.said import Called

WEATHER = Tool(
    "weather",
    "Tells the weather in a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
CLOCK = Tool("clock", "Tells the time.")
TOOLS = (WEATHER, CLOCK)

CALLS = (
    Called("weather", '{"city":"Oslo"}', "call_abc123XYZ"),
    Called("weather", '{"city":"Rome"}', "call_def456UVW"),
)
"""Two calls at once, as a server makes them."""

CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
    "additionalProperties": False,
}
"""A schema for answers."""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
INLINE = Image(f"data:image/png;base64,{PIXEL}")
LINKED = Image("https://example.org/cat.png")

ASKED = Message("user", "Weather in Oslo and Rome?")
CALLING = Message(
    "assistant",
    (
        Text("Let me look."),
        ToolCall("call_abc123XYZ", "weather", '{"city":"Oslo"}'),
        ToolCall("call_def456UVW", "weather", '{"city":"Rome"}'),
    ),
)
RESULTS = Message("tool", (ToolResult("call_abc123XYZ", "rain"), ToolResult("call_def456UVW", "sun")))
WITH_TOOLS = (ASKED, CALLING, RESULTS)
"""A conversation in which two tools were called at once."""
