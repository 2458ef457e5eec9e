"""Whether a function has a body of its own, or is only a signature with a docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def _documented() -> None:
    """Do nothing."""


def _bare() -> None: ...


async def _async_documented() -> None:
    """Do nothing."""


async def _async_bare() -> None: ...


_NOTHING: Final = frozenset(
    function.__code__.co_code for function in (_documented, _bare, _async_documented, _async_bare)
)


def is_empty(function: Callable[..., Any]) -> bool:
    """Tell whether the body of a function is nothing but a docstring, ``...`` or ``pass``.

    Its compiled code is looked at, so it works without source code, at the prompt too.
    """
    code = function.__code__
    return code.co_code in _NOTHING and set(code.co_consts) <= {None, function.__doc__}
