"""What the chunks of an answer say of all of it, for those who render a whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aigw.chunk import Chunk, Usage

_NOTHING: Final[Mapping[str, Any]] = {}


def id_of(chunks: Iterable[Chunk], default: str) -> str:
    """Return the id of an answer; `default` where its chunks have none."""
    return next((chunk.id for chunk in chunks if chunk.id), default)


def model_of(chunks: Iterable[Chunk], default: str) -> str:
    """Return the model that answered; `default` where the chunks name none."""
    return next((chunk.model for chunk in chunks if chunk.model), default)


def last_usage(chunks: Sequence[Chunk]) -> Usage | None:
    """Return the last usage that the chunks tell, which is that of the whole; ``None`` where they tell none."""
    return next((chunk.usage for chunk in reversed(chunks) if chunk.usage is not None), None)


def own_extra(chunk: Chunk, wire: str) -> Mapping[str, Any]:
    """Return the unknown fields of a chunk that mean something in this format: its own, or written by hand."""
    return chunk.extra if chunk.extra and chunk.wire in ("", wire) else _NOTHING


def own_extras(chunks: Iterable[Chunk], wire: str) -> dict[str, Any]:
    """Return those of all chunks at once; see `own_extra`."""
    return {name: value for chunk in chunks for name, value in own_extra(chunk, wire).items()}
