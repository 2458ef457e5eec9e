"""`Vault`: the same value, the same token; every text comes back as it was; nothing of a value shows."""

from __future__ import annotations

import copy
import os
import pickle
import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.errors import ConfigError
from aigw.guards import Span, Vault
from aigw.guards.known import FEW, LONGEST, SHORTEST
from aigw.guards.vault import VaultFull
from guards.vault.finders import EMAIL, NONCE, Plain, fed, make_vault, texts

values = st.text("ab1@. é漢-<>_k3f9", min_size=1, max_size=8)


@settings(max_examples=400)
@given(texts, texts)
def test_every_text_comes_back(first, second):
    """What was masked is restored to the text that it was, whatever stands in it, tokens of this vault included."""
    vault = make_vault()
    masked = vault.mask(first), vault.mask(second)

    assert (vault.restore(masked[0]), vault.restore(masked[1])) == (first, second)


@settings(max_examples=300)
@given(st.lists(values, max_size=6), st.lists(st.integers(0, 40), max_size=10), st.data())
def test_any_spans_come_back(known, places, data):
    """Whatever is said to be a find, overlapping, empty or outside, and whatever is known: the text comes back."""
    text = data.draw(st.lists(st.sampled_from([*known, " ", NONCE, "<"]), max_size=10).map("".join))
    vault = Vault([], nonce=NONCE)
    for value in known:
        vault.token("PERSON", value)
    spans = [Span(start, start + length, "X_1", length / 8) for start, length in zip(places, places[::-1], strict=True)]
    masked = vault.mask(text, spans)

    assert vault.restore(masked) == text
    assert vault.restore(vault.replace_known(masked)) == text
    assert vault.replace_known(vault.replace_known(masked)) == vault.replace_known(masked)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["ann@example.org", "bob@x.com", " ", ",", "\n", "(", "é", "x"]), max_size=12))
def test_no_value_is_left(pieces):
    """A value that was found stands nowhere in what was masked, also where it was glued to something."""
    text = "".join(pieces)
    vault = make_vault()
    masked = vault.mask(text)

    assert not [span for span in EMAIL.find(text) if found(text, span) in masked]


def found(text: str, span: Span) -> str:
    """Return what a span is about."""
    return text[span.start : span.end]


def test_the_same_value_gets_the_same_token():
    """A value has one token in a vault, in each of its texts; another value has another."""
    vault = make_vault()

    assert vault.mask("ann@example.org, bob@x.com, ann@example.org") == (
        "<EMAIL_1_k3f9>, <EMAIL_2_k3f9>, <EMAIL_1_k3f9>"
    )
    assert vault.mask("to bob@x.com") == "to <EMAIL_2_k3f9>"
    assert vault.token("URL", "bob@x.com") == "<EMAIL_2_k3f9>"


def test_other_ways_to_write_a_value_are_told_apart_and_linked():
    """Each way to write a value comes back as it was, and the tokens show that the value is the same."""
    vault = make_vault()
    text = "tel:+1 415 555-0123, tel:(415) 555-0123, tel:215-555-0123, Ann@example.org, ann@example.org"
    masked = vault.mask(text)

    assert masked == ("tel:<PHONE_1_k3f9>, tel:<PHONE_1b_k3f9>, tel:<PHONE_2_k3f9>, <EMAIL_1_k3f9>, <EMAIL_1b_k3f9>")
    assert vault.restore(masked) == text


def test_many_ways_to_write_a_value():
    """Letters do not run out, and no token is the beginning of another one."""
    vault = Vault([], nonce=NONCE)
    text = "4111111111111111"
    tokens = [vault.token("CREDIT_CARD", f"{text[:at]}{gap}{text[at:]}") for gap in " -_./" for at in range(1, 16)]

    assert tokens[:2] == ["<CREDIT_CARD_1_k3f9>", "<CREDIT_CARD_1b_k3f9>"]
    assert tokens[25:27] == ["<CREDIT_CARD_1z_k3f9>", "<CREDIT_CARD_1ba_k3f9>"]
    assert len(set(tokens)) == 75
    assert not [(a, b) for a in tokens for b in tokens if a != b and b.startswith(a)]


def test_a_value_inside_of_another():
    """Of two values of which one contains the other, each is masked where it stands."""
    vault = make_vault()
    text = "ann@example.org, joann@example.org"

    assert vault.mask(text) == "<EMAIL_1_k3f9>, <EMAIL_2_k3f9>"
    assert vault.restore(vault.mask(text)) == text


