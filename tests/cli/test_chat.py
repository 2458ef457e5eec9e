"""``aigw chat`` against a real server on loopback: what it prints where, and how it ends."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import sys

import pytest

from aigw import Chunk, NotFound, Usage
from aigw.cli import main
from aigw.testing import FaultyUpstream, Stall, Status, Unfinished
from cli.standby import Standby, nothing

KEY = "sk-very-secret"


@pytest.fixture
def upstream():
    """Serve a short answer."""
    with FaultyUpstream("The sky is blue.") as upstream:
        yield upstream


class Chat:
    """Runs the command against an upstream."""

    def __init__(self, upstream):
        self.upstream = upstream

    def __call__(self, *arguments, installed=nothing, env=None, stdin=None):
        line = ["chat", *arguments, "--url", self.upstream.url, "--model", "test-model"]
        return main(line, env=env or {}, stdin=stdin, installed=installed)


@pytest.fixture
def chat(upstream):
    """Return what asks the upstream."""
    return Chat(upstream)


class Output(io.StringIO):
    """Standard output that remembers what stood there at each flush, and may fail."""

    def __init__(self, failure=None, *, tty=False):
        super().__init__()
        self.seen = []
        self._failure = failure
        self._tty = tty

    def isatty(self):
        return self._tty

    def flush(self):
        self.seen.append(self.getvalue())
        if self._failure is not None:
            raise self._failure


def test_the_answer_is_printed_with_a_newline(chat, capsys):
    """Standard output has the answer and a newline at its end, standard error has nothing."""
    code = chat("Why?")
    printed = capsys.readouterr()

    assert code == 0
    assert printed.out == "The sky is blue.\n"
    assert printed.err == ""


def test_every_chunk_is_shown_at_once(chat):
    """The answer grows on the screen chunk by chunk."""
    with contextlib.redirect_stdout(Output()) as output:
        chat("Why?")

    assert [text for text in output.seen if text][:4] == ["The ", "The sky ", "The sky is ", "The sky is blue."]


def test_a_newline_of_the_model_is_enough(chat, upstream, capsys):
    """An answer that ends its last line itself gets no empty line behind it."""
    upstream.answer = "one\n"
    chat("Why?")

    assert capsys.readouterr().out == "one\n"


def test_what_is_asked(chat, upstream):
    """The question, the system text and the token limit reach the server; without them the request has neither."""
    chat("Why?", "--system", "Be brief.", "--max-tokens", "7")
    chat("Why?")
    full, bare = [request.json for request in upstream.requests]

    assert [(message["role"], message["content"]) for message in full["messages"]] == [
        ("system", "Be brief."),
        ("user", "Why?"),
    ]
    assert (full["model"], full["max_tokens"]) == ("test-model", 7)
    assert [message["role"] for message in bare["messages"]] == ["user"]
    assert "max_tokens" not in bare


def test_the_key_for_a_url_is_its_own(chat, upstream):
    """A server by its URL gets AIGW_API_KEY, and never the key of a provider."""
    chat("Why?", env={"OPENAI_API_KEY": KEY})
    chat("Why?", env={"OPENAI_API_KEY": KEY, "AIGW_API_KEY": "sk-mine"})
    without, own = [request.headers for request in upstream.requests]

    assert "authorization" not in without
    assert own["authorization"] == "Bearer sk-mine"


def test_json_is_one_object(chat, capsys):
    """With --json standard output is one JSON object with the five fields, and nothing else."""
    code = chat("Why?", "--json")
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    assert list(document) == ["text", "model", "usage", "finish_reason", "trace"]
    assert document["text"] == "The sky is blue."
    assert document["model"] == "test-model"
    assert (document["usage"]["input"], document["usage"]["output"]) == (1, 4)
    assert document["finish_reason"] == "stop"
    assert document["trace"]["route"] == "chat"
    assert [event["outcome"] for event in document["trace"]["events"]] == ["ok"]


def test_json_says_that_usage_is_unknown(capsys):
    """Usage that the provider did not tell is null, not zero."""
    local = Standby("hello", usage=None)
    main(["chat", "Why?", "--model", "local", "--json"], env={}, installed=lambda: local)

    assert json.loads(capsys.readouterr().out)["usage"] is None


def test_the_trace_is_a_table_on_standard_error(chat, capsys):
    """With --trace the events stand in a table beside the answer."""
    chat("Why?", "--trace")
    printed = capsys.readouterr()

    assert printed.out == "The sky is blue.\n"
    title, head, row = printed.err.splitlines()
    assert "on route 'chat'" in title
    assert head.split() == ["at", "who", "what", "detail"]
    assert "ok" in row.split()


@pytest.mark.parametrize("arguments", [["-"], []], ids=["dash", "pipe"])
def test_the_question_from_standard_input(chat, upstream, arguments):
    """A dash reads the question from standard input, and so does leaving it out when that is no terminal."""
    code = chat(*arguments, stdin=io.StringIO("Why is it so?\n"))

    assert code == 0
    assert upstream.requests[0].json["messages"][0]["content"] == "Why is it so?\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        ([], Terminal(), "there is no question"),
        ([], io.StringIO(" \n"), "there is no question"),
        ([""], None, "there is no question"),
        (["-"], io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8"), "not text"),
        (["wh\udcff"], None, "not text"),
        (["Why?", "--max-tokens", "0"], None, "--max-tokens: must be a whole number"),
        (["Why?", "--max-tokens", "few"], None, "--max-tokens: must be a whole number"),
    ],
    ids=["terminal", "empty input", "empty argument", "bad input", "bad argument", "zero", "no number"],
)
def test_arguments_that_make_no_sense(chat, capsys, arguments, stdin, said):
    """They end with exit code 2 and the reason, before anything is sent."""
    with pytest.raises(SystemExit) as ended:
        chat(*arguments, stdin=stdin or Terminal())

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert chat.upstream.requests == []


def test_a_url_needs_a_model(capsys):
    """--url without --model is a wrong use, even where the environment names a model."""
    with pytest.raises(SystemExit) as ended:
        main(["chat", "Why?", "--url", "http://127.0.0.1/v1"], env={"AIGW_MODEL": "openai/gpt-5.5"})

    assert ended.value.code == 2
    assert "--url needs --model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Status(401, code="invalid_api_key", message=f"wrong key {KEY}"), "AuthenticationFailed"),
        (Status(400, message="wrong: Why?"), "BadRequest"),
        (Status(429, code="insufficient_quota"), "QuotaExhausted"),
    ],
    ids=["401", "400", "quota"],
)
@pytest.mark.parametrize("shape", [[], ["--json"]], ids=["text", "json"])
def test_a_failure_is_one_line(chat, capsys, fault, error, shape):
    """Exit code 1, nothing on standard output, one line on standard error without the key or the question."""
    chat.upstream.always(fault)
    code = chat("Why?", *shape, env={"AIGW_API_KEY": KEY})
    printed = capsys.readouterr()

    assert code == 1
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith(f"{error}: ")
    assert KEY not in line
    assert "Why?" not in line


def test_a_failure_with_its_trace(chat, upstream, capsys):
    """With --trace the table stands above the line of the error."""
    upstream.always(Status(401))
    code = chat("Why?", "--trace")
    lines = capsys.readouterr().err.splitlines()

    assert code == 1
    assert "on route 'chat'" in lines[0]
    assert "AuthenticationFailed" in lines[-2]
    assert lines[-1].startswith("AuthenticationFailed: ")


@pytest.mark.parametrize(
    "url", ["host/v1", "ftp://host/v1", "http://host:port/v1", "http://[host/v1", "http://me:pass@host/v1"]
)
def test_a_wrong_url_is_not_repeated(capsys, url):
    """A URL that makes no sense, or holds a password, is told in one line that does not show it."""
    code = main(["chat", "Why?", "--url", url, "--model", "m"], env={}, installed=nothing)
    error = capsys.readouterr().err

    assert code == 1
    assert error.startswith("ConfigError: ")
    assert len(error.splitlines()) == 1
    assert "pass@" not in error


def test_a_cut_answer_is_said_to_be_cut(chat, upstream, capsys):
    """What came is printed, then the error on a line of its own, exit code 1."""
    upstream.next(Unfinished(after=2))
    code = chat("Why?")
    printed = capsys.readouterr()

    assert code == 1
    assert printed.out == "The sky \n"
    assert printed.err.startswith("StreamInterrupted: the stream was cut")


def test_an_answer_that_ended_early_is_said_to(capsys):
    """An answer that stopped at a limit is an answer, with a note beside it."""
    local = Standby([Chunk("The sky", finish_reason="length", usage=Usage(1, 2))])
    code = main(["chat", "Why?", "--model", "local"], env={}, installed=lambda: local)
    printed = capsys.readouterr()

    assert code == 0
    assert printed.out == "The sky\n"
    assert printed.err == "aigw: the answer ended early: length\n"


def test_a_refusal_is_shown(capsys):
    """What a model writes in place of an answer is printed as well."""
    local = Standby([Chunk(refusal="I cannot."), Chunk(finish_reason="stop")])
    main(["chat", "Why?", "--model", "local"], env={}, installed=lambda: local)

    assert capsys.readouterr().out == "I cannot.\n"


@pytest.mark.parametrize("shape", [[], ["--json"]], ids=["text", "json"])
def test_the_local_model_stands_in(chat, upstream, capsys, shape):
    """When the server fails before it has said anything the local model answers, and the user is told."""
    upstream.next(Status(500))
    local = Standby("from here")
    code = chat("Why?", *shape, installed=lambda: local)
    printed = capsys.readouterr()

    assert code == 0
    assert "from here" in printed.out
    assert "test-model: ServerError" in printed.err
    assert len(printed.err.splitlines()) == 1
    assert local.closed


def test_no_stand_in_unless_wanted(chat, upstream, capsys):
    """With --no-fallback the failure of the server is the failure of the command."""
    upstream.next(Status(401))
    local = Standby("from here")
    code = chat("Why?", "--no-fallback", installed=lambda: local)

    assert code == 1
    assert capsys.readouterr().err.startswith("AuthenticationFailed: ")
    assert local.calls == []


def test_all_fail(chat, upstream, capsys):
    """When everything failed one line names every failure, and the local model is freed."""
    upstream.always(Status(401))
    local = Standby(NotFound("it is gone"))
    code = chat("Why?", installed=lambda: local)
    line = capsys.readouterr().err.splitlines()[-1]

    assert code == 1
    assert line.startswith("AllTargetsFailed: ")
    assert "[AuthenticationFailed]" in line
    assert "[NotFound]" in line
    assert local.closed


def test_ctrl_c_is_quiet(chat, upstream, capsys):
    """Ctrl-C in the middle of an answer: exit code 130, no word, and the connection is closed."""
    upstream.next(Stall(after=1))
    with contextlib.redirect_stdout(Output(KeyboardInterrupt())) as output:
        code = chat("Why?")
    upstream.wait_until(lambda: upstream.connections == 0)

    assert code == 130
    assert output.getvalue().rstrip() == "The"
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_is_quiet(chat, capsys):
    """When nobody reads the output any more: exit code 141 as for any program in a pipe, and no word."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe, contextlib.redirect_stdout(pipe):
        code = chat("Why?")

    assert code == 141
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_one_line(chat, capsys):
    """Output that cannot be written is a failure of one line."""
    with contextlib.redirect_stdout(Output(OSError(errno.ENOSPC, "No space left on device"))):
        code = chat("Why?")

    assert code == 1
    assert capsys.readouterr().err == "OSError: [Errno 28] No space left on device\n"


