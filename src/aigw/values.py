"""What the values that travel have in common: they round-trip through JSON."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Value:
    """Mix-in of the frozen dataclasses that travel through a gateway: to JSON and back."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"arbitrary_types_allowed": True, "ser_json_inf_nan": "strings"}

    _local: ClassVar[frozenset[str]] = frozenset()
    """Fields that mean something only inside this process, and stay out of the JSON."""

    def to_json(self) -> str:
        """Render as JSON, without the fields that mean something only inside this process."""
        return _adapter(type(self)).dump_json(self, exclude=set(self._local)).decode()

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it does not fit; the message names the field.
        """
        value: Self = _adapter(cls).validate_json(data)
        return value


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415  (heavy: only those who ask for JSON pay for it)

    return TypeAdapter(cls)