def test_what_is_known_is_masked_wherever_it_stands():
    """A find is masked also where the detector passes over it, before it and inside of other numbers too."""
    vault = make_vault()

    assert vault.mask("4155550123 is tel:4155550123, in 94155550123") == (
        "<PHONE_1_k3f9> is tel:<PHONE_1_k3f9>, in 9<PHONE_1_k3f9>"
    )
    assert vault.replace_known("call 4155550123") == "call <PHONE_1_k3f9>"
    assert vault.replace_known(f"ann@example.org {NONCE}") == f"ann@example.org {NONCE}"
    assert vault.mask("4155550123", []) == "<PHONE_1_k3f9>"


@pytest.mark.parametrize("count", [1, FEW, 3 * FEW])
def test_names_are_words_of_their_own_and_numbers_are_not(count: int):
    """However many values are known: names and short values are masked as words, longer numbers wherever they stand."""
    vault = Vault([], nonce=NONCE)
    tokens = [vault.token("X", f"{number:03}4155") for number in range(count)]
    long_ones = [vault.token("Y", f"{number:03}41555") for number in range(count)]
    name = vault.token("PERSON", "Annabel")
    text = f"Annabel Annabella 0004155, a0004155 00041555, a00041555b {count - 1:03}4155 {count - 1:03}415555"
    masked = f"{name} Annabella {tokens[0]}, a0004155 {long_ones[0]}, a{long_ones[0]}b {tokens[-1]} {long_ones[-1]}5"

    assert vault.mask(text) == masked
    assert fed(vault.masker(), text) == masked


def test_words_of_scripts_without_spaces():
    """In Chinese a name is found between other characters."""
    vault = Vault([], nonce=NONCE)
    token = vault.token("PERSON", "王小明先生")

    assert vault.mask("我是王小明先生的朋友") == f"我是{token}的朋友"


@pytest.mark.parametrize("length", [SHORTEST - 1, LONGEST + 1])
def test_very_short_and_very_long_values_are_masked_where_they_were_found(length: int):
    """What is too short to mean anything elsewhere, or too long to wait for, is masked only where it was found."""
    value = "x" * length
    vault = Vault([], nonce=NONCE)

    assert vault.mask(f"{value} {value}", [Span(0, length, "SECRET")]) == f"<SECRET_1_k3f9> {value}"


def test_a_nonce_in_the_text_is_masked():
    """What looks like a token, because somebody wrote one, is none: it comes back as it was written."""
    vault = make_vault()
    vault.mask("ann@example.org")
    masked = vault.mask("write <EMAIL_1_k3f9> and EMAIL_1_K3F9")

    assert masked == "write <EMAIL_1_<LITERAL_1_k3f9>> and EMAIL_1_<LITERAL_1b_k3f9>"
    assert vault.restore(masked) == "write <EMAIL_1_k3f9> and EMAIL_1_K3F9"


def test_another_vault_restores_nothing():
    """Tokens of one vault mean nothing to another one; nonces differ unless they are given."""
    masked = make_vault(nonce=None).mask("ann@example.org")
    other = make_vault(nonce=None)
    other.mask("bob@x.com")

    assert other.restore(masked) == masked
    assert len({Vault([]).nonce for _ in range(100)}) == 100


def test_the_same_nonce_gives_the_same_tokens():
    """A conversation that is masked again from its beginning reads as before, so that a provider may have cached it."""
    first, again = make_vault(), make_vault()
    text = "tel:4155550123, ann@example.org, bob@x.com"
    masked = first.mask(text)

    assert again.mask(text) == masked
    assert again.mask(text + " and eve@x.com").startswith(masked)


def test_kinds_may_be_called_anything():
    """Tokens hold capitals, digits and underscores, whatever a detector calls what it finds."""
    vault = Vault([], nonce=NONCE)
    kinds = ["e-mail", "Ärzte", "漢字", "KEY_1", "KEY", "X" * 99, "_", "A B"]
    tokens = [vault.token(kind, f"value {number}") for number, kind in enumerate(kinds)]

    assert tokens[:5] == ["<E_MAIL_1_k3f9>", "<RZTE_1_k3f9>", "<VALUE_1_k3f9>", "<KEY_1_1_k3f9>", "<KEY_1_k3f9>"]
    assert tokens[6:] == ["<VALUE_2_k3f9>", "<A_B_1_k3f9>"]
    assert [vault.restore(token) for token in tokens] == [f"value {number}" for number in range(8)]
    assert [vault.restore(token.lower()) for token in tokens] == [f"value {number}" for number in range(8)]


