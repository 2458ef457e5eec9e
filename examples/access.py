"""Who may use what: roles, keys, data that must stay here, and an audit of all of it.

Runs without any key of a provider: two scripted ones stand for a cloud and for a server of one's own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import aigw
from aigw.audit import FileAudit, verify
from aigw.guards import Pii
from aigw.testing import ScriptedProvider


def classify(call: aigw.Call) -> str | None:
    """Prompts with personal data are confidential, whether the caller says so or not."""
    return "confidential" if any(Pii().find(message.text) for message in call.messages) else None


def main() -> None:
    """Ask as an analyst, as a guest, with a guessed key, and with one that was rotated."""
    cloud = aigw.Target(ScriptedProvider.repeat("the cloud", name="cloud"), model="large")
    own = aigw.Target(ScriptedProvider.repeat("our own server", name="own"), model="llama", tags="private")
    keys = aigw.VirtualKeys()
    analyst = keys.issue(aigw.Principal("ann", roles=frozenset({"analyst"})))
    guest = keys.issue(aigw.Principal("gus", roles=frozenset({"guest"})))
    access = aigw.Access(
        {"analyst": aigw.Role("smart", data="confidential"), "guest": aigw.Role("smart", max_tokens=200)},
        data={"confidential": "private"},
        classify=classify,
        verify=keys.verify,
    )
    file = Path(tempfile.mkdtemp()) / "audit.jsonl"
    with aigw.Gateway({"smart": aigw.Fallback(cloud, own)}, [aigw.Audit(file), access]) as gateway:

        def ask(who: str, key: str, prompt: str) -> None:
            try:
                print(f"{who:<8} {prompt:<24} ->", gateway.chat(prompt, token=key).text)
            except aigw.AccessDenied as error:
                print(f"{who:<8} {prompt:<24} ->", error.status, error)

        ask("analyst", analyst, "What is new?")
        ask("analyst", analyst, "Who is ann@example.org?")
        ask("guest", guest, "Who is ann@example.org?")
        ask("nobody", "guessed", "What is new?")
        renewed = keys.rotate(keys.records[0].id, grace=0)
        ask("old key", analyst, "What is new?")
        ask("new key", renewed, "What is new?")

    for record in FileAudit(file).records():
        print(record.principal, record.outcome, [event.type for event in record.events])
    print("flaws:", *verify(file).flaws)
    file.write_bytes(file.read_bytes().replace(b'"principal":"gus"', b'"principal":"ann"'))
    print("after a change:", *verify(file).flaws)


if __name__ == "__main__":
    main()
