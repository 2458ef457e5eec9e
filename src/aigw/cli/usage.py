"""``aigw usage``: what calls have used and cost, read from a file of usage records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigw.cli import terminal
from aigw.runtime import BlockingClock
from aigw.usage.query import NAMES, groups, summarize
from aigw.usage.rows import read_records
from aigw.usage.when import moment, zone_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from aigw.usage.table import UsageRow

FILE = "AIGW_USAGE"
FIGURES = ("calls", "failed", "refused", "input", "output", "cached", "cache_written", "reasoning", "estimated")
MONEY = ("cost", "known_cost", "unknown_costs", "mean_duration")

DESCRIPTION = """\
Add up the usage records in a file that a gateway has written, Gateway(usage="usage.db"): calls, tokens, cost.
The file is only read; a gateway may be writing to it.
"""

EPILOG = """\
environment:
  AIGW_USAGE  the file to read without PATH

examples:
  aigw usage usage.db --by principal --since 7d
  aigw usage usage.db --by day --by model --since 2026-11-01 --zone Europe/Berlin --csv
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        by: what to group by; nothing for one row.
        since: the first moment that counts, as `aigw.Gateway.usage` takes it.
        until: the first moment that no longer counts.
        zone: the time zone of days.
    """

    by: Sequence[str] = ()
    since: str | None = None
    until: str | None = None
    zone: str = "UTC"


def add_to(commands: Any, formatter: type[argparse.HelpFormatter]) -> None:
    """Describe the command to the parser."""
    usage = commands.add_parser(
        "usage", help="what calls have used and cost", description=DESCRIPTION, epilog=EPILOG, formatter_class=formatter
    )
    usage.set_defaults(parser=usage)
    usage.add_argument("path", metavar="PATH", nargs="?", default="", help=f"the file; by default the one in {FILE}")
    usage.add_argument(
        "--by",
        action="append",
        default=[],
        choices=NAMES,
        metavar="WHAT",
        help=f"group by this; may be given again: {', '.join(NAMES)}",
    )
    usage.add_argument("--since", metavar="WHEN", help="only calls since then: 24h, 7d, 2026-11-01, 2026-11-01T12:00")
    usage.add_argument("--until", metavar="WHEN", help="only calls before then")
    usage.add_argument(
        "--zone", default="UTC", help="time zone of days and times, such as Europe/Berlin; UTC by default"
    )
    form = usage.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_const", const="json", dest="form", help="print one JSON object: by, rows")
    form.add_argument("--csv", action="store_const", const="csv", dest="form", help="print a line for each row")


def run_with(options: argparse.Namespace, env: Mapping[str, str]) -> None:
    """Run the command with the arguments that it was given."""
    path = options.path or env.get(FILE, "")
    if not path:
        options.parser.error(f"say which file: aigw usage PATH, or set {FILE}")
    run(path, Question(options.by, options.since, options.until, options.zone), form=options.form)


def run(path: str, question: Question, *, form: str | None = None) -> None:
    """Print the answer to a question.

    Args:
        path: the file.
        question: what is asked.
        form: ``json`` or ``csv``; a table unless given.

    Raises:
        ConfigError: there is no such file, it is none of ours, or the question makes no sense.
    """
    by, zone, now = groups(question.by), zone_of("--zone", question.zone), BlockingClock().time()
    since, until = moment("--since", question.since, now, zone), moment("--until", question.until, now, zone)
    table = summarize(read_records(path, since, until), by, {}, zone)
    if form == "json":
        terminal.line(json.dumps({"by": by, "rows": [_document(row) for row in table]}))
    elif form == "csv":
        terminal.write(_csv(by, table.rows))
    else:
        terminal.line(str(table))


def _document(row: UsageRow) -> dict[str, Any]:
    """Make a row into what JSON can say; money as text, which is exact."""
    figures = {name: getattr(row, name) for name in (*FIGURES, *MONEY)}
    cost = None if row.cost is None else f"{row.cost:f}"
    return {**row.group, **figures, "cost": cost, "known_cost": f"{row.known_cost:f}"}


def _csv(by: Sequence[str], rows: Sequence[UsageRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*by, *FIGURES, *MONEY])
    for row in rows:
        writer.writerow([_safe(value) for value in _document(row).values()])
    return text.getvalue()


def _safe(value: object) -> object:
    """Keep a spreadsheet from taking a label, which anybody may have chosen, for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
