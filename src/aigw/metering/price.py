"""`Price`: what the tokens of one model cost, and the exact sum of a usage."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.checks import at_least
from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.chunk import Usage

EXACT: Final = Context(prec=120)
"""Wide enough for every product of tokens and prices, whatever context the application has set."""

MOST: Final = Decimal(1_000_000_000)
MOST_DECIMALS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Prices of a request whose prompt is long: they hold for the whole request, not only for what is above.

    That is how OpenAI, Google, Anthropic and xAI charge for long contexts. What a tier does not name costs what it
    costs below. In US dollars per million tokens, as in `Price`.

    Args:
        above: the prompt has more input tokens than this, cached ones included.
        input: see `Price`, also for the others.
        output: …
        cached: …
        cache_written: …
        reasoning: …
    """

    above: int
    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_written: Decimal | None = None
    reasoning: Decimal | None = None

    def __post_init__(self) -> None:
        at_least("Tier(above)", self.above, 1)
        given = {name: value for name in RATES if (value := getattr(self, name)) is not None}
        if not given:
            raise ConfigError(f"Tier(above={self.above}) names no price; give one of {', '.join(RATES)}")
        for name, value in given.items():
            check_amount(f"Tier({name})", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one model costs, in US dollars per million tokens.

    Args:
        input: tokens of the prompt.
        output: tokens of the answer; ``None`` for models that have none, such as those of embeddings.
        cached: input tokens read from the provider's cache; `input` by default.
        cache_written: input tokens written to that cache; `input` by default.
        reasoning: output tokens spent on reasoning; `output` by default.
        request: what each request costs besides its tokens, in US dollars.
        tiers: other prices for long prompts, the shortest first.
        batch: what batch jobs cost: a factor of everything above, such as ``Decimal("0.5")``, or prices of their own;
            ``None`` where it is not known.
        version: version of this price, if it has one of its own.

    Raises:
        ConfigError: an amount is negative or no `Decimal`, or the tiers do not rise.
    """

    input: Decimal
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_written: Decimal | None = None
    reasoning: Decimal | None = None
    request: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()
    batch: Decimal | Price | None = None
    version: str = ""
    _levels: tuple[_Level, ...] = field(init=False, repr=False, compare=False)
    _scale: int = field(init=False, repr=False, compare=False)
    """Digits behind the point of all integers in `_levels`."""

    def __post_init__(self) -> None:
        for name in (*RATES, "request"):
            if name in {"input", "request"} or getattr(self, name) is not None:
                check_amount(f"Price({name})", getattr(self, name))
        if isinstance(self.batch, Price):
            if self.batch.batch is not None:
                raise ConfigError("Price(batch) has a batch price of its own; leave it out")
        elif self.batch is not None:
            check_amount("Price(batch)", self.batch)
        above = [tier.above for tier in self.tiers]
        if above != sorted(set(above)):
            raise ConfigError(f"Price(tiers) must rise: each `above` is larger than the one before it, not {above}")
        scale = max(6 + max(_decimals(rate) for rate in self._rates()), _decimals(self.request))
        object.__setattr__(self, "_scale", scale)
        object.__setattr__(self, "_levels", self._scaled(scale))

    def usd(self, usage: Usage, *, batch: bool = False) -> Decimal | None:
        """Compute exactly what a usage of one request costs, in US dollars.

        ``None`` where that cannot be told: it has output and the model no price for it, it contradicts itself (more
        cached tokens than tokens), or it is a batch job and the price of those is not known.

        Args:
            usage: the tokens. Kinds of which it says nothing are charged as plain input and output.
            batch: it was a batch job.
        """
        if batch:
            return self._usd_of_batch(usage)
        total = self._total(usage)
        return None if total is None else Decimal(total).scaleb(-self._scale, EXACT)

    def _usd_of_batch(self, usage: Usage) -> Decimal | None:
        if self.batch is None or isinstance(self.batch, Price):
            return None if self.batch is None else self.batch.usd(usage)
        usd = self.usd(usage)
        return None if usd is None else EXACT.multiply(usd, self.batch)

    def _total(self, usage: Usage) -> int | None:
        """Sum up in integers, which are exact and several times as fast as decimals."""
        plain, rest = usage.input, usage.output
        level = next(level for level in self._levels if plain > level.above)  # the one for the longest prompts first
        total = level.request
        if usage.cached and level.cached is not None:
            plain -= usage.cached
            total += usage.cached * level.cached
        if usage.cache_written and level.cache_written is not None:
            plain -= usage.cache_written
            total += usage.cache_written * level.cache_written
        if usage.reasoning and level.reasoning is not None:
            rest -= usage.reasoning
            total += usage.reasoning * level.reasoning
        if plain < 0 or rest < 0 or (rest and level.output is None):
            return None
        return total + plain * level.input + rest * (level.output or 0)

    def _rates(self) -> Iterator[Decimal]:
        for prices in (self, *self.tiers):
            yield from (rate for name in RATES if (rate := getattr(prices, name)) is not None)

    def _scaled(self, scale: int) -> tuple[_Level, ...]:
        request = _integer(self.request, scale)
        rates = {name: getattr(self, name) for name in RATES}
        levels = [_level(-1, rates, request, scale)]
        for tier in self.tiers:
            rates |= {name: rate for name in RATES if (rate := getattr(tier, name)) is not None}
            levels.append(_level(tier.above, rates, request, scale))
        return tuple(reversed(levels))


RATES: Final = tuple(entry.name for entry in fields(Tier) if entry.name != "above")
"""The kinds of tokens that have prices."""


class _Level(NamedTuple):
    """Prices of a token as integers, all with the same number of digits behind the point."""

    above: int
    request: int
    input: int
    output: int | None
    cached: int | None
    cache_written: int | None
    reasoning: int | None


def _level(above: int, rates: dict[str, Decimal | None], request: int, scale: int) -> _Level:
    scaled = {name: None if rate is None else _integer(rate, scale - 6) for name, rate in rates.items()}
    return _Level(above, request, scaled["input"] or 0, *(scaled[name] for name in RATES[1:]))


def _integer(amount: Decimal, digits: int) -> int:
    return int(amount.scaleb(digits, EXACT))


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    return max(0, -exponent)


def check_amount(name: str, amount: object) -> Decimal:
    """Take an amount of money, or a factor.

    Raises:
        ConfigError: it is no finite `Decimal`, negative, or far from every price.
    """
    if not isinstance(amount, Decimal) or not amount.is_finite() or not 0 <= amount <= MOST:
        raise ConfigError(f"{name} must be a Decimal from 0 to {MOST:,}, not {amount!r}")
    if _decimals(amount) > MOST_DECIMALS:
        raise ConfigError(f"{name} has more than {MOST_DECIMALS} digits behind the point: {amount!r}")
    return amount
