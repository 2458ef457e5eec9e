"""Labelled sentences, made from templates and seeds: values with right check digits, and what only looks like values.

Each sentence belongs to one of two halves, by its template: rules are written against ``"development"``, and
``"held-out"`` is only counted. `written` are sentences of no template, from ``rows.txt``.
"""

# ruff: noqa: E501, RUF001, SIM905  (sentences, of many languages)
from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

from aigw.guards.pii.checksums import luhn, mod_97, verhoeff
from aigw.guards.pii.national_checks import bsn, cpf, nhs, norwegian, pesel, steuer_id

HALVES = ("development", "held-out")
FIRST = "Ann Robert Mary Luis Chen Fatima Olga Jürgen Zoë Priya Kofi Yuki Sara Liam Émile".split()
LAST = "Lee Müller O'Brien Silva Wang Haddad Ivanova Schmidt García Patel Mensah Sato Rossi Dubois".split()
HOSTS = "example.org example.com mail.example.net acme.co.uk firma.de universität.de corp.example.io sub.dept.example.edu".split()


@dataclass(frozen=True)
class Row:
    """A sentence.

    Args:
        text: the sentence.
        spans: start, end and kind of each value.
        about: what it is a case of.
        half: one of `HALVES`.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    about: str
    half: str


def number(rng, shape):
    """Fill a shape: ``#`` is a digit, ``N`` one from 2 to 9, ``X`` one from 1 to 9."""
    pools = {"#": "0123456789", "N": "23456789", "X": "123456789"}
    return "".join(rng.choice(pools[c]) if c in pools else c for c in shape)


def checked(rng, shape, is_valid, tries=20_000):
    """Fill a shape until its digits are valid."""
    for _ in range(tries):
        value = number(rng, shape)
        if is_valid("".join(filter(str.isdigit, value))):
            return value
    raise AssertionError(shape)


def card(rng):
    """Make a payment card."""
    prefix, count = rng.choice(
        [("4", 16), ("4", 13), ("5N", 16), ("222N", 16), ("27", 16), ("37", 15), ("34", 15), ("6011", 16), ("65", 16),
         ("35", 16), ("36", 14), ("62", 19), ("2200", 16), ("5018", 12), ("6304", 19), ("4", 19)]
    )  # fmt: skip
    prefix = {"5N": rng.choice(["51", "52", "53", "54", "55"]), "222N": "2223", "27": "2711"}.get(prefix, prefix)
    value = checked(rng, prefix + "#" * (count - len(prefix)), luhn)
    gap = rng.choice(["", "", " ", "-", "\u00a0", "\u2009"])
    if gap and count == 15:
        return gap.join((value[:4], value[4:10], value[10:]))
    if gap and count in {16, 19}:
        return gap.join(value[at : at + 4] for at in range(0, count, 4))
    return value if rng.random() > 0.06 else value.translate({48 + n: 0x660 + n for n in range(10)})


def iban(rng):
    """Make an IBAN."""
    country, shape = rng.choice(
        [("DE", "#" * 18), ("GB", "NWBK" + "#" * 14), ("FR", "#" * 23), ("NL", "ABNA" + "#" * 10), ("ES", "#" * 20),
         ("IT", "X" + "#" * 22), ("CH", "#" * 17), ("NO", "#" * 11), ("BE", "#" * 12), ("MT", "MALT#####" + "#" * 18), ("PL", "#" * 24)]
    )  # fmt: skip
    body = number(rng, shape).replace("X", "A")
    key = next(f"{n:02}" for n in range(2, 99) if mod_97(body + country + f"{n:02}"))
    value = country + key + body
    if rng.random() < 0.5:
        value = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
    return value.lower() if rng.random() < 0.1 else value


