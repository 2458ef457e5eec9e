"""`Secrets`: what is found, what is not, and what its arguments do."""

from __future__ import annotations

import random
import re

import pytest

from aigw.errors import ConfigError
from aigw.guards import Secrets, StreamDetector
from aigw.guards.secrets import KINDS
from aigw.guards.secrets.formats import ALPHABETS, FORMATS
from guards.secrets.rows import drawn, figures, rows

SECRETS = Secrets()
KEY_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_LINE}\n{KEY_LINE}\nq1=\n-----END RSA PRIVATE KEY-----"


def found(text, detector=SECRETS):
    """Return the kinds and texts of what is found."""
    return [(span.kind, text[span.start : span.end]) for span in detector.find(text)]


def made(one, rng):
    """Make a token of a format, by chance, with letters and figures in it."""
    alphabet = [chr(code) for code in range(33, 127) if re.match(f"[{ALPHABETS[one.alphabet]}]", chr(code))]
    plain = [char for char in alphabet if char.isalnum()]
    length = min(max(one.least, 16), one.most)
    body = "".join(rng.choices(plain, k=length - 2)) + rng.choice([char for char in plain if char.isalpha()]) + "7"
    return one.prefix + body


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.prefix)
def test_every_format_is_found(one):
    """A token of each format is found as a whole, but not the prefix, a short rest, a rest of x, or within a word."""
    text = made(one, random.Random(one.prefix))
    prefix, body = one.prefix, text[len(one.prefix) :]

    assert found(f"see {text}, please") in ([(kind, text)] for kind in KINDS)
    assert found(f"see {prefix} and {prefix}{body[:4]}, {prefix}{'x' * len(body)} or {prefix}... please") == []
    assert found(f"see Qq{text}, please") == []


def test_a_hundred_and_fifty_formats_are_known():
    """Prefixes of about 150 formats and more, of over a hundred kinds."""
    assert len({one.prefix for one in FORMATS}) >= 150
    assert len(KINDS) >= 100


