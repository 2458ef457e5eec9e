"""`Secrets` told by their place: arguments of commands and calls, pairs of a user and a password, members of keys."""

from __future__ import annotations

import pytest

from aigw.guards import Secrets
from guards.secrets.test_secrets_stream import check

SECRETS = Secrets()
P = "Gr4velWindow"
K = "q9Xc2LmV7bNw4RtYz8Kd"
GIVEN = (
    f"redis-cli -h db -a {P} ping",
    f"sshpass -p '{P}' ssh bob@host",
    f"sshpass -p{P} ssh bob@host",
    f"mysql -u root -p'{P}' shop",
    f"docker login -u bob -p {P} registry.corp.net",
    f"az login --service-principal -u http://app -p {P} --tenant t",
    f"mongo -u admin -p {P} --authenticationDatabase admin",
    f"openssl enc -aes-256-cbc -in a -out b -k {P}",
    f"openssl rsa -in k.pem -passin pass:{P} -out l.pem",
    f"keytool -genkey -keystore k.jks -storepass {P} -alias a",
    f"htpasswd -bc .htpasswd bob {P}",
    rf"net use Z: \\srv\share {P} /user:corp\bob",
    rf"net use Z: \\srv\share /user:corp\bob {P}",
    f"smbclient //srv/share -U bob%{P}",
    f"sqlcmd -S srv -U sa -P {P}",
    f"sqlplus scott/{P}@orcl",
    f'ldapsearch -x -D "cn=admin" -w {P} -b dc=x',
    f"7z x a.7z -p{P}",
    f"rabbitmqctl add_user bob {P}",
    f"xfreerdp /u:bob /p:{P} /v:host",
    f"echo 'bob:{P}' | chpasswd",
    f'echo "{P}" | sudo -S apt update',
    f"echo {P} | docker login --password-stdin -u bob",
    f'requests.get(url, auth=("bob", "{P}"))',
    f'HTTPBasicAuth("bob", "{P}")',
    f'new NetworkCredential("bob", "{P}")',
    f'DriverManager.getConnection(url, "bob", "{P}")',
    f'mysqli_connect("localhost", "bob", "{P}", "shop")',
    f"login: bob {P}",
    "login is alice / Hunter2!x",
    f"creds: bob / {P}",
    f"credentials: admin:{P}",
    f"log in with bob and {P}",
    f"bob / {P}",
    f"user bob pass {P}",
    f"db.corp.net:5432:shop:bob:{P}",
    f"パスワードは{P}です",
    f"비밀번호는 {P} 입니다",
    f"пароль от сервера {P}",
    f"WLAN-Schlüssel: {P}",
    f"la clé API est {K}",
    f"la clave de API es {K}",
    f"the API secret is {P}",
    "GET /v1?key=9f86d081884c7d659a2feaa0c55ad015",
    'sumoKey := "q9xc2lmv7bnw4rtyz8kd1hs6gj3pf5q0"',
    'key = bytes.fromhex("9f86d081884c7d659a2feaa0c55ad015")',
    'Authorization: Digest username="bob", nonce="ab", response="6629fae49393a05397450978507c4ef1"',
    f'{{"kty":"oct","k":"{K}1Hs6Gj3Pf5Q0uTeW"}}',
    f'{{"crv": "P-256", "d": "{K}{K}abC", "kty": "EC"}}',
    f"ghs_123456_eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{K}",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ",
    f"dp.st.dev.{K}{K}q1Z",
    f"pat.{K}aB.{K}1Hs6.{K}",
    f"t1.{K}{K}1Hs6_-=.{K}{K}{K}{K}1Hs6_-==",
    "1000.9f86d081884c7d659a2feaa0c55ad015.3bf4f1b2b0b822cd15d6c15b0f00a08c",
    f"928374650192837|{K}1Hs6Gj3",
    f"SESSION_SECRET={K * 40}",
)
VALUES = (
    *(P, "Hunter2!x", "pat.", "t1.", "1000.", "928374650192837|", K, "6629fae4", "eyJ"),
    *("9f86d081884c7d659a2feaa0c55ad015", "q9xc2lmv7bnw4rtyz8kd1hs6gj3pf5q0"),
)
NOTHING = (
    'password = "#{password}"',
    "password: '#add-password1'",
    'password:".field-password1"',
    "password='\".$pass1.\"'",
    'password:"Password*",confirmPassword:"Confirm*"',
    r'{password:"M\u1eadt kh\u1ea9u"}',
    '{password:"Enter password (min 8 chars)!"}',
    'auth=("user", "password")',
    "HTTPBasicAuth(username, password)",
    "docker login -u $USER -p $PASS",
    "docker login -u AWS -p $(aws ecr get-login-password)",
    'sshpass -p "$PASSWORD" ssh x',
    "mysql -u root -p shop",
    "mongo -p 27017",
    "docker run -p 8080:80 nginx",
    "mkdir -p build2/x86_64",
    "ssh -p 2222 host",
    "cp -a src2dir dst3",
    "python3 -u script2.py",
    "Login: 2024-01-02 10:11:12",
    "log in with Chrome and Firefox120",
    "read / write2 and GPT4 / Claude3",
    "12:30:45:admin:page2",
    "127.0.0.1:5432:db:user:password",
    '{"d":"2024-01-02T10:11:12Z","k":"something"}',
    '{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78","e":"AQAB","kid":"2011-04-29"}',
    'cacheKey = "9f86d081884c7d659a2feaa0c55ad015"',
    "the secret is to use Python3.11",
    'paste("abc", "x1y2z3")',
    'response="9f86d081884c7d659a2feaa0c55ad015"',
    "pat.q9Xc2LmV7bNw4RtYz8Kd.q9Xc2LmV7bNw4RtYz8Kd.q9Xc2LmV7bNw4RtYz8Kd",
    "version t1.2024 and 1000.50 | 928374650192837|total",
)
LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
PUTTY = f"PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: 1\n{LINE}Private-Lines: 2\n{LINE}{LINE}Private-MAC: 9f86d081\n"


