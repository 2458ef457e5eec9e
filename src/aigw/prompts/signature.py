"""What a type checker sees of a prompt function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from aigw.wrapping.signature import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.message import Message

P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)


class Prompted(Wrapped[P, R_co], Protocol[P, R_co]):
    """A function that asks a model, with the signature that was written."""

    def render(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Message, ...]:
        """Return the messages that a call with these arguments sends, and send nothing.

        Raises:
            ConfigError: the function makes its prompt with ``await``; ask ``__wrapped__`` for it.
        """
        ...

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Prompted[P, R_co]: ...
    @overload
    def __get__(
        self: Prompted[Concatenate[Any, Q], R_co], instance: object, owner: type[Any] | None = None, /
    ) -> Callable[Q, R_co]: ...
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Any:
        """Bind a method, as functions do."""
        ...
