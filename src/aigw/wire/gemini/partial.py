"""Arguments of a function call that come in pieces, as Vertex AI streams them on request."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.wire.fields import optional, required
from aigw.wire.gemini.names import message

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEP: Final = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_VALUES: Final = ("stringValue", "numberValue", "boolValue")
_LONGEST_LIST: Final = 100_000

_Key = str | int


def add_piece(args: dict[str, Any], piece: Any, where: str) -> None:
    """Put one of the ``partialArgs`` into the arguments; a string goes on where it stopped.

    Args:
        args: the arguments so far.
        piece: where it belongs, as a JSON path, and what to put there.
        where: its path, for errors.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    fields = message(piece, where)
    steps = _steps(required(fields, "jsonPath", str, where), f"{where}.jsonPath")
    value = next((fields[name] for name in _VALUES if name in fields), None)
    place: Any = args
    for step, following in pairwise(steps):
        there = _look(place, step, where)
        if there is None:
            there = place[step] = [] if isinstance(following, int) else {}
        place = there
    before = _look(place, steps[-1], where)
    place[steps[-1]] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _steps(path: str, where: str) -> list[_Key]:
    steps: list[_Key] = []
    at = 1 if path.startswith("$") else 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            break
        index = found[2]
        steps.append(int(index) if index is not None else next(key for key in found.groups() if key is not None))
        at = found.end()
    if not steps or at < len(path) or any(isinstance(step, int) and step > _LONGEST_LIST for step in steps):
        raise ConfigError(f"{where} is not a path to an argument")
    return steps


def _look(place: Any, step: _Key, where: str) -> Any:
    """Return what stands at this step; ``None`` if nothing does. Lists are made long enough for it."""
    if isinstance(step, int) and isinstance(place, list):
        place += [None] * (step + 1 - len(place))
        return place[step]
    if isinstance(step, str) and isinstance(place, dict):
        return place.get(step)
    raise ConfigError(f"{where}.jsonPath does not fit the arguments before it")


class PartialCall:
    """A function call while its arguments come."""

    __slots__ = ("args", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        """Which of the answer's calls it is."""
        self.args: dict[str, Any] = {}
        """The arguments so far."""

    def add(self, inner: Mapping[str, Any], where: str) -> bool:
        """Take the next piece; tell whether more will come.

        Raises:
            ConfigError: it does not fit the format; the message names the path of the field.
        """
        self.args.update(optional(inner, "args", dict, where) or {})
        for at, piece in enumerate(optional(inner, "partialArgs", list, where) or ()):
            add_piece(self.args, piece, f"{where}.partialArgs[{at}]")
        return optional(inner, "willContinue", bool, where) or False
