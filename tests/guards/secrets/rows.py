"""Labelled texts by a seeded generator: secrets of many providers in many surroundings, and what only looks like one.

Each half has templates and providers of its own, so what was tuned on the half ``"seen"`` is measured on the other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from typing import NamedTuple

LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "_-"
HEX = "0123456789abcdef"
HALVES = ("seen", "unseen")

WORDS = [
    "harbour",
    "meadow",
    "lantern",
    "gravel",
    "window",
    "engine",
    "pepper",
    "saddle",
    "winter",
    "copper",
    "planet",
    "ribbon",
    "thunder",
    "marble",
    "cabin",
    "orbit",
    "velvet",
    "falcon",
    "cactus",
    "pilot",
    "summit",
    "tunnel",
    "walnut",
    "breeze",
    "domino",
    "garnet",
    "hollow",
    "island",
    "jungle",
    "kitten",
]
TOKENS = {
    "seen": (
        "AKIA U16|AIza r35|sk-proj- r74|sk-ant-api03- r95|ghp_ a36|github_pat_ a22 _ a59|"
        "glpat- r20|xoxb- d12 - d12 - a24|sk_live_ a24|"
        "SG. r22 . r43|npm_ a36|dop_v1_ h64|hf_ a34|gsk_ a52|xai- a80|shpat_ h32|dapi h32|PMAK- h24 - h34|pul- h40|"
        "lin_api_ a40|hvs. r95|dp.pt. a43|glsa_ a32 _ h8|AGE-SECRET-KEY-1 q58|tvly- a32|r8_ a37|whsec_ a32|sntryu_ h64|"
        "SK h32|LTAI a20|xkeysib- h64 - a16|figd_ r40|ntn_ d11 a35|nvapi- r64|pplx- a48|"
        "secret_ a43|phx_ a43|sq0atp- r22"
    ),
    "unseen": (
        "ASIA U16|ya29. r80|sk- a20 T3BlbkFJ a20|sk-or-v1- h64|gho_ a36|ghs_ a36|gldt- r20|"
        "xoxp- d12 - d12 - d12 - h32|rk_live_ a24|"
        "rubygems_ h48|dckr_pat_ r27|GOCSPX- r28|NRAK- U27|glc_ b120|pscale_tkn_ r43|sbp_ h40|rdme_ l70|EZAK a54|"
        "shippo_live_ h40|duffel_live_ r43|ATATT3xFfGF0 r180|sgp_ h40|squ_ h40|dt0c01. U24 . U64|tfp_ r59|CFPAT- r43|"
        "AKCp a69|sha256~ r43|fo1_ r43|pnu_ a36|oy2 l43|tskey-auth- a16 - a32|napi_ l64|re_ a8 _ a24|API- U26|cio a32|"
        "pypi-AgEIcHlwaS5vcmc r150|hvb. r160"
    ),
}
SENTENCES = {
    "seen": (
        "the db password is {p}, please don't share|my password is {p}|Can you log in with {p}? password: {p}|"
        "use the password {p} for the staging box|login with user maria and password {p}|pwd: {p}|"
        "here is my api key: {k}, why does the call fail?|I set the token to {k} but still get a 401|"
        "Our wifi password is {p}.|{p} is the password for the admin account|Das Passwort lautet {p}, bitte löschen.|"
        "la contraseña es {p}|Password for the VPN is {p} (temporary)|ssh passphrase: {p}|the secret key is {k}"
    ),
    "unseen": (
        "hey, the root password was changed to {p} yesterday|credentials are bob / password {p}|"
        "use {p} as the password|"
        "my secret is {k}, keep it safe|the access token is {k} and expires soon|Mein Kennwort ist {p}|"
        "le mot de passe est {p}, merci|a senha é {p}|пароль: {p}|密码是{p}|the new password for jenkins: {p}|"
        'So I typed password={p} and it worked|our API key is `{k}`|Passphrase is "{p}"|'
        "the pwd for the router is {p} btw"
    ),
}
ASSIGNED = {
    "seen": (
        'password = "{p}"|DB_PASSWORD={p}|"db_password": "{p}",|password: {p}|export API_TOKEN={k}|api_key = \'{k}\'|'
        "curl -H 'Authorization: Bearer {k}' https://api.corp.net/v1|postgres://app:{u}@db.corp.net:5432/app|"
        '--password {p} --host db|const clientSecret = "{k}";|<password>{p}</password>|SECRET_KEY={k}|'
        'Server=db;User Id=sa;Password={p};|datadog_api_key: {h}|var fooToken string = "{k}"|'
        "https://api.corp.net/items?api_key={k}&page=2|auth_token => '{k}'"
    ),
    "unseen": (
        'spring.datasource.password={p}|MYSQL_ROOT_PASSWORD: \'{p}\'|"clientSecret": "{k}"|'
        "CREATE USER app IDENTIFIED BY '{p}';|"
        'redis://:{u}@cache.corp.net:6379/0|X-Api-Key: {k}|access_token: "{k}"|algolia_api_key = "{h}"|'
        'System.setProperty("FOO_TOKEN", "{k}")|aws_secret_access_key = {b}|fooToken := `{k}`|string fooToken = "{k}";|'
        '- name: DB_PASSWORD\n  value: {p}|{{"password":"{p}"}}|curl -u admin:{u} https://ci.corp.net/|'
        'ENCRYPTION_KEY={h}|AccountKey={s}|encryption-key: \'{k}\'|<add key="Password" value="{p}" />'
    ),
}
NOTHING = {
    "seen": (
        'api_key = "YOUR_API_KEY"|password: <password>|DB_PASSWORD=${{DB_PASSWORD}}|token = os.environ["TOKEN"]|'
        "secret: xxxxxxxxxxxx|password = getpass.getpass()|commit {g}|request id {i}|sha256:{d}|"
        '"integrity": "sha512-{s}",|'
        "background: url(data:image/png;base64,{b}{b})|ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b} bob@host|"
        "Please reset your password if you forgot it.|def check_password(self, password: str) -> bool:|"
        "max_tokens=4096, token_count = 1000|the primary key is the order number|.btn-{w} {{ color: #{c}; }}|"
        "https://example.org/watch?v={y}&id={n}|function a(b,c){{return b.key===c.key}}var {w}{n}=1|"
        'How do I store a password hash in postgres?|sk-... is the prefix of a key|password_hash = "$2b$12${b}"|'
        "token: Token = lexer.next()|2,2'-azobis(2-methylpropionitrile)|image_id: {n}-{w}-{c}|key: {w}_{w}_id"
    ),
    "unseen": (
        "API_TOKEN=changeme|Authorization: Bearer <token>|password: {{{{ vault_password }}}}|"
        'secret = config.get("secret")|'
        "PASSWORD=********|private_key = load_key(path)|Merge {g} into main|trace {i} took {n} ms|md5 {h}  file.tar.gz|"
        '{w}=={n}.1.2 --hash=sha256:{d}|<img src="data:image/gif;base64,{b}{b}{b}">|'
        "-----BEGIN PUBLIC KEY-----\n{b}{b}\n-----END PUBLIC KEY-----|"
        "The password must have at least 12 characters.|if token != expected_token: raise ValueError|"
        'sort_key = "{w}#{n}"|idempotency_key = "{i}"|class {w}-{c}|https://shop.example.org/p/{w}-{w}-{n}?ref={y}|'
        "!function(e,t){{e.token=t.key}}({w},{n})|Credential stuffing and password spraying are common attacks.|"
        'AKIAIOSFODNN7EXAMPLE|"password": "string"|tokens: list[str] = tokenizer.encode(text)|'
        '(2S,3R)-3-hydroxy-2-aminobutanoic acid|user_id={n}&session={w}|etag: "{h}"|'
        "foreign key (user_id) references {w}(id)|"
        "token expires in 3600s|the pin is on page {n}|-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----"
    ),
}
AROUND = [
    "{}",
    "{}\n",
    "Hello team,\n\n{}\n\nThanks!",
    "# settings\n{}\ndebug = true\n",
    "I get an error with this:\n```\n{}\n```\nWhat is wrong?",
]


class Row(NamedTuple):
    """A text with the secret in it; without one, it is a text that must not be found."""

    text: str
    secret: str


def drawn(rng: random.Random, alphabet: str, length: int) -> str:
    """Draw characters."""
    return "".join(rng.choices(alphabet, k=length))


def token(rng: random.Random, template: str) -> str:
    """Make a token from what it consists of: characters as they are, or an alphabet and a length."""
    alphabets = {"U": UPPER, "a": ALNUM, "r": URL, "h": HEX, "l": LOWER, "d": string.digits, "b": ALNUM + "+/"}
    alphabets["q"] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
    first, *parts = template.split(" ")
    made = [first]
    for part in parts:
        is_run = part[0] in alphabets and part[1:].isdigit()
        made.append(drawn(rng, alphabets[part[0]], int(part[1:])) if is_run else part)
    made[-1] = made[-1][:-1] + "k" if made[-1][-1] in "-_" else made[-1]
    return "".join(made)


def password(rng: random.Random) -> str:
    """Make a password as people do."""
    word = rng.choice(WORDS).capitalize()
    return rng.choice(
        [
            f"{word}{rng.randint(10, 9999)}{rng.choice('!#$%&?')}",
            f"{word[:3]}{rng.choice('@$&')}{word[3:]}{rng.randint(1, 99)}",
            drawn(rng, ALNUM, 4) + rng.choice("!#%") + drawn(rng, ALNUM, 6) + str(rng.randint(0, 9)),
            f"{word}-{rng.choice(WORDS)}-{rng.randint(100, 999)}!",
        ]
    )


def filled(rng: random.Random, template: str) -> Row:
    """Fill a template in; its secret is what stands for ``p k h u b s``."""
    values = {
        "p": password(rng),
        "k": drawn(rng, ALNUM, rng.choice([24, 32, 40])),
        "h": drawn(rng, HEX, 32),
        "u": drawn(rng, ALNUM, 14),
        "b": drawn(rng, ALNUM + "+/", 40),
        "s": drawn(rng, ALNUM + "+/", 86) + "==",
        "g": drawn(rng, HEX, 40),
        "i": str(uuid.UUID(int=rng.getrandbits(128))),
        "d": hashlib.sha256(rng.randbytes(8)).hexdigest(),
        "w": rng.choice(WORDS),
        "c": drawn(rng, HEX, 6),
        "n": str(rng.randint(100, 10**9)),
        "y": drawn(rng, URL, 11),
    }
    named = [name for name in "pkhubs" if "{" + name + "}" in template]
    return Row(template.format(**values), values[named[0]] if named else "")


def special(rng: random.Random) -> list[Row]:
    """Make what no template can: signed tokens and private keys."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": str(rng.random())}).encode()).decode().rstrip("=")
    signed = f"{header}.{body}.{drawn(rng, URL, 42)}k"
    lines = [drawn(rng, ALNUM + "+/", 64) for _ in range(6)]
    kind = rng.choice(["RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "])
    block = "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])
    return [Row(signed, signed), Row(block, block), Row(block.replace("\n", "\\n"), block.replace("\n", "\\n"))]