FORMATS = [
    "(N##) N##-####", "N##-N##-####", "N##.N##.####", "1-N##-N##-####", "+1-N##-N##-####", "+1 (N##) N##-####",
    "001-N##-N##-####x###", "N##-N##-####x####", "(N##)N##-####", "(###)###-####x###", "+1N##N######", "020 7### ####",
    "07### ######", "01### ######", "(020) 7### ####", "(01###) ######", "+44 20 7### ####", "+44(0)1### ######",
    "+44 (0)20 7### ####", "0### ### ####", "07### ### ###", "+49 30 #######", "+49(0)### ######", "030 #######",
    "0171 #######", "0X##/#######", "(0X##) ######", "089 / ######", "+49 171 #######", "06 ## ## ## ##",
    "+33 6 ## ## ## ##", "01.##.##.##.##", "+33 (0)1 ## ## ## ##", "+34 6## ### ###", "6## ## ## ##", "+34 91 ### ## ##",
    "+39 3## #######", "06 #### ####", "3## ### ####", "+31 6 ########", "06-########", "020-#######",
    "+31(0)20 ### ####", "+41 44 ### ## ##", "044 ### ## ##", "08-### ### ##", "070-### ## ##", "+46 (0)70 ### ## ##",
    "+358 40 #######", "040 ### ####", "+48 6## ### ###", "04## ### ###", "(02) #### ####", "+61 4## ### ###",
    "03-####-####", "090-####-####", "+81 3-####-####", "010-####-####", "02-###-####", "+82 10-####-####",
    "138 #### ####", "+86 138 #### ####", "98### #####", "+91-98########", "+91 98### #####", "(11) 9####-####",
    "+55 11 9####-####", "11 9####-####", "+7 (495) ###-##-##", "8 (495) ###-##-##", "8-800-###-##-##",
    "+972-50-###-####", "050-#######", "03-#######", "+90 532 ### ## ##", "0532 ### ## ##", "082 ### ####",
    "+27 82 ### ####", "+380 67 ### ## ##", "+65 6### ####", "+852 2### ####", "+971 50 ### ####", "+353 87 ### ####",
    "1-800-###-####", "0800 ### ###",
]  # fmt: skip


def phone(rng):
    """Make a telephone number in the format of some country."""
    return number(rng, rng.choice(FORMATS))


def local_phone(rng):
    """Make a number that only its context tells to be one."""
    shapes = [
        "N##N######",
        "N##-####",
        "N## ####",
        "#### ####",
        "## ## ## ##",
        "6## ### ###",
        "07#########",
        "1380#######",
        "55 #### ####",
    ]
    return number(rng, rng.choice(shapes))


def email(rng):
    """Make an address."""
    first, last, host = rng.choice(FIRST).lower(), rng.choice(LAST).lower().replace("'", ""), rng.choice(HOSTS)
    local = rng.choice(
        [
            f"{first}.{last}",
            first,
            f"{first}{rng.randrange(99)}",
            f"{first}+news",
            f"{first}_{last}",
            f"{first[0]}-{last}",
        ]
    )
    return (
        f"{local}@{host}"
        if rng.random() < 0.85
        else rng.choice([f"{local}＠{host}", f"{local} (at) example (dot) org", f"{local.upper()}@EXAMPLE.COM"])
    )


def ip(rng):
    """Make an address of a network."""
    four = ".".join(str(rng.randrange(1, 255)) for _ in range(4))
    hexes = [f"{rng.randrange(1, 65536):x}" for _ in range(8)]
    return rng.choice(
        [
            four,
            four,
            four,
            ":".join(hexes),
            f"2001:db8::{hexes[0]}",
            f"fe80::{hexes[0]}:{hexes[1]}%eth0",
            f"::ffff:{four}",
        ]
    )


def mac(rng):
    """Make a hardware address."""
    pairs = [f"{rng.randrange(256):02x}" for _ in range(5)] + ["af"]
    return rng.choice([":".join(pairs), "-".join(pairs).upper(), ":".join(pairs).upper()])


def ssn(rng):
    """Make a social security number."""
    area = f"{rng.choice([*range(1, 666), *range(667, 900)]):03}"
    return f"{area}-{rng.randrange(1, 100):02}-{rng.randrange(1, 10000):04}"


def dni(rng):
    """Make a Spanish number."""
    digits = rng.randrange(10_000_000, 99_999_999)
    return f"{digits}{'TRWAGMYFPDXBNJZSQVHLCKE'[digits % 23]}"


NATIONAL = [
    (lambda rng: checked(rng, "### ### ####", nhs), "NHS number"),
    (lambda rng: checked(rng, "XXXXXXXXXXX".replace("XXXX", "X###", 1), steuer_id, 400_000), "Steuer-ID"),
    (lambda rng: checked(rng, "#########", bsn), "BSN"),
    (lambda rng: checked(rng, "###########", pesel), "PESEL"),
    (lambda rng: checked(rng, "###.###.###-##", cpf), "CPF"),
    (lambda rng: checked(rng, "N### #### ####", verhoeff), "Aadhaar number"),
    (lambda rng: checked(rng, "X## ### ###".replace("X", "4"), luhn), "SIN"),
    (lambda rng: checked(rng, "0#0######".replace("0#0", "010") + "##", norwegian, 400_000), "fødselsnummer"),
    (dni, "DNI"),
    (lambda rng: number(rng, "AB ## ## ## C"), "National Insurance number"),
]