SALT = "x;-+ fV|k6zE)r0$B!@ 8qHk#9 2Lm%Pq*Tw^Zs&Yd(Ra)Cb_Ne=Xf+Ug{Vh}Wi"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("the db password is Tr0ub4dor&3, please don't share", "PASSWORD", "Tr0ub4dor&3"),
        ("my password is hunter2", "PASSWORD", "hunter2"),
        ("hunter2 is the password", "PASSWORD", "hunter2"),
        ('if ("x6s7djtEa" == password) {', "PASSWORD", "x6s7djtEa"),
        ("Das Passwort lautet Sommer2024!", "PASSWORD", "Sommer2024!"),
        ("la contraseña es Gato#1234", "PASSWORD", "Gato#1234"),
        ("le mot de passe est Soleil!99", "PASSWORD", "Soleil!99"),
        ("пароль: Qwerty!234", "PASSWORD", "Qwerty!234"),
        ("密码是Abc123!x", "PASSWORD", "Abc123!x"),
        ("mật khẩu là Tr0ub4dor9", "PASSWORD", "Tr0ub4dor9"),
        ("รหัสผ่านคือ Abc123!x", "PASSWORD", "Abc123!x"),
        ("كلمة المرور هي Qwer1234!", "PASSWORD", "Qwer1234!"),
        ("رمز عبور: Qwer1234!", "PASSWORD", "Qwer1234!"),
        ("पासवर्ड है Pass@1234", "PASSWORD", "Pass@1234"),
        ("הסיסמה היא Qwer1234!", "PASSWORD", "Qwer1234!"),
        ("κωδικός πρόσβασης: Qwer1234!", "PASSWORD", "Qwer1234!"),
        ('psk="MyW1f1Pass99"', "PASSWORD", "MyW1f1Pass99"),
        ('{"auths":{"r.example":{"auth":"am9objpzM2NyM3RQdzEyMw=="}}}', "TOKEN", "am9objpzM2NyM3RQdzEyMw=="),
        ("Cookie: a=b; sessionid=8f3a9c1d7b2e4f60a1b2", "TOKEN", "8f3a9c1d7b2e4f60a1b2"),
        ("Set-Cookie: connect.sid=s%3AaBcD12efGh56KjSk.QrSt; Path=/", "TOKEN", "s%3AaBcD12efGh56KjSk.QrSt"),
        ('"cookie": "PHPSESSID=q1w2e3r4t5y6u7i8o9p0a1"', "TOKEN", "q1w2e3r4t5y6u7i8o9p0a1"),
        ("the PIN is 4711", "PIN", "4711"),
        ("export DB_PASSWORD=hunterz", "PASSWORD", "hunterz"),
        ('{"password":"aB3$xyz9","user":"bob"}', "PASSWORD", "aB3$xyz9"),
        ("Server=db;User Id=sa;Password=aB3$xyz9;Timeout=3", "PASSWORD", "aB3$xyz9"),
        ("CREATE USER bob IDENTIFIED BY 'aB3$xyz9'", "PASSWORD", "aB3$xyz9"),
        ("mysql --password aB3$xyz9 -h db", "PASSWORD", "aB3$xyz9"),
        ("<password>aB3$xyz9</password>", "PASSWORD", "aB3$xyz9"),
        ("<password>\n  aB3$xyz9\n</password>", "PASSWORD", "aB3$xyz9"),
        ("- name: DB_PASSWORD\n  value: aB3$xyz9", "PASSWORD", "aB3$xyz9"),
        ("curl -u admin:kd93Hs8Qz https://ci.corp.net", "PASSWORD", "kd93Hs8Qz"),
        ("mysql -u root -paB3$xyz9 shop", "PASSWORD", "aB3$xyz9"),
        ("ConvertTo-SecureString 'aB3$xyz9' -AsPlainText -Force", "PASSWORD", "aB3$xyz9"),
        ("password: str = 'aB3$xyz9'", "PASSWORD", "aB3$xyz9"),
        ('passphrase is "correct horse battery staple"', "PASSWORD", "correct horse battery staple"),
        ("Authorization: Bearer q9Xc2LmV7bNw4RtYz8Kd", "TOKEN", "q9Xc2LmV7bNw4RtYz8Kd"),
        ("https://x.org/?access_token=q9Xc2LmV7bNw4RtYz8Kd&page=2", "TOKEN", "q9Xc2LmV7bNw4RtYz8Kd"),
        ("encryption_key = 9f86d081884c7d659a2feaa0c55ad015", "API_KEY", "9f86d081884c7d659a2feaa0c55ad015"),
        ("api_key: 1b4e28ba-2fa1-11d2-883f-b9a761bde3fb", "API_KEY", "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb"),
        ("postgres://bob:s3cr3tpw@db:5432/x", "URL_CREDENTIALS", "bob:s3cr3tpw"),
        ("jdbc:oracle:thin:scott/T1ger99x@db:1521", "PASSWORD", "T1ger99x"),
        ("postgres://bob:p*ssW0rd9@db/x", "URL_CREDENTIALS", "bob:p*ssW0rd9"),
        (
            "https://mainnet.infura.io/v3/9f86d081884c7d659a2feaa0c55ad015",
            "INFURA_API_KEY",
            "9f86d081884c7d659a2feaa0c55ad015",
        ),
        (
            "https://eth.g.alchemy.com/v2/q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0",
            "ALCHEMY_API_KEY",
            "q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0",
        ),
        (
            "//npm.corp.net/:_authToken=1b4e28ba-2fa1-11d2-883f-b9a761bde3fb",
            "TOKEN",
            "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb",
        ),
        (f"define('AUTH_SALT', '{SALT}');", "TOKEN", SALT),
        ("8301234567:AAFq9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0", "TELEGRAM_BOT_TOKEN", None),
        ("https://hooks.slack.com/services/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", "SLACK_WEBHOOK", ...),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW1aZs3Dk", "JWT", None),
        (PEM, "PRIVATE_KEY", None),
        (PEM.replace("\n", "\\n"), "PRIVATE_KEY", None),
        (PEM[:120], "PRIVATE_KEY", None),
        (PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"), "PRIVATE_KEY", None),
        ("gh\u200bp_q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW", "GITHUB_TOKEN", None),
        ("ѕk-proj-q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW", "OPENAI_API_KEY", None),  # noqa: RUF001  (Cyrillic)
    ],
)
def test_secrets_are_found(text, kind, value):
    """A secret is found in each of these surroundings, alone and whole."""
    if value is ...:
        value = text.partition("slack.com/")[2]

    assert found(text) == [(kind, value or text)]


