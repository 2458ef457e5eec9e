"""Masking inside of JSON: what is escaped is found, and what was JSON stays JSON."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.guards import Span, Vault
from aigw.guards.json_text import JsonText, find_in_json
from guards.vault.finders import EMAIL, NONCE, PHONE, PIECES, make_vault

strings = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
written = st.recursive(
    strings | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none() | st.just(4155550123),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=8,
)
documents = written.map(lambda document: json.loads(json.dumps(document)))  # two halves of a character become one


def escaped_everywhere(text: str) -> str:
    """Write some letters of JSON strings as escapes."""
    return re.sub(r"[@.é]", lambda match: f"\\u{ord(match[0]):04x}", text)


def with_strings_for_numbers(value, masked):
    """Return a document in which numbers are strings wherever they are in another one."""
    if isinstance(value, dict):
        return {
            name: with_strings_for_numbers(one, two)
            for (name, one), two in zip(value.items(), masked.values(), strict=True)
        }
    if isinstance(value, list):
        return [with_strings_for_numbers(one, two) for one, two in zip(value, masked, strict=True)]
    return json.dumps(value) if isinstance(masked, str) and not isinstance(value, str) else value


@settings(max_examples=300)
@given(documents, st.booleans(), st.booleans())
def test_json_stays_json_and_comes_back(document, ascii_only, indents):
    """A masked document is one of the same shape, and restores to the same values; a masked number to its digits."""
    raw = json.dumps(document, ensure_ascii=ascii_only, indent=1 if indents else None)
    vault = make_vault()
    masked = vault.mask(raw, json=True)
    restored = json.loads(vault.restore(masked, json=True))

    assert restored == with_strings_for_numbers(json.loads(raw), restored)
    assert restored == json.loads(vault.restore(vault.replace_known(masked, json=True), json=True))


@settings(max_examples=200)
@given(documents, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4))
def test_any_spans_leave_json_whole(document, places):
    """Whatever is said to be a find, quotes and halves of escapes included, JSON stays JSON of the same values."""
    raw = json.dumps(document)
    vault = Vault([], nonce=NONCE)
    masked = vault.mask(raw, [Span(start, start + length, "X") for start, length in places], json=True)
    restored = json.loads(vault.restore(masked, json=True))

    assert restored == with_strings_for_numbers(json.loads(raw), restored)


def test_escaped_values_are_found():
    """A value that is written with escapes gets the token of the value that it is."""
    vault = make_vault()
    raw = r'{"to": "ann\u0040example.org", "ann@example.org": "\"ann@example.org\"\nbob\u0040x.com"}'
    masked = vault.mask(raw, json=True)

    assert masked == r'{"to": "<EMAIL_1_k3f9>", "<EMAIL_1_k3f9>": "\"<EMAIL_1_k3f9>\"\n<EMAIL_2_k3f9>"}'
    assert json.loads(vault.restore(masked, json=True)) == json.loads(raw)


def test_half_of_an_escape_is_all_of_it():
    """A find that begins or ends inside of an escape has all of it."""
    vault = Vault([], nonce=NONCE)

    assert vault.mask(r'["\u0040a\u0040"]', [Span(4, 6, "X")], json=True) == r'["<X_1_k3f9>a\u0040"]'
    assert vault.mask(r'["\u0040a\u0040"]', [Span(8, 10, "X")], json=True) == r'["\u0040<X_2_k3f9>"]'


def test_known_values_are_found_with_escapes():
    """What was found in a text is masked in JSON too, and the other way round."""
    vault = Vault([], nonce=NONCE)
    token = vault.token("PERSON", 'Ann "Bee" Möller')
    raw = json.dumps({"name": 'Ann "Bee" Möller'})

    assert vault.replace_known(raw, json=True) == json.dumps({"name": token})
    assert vault.mask(raw, [], json=True) == json.dumps({"name": token})
    assert vault.replace_known('Ann "Bee" Möller') == token


def test_numbers_become_strings():
    """A number of which a part is found is masked as a whole, in quotes."""
    vault = Vault([], nonce=NONCE)

    assert vault.mask('{"card": 4111111111111111}', [Span(10, 14, "CARD")], json=True) == '{"card": "<CARD_1_k3f9>"}'
    assert vault.replace_known("[4111111111111111, 1]", json=True) == '["<CARD_1_k3f9>", 1]'


def test_replacements_are_escaped():
    """What a value becomes may hold characters that JSON escapes."""
    vault = Vault([], mode="last4")
    raw = json.dumps(["a long secret ü\U00020000漢字"])

    assert json.loads(vault.mask(raw, [Span(2, 99, "SECRET")], json=True)) == ["**** ü\U00020000漢字"]


@pytest.mark.parametrize("raw", ['{"to": "ann@example.org', "ann@example.org", "[" * 100_000 + '"ann@example.org"', ""])
def test_what_is_no_json_is_masked_as_text(raw: str):
    """Broken, cut and overly deep JSON is masked as the text that it is."""
    vault = make_vault()

    assert vault.mask(raw, json=True) == vault.mask(raw)
    assert vault.replace_known(raw, json=True) == vault.mask(raw)
    assert "ann" not in vault.mask(raw, json=True)


@given(st.text(max_size=12), st.booleans())
def test_places_lead_there_and_back(text, ascii_only):
    """Each place of the text without escapes has one in the JSON, and the other way round."""
    raw = json.dumps(text, ensure_ascii=ascii_only)
    document = JsonText(raw)

    assert document.text[1:-1] == json.loads(raw)
    assert [document.place_in_text(document.place(at)) for at in range(len(document.text) + 1)] == list(
        range(len(document.text) + 1)
    )


def test_detectors_look_through_escapes():
    """What is found without escapes is told as a place of the JSON."""
    raw = '{"to": "ann\\u0040example.org", "n": "tel:\\u0034155550123"}'

    assert [raw[span.start : span.end] for span in find_in_json(EMAIL, raw)] == ["ann\\u0040example.org"]
    assert [raw[span.start : span.end] for span in find_in_json(PHONE, raw)] == ["\\u0034155550123"]
    assert find_in_json(EMAIL, "{ann@example.org") == [Span(1, 16, "EMAIL")]
