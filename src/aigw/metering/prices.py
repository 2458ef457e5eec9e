"""`PriceBook`: what tokens cost. `book_of` makes one of whatever ``Gateway(prices=…)`` is given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from aigw.call import UNSET
from aigw.errors import ConfigError
from aigw.metering.genai import GenaiPrices
from aigw.metering.table import PriceTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from aigw.call import Cost, Unset
    from aigw.chunk import Usage

    GivenPrices: TypeAlias = "PriceBook | Mapping[str, Any] | str | os.PathLike[str] | Sequence[Any] | Unset | None"


@runtime_checkable
class PriceBook(Protocol):
    """Knows what tokens cost.

    It is asked in the middle of calls, on event loops too: it answers at once, from memory. A book that has to read
    something first may have a method ``load()``, which a gateway calls before its first call, beside the event loop.
    """

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """Compute what a usage costs; ``None`` where the price is not known, which is not the same as zero.

        Args:
            provider: name of the provider, as in ``provider/model``; empty where only the model is known.
            model: the model, as the provider names it.
            usage: what was used, by one request.
        """
        ...


class FirstKnown:
    """Asks several price books in turn; the first that knows the price wins.

    Args:
        books: the books, the most trusted first.
    """

    def __init__(self, books: Sequence[PriceBook]) -> None:
        self.books = tuple(books)

    def __repr__(self) -> str:
        return f"FirstKnown({list(self.books)!r})"

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """Return the first answer that is not ``None``."""
        for book in self.books:
            cost = book.cost(provider, model, usage)
            if cost is not None:
                return cost
        return None

    def load(self) -> None:
        """Load the books that have something to load."""
        for book in self.books:
            load_book(book)


def load_book(book: PriceBook | None) -> None:
    """Have a book read what it needs. May take a while."""
    load = getattr(book, "load", None)
    if load is not None:
        load()


def book_of(given: GivenPrices = UNSET) -> PriceBook | None:
    """Make a price book of what a gateway was given.

    Args:
        given: nothing, for genai-prices where it is installed; ``None`` for no prices; a price book, which is then the
            only one; a list of books, tables and paths, which are asked in turn, and nothing else; or the user's own
            table, as a mapping or the path of a TOML file, behind which genai-prices is asked.

    Raises:
        ConfigError: it is none of these, or the table is wrong.
    """
    if given is None:
        return None
    if given is UNSET:
        return _installed()
    if isinstance(given, (str, os.PathLike, Mapping)):
        table, rest = PriceTable(given), _installed()
        return table if rest is None else FirstKnown((table, rest))
    if isinstance(given, (list, tuple)):
        return FirstKnown([_one(item, index) for index, item in enumerate(given)])
    if isinstance(given, PriceBook) and not isinstance(given, type):
        return given
    raise ConfigError(
        f"Gateway(prices) must be a mapping, the path of a TOML file, a price book, a list of these, or None for no "
        f"prices, not {given!r}"
    )


def _one(item: Any, index: int) -> PriceBook:
    if isinstance(item, (str, os.PathLike, Mapping)):
        return PriceTable(item)
    if isinstance(item, PriceBook) and not isinstance(item, type):
        return item
    raise ConfigError(f"Gateway(prices)[{index}] must be a mapping, a path or a price book, not {item!r}")


def _installed() -> PriceBook | None:
    return GenaiPrices() if find_spec("genai_prices") is not None else None
