"""`UsageTable`: the answer to a question about usage, as values and as a table to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, overload

from aigw.values import Value

if TYPE_CHECKING:
    from aigw.usage.record import UsageRecord

NOT_FAILED: Final = ("ok", "abandoned", "cancelled")
NONE: Final = "-"
"""Stands in tables for a value that is not there."""
CENT: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class UsageRow(Value):
    """Calls of one group, added up.

    Args:
        group: what they have in common, such as ``{"principal": "alice"}``; empty where nothing was grouped.
        calls: how many.
        failed: those that ended with an error, refused ones included. A stream that was left early has not failed, nor
            has a call that was cancelled.
        refused: those that a policy refused.
        input: tokens of the prompts, those of the provider's cache included.
        output: tokens of the answers, reasoning included.
        cached: input tokens read from the provider's cache; ``None`` where nobody told. The next two likewise.
        cache_written: input tokens written to that cache.
        reasoning: output tokens spent on reasoning.
        estimated: calls some of whose tokens were guessed.
        known_cost: what is known of the cost, in US dollars.
        unknown_costs: calls whose cost is not known, or only a part of it.
        mean_duration: seconds, over all of the calls.
    """

    group: Mapping[str, str | None]
    calls: int = 0
    failed: int = 0
    refused: int = 0
    input: int = 0
    output: int = 0
    cached: int | None = None
    cache_written: int | None = None
    reasoning: int | None = None
    estimated: int = 0
    known_cost: Decimal = Decimal(0)
    unknown_costs: int = 0
    mean_duration: float = 0.0

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input + self.output

    @property
    def cost(self) -> Decimal | None:
        """US dollars; ``None`` where the cost of a call is not known."""
        return None if self.unknown_costs else self.known_cost


@dataclass(frozen=True, slots=True)
class UsageTable(Value, Sequence[UsageRow]):
    """Rows of sums, one for each group, in the order of their groups. ``print`` shows a table.

    Args:
        by: what they are grouped by.
        rows: the rows; none where there are no records.
    """

    by: tuple[str, ...]
    rows: tuple[UsageRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> UsageRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[UsageRow]: ...
    def __getitem__(self, index: int | slice) -> UsageRow | Sequence[UsageRow]:
        return self.rows[index]

    def __iter__(self) -> Iterator[UsageRow]:
        return iter(self.rows)

    def __str__(self) -> str:
        if not self.rows:
            return "no usage records"
        heads = (*self.by, "calls", "failed", "input", "output", "cached", "reasoning", "cost (USD)", "mean time")
        table = [heads, *((*_names(row), *_figures(row)) for row in self.rows)]
        widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
        left = len(self.by)
        lines = [
            "  ".join(
                cell.ljust(width) if column < left else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        if any(row.unknown_costs for row in self.rows):
            lines.append("?: a part of the cost, or all of it, is not known")
        return "\n".join(lines)


class Sums:
    """Adds up the records of a group."""

    __slots__ = (
        "_cache_written",
        "_cached",
        "_calls",
        "_duration",
        "_estimated",
        "_failed",
        "_input",
        "_known",
        "_output",
        "_reasoning",
        "_refused",
        "_unknown",
    )

    def __init__(self) -> None:
        self._calls = self._failed = self._refused = self._estimated = self._unknown = 0
        self._input = self._output = self._known = 0
        self._cached: int | None = None
        self._cache_written: int | None = None
        self._reasoning: int | None = None
        self._duration = 0.0

    def add(self, record: UsageRecord) -> None:
        """Add a record."""
        self._calls += 1
        self._failed += record.outcome not in NOT_FAILED
        self._refused += record.refused_by is not None
        self._estimated += record.estimated
        self._unknown += record.cost is None
        self._known += record.known_cost
        self._input += record.input
        self._output += record.output
        self._cached = _more(self._cached, record.cached)
        self._cache_written = _more(self._cache_written, record.cache_written)
        self._reasoning = _more(self._reasoning, record.reasoning)
        self._duration += record.duration

    def close(self, group: Mapping[str, str | None]) -> UsageRow:
        """Make the row of a group."""
        return UsageRow(
            group,
            self._calls,
            self._failed,
            self._refused,
            self._input,
            self._output,
            self._cached,
            self._cache_written,
            self._reasoning,
            self._estimated,
            Decimal(self._known).scaleb(-9),
            self._unknown,
            self._duration / self._calls,
        )


def _more(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


def _names(row: UsageRow) -> Iterator[str]:
    for value in row.group.values():
        yield NONE if value is None else " ".join(value.split())


def _figures(row: UsageRow) -> Iterator[str]:
    yield from (f"{row.calls:,}", f"{row.failed:,}")
    guessed = "~" if row.estimated else ""
    yield from (f"{guessed}{row.input:,}", f"{guessed}{row.output:,}")
    yield from (NONE if count is None else f"{count:,}" for count in (row.cached, row.reasoning))
    yield _money(row)
    yield f"{row.mean_duration:.3f} s"


def _money(row: UsageRow) -> str:
    """Show money: to the micro-dollar, and never an unknown cost as if it were known."""
    if row.unknown_costs and not row.known_cost:
        return "?"
    shown = f"{row.known_cost.quantize(CENT):f}"
    if row.known_cost and not Decimal(shown):
        shown = "<0.000001"
    return f"{shown} + ?" if row.unknown_costs else shown
