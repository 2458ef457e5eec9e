"""Attacks on masking: tokens that a user or a model makes up, values in disguise, values that contain each other."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigw import Chunk, Guard, Message, Target, Text, Tool, ToolCall, ToolCallDelta, ToolResult
from aigw.guards import Pii, Secrets
from aigw.testing import ScriptedProvider

MAIL = "ann.miller@example.org"
KEY = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
TOKEN = re.compile(r"<[A-Z_]+_[0-9]+[a-z]?_[0-9a-f]{8}>")


def last(call):
    """Answer with what was said last."""
    return call.messages[-1].text


def behind(face, outcome=last, **options):
    """Make a gateway with a guard, and what is behind it."""
    provider = ScriptedProvider.repeat(outcome)
    return face({"smart": Target(provider)}, [Guard(Pii(), Secrets(), **options)]), provider


def tokens(provider):
    """Return the tokens that the provider saw last."""
    return TOKEN.findall(repr(provider.calls[-1].messages))


def test_a_user_who_types_a_token_of_his_own_conversation_gets_the_token(face):
    """It is text like any other: it leaves masked, comes back as he wrote it, and is never a value in the answer."""
    made, provider = behind(face)
    made.chat(f"I am {MAIL}")
    (token,) = tokens(provider)
    turns = [Message("user", f"I am {MAIL}"), Message("assistant", "Hello."), Message("user", f"What is {token}?")]

    assert made.chat(turns).text == f"What is {token}?"
    assert made.read(turns) == f"What is {token}?"
    assert token not in provider.calls[-1].messages[-1].text


@pytest.mark.parametrize("other", ["another conversation", "another principal", "another guard"])
def test_a_token_of_another_conversation_is_only_text(face, other):
    """Who has seen the token of somebody else's value does not get the value for it."""
    made, provider = behind(face)
    made.chat(f"I am {MAIL}", principal="alice")
    (token,) = tokens(provider)
    if other == "another guard":
        made, provider = behind(face)
    first = "I am bob@example.org" if other == "another conversation" else f"I am {MAIL}"
    turns = [Message("user", first), Message("user", f"Who is {token}?")]

    answer = made.chat(turns, principal="bob" if other == "another principal" else "alice")

    assert answer.text == f"Who is {token}?"


def test_tokens_that_a_model_makes_up_stay_as_they_are(face):
    """Of a number that was not given, of another nonce, of none, cut off, or part of a longer word."""

    def invents(call):
        (token,) = TOKEN.findall(call.messages[-1].text)
        nonce = token[-9:-1]
        own = f"{token[:-2]}> {token[:-4]} X{token[1:-1]}"
        return f"<EMAIL_7_{nonce}> <EMAIL_1_00000000> <EMAIL_7> <PHONE_1_{nonce}> {own}"

    made, _ = behind(face, invents)
    for answer in (made.chat(f"I am {MAIL}").text, made.read(f"I am {MAIL}")):
        assert MAIL not in answer
        assert answer.startswith("<EMAIL_7_")


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        str.title,
        lambda token: token.strip("<>"),
        lambda token: f"**{token}**",
        lambda token: f"`{token}`",
        lambda token: token.replace("<", "[").replace(">", "]"),
        lambda token: token.replace("<", "&lt;").replace(">", "&gt;"),
        lambda token: token.replace("_", "\\_"),
        lambda token: token.replace("_", " "),
        lambda token: token.replace("<", "\\u003c").replace(">", "\\u003e"),
    ],
)
def test_tokens_that_a_model_writes_in_its_own_way_are_understood(face, change):
    """In other cases, without brackets or with others, in bold or code, with the escapes of HTML, Markdown and JSON."""

    def answer(call):
        written = change(TOKEN.search(call.messages[-1].text)[0])
        return [f"It is {written[:7]}", f"{written[7:]}."]

    made, _ = behind(face, answer)

    assert MAIL in made.chat(f"I am {MAIL}").text
    assert re.fullmatch(rf"It is [*`\[]*{re.escape(MAIL)}[*`\]]*\.", made.read(f"I am {MAIL}"))


CONTAINED = {
    "an address in another one": ("joann@example.org", "ann@example.org"),
    "an address in a URL": ("https://ann:s3cret-pw@example.org", "ann@example.org"),
    "a number with its country": ("+1 415 555 0132", "415 555 0132"),
    "an IP in an address": ("ann@[192.0.2.1]", "192.0.2.1"),
    "an account and its digits": ("GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819"),
}


@pytest.mark.parametrize(("outer", "inner"), CONTAINED.values(), ids=CONTAINED.keys())
def test_a_value_that_contains_another_is_masked_as_a_whole(face, outer, inner):
    """In either order, side by side, and when only the inner one was known before; nothing of either is left."""
    made, provider = behind(face)
    for text in (
        f"phone {outer}, phone {inner}",
        f"phone {inner}, phone {outer}",
        f"phone {outer}; phone {inner}; phone {outer}",
    ):
        answer = made.chat(text)
        sent = provider.calls[-1].messages[-1].text

        assert answer.text == text
        assert outer not in sent
        assert inner not in sent


def test_a_value_in_two_formats_has_two_tokens_that_tell_they_mean_the_same(face):
    """Each comes back as it was written, and the model can see that they are one."""
    made, provider = behind(face)
    text = "call +1 415 555 0132, or (415) 555-0132, and write to Ann@example.org or ann@example.org"

    assert made.chat(text).text == text
    labels = [token.rpartition("_")[0] for token in tokens(provider)]
    assert labels == ["<PHONE_1", "<PHONE_1b", "<EMAIL_1", "<EMAIL_1b"]


