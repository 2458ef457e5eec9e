"""Finds what is known by its form alone: tokens of providers, signed tokens, webhooks, credentials in addresses."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.aside import breathe
from aigw.guards.secrets.formats import ALPHABETS, FORMATS
from aigw.guards.secrets.runs import IN_RUN, SHORTEST_TOKEN, runs_of
from aigw.guards.secrets.seen import AT_ONCE, may_have, occurrences
from aigw.guards.secrets.values import HAS_DIGIT, classes, has_entropy, is_placeholder, is_strong, is_wordy
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aigw.guards.secrets.runs import Runs

_LOOKALIKES: Final = str.maketrans(
    "авекмнорстухіјѕԁɡһӏսΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅ", "abekmhopctyxijsdghluABEZHIKMNOPTYXABEKMHOPCTYXIJS"
)
_LOOKALIKE: Final = re.compile("[\u0251-\u0582](?:(?=[A-Za-z0-9_-])|(?<=[A-Za-z0-9_-].))")
"""One that stands in a word with Latin letters."""
_LOOKALIKE_HEADS: Final = tuple(bytes([head]) for head in range(0xC9, 0xD7))
"""How they begin in UTF-8."""

SURE: Final = 0.95
"""The score of a token whose form is unmistakable."""
_LIKELY: Final = 0.7
_SHORT: Final = 12
_LONGEST_FORM: Final = 400
_REST_AFTER: Final = 128
"""Places that are looked at between two rests."""
_LEAST_BITS: Final = 2.6
_LEAST_BITS_OF_FIGURES: Final = 2.3


class _Form(NamedTuple):
    """How a token looks as a whole.

    Args:
        kind: what it is reported as.
        mark: characters in it that are looked for.
        before: how many characters before the mark it may begin.
        pattern: the whole; its group ``secret``, or else all of it, is reported.
        check: tells of what is matched whether it is one.
        head: what stands before the mark, where that is known.
        shows: what of the mark is always in a run of characters that is long enough for a token.
    """

    kind: str
    mark: str
    before: int
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    head: re.Pattern[str] | None = None
    shows: str = ""


def _is_signed_token(value: str) -> bool:
    """Tell whether the first part of a JSON web token is a header, or at least begins like one."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and bool(header.keys() & {"alg", "typ", "enc", "kid"})


