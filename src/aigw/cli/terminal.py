"""Writing for people: the answer on standard output, all else beside it, on standard error."""

from __future__ import annotations

import io
import os
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTROLS: Final[Mapping[int, None]] = MappingProxyType(
    {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
)
"""Characters that would command a terminal."""


def write(text: str, end: str = "") -> None:
    """Write to standard output at once.

    A model, or whoever has written into its prompt, must not command the terminal; a file or a pipe gets everything.
    """
    if sys.stdout is not None and sys.stdout.isatty():
        text = printable(text)
    print(text, end=end, flush=True)


def line(text: str = "") -> None:
    """Write a line to standard output."""
    write(text, "\n")


def beside(text: str) -> None:
    """Write lines to standard error."""
    if sys.stderr is not None:  # it was closed; print() would take standard output in its place
        print(printable(text), file=sys.stderr, flush=True)


def note(text: str) -> None:
    """Tell something beside the answer."""
    beside(f"aigw: {text}")


def report(error: Exception) -> None:
    """Tell an error in one line."""
    beside(f"{type(error).__name__}: {' '.join(str(error).split())}")


def printable(text: str) -> str:
    """Leave out what would command a terminal."""
    return text.translate(CONTROLS)


def never_fail_on_characters() -> None:
    """Have characters that the terminal's encoding lacks replaced."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def give_up_output() -> None:
    """Send what standard output still holds nowhere: the interpreter would complain about it when it ends."""
    try:
        output = sys.stdout.fileno()
    except (OSError, AttributeError):  # it is no file, or closed
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.close(nowhere)