@pytest.mark.parametrize(
    "text",
    """api_key = "YOUR_API_KEY"|password: <password>|password: <password>\n\nThanks!
DB_PASSWORD=${DB_PASSWORD}|key: ${{ secrets.KEY }}
token = os.environ["TOKEN"]|token = os.getenv("API_TOKEN")|secret: xxxxxxxxxxxx|PASSWORD=********|DB_PASSWORD=changeme
password = getpass.getpass()|password = user.password|password=password|client_secret = "<client secret>"
AKIAIOSFODNN7EXAMPLE|sk-...|sk_live_xxxxxxxxxxxxxxxxxxxxxxxx|ghp_your_token_here_0123456789abcdef0123
commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b|sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"integrity": "sha512-q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeWq9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeWaaaaaaaaaa=="
id: 1b4e28ba-2fa1-11d2-883f-b9a761bde3fb|password_hash = "$2b$12$q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW"
-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n-----END PUBLIC KEY-----
-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----|files begin with -----BEGIN PRIVATE KEY----- in PEM
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIq9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW bob@host
Please reset your password if you forgot it.|the password is required|the password must have 12 characters
max_tokens=4096|the primary key is order_id|sort_key = "user#1234567890"|token expires in 3600s|pass `strict=True` to it
password.encode("utf-8")|http://user:password@host/|https://<user>:<password>@host|redis://[[username]:[password]]@localhost
The author of the key note passed the compass to a monkey.|function a(b,c){return b.key===c.key}
2,2'-azobis(2-methylpropionitrile)|data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ
Password managers: 1Password, Bitwarden|db_password: !vault |password: !Ref DbPassword|clave: tu_contraseña_aquí
nextPageToken: CAUQAA3f8KqPzL2xyz|continuation_token="eJx9kMtqwzAQRX9l0DoxWHIe"
Cookie: session=<your session>; a=b|Cookie: session_id=${SESSION_ID}|delete the cookie: sessions end after 20 minutes
auth: required|auth = Depends(get_auth1)|mật khẩu đã hết hạn|รหัสผ่านของคุณหมดอายุ|كلمة المرور مطلوبة|पासवर्ड बदलें
eyJ.eyJ.eyJ|def login(user: str, password: str) -> bool:|-> _OAuth2SessionT|the pin is on page 12""".replace(
        "\\n", "\0"
    )
    .replace("\n", "|")
    .replace("\0", "\n")
    .split("|"),
)
def test_what_is_no_secret_is_left_alone(text):
    """Placeholders, references, hashes, ids, public keys and prose are no secrets."""
    assert found(text) == []


def test_the_seen_half_of_the_corpus():
    """On generated rows the figures hold: F1 at least .97, false alarms at most 1 %, nearly all characters covered."""
    measured = figures(SECRETS.find, rows("seen", each=3))

    assert measured["f1"] >= 0.97
    assert measured["false_positive_rate"] <= 0.01
    assert measured["coverage"] >= 0.97


def test_kinds_and_exclude():
    """Only chosen kinds are reported."""
    text = "password=aB3$xyz9 and ghp_q9Xc2LmV7bNw4RtYz8Kd1Hs6Gj3Pf5Q0uTeW"

    assert [kind for kind, _ in found(text)] == ["PASSWORD", "GITHUB_TOKEN"]
    assert [kind for kind, _ in found(text, Secrets(["PASSWORD"]))] == ["PASSWORD"]
    assert [kind for kind, _ in found(text, Secrets(exclude=["PASSWORD"]))] == ["GITHUB_TOKEN"]


def test_custom_patterns():
    """Own patterns are found and always reported."""
    detector = Secrets(["PASSWORD"], custom={"CORP_KEY": r"corp_[a-z]{6}"})

    assert found("see corp_abcdef", detector) == [("CORP_KEY", "corp_abcdef")]


def test_allowed_values():
    """Allowed values are not reported, as texts or as patterns of the whole value."""
    text = "password=aB3$xyz9"

    assert found(text, Secrets(allow=["aB3$xyz9"])) == []
    assert found(text, Secrets(allow=[re.compile("aB3.*")])) == []
    assert found(text, Secrets(allow=[re.compile("aB3")])) == [("PASSWORD", "aB3$xyz9")]


def test_scores():
    """A word that is assigned to a password is reported only by those who ask for guesses."""
    assert found("password = 'geheim'") == []
    assert found("password = 'geheim'", Secrets(min_score=0.4)) == [("PASSWORD", "geheim")]


def test_entropy():
    """More entropy finds less."""
    text = f"auth_token = '{drawn(random.Random(1), 'qweabc123', 32)}'"

    assert found(text, Secrets(entropy=2)) != []
    assert found(text, Secrets(entropy=4)) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": "PASSWORD"}, "kinds must be a list"),
        ({"kinds": ["PASWORD"]}, "'PASWORD'"),
        ({"exclude": ["X"]}, "exclude must be among"),
        ({"custom": {"A": "("}}, "custom"),
        ({"custom": {"A": "a*"}}, "nothing at all"),
        ({"allow": "x"}, "allow must be a list"),
        ({"allow": [1]}, "allow must hold"),
        ({"entropy": -1}, "entropy must be between"),
        ({"min_score": 2}, "min_score must be between"),
    ],
)
def test_bad_arguments(arguments, message):
    """A wrong argument is named at construction."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        Secrets(**arguments)


def test_what_a_guard_is_told():
    """Finds are masked by default; a look ends soon, unless patterns of others are looked for."""
    assert SECRETS.default_action == "mask"
    assert SECRETS.is_quick
    assert not Secrets(custom={"CORP_KEY": r"corp_[a-z]{6}"}).is_quick


def test_it_is_a_stream_detector():
    """It can watch a text that grows."""
    assert isinstance(SECRETS, StreamDetector)
