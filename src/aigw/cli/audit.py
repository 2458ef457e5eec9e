"""``aigw audit verify``: whether a file of audit records is as it was written."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aigw.audit import verify
from aigw.cli import terminal
from aigw.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

KEY = "AIGW_AUDIT_KEY"

DESCRIPTION = """\
Look whether a file of audit records, Audit("audit.jsonl"), is as it was written: nothing changed, put in or taken out.
Prints the newest hash. Note it elsewhere, and give it as --last later on: that shows whether lines at the end are gone.
"""

EPILOG = """\
environment:
  AIGW_AUDIT_KEY  the key of the file, if it has one

exit codes: 0, nothing is wrong; 1, something is, told line by line; 2, wrong arguments

examples:
  aigw audit verify audit.jsonl
  aigw audit verify audit.jsonl --last 5c7d1f…
"""


def add_to(commands: Any, formatter: type[argparse.HelpFormatter]) -> None:
    """Add the command to a parser."""
    audit = commands.add_parser("audit", help="look whether a file of audit records was changed")
    tasks = audit.add_subparsers(dest="task", required=True, title="tasks")
    task = tasks.add_parser(
        "verify",
        help="look whether a file was changed",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=formatter,
    )
    task.add_argument("path", metavar="PATH", help="the file")
    task.add_argument("--last", metavar="HASH", help="a hash that was noted before, and must occur")
    task.add_argument("--json", action="store_true", help="print one JSON object: records, last, flaws")


def run_with(options: argparse.Namespace, env: Mapping[str, str]) -> bool:
    """Verify a file, and print what was found; return whether nothing is wrong."""
    try:
        found = verify(options.path, env.get(KEY), last=options.last)
    except ConfigError as error:
        raise ConfigError(str(error).replace("verify(key)", f"the environment variable {KEY}")) from None
    if options.json:
        terminal.line(json.dumps(asdict(found)))
    else:
        for flaw in found.flaws:
            terminal.line(f"line {flaw.line}: {flaw.problem}")
        terminal.line(f"{found.records} records, {len(found.flaws)} flaws, last {found.last or 'none'}")
    return not found.flaws
