"""What a type checker sees of a decorated function: the signature that it had, as a function and as a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)


class Wrapped(Protocol[P, R_co]):
    """A function with the gateway's policies around it: called as before, and returns what it returned before."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function, through the policies."""
        ...

    @property
    def __name__(self) -> str:
        """Its own name."""
        ...

    @property
    def __wrapped__(self) -> Callable[P, R_co]:
        """The function as it was written, without the gateway."""
        ...

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Wrapped[P, R_co]: ...
    @overload
    def __get__(
        self: Wrapped[Concatenate[Any, Q], R_co], instance: object, owner: type[Any] | None = None, /
    ) -> Callable[Q, R_co]: ...
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Any:
        """Bind a method, as functions do."""
        ...