@pytest.mark.parametrize("text", GIVEN)
def test_secrets_are_told_by_their_place(text):
    """A secret that has no name is found by the command, the call, the user or the member that it belongs to."""
    [span] = SECRETS.find(text)

    assert text[span.start : span.end].startswith((*VALUES, "ghs_", "dp.st."))
    assert any(value in text[span.start : span.end] for value in VALUES)


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_stands_there_is_left_alone(text):
    """Flags of other commands, selectors, labels, joined texts, ports, dates and lists are no secrets."""
    assert SECRETS.find(text) == []


@pytest.mark.parametrize("text", GIVEN)
def test_they_are_found_in_streams(text):
    """Wherever the text is cut, the same is found, and no character of a secret was handed on before."""
    check(f"see {text} and so on")


def test_a_key_and_its_id_are_found_both():
    """The secret key of AWS that stands right behind its id is found as well, alone and whole."""
    text = f"AKIAQ9XC2LMV7BNW4RTY:{K}/{K[:19]}"

    spans = SECRETS.find(text)

    assert [(span.kind, text[span.start : span.end]) for span in spans] == [
        ("AWS_ACCESS_KEY", text[:20]),
        ("AWS_SECRET_KEY", text[21:]),
    ]


@pytest.mark.parametrize("length", [600, 1500, 4000])
def test_long_values_are_covered(length):
    """A long value in one line is a secret to its end, with quotes and without."""
    value = (K * 200)[:length]

    for text in (f'"token": "{value}", "x": 1', f"SECRET_KEY={value}\nX=1"):
        [span] = SECRETS.find(text)

        assert text[span.start : span.end] == value


def test_the_private_lines_of_a_putty_key():
    """Of a key file of PuTTY the lines of the private part are one private key, in a stream too."""
    check(PUTTY)

    [span] = SECRETS.find(PUTTY)

    assert span.kind == "PRIVATE_KEY"
    assert PUTTY[span.start : span.end] == LINE + LINE.strip()