def rows(half: str, *, each: int = 6, seed: int = 7) -> list[Row]:
    """Make the rows of a half: secrets, and as many texts without.

    Args:
        half: one of `HALVES`.
        each: how many rows of each template.
        seed: another one makes other values.
    """
    rng = random.Random(f"{half}-{seed}")
    made: list[Row] = []
    for template in TOKENS[half].split("|"):
        for _ in range(max(1, each // 2)):
            value = token(rng, template)
            made.append(Row(rng.choice(["{}", "key {} here", 'x = "{}"', "Use {}."]).format(value), value))
    for template in (SENTENCES[half] + "|" + ASSIGNED[half]).split("|"):
        made += [filled(rng, template) for _ in range(each)]
    for _ in range(each):
        made += special(rng)
    for template in NOTHING[half].split("|"):
        made += [filled(rng, template)._replace(secret="") for _ in range(each * 2)]
    return [Row(rng.choice(AROUND).format(row.text) if "{" not in row.text else row.text, row.secret) for row in made]


def figures(find, some: list[Row]) -> dict[str, float]:
    """Measure a detector: by rows, and how much of the secrets it covers."""
    hits = missed = false = covered = total = nothing = 0
    for row in some:
        spans = find(row.text)
        if not row.secret:
            nothing += 1
            false += bool(spans)
            continue
        hits += bool(spans)
        missed += not spans
        at = row.text.rindex(row.secret)
        total += len(row.secret)
        covered += sum(max(0, min(span.end, at + len(row.secret)) - max(span.start, at)) for span in spans)
    return {
        "f1": 2 * hits / max(1, 2 * hits + missed + false),
        "recall": hits / max(1, hits + missed),
        "false_positive_rate": false / max(1, nothing),
        "coverage": covered / max(1, total),
        "rows": float(len(some)),
    }
