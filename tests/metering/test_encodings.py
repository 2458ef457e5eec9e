"""The encodings: the tables that OpenAI published, loaded without a network and beside everything else."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from hashlib import sha256

import pytest
import tiktoken
import tiktoken_ext.openai_public as published

from aigw.metering import encodings
from aigw.metering.encodings import ENCODINGS, FACTS, Encodings, read_table

NAMES = sorted(FACTS)

OFFLINE = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("the network was touched")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
import aigw.metering
assert "tiktoken" not in sys.modules, "loaded on import"
aigw.metering.load_encodings()
print(aigw.metering.count_tokens("tiktoken is great!", model="gpt-4"))
assert not {"requests", "urllib3"} & set(sys.modules), "a downloader was loaded"
"""


@pytest.fixture(params=NAMES)
def name(request):
    """Name of each encoding."""
    return request.param


def facts_of_tiktoken(name, monkeypatch):
    """Return what tiktoken builds an encoding of, and the hash that it checks its table by."""
    hashes = []

    def load(_, expected_hash):
        hashes.append(expected_hash)
        return {}

    monkeypatch.setattr(published, "load_tiktoken_bpe", load)
    return getattr(published, name)(), hashes[0]


def test_the_facts_are_those_of_tiktoken(name, monkeypatch):
    """Pattern, special tokens and the hash of the table are the same as in tiktoken itself."""
    theirs, expected_hash = facts_of_tiktoken(name, monkeypatch)

    assert FACTS[name].pattern == theirs["pat_str"]
    assert FACTS[name].special == theirs["special_tokens"]
    assert FACTS[name].sha256 == expected_hash


def test_the_tables_are_those_that_openai_published(name):
    """The hash of the table in the library is the published one."""
    assert sha256(read_table(name)).hexdigest() == FACTS[name].sha256


def test_an_encoding_is_the_one_of_tiktoken(name, monkeypatch, tmp_path):
    """Of the same table, tiktoken's own loader makes the same encoding."""
    from tiktoken.load import load_tiktoken_bpe

    path = tmp_path / "table"
    path.write_bytes(read_table(name))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    ranks = load_tiktoken_bpe(str(path), FACTS[name].sha256)
    theirs, _ = facts_of_tiktoken(name, monkeypatch)
    reference = tiktoken.Encoding(**theirs | {"mergeable_ranks": ranks})
    ours = ENCODINGS.load(name)

    assert ours._mergeable_ranks == ranks
    assert ours.n_vocab == reference.n_vocab
    assert ours.encode_ordinary("naïve 東京 \t x=1\n\n<|endoftext|> don't") == reference.encode_ordinary(
        "naïve 東京 \t x=1\n\n<|endoftext|> don't"
    )


def test_nothing_is_downloaded():
    """Importing loads nothing heavy, and loading touches no socket."""
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["6"]


def test_a_changed_table_is_refused(monkeypatch):
    """A table whose hash is wrong is not used."""
    monkeypatch.setitem(encodings.FACTS, "cl100k_base", FACTS["cl100k_base"]._replace(sha256="0" * 64))

    with pytest.raises(ValueError, match="cl100k_base"):
        read_table("cl100k_base")


def test_loading_is_done_by_a_thread():
    """Who asks whether an encoding is ready does not wait: another thread loads it, once."""
    begun, go_on = threading.Event(), threading.Event()
    built = []

    def build(name):
        built.append((name, threading.current_thread()))
        begun.set()
        go_on.wait(60)
        return "an encoding"

    loader = Encodings(build)
    first, second = loader.ready("o200k_base"), loader.ready("o200k_base")
    begun.wait(60)
    running = built[0][1]
    go_on.set()
    running.join(60)

    assert first is second is None
    assert [name for name, _ in built] == ["o200k_base"]
    assert running is not threading.current_thread()
    assert running.daemon
    assert loader.ready("o200k_base") == loader.load("o200k_base") == loader.loaded("o200k_base") == "an encoding"


def test_what_cannot_be_loaded_is_done_without():
    """A table that is missing is tried once by a thread, whose failure is not seen; loading it oneself tells why."""

    def build(_):
        built.append(threading.current_thread())
        raise FileNotFoundError("no such table")

    built: list[threading.Thread] = []
    loader = Encodings(build)
    while not built:
        assert loader.ready("o200k_base") is None
    built[0].join(60)

    assert loader.ready("o200k_base") is None
    assert len(built) == 1
    with pytest.raises(FileNotFoundError):
        loader.load("o200k_base")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_starts_again():
    """A child forked while its parent loads waits neither for its thread nor for its lock."""
    go_on = threading.Event()
    mine = os.getpid()

    def build(name):
        if os.getpid() == mine:
            go_on.wait(60)
        return name

    loader = Encodings(build)
    loader.ready("o200k_base")
    results = multiprocessing.get_context("fork").SimpleQueue()
    child = multiprocessing.get_context("fork").Process(target=lambda: results.put(loader.load("o200k_base")))
    child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
    go_on.set()

    assert child.exitcode == 0
    assert results.get() == "o200k_base"
