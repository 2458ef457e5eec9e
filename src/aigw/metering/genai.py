"""`GenaiPrices`: the prices of the package genai-prices, which the extra ``prices`` installs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.call import Cost
from aigw.errors import ConfigError
from aigw.metering.price import EXACT, Price, Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.chunk import Usage

PROVIDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "openai": "openai",
        "azure": "azure",
        "anthropic": "anthropic",
        "gemini": "google",
        "vertex": "google",
        "bedrock": "aws",
        "cohere": "cohere",
        "deepseek": "deepseek",
        "mistral": "mistral",
        "xai": "x-ai",
        "groq": "groq",
        "together": "together",
        "fireworks": "fireworks",
        "openrouter": "openrouter",
        "perplexity": "perplexity",
        "cloudflare": "cloudflare",
        "voyage": "voyageai",
        "huggingface": "huggingface_{}",
    }
)
"""What genai-prices calls our providers. Of Hugging Face's router it knows the prices of each provider behind it, which
the model names: ``model:provider``. Providers that are not here have no public prices, or are one's own servers."""

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "input": "input_mtok",
        "output": "output_mtok",
        "cached": "cache_read_mtok",
        "cache_written": "cache_write_mtok",
        "reasoning": "output_reasoning_mtok",
    }
)
_REQUESTS: Final = "requests_kcount"
_BATCH: Final[Mapping[str, str]] = MappingProxyType({"processing": "batch"})
_MOST_KNOWN: Final = 4096


class GenaiPrices:
    """Prices of public providers, from the data in the package genai-prices. It never uses the network.

    Prices that change, at a date or by the time of day, are those of the moment. An application that itself runs
    ``genai_prices.UpdatePrices`` gets its newer prices here too.

    Args:
        now: tells the time; replaces the clock, in tests.

    Raises:
        ConfigError: genai-prices is not installed.
    """

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        if find_spec("genai_prices") is None:
            raise ConfigError('GenaiPrices needs the package genai-prices: pip install "aigw[prices]"')
        self._now = now or _utc_now
        self._loaded: _Loaded | None = None
        self._snapshot: Callable[[], Any] | None = None

    def __repr__(self) -> str:
        return "GenaiPrices()"

    def load(self) -> None:
        """Read the data, which takes some tenths of a second. A gateway does so at its first call, beside the loop."""
        from genai_prices.data_snapshot import get_snapshot

        get_snapshot()
        self._snapshot = get_snapshot

    def cost(self, provider: str, model: str, usage: Usage, *, batch: bool = False) -> Cost | None:
        """Compute what a usage costs; see `PriceBook.cost`. Loads the data if `load` was not called.

        Args:
            provider: name of the provider; where it is empty, the one that the name of the model tells.
            model: the model.
            usage: what was used.
            batch: it was a batch job.
        """
        if self._snapshot is None:
            self.load()
        assert self._snapshot is not None
        snapshot, loaded = self._snapshot(), self._loaded
        if loaded is None or loaded.snapshot is not snapshot:
            loaded = self._loaded = _Loaded.of(snapshot)
        found = loaded.find(provider, model)
        if found is None:
            return None
        if batch:
            price = _of_batch(found.model, self._now())
        else:
            price = found.periods[0].price if len(found.periods) == 1 else _current(found.periods, self._now())
        usd = None if price is None else price.usd(usage)
        return None if usd is None else Cost(usd, loaded.version)


def _utc_now() -> datetime:
    return datetime.now(tz=UTC)


class _Period(NamedTuple):
    """A price and when it holds: always, from a date on, or at some time of the day."""

    when: Any
    price: Price | None


class _Found(NamedTuple):
    """A model in the data, and its prices."""

    model: Any
    periods: tuple[_Period, ...]


class _Loaded(NamedTuple):
    """The data of one moment, and what was found in it."""

    snapshot: Any
    version: str
    find: Callable[[str, str], _Found | None]

    @classmethod
    def of(cls, snapshot: Any) -> _Loaded:
        from genai_prices import __version__

        updated = f" of {snapshot.timestamp:%Y-%m-%d}" if snapshot.from_auto_update else ""
        find = lru_cache(_MOST_KNOWN)(lambda provider, model: _find(snapshot, provider, model))
        return cls(snapshot, f"genai-prices {__version__}{updated}", find)


def _current(periods: tuple[_Period, ...], now: datetime) -> Price | None:
    """Return the last price that holds now; the first one where none does, as genai-prices has it."""
    holding = (period for period in reversed(periods) if period.when is None or period.when.active(now))
    return next(holding, periods[0]).price


def _find(snapshot: Any, provider: str, model: str) -> _Found | None:
    name = PROVIDERS.get(provider)
    if provider and name is None:
        return None
    if name == "huggingface_{}":
        model, _, behind = model.rpartition(":")
        name = name.format(behind)
    try:
        found = snapshot.find_provider_model(model, None, name, None)[1]
    except LookupError:
        return None
    if isinstance(found.prices, list):
        return _Found(found, tuple(_Period(entry.constraint, _price(entry.prices)) for entry in found.prices))
    return _Found(found, (_Period(None, _price(found.prices)),))


def _of_batch(model: Any, now: datetime) -> Price | None:
    """Return the price of batch jobs; ``None`` where the data has none for this moment."""
    for variant in model.price_variants or ():
        if variant.when == _BATCH and (variant.constraint is None or variant.constraint.active(now)):
            return _price(model.get_prices(now, _BATCH))
    return None


def _price(prices: Any) -> Price | None:
    """Make a price of ours; ``None`` where the model is charged by something else than tokens."""
    given = {name: value for name, value in prices.__dict__.items() if value is not None}
    if not given:  # how the data says that a model is free
        return Price(input=Decimal(0), output=Decimal(0))
    if "input_mtok" not in given:
        return None
    rates = {ours: given[theirs] for ours, theirs in _KINDS.items() if theirs in given}
    base: dict[str, Any] = {}
    tiers: dict[int, dict[str, Any]] = {}
    for name, rate in rates.items():
        base[name] = getattr(rate, "base", rate)
        for tier in getattr(rate, "tiers", ()):
            tiers.setdefault(tier.start, {})[name] = tier.price
    try:
        return _made(base, given.get(_REQUESTS), tiers)
    except ConfigError:  # newer data may hold what cannot be a price: then it is not known
        return None


def _made(base: Mapping[str, Any], request: Any, tiers: Mapping[int, Mapping[str, Any]]) -> Price:
    return Price(
        **base,
        request=Decimal(0) if request is None else getattr(request, "base", request).scaleb(-3, EXACT),
        tiers=tuple(Tier(above=start, **tiers[start]) for start in sorted(tiers)),
    )
