"""Restoring understands what models make of tokens, and takes nothing else for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.guards import Vault
from guards.vault.finders import NONCE, fed

VALUE = "4111 1111"
NAMES = ("EMAIL", "CREDIT_CARD")


def make_filled(nonce: str = NONCE) -> Vault:
    """Make a vault with a few tokens, two for the same card."""
    vault = Vault([], nonce=nonce)
    vault.token("EMAIL", "ann@example.org")
    vault.token("CREDIT_CARD", "41111111")
    vault.token("CREDIT_CARD", VALUE)
    vault.token("SECRET", 'say "a\\b"\nend')
    return vault


openings = st.sampled_from(["<", "&lt;", "&LT;", "&amp;lt;", "&#60;", "&#x3C;", "\\u003c", "\\u003C", "%3C", ""])
closings = st.sampled_from([">", "&gt;", "&amp;gt;", "&#62;", "\\u003e", "%3E", ""])
separators = st.sampled_from(["_", "\\_", "\\\\_", " ", "-", "&#95;", "\\u005F", "%5F"])
around = st.sampled_from(
    [("", ""), (" ", " "), ("**", "**"), ("`", "`"), ("(", ")"), ('"', '"'), ("_", "_"), ("é", "。")]
)
recase = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])


@st.composite
def forms(draw) -> str:
    """Draw a form of the token ``<CREDIT_CARD_1b_k3f9>``."""
    words = ["CREDIT", "CARD", "1b", NONCE]
    core = words[0] + "".join([draw(separators) + word for word in words[1:]])
    core = draw(recase)(core) if draw(st.booleans()) and "u005" not in core else core
    pair = draw(st.sampled_from([None, ("[", "]"), ("{", "}"), ("{{", "}}"), ("\\<", "\\>")]))
    return f"{pair[0]}{core}{pair[1]}" if pair else f"{draw(openings)}{core}{draw(closings)}"


@settings(max_examples=400)
@given(forms(), around, st.data())
def test_any_form_of_a_token_is_restored(form, frame, data):
    """Every mix of cases, brackets, escapes and separators becomes the value, and nothing around it changes."""
    before, after = frame
    text = f"pay {before}{form}{after} now"
    size = data.draw(st.integers(1, 9))
    vault = make_filled()

    assert vault.restore(text) == f"pay {before}{VALUE}{after} now"
    assert fed(vault.restorer(), [text[at : at + size] for at in range(0, len(text), size)]) == vault.restore(text)


@pytest.mark.parametrize(
    "text",
    [
        "<EMAIL_7_k3f9>", "<EMAIL_1_k3f>", "<EMAIL_1_k3f9x>", "EMAIL_1_k3f9x", "<EMAIL_1>", "EMAIL_1",
        "<EMAIL_01_k3f9>", "<EMAIL_1_zzzz>", "<EMAIL_1c_k3f9>", "<PHONE_1_k3f9>", "<MAIL_1_k3f9>",
        "MYEMAIL_1_k3f9", "MY_EMAIL_1_k3f9", "<EMAIL__1_k3f9>", "<EMAIL_1_ k3f9>", "k3f9", "<CARD_1_k3f9>",
        "EMAIL1k3f9", "<EMAIL_1_k3f9", "[EMAIL_1_k3f9",
    ],
)  # fmt: skip
def test_what_is_no_token_stays(text: str):
    """Tokens that were never issued, cut ones and those of other vaults stay as they are."""
    vault = make_filled()
    expected = {"<EMAIL_1_k3f9": "ann@example.org", "[EMAIL_1_k3f9": "[ann@example.org"}.get(text, text)

    assert vault.restore(text) == expected
    assert fed(vault.restorer(), text) == expected


def test_links_stay_links():
    """Square brackets before an address are those of a Markdown link, and stay."""
    vault = make_filled()

    assert vault.restore("[EMAIL_1_k3f9](mailto:<EMAIL_1_k3f9>)") == "[ann@example.org](mailto:ann@example.org)"
    assert vault.restore("[<EMAIL_1_k3f9>] {<EMAIL_1_k3f9>}") == "[ann@example.org] {ann@example.org}"
    assert fed(vault.restorer(), "[EMAIL_1_k3f9](x)") == "[ann@example.org](x)"


def test_values_are_not_looked_at_again():
    """A value that holds a token is put back as it was."""
    vault = Vault([], nonce=NONCE)
    vault.token("A", "one")
    token = vault.token("B", "<A_1_k3f9> and more")

    assert vault.restore(f"{token}{token}") == "<A_1_k3f9> and more" * 2


@given(st.text(max_size=8), st.booleans(), st.data())
def test_values_are_escaped_for_json(value, escapes, data):
    """In a JSON text values are written so that they are read as they are, also with lone surrogates."""
    vault = Vault([], nonce=NONCE)
    written = json.dumps({"to": [f"<{vault.token('X', value + '!')}".removeprefix("<")]})
    if escapes:
        written = written.replace("<", "\\u003c").replace(">", "\\u003e")
    size = data.draw(st.integers(1, 5))
    pieces = [written[at : at + size] for at in range(0, len(written), size)]

    assert json.loads(vault.restore(written, json=True)) == {"to": [value + "!"]}
    assert fed(vault.restorer(json=True), pieces) == vault.restore(written, json=True)


def test_brackets_tell_where_values_are_escaped():
    """In a text a value is escaped where its token is: there it stands in a JSON string."""
    vault = make_filled()
    inner = json.dumps({"say": "\\u003cSECRET_1_k3f9\\u003e"}).replace("\\\\", "\\")
    outer = json.dumps(inner)

    assert json.loads(vault.restore(inner))["say"] == 'say "a\\b"\nend'
    assert json.loads(json.loads(vault.restore(outer)))["say"] == 'say "a\\b"\nend'
    assert vault.restore("<SECRET_1_k3f9>") == 'say "a\\b"\nend'


def test_long_texts_take_linear_time():
    """Texts that look like beginnings of tokens all along are no harder than others."""
    vault = make_filled()
    for piece in ("<", "EMAIL_", "<EMAIL_1_", "k3f9", "EMAIL_1_k3f", "&amp;", "\\", "[", "_", "CREDIT CARD 1 "):
        text = piece * (100_000 // len(piece))

        assert fed(vault.restorer(), [text[at : at + 500] for at in range(0, len(text), 500)]) == vault.restore(text)
