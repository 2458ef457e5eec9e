"""`Secrets` on texts that grow, on long ones, and on broken ones."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aigw.guards import Secrets
from aigw.guards.window import StreamWindow
from guards.secrets.rows import rows

SECRETS = Secrets(custom={"CORP_KEY": r"corp_[a-z]{6}"})
LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
PIECES = (
    *(
        "my password is ",
        "hunter2",
        " is the password",
        'password = "',
        "correct horse",
        '"',
        "\n",
        " ",
        ", ",
        "'",
        "=",
        ": ",
    ),
    *("-----BEGIN RSA PRIVATE KEY-----\n", LINE, "AbCdEf12==\n", "-----END RSA PRIVATE KEY-----", "-----", "BEGIN "),
    *(
        "\u200b",
        "\u00ad",
        "\ud800",
        "\0",
        "\uff0c",
        "İ",
        "пароль: ",
        "密码是",
        "รหัสผ่านคือ ",
        "Cookie: a=b; sessionid=",
        "\\n",
        "ghp_",
        "abCD12ef",
        "q9Xc2LmV7bNw4RtYz8Kd1Hs6",
    ),
    *(
        "token",
        "secret key",
        "://bob:s3cr3tpw",
        "@host ",
        "-u admin:",
        '"value": "',
        "<password>",
        "use ",
        " as the secret token",
    ),
    *(
        "Authorization: Bearer ",
        "IDENTIFIED BY ",
        "corp_abcdef",
        "AKIA",
        "the",
        "pass",
        "_",
        "x" * 90,
        "(",
        "pin is ",
        "4711",
    ),
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map("".join)
ADVERSARIAL = (
    *(
        "1-" + "a1" * 40 + "@ ",
        "a1." * 30 + "@ ",
        "a_" * 40 + "1@ ",
        "A1-" * 30 + "@ ",
    ),  # words that are looked at closely
    *(
        "password=",
        "password: ",
        "key=",
        "?key=a1b2c3d4",
        "token: ",
        "pw ",
        "sk-",
        "sk-proj-",
        "eyJ",
        "eyJ.",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN ",
        "://a:",
        'password="',
        "\\",
    ),
    *(
        "key is ",
        "is the password ",
        "a1b2c3d4 is ",
        ":AA",
        "AZDO",
        "Q~",
        "\u200b",
        "token(",
        "key ",
        "pin ",
        "= password ",
        "_mmk",
        "-us",
        "mysql -pa1b2",
        " -p a1b2c3",
        "a1b2c3 | chpasswd",
        " pass A1b2c3 ",
        "bob / A1b2c3d4 ",
        "login: a ",
        'auth("a","b1c2d3",',
        '"d":"',
        ":99:a:b:a1b2",
        "Private-Lines: 4\n",
        LINE,
        "密码",
        "cookie: sess",
        "cookie:a.sid=a1b2c3d4e5f6g7h8;",
        "{",
        "A",
        '"',
        "\ud800\0",
    ),
)


def check(text):
    """Assert the contract of `StreamDetector` for every beginning of a text."""
    whole = SECRETS.find(text)
    before = 0
    for length in range(len(text) + 1):
        part = text[:length]
        cut = SECRETS.settled(part, before)
        assert cut >= before
        if cut > before:
            decided = [span for span in SECRETS.find(part) if span.start < cut]
            assert decided == [span for span in whole if span.start < cut]
            assert all(span.end <= cut for span in decided)
            kept = max(0, cut - SECRETS.context)
            rest = [(span.start + kept, span.end + kept) for span in SECRETS.find(text[kept:], cut - kept)]
            assert rest == [(span.start, span.end) for span in whole if span.start >= cut]
        before = cut


@settings(max_examples=40, deadline=None)
@given(TEXTS)
@example("password: en0r = 'Tr0ub4dor'")  # what looks like a value is the type of one
@example("pw\t:NiJ9 =")
@example("key AKIAIOSFODNN7EXAMPLQ is Kq2LmP7vBn4RkeyPahbGciOiJIUzI1NiJ9 :==?: .eyJzdWIiOiIxMjM")  # past a known token
@example("KEY is `r\u662f3O2passwordwas`")  # the digit comes last, in open quotes
@example("er2;Passwort = Bearer NiJ9]name@host.com/." + "q9Xc2LmV7bNw4R" * 9 + "AKIAIOSFODNN7EXAMPLQ0")  # said before
@example(
    "keyhunter2secret, is --password export istwas" + "q9Xc2LmV7bNw4RtYz8Kd" * 2 + "AuthorizationMIIEvQ"
)  # two names
@example("api_keysk_live_4eC39HqLyjWDarjtT1zdp7dcsecret;rt:" + "pwq9Xc2LmV7bNw4R" * 16 + "パロール")  # a long token
def test_what_is_settled_stays(text):
    """Whatever follows, what was decided is what is found in the whole, and nothing found crosses a cut."""
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "try q9Xc2Lm4x! as the password, it works",
        'passphrase is "correct horse battery staple" I think',
        "see\n-----BEGIN EC PRIVATE KEY-----\n" + LINE + "AbC1=\n-----END EC PRIVATE KEY-----\nand more",
        "a gh\u200bp_q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW b",
        "DB_PASSWORD (abc123x9) = Foo#12ab or so",
        "PASSWORD SqLpa5sW0rD;Positive: q9Xc2LmV7bNw4RtYz8Kd1Hs6 and",
        "q9Xc2Lm4x! is the password " + "which is always and for ever set to be Tr0ub4dor&3 here",
        "- name: DB_PASSWORD\n  value: aB3$xyz9\n- name: x",
        'the password = "4711my password is \\nmy password is Tr0ub4dor&3\n',
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ密码是Gr4velWindow",
        "mysql -u root -paB3$xyz9 shop and ConvertTo-SecureString 'aB3$xyz9' -AsPlainText",
    ],
)
def test_what_needs_more_than_its_word_is_held(text):
    """What only later words tell, what has spaces in it, and what invisible characters cut are held until decided."""
    check(text)

    assert SECRETS.find(text) != []


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_any_chunking_finds_the_same(text, sizes):
    """A stream in pieces has the same secrets as the whole text, and hands on no character of one."""
    window = StreamWindow([SECRETS])
    at, segments = 0, []
    for size in sizes * (len(text) // len(sizes) + 1):
        segments += window.feed(text[at : at + size])
        at += size
    segments += window.flush()

    assert "".join(piece for piece, _ in segments) == text
    assert [span for _, span in segments if span is not None] == SECRETS.find(text)


def test_little_is_held_back_in_prose():
    """Of ordinary sentences no more is held than the last word."""
    text = "Nobody remembers who planted the old pear tree behind the library, but everybody has an opinion. " * 3

    assert all(length - SECRETS.settled(text[:length]) <= 12 for length in range(1, len(text)))


def test_a_key_is_held_until_its_end():
    """An open private key is held back from its beginning, and all of it is a secret where the text ends inside."""
    text = "see\n-----BEGIN EC PRIVATE KEY-----\n" + LINE * 40

    assert SECRETS.settled(text) <= 4
    assert [(span.start, span.end) for span in SECRETS.find(text)] == [(4, len(text) - 1)]


def test_large_texts_are_read_in_slices():
    """A large text has the same secrets at the same places as its parts, also where it is looked at from a place on."""
    part = "\n".join(row.text for row in rows("seen", each=1)) + "\n\n" + "Nobody remembers who planted it.\n" * 20
    spans = SECRETS.find(part)
    text = part * 6

    expected = [
        (span.start + at * len(part), span.end + at * len(part), span.kind) for at in range(6) for span in spans
    ]

    assert len(text) > 50_000
    assert [(span.start, span.end, span.kind) for span in SECRETS.find(text)] == expected
    assert [span.start for span in SECRETS.find(text, 3 * len(part))] == [at for at, *_ in expected[3 * len(spans) :]]


@pytest.mark.parametrize("glue", ["", "/", "=x"])
def test_a_text_without_gaps_is_decided_piece_by_piece(glue):
    """Of a huge text without white space the beginning is decided before its end, and secrets in it are found once."""
    secret = "ghp_q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW"
    text = (glue + "." + "x" * 30) * 4000 + ";" + secret + ";" + ("y" * 30 + "," + glue) * 4000
    at = text.index(secret)

    assert SECRETS.settled(text) > 100_000
    assert [(span.start, span.end) for span in SECRETS.find(text)] == [(at, at + len(secret))]


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_hostile_texts_take_linear_work(unit):
    """Texts made to be slow are read to their end, with every rule; a rule that is not linear would hang here."""
    text = (unit * (100_000 // len(unit) + 1))[:100_000]

    assert all(span.end <= len(text) for span in SECRETS.find(text))
    assert 0 <= SECRETS.settled(text) <= len(text)