def national(rng):
    """Make a national number, and what people call it."""
    make, name = rng.choice(NATIONAL)
    return make(rng), name


def birth(rng):
    """Make a date of birth."""
    year, month, day = rng.randrange(1930, 2012), rng.randrange(1, 13), rng.randrange(1, 29)
    name = "January February March April May June July August September October November December".split()[month - 1]
    return rng.choice(
        [f"{year}-{month:02}-{day:02}", f"{day:02}/{month:02}/{year}", f"{month}/{day}/{year}", f"{day:02}.{month:02}.{year}",
         f"{name} {day}, {year}", f"{day} {name} {year}", f"{day} {name[:3]} {year}", f"{month:02}/{day:02}/{year % 100:02}", f"{name[:3]} {day}th, {year}"]
    )  # fmt: skip


def coin(rng):
    """Choose an address of a crypto currency."""
    known = [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    ]
    return rng.choice([*known, "0x" + "".join(rng.choice("0123456789abcdef") for _ in range(40))])


def url(rng):
    """Make a URL with credentials."""
    scheme = rng.choice("postgres https redis mysql amqp ftp mongodb+srv".split())
    return f"{scheme}://{rng.choice(FIRST[:5]).lower()}:{rng.choice(['s3cret!', 'hunter2', 'p%40ss'])}@db{rng.randrange(9)}.example.com:{rng.randrange(1000, 9999)}"


MAKERS = {
    "EMAIL": email, "PHONE": phone, "LOCAL": local_phone, "CREDIT_CARD": card, "IBAN": iban, "IP": ip, "MAC": mac,
    "US_SSN": ssn, "DATE_OF_BIRTH": birth, "CRYPTO": coin, "URL_CREDENTIALS": url,
}  # fmt: skip

TEMPLATES = """
EMAIL|Please write to {} if anything is unclear.
EMAIL|mailto:{}?subject=hello
EMAIL|{{"email": "{}", "id": 17}}
EMAIL|Contact {name} <{}> or the desk.
EMAIL|My e-mail is {}.
EMAIL|**{}** is the address (see [here](https://example.org/a?b=1)).
EMAIL|user,{},active
EMAIL|'{}' could not be delivered; {name} was told.
PHONE|Call me at {} tomorrow.
PHONE|My phone number is {}, thanks.
PHONE|Tel.: {}
PHONE|{name}, {}, 12 Main Street
PHONE|I lost {} somewhere, is that number still in use?
PHONE|{{"phone": "{}"}}
PHONE|You can reach {name} on {} after 5 pm.
PHONE|Meine Telefonnummer ist {}.
PHONE|{}
PHONE|Fax {} / office 12
PHONE|please text {} (mobile) about the flat
PHONE|| {name} | {} | Berlin |
LOCAL|Call me at {} tomorrow.
LOCAL|My phone number is {}.
LOCAL|phone: {}
LOCAL|Mobile {} is the best way to reach me
LOCAL|电话：{}
LOCAL|WhatsApp me on {}, please
CREDIT_CARD|My card number is {}, please charge it.
CREDIT_CARD|I paid with {} yesterday.
CREDIT_CARD|Visa {} exp 12/27 cvv 123
CREDIT_CARD|{{"pan":"{}","amount":12.5}}
CREDIT_CARD|The number {} was declined twice.
CREDIT_CARD|Use {} for the booking.
CREDIT_CARD|Kreditkarte: {}
CREDIT_CARD|card={}&cvc=999
IBAN|Please transfer 200 EUR to {} by Friday.
IBAN|IBAN: {}
IBAN|My account is {}.
IBAN|Überweisen Sie an {}, danke
IBAN|{{"iban":"{}"}}
IP|Connection from {} refused
IP|ssh root@{} failed
IP|The server's address is {}.
IP|client={} status=200
IP|ping {} -c 3
MAC|Device {} joined the network
MAC|MAC address: {}
MAC|ether {} txqueuelen 1000
US_SSN|My SSN is {}.
US_SSN|social security number: {}
US_SSN|{name} gave {} on the form
US_SSN|ssn={}
DATE_OF_BIRTH|DOB: {}
DATE_OF_BIRTH|{name} was born on {} in Lyon.
DATE_OF_BIRTH|My date of birth is {}, and I live here.
DATE_OF_BIRTH|geboren am {}
DATE_OF_BIRTH|"birth_date": "{}"
CRYPTO|Send it to {} please
CRYPTO|wallet {}
CRYPTO|donations: {}
URL_CREDENTIALS|DATABASE_URL={}/app
URL_CREDENTIALS|connect with {} now
URL_CREDENTIALS|clone from "{}" first
NATIONAL_ID|My {what} is {}.
NATIONAL_ID|{what}: {}
NATIONAL_ID|Please note the {what} {} of {name}
NATIONAL_ID|The {what} on file, {}, is wrong
""".strip().splitlines()