def code(text):
    """Return a text in base64."""
    return base64.b64encode(text.encode()).decode()


DISGUISED = {
    "in a URL": f"see https://shop.test/?mail={MAIL}&page=2",
    "in a URL, escaped": f"see https://shop.test/?mail={MAIL.replace('@', '%40')}&page=2",
    "as a link": f"[write](mailto:{MAIL})",
    "every letter escaped for URLs": "see /" + "".join(f"%{ord(letter):02x}" for letter in MAIL),
    "every letter escaped for HTML": "".join(f"&#{ord(letter)};" for letter in MAIL),
    "every letter escaped for JSON": "".join(f"\\u{ord(letter):04x}" for letter in MAIL),
    "base64": f"decode {code(MAIL)} please",
    "base64 of a text": f"decode {code(f'My address is {MAIL}, my key is {KEY}.')} please",
    "base64 for URLs": f"decode {base64.urlsafe_b64encode(f'{MAIL} ÿþÿ~~~'.encode()).decode().rstrip('=')} please",
    "base64 in lines": "decode\n" + base64.encodebytes(f"Dear all, {'x ' * 60} write to {MAIL}".encode()).decode(),
    "base64 of a key": f"export TOKEN_64={code(KEY)}",
    "hex": f"decode {MAIL.encode().hex()} please",
    "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in MAIL),
    "invisible letters": "\u200b".join(MAIL),
    "soft hyphens": MAIL.replace("l", "l\u00ad"),
    "tags": "\U000e0061".join(MAIL),
    "bidi": f"\u202a{MAIL[:5]}\u202c{MAIL[5:]}",
    "homoglyphs": MAIL.replace("a", "\u0430"),
    "digits of another script": "card " + " ".join(["\u0664" + "\u0661" * 3] + ["\u0661" * 4] * 3),
    "full-width digits": "card ４１１１１１１１１１１１１１１１",  # noqa: RUF001  (full width)
    "spaces of all kinds": "card 4111\u00a01111\u20091111\u202f1111",
    "spoken": "ann dot miller at example dot org",
}


@pytest.mark.parametrize("text", DISGUISED.values(), ids=DISGUISED.keys())
def test_values_in_disguise_are_masked_and_come_back_as_they_were(face, text):
    """In URLs, codes and escapes; in other scripts, widths and spaces; between letters that nobody sees."""
    made, provider = behind(face)

    assert made.chat(text).text == text
    assert made.read(text) == text
    assert tokens(provider)


def test_what_decodes_to_something_else_stays(face):
    """Codes of texts without values, hashes, and names that look like codes."""
    made, provider = behind(face)
    text = f"see {code('hello world, here we are')} 48656c6c6f2c20776f726c64 {'9f86d081' * 8} src/aigw/guards/encoded"

    assert made.chat(text).trace.decisions == ()
    assert provider.calls[-1].messages[-1].text == text


@pytest.mark.parametrize("arguments", [{MAIL: 1}, {"to": [MAIL]}, {"a": {MAIL: {"b": MAIL}}}, {"n": 4111111111111111}])
def test_values_in_keys_and_values_of_json(face, arguments):
    """Arguments stay JSON, for the provider as for the tool, which gets them back if it is trusted."""

    def calls(call):
        asked = call.messages[1].tool_calls[0]
        return Chunk(tool_calls=(ToolCallDelta(0, "2", "look", asked.arguments),), finish_reason="tool_calls")

    made, provider = behind(face, calls, trusted_tools=["look"])
    history = [
        Message("user", "look"),
        Message("assistant", ToolCall("1", "look", json.dumps(arguments))),
        Message("tool", ToolResult("1", json.dumps(arguments))),
    ]
    (asked,) = made.chat(history, tools=[Tool("look")]).tool_calls
    sent = provider.calls[-1].messages[1].tool_calls[0].arguments

    assert TOKEN.search(json.dumps(json.loads(sent)))
    assert asked.parse() == {name: "4111111111111111" if name == "n" else value for name, value in arguments.items()}
    assert MAIL not in repr(provider.calls[-1].messages)
    assert "4111111111111111" not in repr(provider.calls[-1].messages)


HIDDEN = st.sampled_from([MAIL, KEY, code(MAIL), MAIL.encode().hex(), "+1 415 555 0132", "4111 1111 1111 1111"])
SCRAPS = [*'ab1 \n\t"\\{}<>_.,é漢😀\u200b\u00ad%&;=/@\0', "<EMAIL_1_", "EMAIL_2", "\\u003c", "&lt;"]
AROUND = st.lists(st.sampled_from(SCRAPS), max_size=6).map("".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.tuples(AROUND, st.just(" ") | AROUND, HIDDEN), min_size=1, max_size=4), parts=st.booleans())
def test_whatever_is_said_comes_back_and_nothing_of_it_leaves(face, echo, pieces, parts):
    """At the transport: no value that was found is in any request, and the answers repeat every prompt as it was."""
    made = face({"smart": Target(echo.url, model="m")}, [Guard(Pii(), Secrets())])
    texts = ["".join(piece) + " " for piece in pieces]
    echo.answer = lambda request: said(request.json["messages"][-1]["content"])
    echo.requests.clear()
    prompt = [Message("user", [Text(text) for text in texts] if parts else "".join(texts))]

    assert made.chat(prompt).text == "".join(texts)
    assert made.read(prompt) == "".join(texts)
    sent = repr([request.json for request in echo.requests])
    for _, gap, value in pieces:
        assert gap != " " or value not in sent


def said(content):
    """Return the text of a message, whose content may have parts."""
    return content if isinstance(content, str) else "".join([part["text"] for part in content])
