"""What a prompt is made of, as far as tokens go: texts to count, and what is fixed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aigw.message import File, Image, Reasoning, Text, ToolCall, ToolResult
from aigw.metering.images import image_tokens
from aigw.metering.models import image_rule_of, tool_tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.call import Call
    from aigw.message import Message, Part, Tool

# The figures of OpenAI's cookbook, "How to count tokens with tiktoken": exact for text, and for flat tools.
MESSAGE: Final = 4
"""Tokens of a message besides its content: three marks, and the role, which is one token."""

NAME: Final = 1
"""Tokens of the name of a speaker besides the name."""

ANSWER: Final = 3
"""Tokens with which the answer begins; they count as input."""

TOOLS: Final = 12
"""Tokens of the list of tools besides the tools."""

PROPERTIES: Final = 3
"""Tokens of the list of a tool's arguments besides the arguments."""

PROPERTY: Final = 3
"""Tokens of an argument besides its texts."""

CHOICES: Final = -3
"""Tokens of a list of allowed values besides the values."""

CHOICE: Final = 3
"""Tokens of an allowed value besides its text."""

# Guesses: nobody tells these.
TOOL_CALL: Final = 3
"""Tokens of a tool call in the conversation besides its name and arguments."""

FILE: Final = 1500
"""Tokens of a file that is given by its id, or is small: a page of a document, read as text and as an image."""

BYTES_OF_A_FILE: Final = 40
"""Bytes of an inline document that stand for a token."""

DEEPEST: Final = 20
"""How deep a JSON schema is read."""


class Prompt:
    """The sum of what a call gives the model to read.

    Args:
        call: the call.
        model: the model, which decides what images and tools cost.
        count: counts the tokens of a text, or measures it in other units.
    """

    def __init__(self, call: Call, model: str, count: Callable[[str], float]) -> None:
        self._count = count
        self._model = model
        self.texts = 0.0
        """What `count` gave for all texts."""
        self.fixed = 0
        """Tokens that have nothing to do with the lengths of texts."""
        if call.operation != "chat":
            self.texts = sum(map(count, call.inputs)) + (count(call.query) if call.query else 0)
            return
        self.fixed = MESSAGE * len(call.messages) + (ANSWER if call.messages else 0)
        for message in call.messages:
            self._message(message)
        if call.tools:
            self.fixed += TOOLS
            for tool in call.tools:
                self._tool(tool)
        if call.schema is not None:
            self.texts += count(json.dumps(call.schema.schema, default=str))

    def _message(self, message: Message) -> None:
        if message.name:
            self.fixed += NAME
            self.texts += self._count(message.name)
        parts = message.parts
        if len(parts) > 1 and all(type(part) is Text for part in parts):
            self.texts += self._count(message.text)  # providers join them
            return
        for part in parts:
            self._part(part)

    def _part(self, part: Part) -> None:
        if isinstance(part, (Text, Reasoning)):
            self.texts += self._count(part.text)
        elif isinstance(part, ToolCall):
            self.fixed += TOOL_CALL
            self.texts += self._count(part.name) + self._count(part.arguments)
        elif isinstance(part, ToolResult):
            if isinstance(part.content, str):
                self.texts += self._count(part.content)
            else:
                for content in part.content:
                    self._part(content)
        elif isinstance(part, Image):
            self.fixed += image_tokens(part, image_rule_of(self._model))
        elif isinstance(part, File):
            self.fixed += _file_tokens(part)

    def _tool(self, tool: Tool) -> None:
        self.fixed += tool_tokens_of(self._model)
        self.texts += self._count(f"{tool.name}:{tool.description.removesuffix('.')}")
        self._schema(tool.parameters, DEEPEST)

    def _schema(self, schema: Mapping[str, Any], depth: int) -> None:
        """Count the arguments of a tool; those inside arguments count as arguments as well, which is a guess."""
        properties = _mapping(schema.get("properties"))
        if not properties or not depth:
            return
        self.fixed += PROPERTIES
        for name, given in properties.items():
            known = _mapping(given)
            self.fixed += PROPERTY
            choices = known.get("enum")
            if isinstance(choices, (list, tuple)):
                self.fixed += CHOICES + CHOICE * len(choices)
                self.texts += sum(self._count(str(choice)) for choice in choices)
            description = str(known.get("description") or "").removesuffix(".")
            self.texts += self._count(f"{name}:{_type(known)}:{description}")
            self._schema(known, depth - 1)
            self._schema(_mapping(known.get("items")), depth - 1)


def _mapping(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


def _type(schema: Mapping[str, Any]) -> str:
    given = schema.get("type", "")
    return given if isinstance(given, str) else "|".join(map(str, given)) if isinstance(given, (list, tuple)) else ""


def _file_tokens(file: File) -> int:
    """Guess the tokens of a file, by its size where that is known."""
    if file.url is None or not file.url.startswith("data:"):
        return FILE
    size = len(file.url) * 3 // 4
    each = 3.5 if file.url.startswith(("data:text/", "data:application/json")) else BYTES_OF_A_FILE
    return max(round(size / each), FILE if each == BYTES_OF_A_FILE else 1)