NEGATIVES = """
Order 112-3941689-8772232 has shipped.|Order number: 4012345678|Invoice INV-2024-001234 is due.|Ticket #4155550132 was closed.
Tracking number 1Z999AA10123456784|Tracking: 9400 1000 0000 0000 0000 00|version 1.2.3.4 is out|Upgraded from v10.2.3.1 to v10.2.4.0
Chrome/120.0.6099.109 Safari/537.36|nginx/1.25.3.1|pip install foo==1.2.3.4|See section 1.2.3.4 of the manual|OID 1.3.6.1.4.1.311.21
2024-01-15T10:30:00.123Z INFO started|[1705312200] tick|timestamp 1705312200123|epoch 1705312200|15/01/2024 10:30:05 GET /index
commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad|sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
md5 d41d8cd98f00b204e9800998ecf8427e|uuid 123e4567-e89b-12d3-a456-426614174000|{{"id": "550e8400-e29b-41d4-a716-446655440000"}}
ISBN 978-3-16-148410-0|ISBN-10: 0-306-40615-2|ISSN 2049-3630|EAN 4006381333931|UPC 036000291452|GTIN 00012345600012
at 48.8566, 2.3522 near the river|lat=52.5200066 lon=13.404954|40.712776,-74.005974|N 51° 30' 26" W 0° 7' 39"
It costs $1,234,567.89 in total|EUR 12.345.678,90|Price: 4 999 000 Kč|population 8 336 817 in 2020|1 000 000 000 people
x[1::2] = y[::-1]|std::vector<int> a::b|Foo::bar(12, 13)|list[::2]|dead::beef is a namespace|case 10:20:30
3.141592653589793 is pi|2.718281828459045|1.6e-19 and 6.02214076e23|0x7fff5fbff8c0 is a pointer|0xDEADBEEF|int x = 2147483647;
12:30:45.678 done|10:15 - 11:45 - 12:30|at 09:00-17:00 Mon-Fri|1, 2, 3, 4, 5, 6, 7, 8|01 02 03 04 05 06|10 20 30 40 50 60 70
192.168.1 is a prefix|300.400.500.600|1.2.3|1.2.3.4.5|256.256.256.256|10.0.0 is old|the @mention of @ann|logo@2x.png|icon@3x.webp
git@github.com:org/repo.git|npm i react@18.2.0|actions/checkout@v4|@app.route("/x")|W@x.T|foo@bar|a @ b|price @ 12.50|ann@|@example.org
user@localhost without a name|decorators such as @property|SELECT * FROM t WHERE id = 123456789|user_id=987654321|id: 4155550132, qty 3
SKU 415-555-0132|Part no. 555-123-4567|model 800-555-1234-X|serial 123-45-6789-0|batch 078-05-1123|product AB123456C|lot 12345678
4111 1111 1111 1112 is not valid|1234 5678 9012 3456|0000 0000 0000 0000|4111111111111112|1111 2222 3333 4444|card type 4
GB29 NWBK 6016 1331 9268 18|DE00 1234 5678 9012 3456 00|XX12 3456 7890|AB12 CD34 EF56|FR14 is a road|DE12 bus|SE10 9AB London
000-12-3456|666-12-3456|900-12-3456|123-00-4567|123-45-0000|12-3456789 is an EIN|2024-01-15-10|2023-2024-2025
00:00:00:00:00|aa:bb:cc|12:34:56|1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb|bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx|0x742d35Cc
The meeting is on March 12, 1985.|released 03/12/2020|due date: 2024-05-01|since 12.03.1999 open|founded on 4 July 1776|expires 12/27
for i in range(1000000): pass|a = [1, 2, 3]; b = a[0:10]|port 8080:80|#4155550|RFC 2822 and RFC 5321|HTTP/1.1 200 OK 1234567|404 Not Found
GET /api/v1/items/1234567890 HTTP/1.1|at com.example.Foo.bar(Foo.java:123)|line 1234, column 56|pid 12345 tid 67890123|took 1234567 ns
size=123456789 bytes|12345678 rows|1024x768x32|1920x1080@60Hz|16:9 and 4:3|5-10-15-20|100-200-300|2-4-6-8-10-12|1/2/3/4/5/6/7
9 780306 406157|doi:10.1000/182.12345678|arXiv:2301.12345|PMID 12345678|US 7,654,321 B2 patent|NCT01234567|CAS 7732-18-5|E171 and E330
flight BA 2490 at 12:30|bus 12345|room 123-456|Zip 94107-1234|PO Box 12345|SW1A 1AA|D-10115 Berlin|75008 Paris|1600 Amphitheatre Parkway
NGC 1234 and M31|Windows 10.0.19045.3803|build 10.0.19045.3803|firmware 2.4.6.8|kernel 6.1.0-13-amd64|Python 3.11.4 (main)|v2.0.0-rc.1+build.123
ASIN B00X4WHP5E|VIN 1HGCM82633A004352|IMEI 490154203237518|ICCID 8914800000000000000|MPN 123-4567-890|barcode 4006381333931
E = mc^2 = 8.9875517e16|f(12) 345 678|(1234) + 5678 = 6912|100 - 50 - 25 = 25|7 * 8 = 56|555-0199 is a fictional range|1-2-3 go
$4,155.55|€ 1.234.567|¥1234567|£12,345,678.90|12345678 USD|1500000 EUR|3.5% of 12345678|99.999.999|1.000.000|123.456.789
aspect 4:3:2:1|ratio 12:34:56:78|grid 12 34 56|1st 2nd 3rd 4th|A1 B2 C3 D4 E5|A-1-2-3-4|2^31 - 1 = 2147483647|1111111111|1234567890
base64 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=|data:image/png;base64,iVBORw0KGgo|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0
color #4155550 and #ff00ff|font 12px/14px|margin: 10px 20px 30px 40px|rgb(255, 255, 255)|hsl(120, 100%, 50%)|1e10 and 1E-10|NaN 0 1 2
look at this dot product|meet at noon dot|at the dot com bubble|we at acme do|x at 5 dot 3|function (at) and (dot)|sat at table 12 in 2024
http://user@example|https://example.org:8080/a|https://example.org/a:b@c|scheme://host:80/path@v2|ftp://example.org/12345678|//cdn.example/1.2.3/x.js
""".replace("\n", "|").split("|")


