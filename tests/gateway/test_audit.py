"""`Audit`: every call is written down, with what was decided about it, and nothing of what was said."""

from __future__ import annotations

import asyncio
import json

import pytest

import aigw
from aigw.audit import FileAudit, verify
from aigw.guards import Pii
from aigw.testing import FakeClock, ScriptedProvider
from gateway.faces import FACES

SECRET = "alice@example.com"
ROLES = {"staff": aigw.Role("smart")}


class Kept:
    """A log of the application."""

    def __init__(self, trouble=""):
        self.trouble = trouble
        self.found = []

    def add(self, record):
        self.found.append(record)

    def close(self):
        raise AssertionError("it belongs to the application")


@pytest.fixture(params=list(FACES))
def face(request):
    """Each face in turn."""
    return FACES[request.param]


def target(*script, **options):
    """Make a target that answers so."""
    name = options.pop("name", "main")
    return aigw.Target(ScriptedProvider.repeat(*script, name=name), model="m", **options)


def test_a_call(face):
    """Who asked, what was decided and tried, in order, and how it ended."""
    log = Kept()
    routes = {"smart": aigw.Fallback(target(aigw.ServerError("broken"), name="a"), target("hi", name="b"), name="both")}
    staff = aigw.Principal("alice", "research", frozenset({"staff", "other"}))
    with face(routes, [aigw.Audit(log), aigw.Access(ROLES)], clock=FakeClock()) as one:
        one.chat("hello", principal=staff, tags="x", metadata={"app": "shop"})
    (record,) = log.found

    assert (record.principal, record.team, record.roles) == ("alice", "research", ("other", "staff"))
    assert (record.outcome, record.refused_by, record.route, record.asked) == ("ok", None, "smart", "")
    assert (record.tags, dict(record.metadata), record.operation) == (("x",), {"app": "shop"}, "chat")
    told = [(event.by, event.action) if event.type == "decision" else event.outcome for event in record.events]
    assert told == [("Access", "allowed"), "ServerError", ("both", "moved on"), "ok"]


def test_a_refusal(face):
    """Denied calls are written down as well, with who denied them and why; nothing was sent."""
    log = Kept()
    with face({"smart": target("hi")}, [aigw.Audit(log), aigw.Access(ROLES)]) as one, pytest.raises(aigw.AccessDenied):
        one.chat("hello", principal=aigw.Principal("bob"))
    (record,) = log.found

    assert (record.outcome, record.refused_by, record.principal) == ("AccessDenied", "Access", "bob")
    assert [(event.action, event.reason) for event in record.events] == [("denied", "principal bob has no role")]


def test_whom_a_credential_named(face):
    """The record has the principal that `verify` found, and not the credential."""
    log, keys = Kept(), aigw.VirtualKeys()
    key = keys.issue(aigw.Principal("carol", roles=frozenset({"staff"})))
    with face({"smart": target("hi")}, [aigw.Audit(log), aigw.Access(ROLES, verify=keys.verify)]) as one:
        one.chat("hello", token=key)

    assert log.found[0].principal == "carol"
    assert key not in log.found[0].to_json()


def test_nothing_of_what_was_said(face):
    """Neither the prompt, nor the answer, nor what a provider said of the failure is in the record."""
    log = Kept()
    words = aigw.ServerError(f"cannot do {SECRET}")
    routes = {"smart": aigw.Fallback(target(words, name="a"), target(f"I am {SECRET}", name="b"))}
    tools = [aigw.Tool("mail", description=SECRET)]
    with face(routes, [aigw.Audit(log), aigw.Guard(Pii())]) as one:
        one.chat(f"Write to {SECRET}", tools=tools)
        one.chat([{"role": "system", "content": SECRET}, {"role": "user", "content": SECRET}])

    assert [record.outcome for record in log.found] == ["ok", "ok"]
    assert log.found[0].tools == ("mail",)
    assert SECRET not in "".join(record.to_json() for record in log.found)
    assert "masked" in [event.action for event in log.found[0].events if event.type == "decision"]


