"""Masking and restoring a text that comes in pieces: as in the whole, whatever the pieces are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from aigw.guards import Vault
from guards.vault.finders import EMAIL, NONCE, Runs, chunked, fed, make_vault, texts


@settings(max_examples=300)
@given(chunked())
def test_masking_does_not_depend_on_the_pieces(case):
    """The pieces of a masked text join to the same text however it was cut, and restore to the text."""
    text, pieces = case
    vault, other = make_vault(), make_vault()
    masked = fed(vault.masker(), pieces)

    assert masked == fed(other.masker(), [text])
    assert vault.restore(masked) == text


@settings(max_examples=200)
@given(chunked())
def test_a_stream_is_masked_as_a_whole_text(case):
    """Where all is known that a text holds, streams and whole texts are masked alike."""
    text, pieces = case
    vault = make_vault()
    whole = vault.mask(text)

    assert fed(vault.masker(), pieces) == whole


@settings(max_examples=400)
@given(chunked())
def test_restoring_does_not_depend_on_the_pieces(case):
    """The pieces of a restored text join to what the whole text is restored to."""
    text, pieces = case
    vault = filled()

    for json in (False, True):
        assert fed(vault.restorer(json=json), pieces) == vault.restore(text, json=json)


@settings(max_examples=100)
@given(texts)
def test_what_went_through_both_comes_out_as_it_went_in(text):
    """A masker and a restorer, one character at a time, change nothing in the end."""
    vault = make_vault()

    assert fed(vault.restorer(), fed(vault.masker(), text)) == text


def filled() -> Vault:
    """Make a vault that holds something of every kind in the texts."""
    vault = make_vault()
    vault.mask('ann@example.org, tel:+1 415 555-0123, tel:(415) 555-0123, -BEGIN-"\n\\-END- k3f9')
    return vault


@pytest.mark.parametrize(
    "form",
    [
        "<EMAIL_1_k3f9>", "[EMAIL_1_k3f9]", "EMAIL_1_k3f9", "<email_1_K3F9>", "&lt;EMAIL_1_k3f9&gt;",
        "\\u003cEMAIL_1_k3f9\\u003e", "\\<EMAIL\\_1\\_k3f9\\>", "{{EMAIL_1_k3f9}}", "%3CEMAIL_1_k3f9%3E",
        "email 1 k3f9",
    ],
)  # fmt: skip
def test_nothing_of_a_token_comes_before_its_value(form: str):
    """Every beginning of a token in any form is held back, also where it is cut inside of an escape."""
    for end in range(1, len(form)):
        restorer = filled().restorer()
        before = restorer.feed(f"to {form[:end]}")

        assert before == "to "
        assert before + restorer.feed(f"{form[end:]}, and") + restorer.flush() == "to ann@example.org, and"


def test_prose_is_hardly_held_back():
    """In prose only letters are held back with which a word and a token begin alike, mostly none."""
    restorer = filled().restorer()
    held = []
    for character in "Perhaps every letter is posted early; please phone, or send me an email before noon. " * 5:
        restorer.feed(character)
        held.append(restorer.held)

    assert sorted(held)[len(held) // 2] == 0
    assert max(held) <= 6


def test_nothing_is_held_where_there_are_no_tokens():
    """A vault that holds nothing restores nothing, and does not wait."""
    restorer = make_vault().restorer()

    assert restorer.feed("<EMAIL_1_k3") == "<EMAIL_1_k3"
    assert restorer.flush() == ""


def test_no_character_of_a_value_goes_on():
    """A value that comes character by character is replaced before anything of it has gone on."""
    masker = make_vault().masker()
    out = [masker.feed(character) for character in "to ann@example.org, please"]

    assert "".join(out).startswith(f"to <EMAIL_1_{NONCE}>,")
    assert "".join(out[:18]) == "to "
    assert masker.found == {"EMAIL": 1}


def test_what_was_found_is_masked_where_it_stands_again():
    """A value that no detector would find a second time is masked there too, piece by piece as well."""
    vault = make_vault()
    masked = fed(vault.masker(), "tel:4155550123; her 4155550123 is in id=x41555501234. Or 4155550123")
    first = vault.mask("tel:4155550123")

    assert masked == "tel:<PHONE_1_k3f9>; her <PHONE_1_k3f9> is in id=x<PHONE_1_k3f9>4. Or <PHONE_1_k3f9>"
    assert first == "tel:<PHONE_1_k3f9>"


def test_a_known_value_is_held_until_it_is_one():
    """What may become a value that is known is held back; a longer word is not taken for it."""
    vault = Vault([], nonce=NONCE)
    token = vault.token("PERSON", "Annabel Lee")
    masker = vault.masker()

    assert masker.feed("says Anna") == "says "
    assert masker.held == 4
    assert masker.feed("bel Lee") == ""
    assert masker.feed("s") == "Annabel Lees"
    assert masker.feed(" and Annabel Lee") == " and "
    assert masker.feed(".") == f"{token}."
    assert fed(vault.masker(), "Joanna, AnnAnnabel Lee, Annabel Lee") == f"Joanna, AnnAnnabel Lee, {token}"


def test_a_nonce_is_masked_wherever_it_is_cut():
    """A nonce in a text that comes in pieces is masked as in the whole; only what may become one is held."""
    vault = Vault([], nonce=NONCE)
    masker = vault.masker()

    assert masker.feed("ok") == "o"
    assert masker.feed("3F") == ""
    assert masker.feed("9") + masker.feed("k3") == "<LITERAL_1_k3f9>"
    assert masker.flush() == "k3"


def test_a_word_may_go_on_in_a_find():
    """A value is no word of its own where the next one that was found continues it, in streams and whole texts."""
    vault = Vault([Runs("NUMBER", "0-9", "[0-9]+")], nonce=NONCE)
    token = vault.token("PERSON", "Annabel")

    assert vault.mask("Annabel12 Annabel 34Annabel") == f"Annabel<NUMBER_1_k3f9> {token} <NUMBER_2_k3f9>Annabel"
    assert fed(vault.masker(), "Annabel12 Annabel 34Annabel") == vault.mask("Annabel12 Annabel 34Annabel")


def test_streams_count_what_they_did():
    """A restorer tells how many tokens it replaced."""
    vault = Vault([EMAIL], nonce=NONCE)
    vault.mask("ann@example.org")
    restorer = vault.restorer()

    assert fed(restorer, ["<EMAIL_1_k3f9> and EMAIL_1_", "k3f9, <EMAIL_2_k3f9>"]).count("ann@example.org") == 2
    assert restorer.restored == 2