def negatives():
    """Return sentences without personal data, half of them held out."""
    texts = [text.replace("{{", "{").replace("}}", "}") for text in NEGATIVES if text]
    return [Row(text, (), "negative", HALVES[place % 2]) for place, text in enumerate(texts)]


def positives(seed=7, each=12):
    """Return sentences with personal data: `each` of every template, the templates in two halves."""
    rng = random.Random(seed)
    rows = []
    for place, line in enumerate(TEMPLATES):
        kind, template = line.split("|", 1)
        for _ in range(each):
            what = ""
            if kind == "NATIONAL_ID":
                value, what = national(rng)
            else:
                value = MAKERS[kind](rng)
            name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
            marked = template.format("", name=name, what=what)
            start = marked.index("")
            label = "PHONE" if kind == "LOCAL" else kind
            span = (start, start + len(value), label)
            rows.append(Row(marked.replace("", value), (span,), kind, HALVES[place % 2]))
    return rows


def written():
    """Return the sentences of ``rows.txt``: one a line, values as ``[[KIND value]]``, under headings."""
    rows, about = [], ""
    for line in Path(__file__).with_name("rows.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            about = line[2:]
            continue
        text, spans = "", []
        pieces = re.split(r"\[\[([A-Z_]+) (.+?)\]\]", line)
        for before, kind, value in zip(pieces[::3], [*pieces[1::3], ""], [*pieces[2::3], ""], strict=True):
            text += before
            spans += [(len(text), len(text) + len(value), kind)] if kind else []
            text += value
        rows.append(Row(text, tuple(spans), about, "written"))
    return rows


def score(pii, rows):
    """Count: found with an overlap of half, found exactly, labelled, and reported."""
    right = exact = wanted = found = 0
    for row in rows:
        spans = [(span.start, span.end, span.kind) for span in pii.find(row.text)]
        wanted += len(row.spans)
        found += len(spans)
        exact += len(set(spans) & set(row.spans))
        right += sum(any(_overlap(one, other) >= 0.5 for other in spans) for one in row.spans)
    return {
        "precision": right / max(found, 1),
        "recall": right / max(wanted, 1),
        "f1": 2 * right / max(found + wanted, 1),
        "exact f1": 2 * exact / max(found + wanted, 1),
    }


def _overlap(one, other):
    both = min(one[1], other[1]) - max(one[0], other[0])
    whole = max(one[1], other[1]) - min(one[0], other[0])
    return both / whole if one[2] == other[2] else 0.0