@pytest.mark.parametrize("policy", ["Guard", "RateLimit", "Budget"])
def test_every_policy_that_refuses(face, policy):
    """The record tells which of them it was."""
    policies = {
        "Guard": aigw.Guard(Pii(), action="block"),
        "RateLimit": aigw.RateLimit(tokens_per_minute=1, on_exceeded="reject"),
        "Budget": aigw.Budget(tokens_per_day=1),
    }
    log = Kept()
    with face({"smart": target("hi")}, [aigw.Audit(log), policies[policy]]) as one, pytest.raises(aigw.Refused):
        one.chat(f"hello {SECRET}")

    assert log.found[0].refused_by == policy


def test_streams(face):
    """The record is made when the stream is over: read to its end, left early, or broken."""
    log = Kept()
    script = ScriptedProvider(["a", "b"], ["a", "b"], ["a", aigw.Unreachable("gone")])
    with face({"smart": aigw.Target(script, model="m")}, [aigw.Audit(log)]) as one:
        one.read("hello")
        with one.stream("hello") as stream:
            stream.next()
        with pytest.raises(aigw.StreamInterrupted):
            one.read("hello")

    assert [record.outcome for record in log.found] == ["ok", "abandoned", "StreamInterrupted"]


def test_a_log_that_cannot_write(face):
    """Calls are refused, and nothing is sent, while records cannot be written; or go on, if that was wanted."""
    log, provider = Kept(), ScriptedProvider.repeat("hi")
    routes = {"smart": aigw.Target(provider, model="m")}
    log.trouble = "No space left on device"
    with face(routes, [aigw.Audit(log)]) as one:
        with pytest.raises(aigw.AuditUnavailable, match="No space left on device") as caught:
            one.chat("hello")
        log.trouble = ""
        one.chat("hello")
    log.trouble = "No space left on device"
    with face(routes, [aigw.Audit(log, on_failure="allow", name="Second")]) as one:
        one.chat("hello")

    assert (caught.value.status, caught.value.policy) == (503, "Audit")
    assert [record.outcome for record in log.found] == ["AuditUnavailable", "ok", "ok"]
    assert len(provider.calls) == 2


def test_a_file(face, tmp_path):
    """A path is all it takes; when the gateway is closed, all records are in the file."""
    path = tmp_path / "audit.jsonl"
    with face({"smart": target("hi")}, [aigw.Audit(path)]) as one:
        ids = [one.chat("hello").trace.call_id for _ in range(3)]
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]

    assert [line["id"] for line in lines] == ids
    assert (verify(path).records, verify(path).flaws) == (3, ())


def test_a_log_of_ones_own_stays_open(tmp_path, face):
    """Two gateways may share a log, and neither closes it."""
    log = FileAudit(tmp_path / "audit.jsonl", key="0123456789abcdef")
    for _ in range(2):
        with face({"smart": target("hi")}, [aigw.Audit(log)]) as one:
            one.chat("hello")
    count = len(list(log.records()))
    log.close()

    assert count == 2
    assert verify(log.path, "0123456789abcdef").flaws == ()


@pytest.mark.parametrize("other", [aigw.Access(ROLES), aigw.Deadline(), aigw.Retry(), aigw.Guard(Pii())])
def test_where_it_stands(other):
    """Inside of what decides it would miss decisions, which is refused at once."""
    with pytest.raises(aigw.ConfigError, match=r"Audit must stand outside .* refusals included"):
        aigw.Gateway({"smart": target("hi")}, [other, aigw.Audit(Kept())])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: aigw.Audit(Kept), r"Audit\(log\) must be a path, or a log"),
        (lambda: aigw.Audit(7), r"Audit\(log\) must be a path, or a log"),
        (lambda: aigw.Audit(Kept(), on_failure="closed"), r"Audit\(on_failure\) must be one of 'block', 'allow'"),
        (lambda: aigw.Audit(Kept(), name=""), r"Audit\(name\) must be a name"),
        (lambda: aigw.Audit("/nowhere/at/all"), "cannot be used: No such file"),
    ],
)
def test_wrong_arguments(given, words):
    """They are named at once."""
    with pytest.raises(aigw.ConfigError, match=words):
        given()


def test_a_call_that_is_cancelled():
    """It is written down as what it is."""
    log = Kept()

    async def main():
        async with aigw.AsyncGateway(
            {"smart": aigw.Target(ScriptedProvider([1000.0, "late"]), model="m")}, [aigw.Audit(log)]
        ) as gateway:
            task = asyncio.ensure_future(gateway.chat("hello"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())

    assert [record.outcome for record in log.found] == ["cancelled"]