def test_a_model_does_not_command_the_terminal(chat, upstream):
    """Control characters of an answer are left out on a terminal, and kept for a file."""
    upstream.answer = "red\x1b[31m and\n\ttab\x9b"
    with contextlib.redirect_stdout(Output(tty=True)) as terminal:
        chat("Why?")
    with contextlib.redirect_stdout(Output()) as file:
        chat("Why?")

    assert terminal.getvalue() == "red[31m and\n\ttab\n"
    assert file.getvalue() == "red\x1b[31m and\n\ttab\x9b\n"


def test_characters_that_the_terminal_lacks(chat, upstream):
    """They are replaced, not an error."""
    upstream.answer = "blue \N{SNOWMAN} really"
    written = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(written, encoding="ascii")) as output:
        code = chat("Why?")
        output.flush()

    assert code == 0
    assert written.getvalue().splitlines() == [b"blue ? really"]


def test_closed_streams(chat, upstream, capsys):
    """With standard error closed its lines are lost, not mixed into the answer; so is the answer without an output."""
    with contextlib.redirect_stderr(None):
        assert chat("Why?", "--trace") == 0
    printed = capsys.readouterr()
    with contextlib.redirect_stdout(None):
        code = chat("Why?")

    assert printed.out == "The sky is blue.\n"
    assert code == 0
    assert sys.stdout is not None
