"""The command line: ``aigw chat``, ``aigw models``, ``aigw usage``, ``aigw audit`` and ``aigw demo``.

Exit codes: 0, an answer; 1, a failure, in one line on standard error; 2, wrong arguments, or nothing that could answer;
130, stopped with Ctrl-C; 141, nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, TextIO

from aigw.cli import terminal
from aigw.cli.audit import add_to as add_audit
from aigw.cli.local import LOCAL_MODEL, NoModel, installed_model
from aigw.cli.usage import add_to as add_usage
from aigw.errors import AigwError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.cli.local import Installed

FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141

DESCRIPTION = "An AI gateway without a server: ask a model, or watch one stand in for another."

CHAT = """\
Ask a model, and print the answer while it comes.

Without --model the answer comes from the model that AIGW_MODEL names; else from openai/gpt-5.5, if OPENAI_API_KEY is
set; else from the local model. A local model also answers when the chosen one fails before it has said anything.
"""

CHAT_EPILOG = """\
environment:
  OPENAI_API_KEY    key for openai/...
  AIGW_MODEL        the model to ask without --model
  AIGW_LOCAL_MODEL  a GGUF file: the local model; else an installed model package is looked for
  AIGW_API_KEY      key for --url, where that server wants one

examples:
  aigw chat "Why is the sky blue?"
  aigw chat --model local --max-tokens 50 "Why is the sky blue?"
  aigw chat --url http://127.0.0.1:8000/v1 --model llama-3.3-70b --trace "Why is the sky blue?"
  git diff | aigw chat --system "Write a commit message." --json
"""

DEMO = """\
Show the main job on a real model: a server that always fails, and a small model in this process that answers in its
place, streamed and asynchronously, with the trace of what happened. Nothing leaves this machine.
"""

MODELS = """\
List what is configured: the providers whose key is in the environment, where they are, the formats that they speak, and
what is known of the models that they make; and the local model. Nothing is sent, and no key is shown.
"""


def main(
    arguments: Sequence[str] | None = None,
    *,
    env: Mapping[str, str] = os.environ,
    stdin: TextIO | None = None,
    installed: Installed = installed_model,
) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: what stands behind ``aigw``; by default what this process was started with.
        env: the environment in which models are looked for. The key of a provider is always that of this process.
        stdin: where a question comes from that is not an argument; standard input by default.
        installed: finds a model that is installed as a package.

    Raises:
        SystemExit: ``--help``, or arguments that make no sense.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    terminal.never_fail_on_characters()
    try:
        return _run(parser, options, env, sys.stdin if stdin is None else stdin, installed)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        terminal.give_up_output()
        return PIPE_CLOSED
    except NoModel as error:
        terminal.note(str(error))
        return USAGE
    except AigwError as error:
        if getattr(options, "trace", False) and error.trace is not None:
            terminal.beside(str(error.trace))
        terminal.report(error)
        return FAILED
    except OSError as error:  # a full disk behind standard output, no free port for the demo
        terminal.report(error)
        terminal.give_up_output()
        return FAILED


def _run(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    env: Mapping[str, str],
    stdin: TextIO | None,
    installed: Installed,
) -> int:
    if options.version:
        from importlib.metadata import version

        terminal.line(f"aigw {version('aigw')}")
    elif options.command == "chat":
        from aigw.cli import chat
        from aigw.cli.choice import choose

        question = chat.Question(_question(options, stdin), system=options.system, max_tokens=options.max_tokens)
        chosen = choose(env, installed, model=options.model, url=options.url, fall_back=options.fall_back)
        chat.run(question, chosen, as_json=options.json, show_trace=options.trace)
    elif options.command == "models":
        from aigw.cli import models

        models.run(env, installed, everything=options.all, as_json=options.json)
    elif options.command == "usage":
        from aigw.cli import usage

        usage.run_with(options, env)
    elif options.command == "audit":
        from aigw.cli import audit

        return 0 if audit.run_with(options, env) else FAILED
    elif options.command == "demo":
        from aigw.cli import demo

        demo.run(env, installed, options.model)
    else:
        parser.print_help(sys.stderr)
        return USAGE
    return 0


def _question(options: argparse.Namespace, stdin: TextIO | None) -> str:
    """Take the question from the arguments or from standard input."""
    error = options.parser.error
    if options.url and not options.model:
        error("--url needs --model: say which model of that server")
    given: str = options.question
    try:
        if stdin is not None and (given == "-" or (not given and not stdin.isatty())):
            given = stdin.read()
        given.encode()
    except UnicodeError:
        error("the question has bytes in it that are not text")
    if not given.strip():
        error("there is no question: give it as an argument, or on standard input")
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="aigw", description=DESCRIPTION)
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", title="commands")
    raw = argparse.RawDescriptionHelpFormatter

    chat = commands.add_parser("chat", help="ask a model", description=CHAT, epilog=CHAT_EPILOG, formatter_class=raw)
    chat.set_defaults(parser=chat)
    chat.add_argument("question", nargs="?", default="", help="the question; - or a pipe reads it from standard input")
    chat.add_argument("--model", metavar="MODEL", help="provider/model, local, or a GGUF file")
    chat.add_argument(
        "--url", metavar="URL", help="base URL of a server that speaks OpenAI's format; with --model NAME"
    )
    chat.add_argument("--system", metavar="TEXT", help="what the model is told before the question")
    chat.add_argument("--max-tokens", metavar="N", type=_count, help="upper bound of the answer")
    chat.add_argument(
        "--json", action="store_true", help="print one JSON object: text, model, usage, finish_reason, trace"
    )
    chat.add_argument("--trace", action="store_true", help="show what happened as a table, on standard error")
    chat.add_argument(
        "--no-fallback", dest="fall_back", action="store_false", help="do not let the local model stand in for another"
    )

    models = commands.add_parser("models", help="list what is configured", description=MODELS, formatter_class=raw)
    models.add_argument("--all", action="store_true", help="list the providers without a key too")
    models.add_argument("--json", action="store_true", help="print one JSON object: providers, local")

    add_usage(commands, raw)
    add_audit(commands, raw)

    demo = commands.add_parser(
        "demo", help="show a fallback to a real local model", description=DEMO, formatter_class=raw
    )
    demo.add_argument(
        "--model", metavar="PATH", help=f"a GGUF file; by default {LOCAL_MODEL}, or an installed model package"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 up")
    return int(text)