def _is_encoded_key(value: str) -> bool:
    head = base64.b64decode(value[:80][: len(value[:80]) // 4 * 4])
    return b"PRIVATE KEY" in head


def _is_random(value: str) -> bool:
    return has_entropy(value, _LEAST_BITS) and not is_placeholder(value)


def _form(kind: str, mark: str, before: int, pattern: str, check: Callable[[str], bool] | None = _is_random) -> _Form:
    head = pattern.partition(re.sub(r"([.+|])", r"\\\1", mark))[0]
    head += ")" if "(?P<secret>" in head else ""
    whole = re.compile(pattern, re.ASCII)  # letters of other scripts are gaps
    shows = "" if kind == "TOKEN" else mark.lstrip("!")
    return _Form(kind, mark, before, whole, check, re.compile(rf"{head}\Z", re.ASCII) if before else None, shows)


_HEX: Final = "[0-9a-fA-F]"
_UUID: Final = f"{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}"

_HARNESS: Final = r"(?<![A-Za-z0-9])[ps]at\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}(?!\w)"
_YANDEX: Final = r"(?<![A-Za-z0-9])[ct]1\.[\w-]{20,600}={0,2}\.[\w-]{86}={0,2}(?!\w)"
_ID_AND_KEY: Final = r"(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}[:;,|/](?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"

FORMS: Final = (
    _form(
        "JWT",
        "eyJ",
        0,
        r"(?<![\w-])eyJ[\w-]{8,2000}+\.e[wy][\w-]{6,8000}+(?:\.(?:[\w-]{16,2000}+)?)?",
        _is_signed_token,
    ),
    _form(
        "JWT",
        "eyJ",
        0,
        r"(?<![\w-])eyJ[\w-]{16,2000}+\.[\w-]{0,700}+\.[\w-]{12,90}\.[\w-]{16,9000}+\.[\w-]{16,90}",
        _is_signed_token,
    ),
    _form("PRIVATE_KEY", "LS0tLS1CRUdJTi", 0, r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{40,20000}+", _is_encoded_key),
    _form("TELEGRAM_BOT_TOKEN", ":AA", 10, r"(?<![0-9A-Za-z])(?:bot)?(?P<secret>\d{8,10}:AA[\w-]{32,34})(?![\w-])"),
    _form("MAILCHIMP_API_KEY", "-us", 32, r"(?<![0-9A-Za-z])[0-9a-zA-Z]{32}-us\d{1,2}(?!\w)"),
    _form("AZURE_CLIENT_SECRET", "Q~", 4, r"(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,36}(?![\w~-])"),
    _form("AZURE_STORAGE_KEY", "AccountKey=", 0, r"AccountKey=(?P<secret>[A-Za-z0-9+/]{80,88}={0,2})"),
    _form("AZURE_DEVOPS_TOKEN", "AZDO", 80, r"(?<![A-Za-z0-9])[A-Za-z0-9]{70,80}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])"),
    _form(
        "AZURE_OPENAI_KEY", "JQQJ99", 52, r"(?<![A-Za-z0-9])[A-Za-z0-9]{40,52}JQQJ99[A-Za-z0-9]{20,40}(?![A-Za-z0-9])"
    ),
    _form("AZURE_SEARCH_KEY", "AzSe", 42, r"(?<![A-Za-z0-9])[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}(?![A-Za-z0-9])"),
    _form("AZURE_FUNCTION_KEY", "AzFu", 44, r"(?<![\w-])[\w-]{44}AzFu[\w-]{6}=="),
    _form("AZURE_STORAGE_KEY", "+ASt", 76, r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{76}\+ASt[A-Za-z0-9/+]{6}=="),
    _form("TERRAFORM_TOKEN", ".atlasv1.", 14, r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,72}"),
    _form("FIREBASE_KEY", ":APA91b", 22, r"(?<![\w-])AAAA[\w-]{7}:APA91b[\w-]{130,140}"),
    _form("FIREBASE_TOKEN", ":APA91b", 22, r"(?<![\w-])[\w-]{20,22}:APA91b[\w-]{130,140}"),
    _form("OPENAI_API_KEY", "T3BlbkFJ", 100, r"(?<![A-Za-z0-9])sk-[\w-]{16,90}T3BlbkFJ[\w-]{16,90}"),
    _form(
        "SLACK_WEBHOOK",
        "hooks.slack.com/",
        0,
        r"hooks\.slack\.com/(?P<secret>(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,80})",
    ),
    _form("DISCORD_WEBHOOK", "/api/webhooks/", 0, r"/api/webhooks/(?P<secret>\d{15,20}/[\w-]{50,90})"),
    _form(
        "TEAMS_WEBHOOK",
        "/webhookb2/",
        0,
        rf"/webhookb2/(?P<secret>{_UUID}@{_UUID}(?:/IncomingWebhook/[0-9a-f]{{32}}/{_UUID}(?:/V2[\w-]{{20,80}})?)?)",
    ),
    _form(
        "ZAPIER_WEBHOOK",
        "hooks.zapier.com/",
        0,
        r"hooks\.zapier\.com/hooks/(?:catch|standard)/(?P<secret>\d{4,10}/\w{6,40})",
        None,
    ),
    _form("ALCHEMY_API_KEY", ".alchemy.com/v2/", 0, r"\.alchemy\.com/v2/(?P<secret>[\w-]{32})(?![\w-])"),
    _form("INFURA_API_KEY", "infura.io/v3/", 0, rf"infura\.io/v3/(?P<secret>{_HEX}{{32}})(?!\w)"),
    _form("PASSWORD", "oracle:thin:", 0, r"oracle:thin:[\w.-]{1,40}/(?P<secret>[^\s/@\"'<>]{4,80})@", is_strong),
    _form("AZURE_SAS", "sig=", 0, r"(?<![A-Za-z])sig=(?P<secret>[A-Za-z0-9%+/]{40,70}(?:=|%3[dD])?)"),
    # In a header of digest authentication (RFC 7616): one of several parameters, MD5 or SHA-256.
    _form("TOKEN", 'response="', 0, rf"(?<=[ ,])(?<=,.|.,)response=\"(?P<secret>(?:{_HEX}{{32}}){{1,2}})\""),
    _form("HARNESS_KEY", "pat.", 0, _HARNESS),
    _form("HARNESS_KEY", "sat.", 0, _HARNESS),
    _form("YANDEX_TOKEN", "t1.", 0, _YANDEX),
    _form("YANDEX_TOKEN", "c1.", 0, _YANDEX),
    _form("ZOHO_TOKEN", "1000.", 0, rf"(?<![A-Za-z0-9.])1000\.{_HEX}{{32}}\.{_HEX}{{32}}(?!\w)"),
    _form("FACEBOOK_TOKEN", "|", 16, r"(?<![0-9A-Za-z])\d{15,16}\|[\w-]{27,40}(?![\w-])"),
    _form("AWS_SECRET_KEY", "AKIA", 0, _ID_AND_KEY),
    _form("AWS_SECRET_KEY", "ASIA", 0, _ID_AND_KEY),
    _form(
        "GITHUB_TOKEN", "ghs_", 0, r"(?<![A-Za-z0-9])ghs_\d{1,12}_eyJ[\w-]{8,2000}+\.[\w-]{6,8000}+\.[\w-]{16,2000}+"
    ),
    _form("DOPPLER_TOKEN", "dp.st.", 0, r"(?<![A-Za-z0-9])dp\.st\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}(?!\w)"),
    _form("MAXMIND_KEY", "_mmk", 36, r"(?<![A-Za-z0-9])[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)"),
    _form("SALESFORCE_TOKEN", "!AQ", 18, r"(?<![A-Za-z0-9])00D[A-Za-z0-9]{9,15}!AQ[\w.]{60,110}"),
    _form("PLANETSCALE_TOKEN", "pscale_", 0, r"pscale_(?:tkn|oauth|pw)_[\w=.-]{32,64}"),
    _form("DROPBOX_TOKEN", "AAAAAAAAAA", 11, r"(?<![A-Za-z0-9])[A-Za-z0-9]{11}AAAAAAAAAA[\w-]{43}(?![\w-])"),
    _form("NEW_RELIC_KEY", "NRAL", 36, r"(?<![A-Za-z0-9])(?:[0-9a-f]{2}\d\dxx?)?[0-9a-fx]{30,36}NRAL(?![A-Za-z0-9])"),
    _form(
        "AUTHRESS_KEY",
        ".acc",
        40,
        r"(?<![A-Za-z0-9])(?:sc|ext|scauth|authress)_\w{5,30}\.\w{4,6}\.acc[_-][\w-]{10,32}\.[\w+/=-]{30,120}",
    ),
    _form(
        "ONEPASSWORD_SECRET_KEY",
        "A3-",
        0,
        r"(?<![A-Za-z0-9-])A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}(?![A-Z0-9])",
    ),
)
"""The forms that are not just a beginning and a run of characters, each with characters by which it is found."""

_CREDENTIALS: Final = re.compile(
    r"(?P<user>[^\s/@:?#\"'<>\\\x00-\x20\u0590-\U0010ffff]{0,100}(?:@[\w.-]{3,60})?):"
    r"(?P<password>[^\s/@\"'<>\\\x00-\x20\u0590-\U0010ffff]{1,200})@(?=[\w\[{$%])"
)
_NO_PASSWORD: Final = re.compile(
    r"(?i)\$|[{}<>]|\*\*|^\*|\*$|%\(|^x+$|^\.+$|^(?:pass|password|passwd|pwd|secret|token|user|pw|p|\[.*|mypassword|yourpassword)$"
)
_DEFAULT_PASSWORDS: Final = frozenset(
    (
        "postgres",
        "root",
        "admin",
        "guest",
        "test",
        "user",
        "mysql",
        "redis",
        "minio",
        "minioadmin",
        "rabbitmq",
        "mongo",
        "foo",
        "bar",
    )
)


def _grouped() -> dict[str, tuple[tuple[str, re.Pattern[str], str], ...]]:
    groups: dict[str, list[tuple[str, re.Pattern[str], str]]] = {}
    for kind, prefix, alphabet, least, most in sorted(FORMATS, key=lambda one: -len(one.prefix)):
        chars = ALPHABETS[alphabet]
        stop = f"(?![{chars}])" if alphabet in {"hex", "lower", "upper", "alnum"} else ""
        pattern = re.compile(f"[{chars}]{{{least},{most}}}{stop}(?![A-Za-z0-9])")
        groups.setdefault(prefix, []).append((kind, pattern, alphabet))
    return {prefix: tuple(group) for prefix, group in groups.items()}


_GROUPS: Final = _grouped()
_CHAINS: Final = {
    prefix: tuple(
        (prefix[:length], *one) for length in range(len(prefix), 0, -1) for one in _GROUPS.get(prefix[:length], ())
    )
    for prefix in _GROUPS
}
"""The formats by their prefix, with those whose prefix is a beginning of it behind them."""
_ESCAPED: Final = re.compile(r"(?:\\[nrt]|%[0-9A-Fa-f]{2}|\x1b\[\d{1,3}(?:;\d+)*m)\Z")


def _alternation(prefixes: Iterable[str]) -> str:
    """Write a pattern for any of some texts, longest first, that shares their beginnings."""
    by_first: dict[str, list[str]] = {}
    for prefix in sorted(set(prefixes)):
        by_first.setdefault(prefix[:1], []).append(prefix[1:])
    ends = "" in by_first
    by_first.pop("", None)
    parts = [re.escape(first) + _alternation(rest) for first, rest in by_first.items()]
    body = "|".join(parts)
    if not parts:
        return ""
    return f"(?:{body})" + ("?" if ends else "")


_HEADS: Final = {
    prefix: tuple(other.removesuffix(prefix) for other in _GROUPS if other != prefix and other.endswith(prefix))
    for prefix in _GROUPS
}
"""What stands before a prefix that is the end of a longer one."""
_BEGINS: Final = rf"(?=[{IN_RUN}]{{{SHORTEST_TOKEN}}})(?P<prefix>{_alternation(_GROUPS)})"
_BEHIND_SIGN: Final = re.compile(f"[^A-Za-z0-9](?={_BEGINS})")
_BEHIND_ESCAPE: Final = re.compile(
    rf"[%\\\[;](?:(?<=%)[0-9A-Fa-f]{{2}}|(?<=\\)[nrt]|(?<=[\[;])\d{{1,3}}m)(?={_BEGINS})"
)
_SHOWN: Final = tuple((form.shows, form) for form in FORMS)
_DISCORD_HEAD: Final = re.compile(r"[MNO](?<![\w.-].)[\w-]{22,27}\Z")
_DISCORD_REST: Final = re.compile(r"\.(?<=[\w-]{23}\.)[\w-]{6}\.[\w-]{27,40}(?![\w.-])")
_LONGEST_HEAD: Final = 28


def is_start(text: str, at: int) -> bool:
    """Tell whether a token may begin at a place: not inside of a word, but behind an escape."""
    before = text[at - 1 : at]
    if not before.isalnum():
        return True
    return bool(_ESCAPED.search(text, max(0, at - 8), at)) if before in "nrtm0123456789abcdefABCDEF" else False


def find_tokens(text: str, start: int) -> Iterator[Span]:
    """Yield the tokens of providers that begin at a place or behind it."""
    if not text.isascii() and may_have(text, _LOOKALIKE_HEADS) and _LOOKALIKE.search(text):
        text = "".join(text[at : at + AT_ONCE].translate(_LOOKALIKES) for at in range(0, len(text), AT_ONCE))
    forms: list[_Form] = []
    for runs in runs_of(text, start):
        yield from _tokens_in(text, start, runs)
        joined = runs.joined
        forms += [form for shows, form in _SHOWN if shows in joined and form not in forms]
    for form in forms:
        if (mark := text.find(form.mark, start)) >= 0:
            yield from _forms(text, start, form, mark)


def _tokens_in(text: str, start: int, runs: Runs) -> Iterator[Span]:
    """Yield the tokens in the runs: at their beginnings, behind escapes, and behind signs."""
    joined = runs.joined
    hits = [(hit.end(), hit["prefix"]) for hit in _BEHIND_SIGN.finditer(joined)]
    if escaped := [(hit.end(), hit["prefix"]) for hit in _BEHIND_ESCAPE.finditer(joined)]:
        hits = sorted(hits + escaped)
    done = start
    for number, (place, prefix) in enumerate(hits):
        if number % _REST_AFTER == _REST_AFTER - 1:
            breathe()
        at = runs.original(place)
        if at >= done and is_start(text, at) and not joined.endswith(_HEADS[prefix], 0, place):
            done = at + len(prefix)
            yield from _tokens_at(text, at, prefix)
    for rest in _DISCORD_REST.finditer(joined):
        if head := _DISCORD_HEAD.search(joined, max(0, rest.start() - _LONGEST_HEAD), rest.start()):
            whole = head[0] + rest[0]
            if classes(whole) >= 3 and not is_wordy(whole):  # noqa: PLR2004
                at = runs.original(head.start())
                yield Span(at, at + len(whole), "DISCORD_BOT_TOKEN", 0.9)


def _tokens_at(text: str, at: int, prefix: str) -> Iterator[Span]:
    for head, kind, pattern, alphabet in _CHAINS[prefix]:
        match = pattern.match(text, at + len(head))
        if match and head not in match[0] and _is_body(match[0], alphabet):
            sure = len(head) > 2 and match.end() - match.start() >= _SHORT  # noqa: PLR2004
            yield Span(at, match.end(), kind, SURE if sure else _LIKELY)
            return


def _is_body(body: str, alphabet: str) -> bool:
    """Tell whether the rest of a token is drawn by chance; the cheapest questions first."""
    if alphabet == "hex":
        return has_entropy(body, _LEAST_BITS_OF_FIGURES) and not is_placeholder(body)
    if not HAS_DIGIT.search(body) and (len(body) < 16 or classes(body) < 2):  # noqa: PLR2004  (long ones may have none)
        return False
    if not has_entropy(body, _LEAST_BITS) or (alphabet != "upper" and is_wordy(body)):
        return False
    return not is_placeholder(body)


def _forms(text: str, start: int, form: _Form, mark: int) -> Iterator[Span]:
    group = "secret" if "secret" in form.pattern.groupindex else 0
    end = start
    number = 0
    while mark >= 0:
        match = None
        number += 1
        if number % _REST_AFTER == 0:
            breathe()
        if form.head is None:
            match = form.pattern.match(text, mark)
        elif head := form.head.search(text, max(start, mark - form.before), mark):
            match = form.pattern.match(text, head.start())
        if match and (form.check is None or form.check(match[0])):
            yield Span(match.start(group), match.end(group), form.kind, SURE)
            end = match.end()
        mark = text.find(form.mark, max(mark + len(form.mark), end))


def find_credentials(text: str, start: int) -> Iterator[Span]:
    """Yield the user and the password of addresses, ``user:password``."""
    for at in occurrences(text, "://", start):
        match = _CREDENTIALS.match(text, at + 3)
        if match and not _NO_PASSWORD.search(match["password"]) and not is_placeholder(match["password"]):
            is_default = match["password"].lower() in _DEFAULT_PASSWORDS or match["password"] == match["user"]
            yield Span(match.start(), match.end("password"), "URL_CREDENTIALS", 0.4 if is_default else 0.9)
