"""`PriceTable`: the user's own prices, from a mapping or a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.call import Cost
from aigw.errors import ConfigError
from aigw.metering.price import RATES, Price, Tier, check_amount
from aigw.providers.table import SERVICES

if TYPE_CHECKING:
    from aigw.chunk import Usage

MOST_KNOWN: Final = 4096
"""Pairs of provider and model whose price is kept at hand."""

_FIELDS: Final = (*RATES, "request", "tiers", "batch", "version")


class PriceTable:
    """The user's own prices; docs/prices.md shows the format.

    Keys are ``provider/model`` or ``model``, and a ``*`` at the end or the beginning of the model stands for any text.
    A key that names the provider comes before one that does not, an exact one before a pattern, a longer pattern
    before a shorter one.

    Args:
        prices: a mapping from keys to prices (mappings, or `Price` objects), or the path of a TOML file. Its
            ``version`` is the version of the prices.
        version: replaces that version. ``own prices`` if there is none.

    Raises:
        ConfigError: the file cannot be read, or an entry is wrong; names the path of the field.
    """

    def __init__(self, prices: Mapping[str, Any] | str | os.PathLike[str], *, version: str | None = None) -> None:
        if isinstance(prices, Mapping):
            where, given = "prices", dict(prices)
        elif isinstance(prices, (str, os.PathLike)):
            where, given = os.fspath(prices), _read(prices)
        else:
            raise ConfigError(f"PriceTable(prices) must be a mapping or the path of a TOML file, not {prices!r}")
        told = _version(f"{where}.version", given.pop("version", None))
        self.version = _version("PriceTable(version)", version) or told or "own prices"
        self._entries = tuple(_entry(where, key, value) for key, value in given.items())
        self._find = lru_cache(MOST_KNOWN)(self._look_up)

    def __repr__(self) -> str:
        return f"PriceTable({len(self._entries)} prices, version={self.version!r})"

    def cost(self, provider: str, model: str, usage: Usage, *, batch: bool = False) -> Cost | None:
        """Compute what a usage costs; see `PriceBook.cost`.

        Args:
            provider: name of the provider; empty where only the model is known.
            model: the model.
            usage: what was used.
            batch: it was a batch job.
        """
        price = self._find(provider, model)
        usd = None if price is None else price.usd(usage, batch=batch)
        if price is None or usd is None:
            return None
        return Cost(usd, price.version or self.version)

    def price(self, provider: str, model: str) -> Price | None:
        """Return the price of a model; ``None`` where the table has none."""
        return self._find(provider, model)

    def _look_up(self, provider: str, model: str) -> Price | None:
        best: list[_Entry] = []
        rank = (-1, False, -1)
        for entry in self._entries:
            if (own := entry.rank(provider, model)) is None or own < rank:
                continue
            best = [entry] if own > rank else [*best, entry]
            rank = own
        return best[0].price if best and all(entry.price == best[0].price for entry in best) else None


class _Entry(NamedTuple):
    """A line of a table: prices for the models that fit its key."""

    provider: str
    key: str
    price: Price

    def rank(self, provider: str, model: str) -> tuple[int, bool, int] | None:
        """Tell how well the key fits: by whom it names, exactly, by so many letters; ``None`` if it does not."""
        rest = self.key.partition("/")[2]
        named = provider == self.provider if provider else self.provider in SERVICES and rest != "*"
        if named and self.provider and _fits(rest, model):
            return _NAMED if provider else _PERHAPS, "*" not in rest, len(rest)
        if self.provider in SERVICES or not _fits(self.key, model):
            return None  # what a known provider charges for a model says nothing of others that have it
        return _GENERAL, "*" not in self.key, len(self.key)


_PERHAPS, _GENERAL, _NAMED = range(3)
"""How well a key fits the provider: it names one and the call does not, it names none, it names the call's."""


def _fits(pattern: str, model: str) -> bool:
    if pattern.endswith("*"):
        return model.startswith(pattern[:-1])
    return model.endswith(pattern[1:]) if pattern.startswith("*") else model == pattern


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"prices: cannot read {os.fspath(path)!r}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, InvalidOperation) as error:
        raise ConfigError(f"prices: {os.fspath(path)!r} is not TOML: {error}") from error


def _entry(where: str, key: object, value: object) -> _Entry:
    if not isinstance(key, str) or not key or key != key.strip():
        raise ConfigError(f"{where}: {key!r} is not a key such as 'openai/gpt-5.5'")
    path = f"{where}[{key!r}]"
    provider, slash, model = key.partition("/")
    if "*" in provider and slash:
        raise ConfigError(f"{path}: a * stands for a model or its beginning or end, not for a provider")
    if "*" in (model if slash else key)[1:-1] or (model or key) == "**" or (slash and not model):
        raise ConfigError(f"{path}: write provider/model or model, with one * at its beginning or its end")
    if (model or key).count("*") > 1:
        raise ConfigError(f"{path}: write one * only, at the beginning or the end of the model")
    return _Entry(provider if slash else "", key, value if isinstance(value, Price) else _price(path, value))


def _price(path: str, value: object, *, nested: bool = False) -> Price:
    allowed = tuple(name for name in _FIELDS if not nested or name not in {"batch", "version"})
    given = _mapping(path, value, allowed)
    if "input" not in given:
        raise ConfigError(f"{path}.input is missing: US dollars per million input tokens, 0 if they are free")
    amounts = {name: _amount(f"{path}.{name}", given[name]) for name in (*RATES, "request") if name in given}
    tiers = given.get("tiers", ())
    if not isinstance(tiers, (list, tuple)):
        raise ConfigError(f"{path}.tiers must be a list of tables, not {tiers!r}")
    made = tuple(_tier(f"{path}.tiers[{index}]", tier) for index, tier in enumerate(tiers))
    batch = given.get("batch")
    if isinstance(batch, Mapping):
        batch = _price(f"{path}.batch", batch, nested=True)
    elif batch is not None:
        batch = _amount(f"{path}.batch", batch)
    try:
        return Price(
            **amounts, tiers=made, batch=batch, version=_version(f"{path}.version", given.get("version")) or ""
        )
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _tier(path: str, value: object) -> Tier:
    given = _mapping(path, value, ("above", *RATES))
    if "above" not in given:
        raise ConfigError(f"{path}.above is missing: the number of input tokens above which these prices hold")
    amounts = {name: _amount(f"{path}.{name}", given[name]) for name in RATES if name in given}
    try:
        return Tier(above=given["above"], **amounts)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _mapping(path: str, value: object, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path} must be a table of prices such as {{input = 1.25, output = 10}}, not {value!r}")
    for name in value:
        if name not in allowed:
            raise ConfigError(f"{path}.{name}: there is no such field; there are {', '.join(allowed)}")
    return value


def _amount(path: str, value: object) -> Decimal:
    """Take a number as it was written: 0.1 is a tenth, not the float next to it."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            value = Decimal(str(value))
        except InvalidOperation:
            raise ConfigError(f"{path} must be a number that is not negative, not {value!r}") from None
    return check_amount(path, value)


def _version(path: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ConfigError(f'{path} must be a text such as "2026-11", not {value!r}')