def test_modes_that_cannot_be_undone():
    """Each kind becomes what its mode says; nothing of it is put back."""
    card, email = "4111 1111 1111 1234", "ann@example.org"
    modes = {"CREDIT_CARD": "last4", "EMAIL": "hash", "*": "redact"}
    vault = Vault([], nonce=NONCE, mode=modes, key="a key")
    hashed = vault.token("EMAIL", email)

    assert vault.token("CREDIT_CARD", card) == "**** 1234"
    assert vault.token("PIN", "7412") == "[PIN]"
    assert Vault([], mode="last4").token("PIN", "7412") == "****"
    assert re.fullmatch(r"\[EMAIL:[0-9a-f]{12}\]", hashed)
    assert Vault([], mode="hash", key=b"a key").token("EMAIL", email) == hashed
    assert Vault([], mode="hash").token("EMAIL", email) != hashed
    assert vault.mask(f"{email} {card}") == f"{hashed} **** 1234"
    assert vault.restore(vault.mask(f"{email} {card} {NONCE}")) == f"{hashed} **** 1234 {NONCE}"
    assert Vault([], nonce=NONCE, mode={"PIN": "redact"}).token("EMAIL", email) == "<EMAIL_1_k3f9>"


def test_a_full_vault_masks_nothing_more():
    """Where there is no room for a value the text does not come out; what is known still does."""
    vault = make_vault(most=2)
    vault.mask("ann@example.org bob@x.com")

    with pytest.raises(VaultFull, match="holds 2 values already") as caught:
        vault.mask("ann@example.org eve@x.com")
    with pytest.raises(VaultFull):
        vault.masker().feed("eve@x.com!")
    assert "eve" not in str(caught.value)
    assert vault.mask("bob@x.com") == "<EMAIL_2_k3f9>"


def test_no_value_shows():
    """A vault tells how much it holds, never what, and can be neither pickled nor copied."""
    vault = make_vault()
    vault.mask("ann@example.org bob@x.com tel:4155550123")

    assert repr(vault) == str(vault) == "Vault(3 values)"
    assert len(vault) == 3
    assert vault.kinds() == {"EMAIL": 2, "PHONE": 1}
    assert bool(make_vault())
    for job in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither pickled nor copied"):
            job(vault)


def test_threads_agree():
    """Threads that mask the same values at the same time get the same tokens."""
    vault = make_vault()
    texts = [f"a{number}@x.com" for number in range(200)]
    masked: list[list[str]] = []
    threads = [threading.Thread(target=lambda: masked.append([vault.mask(text) for text in texts])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(one == masked[0] for one in masked)
    assert len(set(masked[0])) == len(vault) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_waits_for_no_lock_of_its_parent():
    """A child of a fork masks although a thread of its parent was just adding a value."""
    vault = make_vault()
    with vault._lock:
        child = os.fork()
        if not child:
            os._exit(vault.mask("ann@example.org") != "<EMAIL_1_k3f9>")

    assert os.waitpid(child, 0)[1] == 0


def test_the_default_detectors_find_addresses_and_keys():
    """Without detectors a vault masks what `Pii` and `Secrets` find."""
    vault = Vault()
    text = "I am ann@example.org"

    assert vault.restore(vault.mask(text)) == text
    assert "ann" not in vault.mask(text)
    assert [type(one).__name__ for one in vault.detectors] == ["Pii", "Secrets"]


def test_detectors_that_cannot_watch_still_mask_streams():
    """With a plain detector a masker waits for the end."""
    vault = Vault([Plain("NAME", "Ann")], nonce=NONCE)
    masker = vault.masker()

    assert masker.feed("I am Ann") == ""
    assert masker.flush() == "I am <NAME_1_k3f9>"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nonce": "abc"}, "nonce"),
        ({"nonce": "A1b2"}, "nonce"),
        ({"nonce": 7}, "nonce"),
        ({"mode": "rot13"}, "mode"),
        ({"mode": {"EMAIL": "no"}}, "mode"),
        ({"key": ""}, "key"),
        ({"most": 0}, "most"),
        ({"detectors": [str]}, "detectors"),
        ({"detectors": [object()]}, "detectors"),
    ],
)
def test_arguments_are_checked(options: dict, message: str):
    """A wrong argument is named at once."""
    with pytest.raises(ConfigError, match=f"Vault\\({message}\\)"):
        Vault(**{"detectors": [], **options})
