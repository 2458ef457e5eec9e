"""What the two transports share: the list of idle lines, proxies, TLS, and headers."""

from __future__ import annotations

import ssl
import sys
import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import ConfigError
from aigw.ports import HttpRequest
from aigw.transport.lines import KEEP_IDLE, Certificates, FreeList, Origin, prepare, proxy_for, shorter

HERE = "http://here"


def test_the_line_used_last_comes_first():
    """So the others become stale, and their connections can be closed."""
    lines = FreeList()
    for name in ("a", "b", "c"):
        lines.give(HERE, name, 0)

    assert [lines.take(HERE) for _ in range(4)] == ["c", "b", "a", None]


def test_origins_are_kept_apart():
    """A line is given only to requests for its own origin."""
    lines = FreeList()
    lines.give(HERE, "a", 0)

    assert lines.take("http://there") is None
    assert lines.take("https://here") is None
    assert lines.take(HERE) == "a"


def test_a_line_that_was_unused_for_too_long():
    """Each line that is given back pushes at most one stale one out, the oldest first."""
    lines = FreeList()
    for name in ("a", "b"):
        lines.give(HERE, name, 0)
    young = lines.give(HERE, "c", KEEP_IDLE - 1)
    pushed = [lines.give(HERE, name, KEEP_IDLE) for name in ("d", "e", "f")]

    assert (young, pushed) == (None, ["a", "b", None])
    assert list(lines.drain()) == ["f", "e", "d", "c"]


def test_draining():
    """All lines of all origins come out, and none is left."""
    lines = FreeList()
    for origin in (HERE, "http://there"):
        for number in range(3):
            lines.give(origin, (origin, number), 0)

    assert len(set(lines.drain())) == 6
    assert list(lines.drain()) == []
    assert lines.take(HERE) is None


@pytest.fixture
def restless():
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Snatched(deque):
    """Somebody else is always quicker: whatever is put in is gone when one looks again."""

    def append(self, item):
        super().append(item)
        self.pop()

    def __bool__(self):
        return True


def test_a_thread_that_is_quicker():
    """A line that another thread takes between two steps is simply not there any more."""
    lines = FreeList()
    lines._idle[HERE] = Snatched()

    assert lines.give(HERE, "a", 0) is None
    assert lines.take(HERE) is None
    assert list(lines.drain()) == []


@pytest.mark.usefixtures("restless")
def test_many_threads():
    """No line is given to two of them, none is lost, and none of them stumbles over another."""
    lines, held, wrong = FreeList(), set(), []

    def work(number):
        try:
            for round_number in range(3000):
                line = lines.take(HERE) or f"{number}.{round_number}"
                if line in held:
                    wrong.append(line)
                held.add(line)
                held.discard(line)
                lines.give(HERE, line, 0)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is wrong)
            wrong.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    left = list(lines.drain())

    assert wrong == []
    assert len(left) == len(set(left)) <= 8


@pytest.mark.parametrize(
    ("origin", "environment", "proxy"),
    [
        ("http://model.test", {}, None),
        ("http://model.test", {"http_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ("http://model.test:8000", {"http_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://model.test", {"http_proxy": "http://proxy:3128"}, None),
        ("https://model.test", {"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://model.test", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://model.test", {"all_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ("http://model.test", {"all_proxy": "http://all", "http_proxy": "http://one"}, "http://one"),
        ("http://model.test", {"http_proxy": "proxy:3128"}, "http://proxy:3128"),
        ("http://model.test", {"http_proxy": "http://proxy", "no_proxy": "model.test"}, None),
        ("http://sub.model.test", {"http_proxy": "http://proxy", "no_proxy": ".model.test"}, None),
        ("http://model.test:8000", {"http_proxy": "http://proxy", "no_proxy": "model.test"}, None),
        ("http://other.test", {"http_proxy": "http://proxy", "no_proxy": "model.test"}, "http://proxy"),
        ("http://model.test", {"http_proxy": "http://proxy", "no_proxy": "*"}, None),
        ("http://127.0.0.1:8000", {"http_proxy": "http://proxy", "no_proxy": "localhost,127.0.0.1"}, None),
    ],
)
def test_the_proxy_for_an_origin(monkeypatch, origin, environment, proxy):
    """The environment is read as other programs read it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert proxy_for(Origin(origin)) == proxy


def test_tls_is_made_when_it_is_needed_and_once():
    """Loading certificates takes a while: not for plain HTTP, and once for all threads."""
    tls = Certificates()
    plain = tls.verify(Origin("http://here"))
    before = dict(tls._contexts)
    contexts = []
    workers = [threading.Thread(target=lambda: contexts.append(tls.verify(Origin("https://here")))) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert (plain, before) == (False, {})
    assert len({id(context) for context in contexts}) == 1
    assert isinstance(contexts[0], ssl.SSLContext)
    assert contexts[0].verify_mode is ssl.CERT_REQUIRED
    assert contexts[0].check_hostname


@pytest.mark.parametrize(
    ("connect", "timeout", "limit"), [(None, None, None), (1, None, 1), (None, 2, 2), (1, 2, 1), (3, 2, 2)]
)
def test_the_limit_of_connecting(connect, timeout, limit):
    """Connecting counts in the time for the answer."""
    assert shorter(connect, timeout) == limit


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://model.test/v1", "http://model.test"),
        ("https://model.test:8443/v1/chat?x=1", "https://model.test:8443"),
        ("https://model.test:443/v1", "https://model.test"),
        ("HTTP://Model.Test/v1", "http://model.test"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
    ],
)
def test_the_origin_of_a_request(url, origin):
    """Scheme, host and port; what is the same in other words is the same origin."""
    request = HttpRequest(url)

    assert prepare(request).origin == Origin(origin)
    assert prepare(request) is prepare(request)


legal = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
anything = st.text(st.characters(max_codepoint=0x2FF, exclude_categories=("Cs",)))


@given(name=st.text("abcXYZ019-_.~!#$%&'*+^`|", min_size=1), words=st.lists(legal, min_size=1))
def test_legal_headers_go_out_as_they_are(name, words):
    """Every legal name and value is sent, byte for byte."""
    value = " \t".join(words)
    sent = prepare(HttpRequest("http://here", ((name, value),))).with_body(b"", {}).headers.raw

    assert (name.encode(), value.encode()) in sent


@given(name=anything, value=anything)
def test_other_headers_are_refused_without_quoting_them(name, value):
    """Any other value is a ConfigError that does not hold it, nor do its cause and context."""
    request = HttpRequest("http://here", ((name, value),))
    error = sent = None
    try:
        sent = prepare(request).with_body(b"", {}).headers.raw
    except ConfigError as refused:
        error = refused

    if error is None:
        assert (name.encode("ascii"), value.encode("ascii")) in sent
        assert value == value.strip()
        assert not {"\r", "\n", "\x00"} & {*name, *value}
    else:
        assert len(value) <= 3 or value not in str(error).replace(repr(name), "")
        assert (error.__cause__, error.__context__) == (None, None)
