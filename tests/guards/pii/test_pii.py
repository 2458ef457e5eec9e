"""What `Pii` finds, and what it leaves alone, kind by kind."""

# ruff: noqa: E501, RUF001  (tables of values, of many scripts)
from __future__ import annotations

import itertools
import re
import sys
from types import ModuleType, SimpleNamespace

import pytest

from aigw import ConfigError
from aigw.guards import Pii, Span
from aigw.guards.pii import KINDS, Custom, Presidio

PII = Pii()


def found(text, pii=PII):
    """Return the kinds and values that are found."""
    return [(span.kind, text[span.start : span.end]) for span in pii.find(text)]


VALUES = {
    "EMAIL": [
        "ann@example.org", "ann.lee+news@mail.example.co.uk", "o'brien@example.org", "ANN@EXAMPLE.ORG", "a@b.io",
        "josé@exämple.de", "почта@пример.рф", "用户@例子.公司", "ann@xn--exmple-cua.de", '"ann"@example.org', "ann＠example．org",
        "ann (at) example (dot) org", "ann[at]example[dot]org", "ann at example dot org", "ann@[192.0.2.1]", "ann%40example.org",
        "a\u200bnn@exam\u00adple.org", "ann_lee-1@example-site.museum",
    ],
    "CREDIT_CARD": [
        "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "4111\u00a01111\u00a01111\u00a01111", "5555555555554444",
        "4111\u20091111\u20091111\u20091111", "2223003122003222", "2720992222222229", "378282246310005", "3782 822463 10005",
        "6011111111111117", "3530111333300000", "30569309025904", "6304000000000000", "٤١١١١١١١١١١١١١١١", "４１１１１１１１１１１１１１１１",
        "4222222222222", "6212345678901232", "41\u200b11 1111 1111 1111", "501800000009",
    ],
    "IBAN": [
        "GB29NWBK60161331926819", "GB29 NWBK 6016 1331 9268 19", "de89370400440532013000", "FR14 2004 1010 0505 0001 3M02 606",
        "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "NL91-ABNA-0417-1643-00", "CH9300762011623852957",
        "BR1800360305000010009795493C1", "UA47 8989 72VL LDWQ UYKQ VGZC PDAB Y",
    ],
    "IP": [
        "192.168.1.1", "8.8.8.8", "255.255.255.255", "2001:db8::8a2e:370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "fe80::1ff:fe23:4567:890a%eth0", "::ffff:192.0.2.128", "::1", "2001:DB8::1", "64:ff9b::192.0.2.33",
    ],
    "MAC": ["00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "ab:cd:ef:ab:cd:ef", "00:1A:2B:FF:FE:3C:4D:5E"],
    "CRYPTO": [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77", "LPNE9GK3GenV8A2AUrSfmrSjfArUJ5N345", "TE7Ut7NwLifP2XPdtz761z57MkEWJUTu7m",
        "3FhKqwzZdqhBuqBHkVAdqwEEEnhozBxzec", "1NSxEwwsSPHTCXUTtfdKghykfwPjjkijgY", "LehUSEneFdhFhhbcVsjtiXWXSCTXBEK4mV",  # one digit
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
    ],
    "URL_CREDENTIALS": [
        "https://ann:secret@example.org", "postgres://app:p%40ss@db.example.com:5432", "redis://:hunter2@10.0.0.7:6379",
        "mongodb+srv://u:p@cluster0.example.net",
    ],
    "PHONE": [
        "+1 415 555 0132", "+14155550132", "(415) 555-0132", "415-555-0132", "415.555.0132", "1-800-555-0199", "415-555-0132x123",
        "(415) 555-0132 ext. 5", "+44 20 7946 0958", "+44 (0)20 7946 0958", "020 7946 0958", "07700 900123", "(01632) 960001",
        "+49 30 1234567", "0171/1234567", "+33 6 12 34 56 78", "06 12 34 56 78", "01.23.45.67.89", "+34 612 345 678",
        "+39 333 1234567", "06-12345678", "+41 44 668 18 00", "070-123 45 67", "+48 601 234 567", "0412 345 678", "(02) 9876 5432",
        "03-1234-5678", "010-1234-5678", "138 0013 8000", "+91 98765 43210", "(11) 98765-4321", "8 (495) 123-45-67",
        "0532 123 45 67", "+1.4155550132", "+972-50-123-4567", "001-415-555-0132", "0044 20 7946 0958", "+٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨", "415\u2011555\u20110132",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in VALUES.items() for value in values])
@pytest.mark.parametrize(
    "frame", ["{}", "It was {}, they said.", '{{"a": "{}"}}', "see ({}) here", "a,{},b", "<b>{}</b>", "**{}**"]
)
def test_values_are_found_exactly(kind, value, frame):
    """A valid value is found from its first to its last character, alone and in prose, JSON, CSV, HTML and Markdown."""
    text = frame.format(value)

    assert (kind, value) in found(text)


WITH_CONTEXT = [
    ("phone: 5550132", "PHONE", "5550132"), ("call 4155550132 now", "PHONE", "4155550132"), ("电话13800138000", "PHONE", "13800138000"),
    ("Tel.: 22 12 34 56", "PHONE", "22 12 34 56"), ('{"phoneNumber":"4155550132"}', "PHONE", "4155550132"),
    ("SSN 078051123", "US_SSN", "078051123"), ("my ssn is 536-90-4399.", "US_SSN", "536-90-4399"), ("S.S.N. 536 90 4399", "US_SSN", "536 90 4399"),
    ("on 536-90-4399 we", "US_SSN", "536-90-4399"), ("ITIN 912-70-1234", "NATIONAL_ID", "912-70-1234"),
    ("NHS number 943 476 5919", "NATIONAL_ID", "943 476 5919"), ("NINO AB 12 34 56 C", "NATIONAL_ID", "AB 12 34 56 C"),
    ("Steuer-ID 86095742719", "NATIONAL_ID", "86095742719"), ("NIR 2 55 08 14 168 025 38", "NATIONAL_ID", "2 55 08 14 168 025 38"),
    ("DNI 12345678Z", "NATIONAL_ID", "12345678Z"), ("NIE X1234567L", "NATIONAL_ID", "X1234567L"),
    ("codice fiscale RSSMRA85T10A562S", "NATIONAL_ID", "RSSMRA85T10A562S"), ("BSN 111222333", "NATIONAL_ID", "111222333"),
    ("rijksregister 85.07.30-033.28", "NATIONAL_ID", "85.07.30-033.28"), ("PESEL 44051401359", "NATIONAL_ID", "44051401359"),
    ("personnummer 811228-9874", "NATIONAL_ID", "811228-9874"), ("fødselsnummer 15108695088", "NATIONAL_ID", "15108695088"),
    ("hetu 131052-308T", "NATIONAL_ID", "131052-308T"), ("CPR 131052-3085", "NATIONAL_ID", "131052-3085"),
    ("NIF 123456789", "NATIONAL_ID", "123456789"), ("CPF 529.982.247-25", "NATIONAL_ID", "529.982.247-25"),
    ("CNPJ 11.222.333/0001-81", "NATIONAL_ID", "11.222.333/0001-81"), ("Aadhaar 2341 2341 2346", "NATIONAL_ID", "2341 2341 2346"),
    ("PAN ABCPE1234F", "NATIONAL_ID", "ABCPE1234F"), ("TFN 123 456 782", "NATIONAL_ID", "123 456 782"), ("Medicare 2123 45670 1", "NATIONAL_ID", "2123 45670 1"),
    ("SIN 046 454 286", "NATIONAL_ID", "046 454 286"), ("NRIC S1234567D", "NATIONAL_ID", "S1234567D"), ("ID 8001015009087", "NATIONAL_ID", "8001015009087"),
    ("RRN 900101-1234567", "NATIONAL_ID", "900101-1234567"), ("身份证 11010519491231002X", "NATIONAL_ID", "11010519491231002X"),
    ("TC kimlik 10000000146", "NATIONAL_ID", "10000000146"), ("CURP HEGG560427MVZRRL04", "NATIONAL_ID", "HEGG560427MVZRRL04"),
    ("AHV 756.9217.0769.85", "NATIONAL_ID", "756.9217.0769.85"), ("passport number X1234567", "NATIONAL_ID", "X1234567"),
    ("driver's license D1234567", "NATIONAL_ID", "D1234567"), ("RUT 12.345.678-5", "NATIONAL_ID", "12.345.678-5"),
    ("isikukood 38407129560", "NATIONAL_ID", "38407129560"), ("EMŠO 1207984500332", "NATIONAL_ID", "1207984500332"),
    ("ΑΜΚΑ 12078453912", "NATIONAL_ID", "12078453912"), ("TAJ 335 664 027", "NATIONAL_ID", "335 664 027"),
    ("cédula 1725613713", "NATIONAL_ID", "1725613713"), ("MAC=3c22fb8a105d", "MAC", "3c22fb8a105d"),
    ("My number is 6045550137", "PHONE", "6045550137"), ("phone # 6045550137", "PHONE", "6045550137"),
    ("a,4155550132,219-09-9417", "US_SSN", "219-09-9417"), ("ann@mail.com.ke", "EMAIL", "ann@mail.com.ke"),
    ("voter ABC1234567", "NATIONAL_ID", "ABC1234567"), ("born 12JUL1984", "DATE_OF_BIRTH", "12JUL1984"),
    ("Sozialversicherungsnummer 1237 010180", "NATIONAL_ID", "1237 010180"), ("Ann Lee, 1237 010180, Wien", "NATIONAL_ID", "1237 010180"),
    ("Austrian social security number 1237010180", "NATIONAL_ID", "1237010180"), ("единен граждански номер 7523169263", "NATIONAL_ID", "7523169263"),
    ("NIT 900.373.115-3", "NATIONAL_ID", "900.373.115-3"), ("el NIT es 900373115-3", "NATIONAL_ID", "900373115-3"),
    ("cedula de ciudadania 1.020.345.678", "NATIONAL_ID", "1.020.345.678"), ("Israeli ID 039337423", "NATIONAL_ID", "039337423"),
    ("ת.ז. 039337423", "NATIONAL_ID", "039337423"), ("MyKad 800101145678", "NATIONAL_ID", "800101145678"),
    ("Ahmad, 800101-14-5678, Johor", "NATIONAL_ID", "800101-14-5678"), ("IRD number 49-091-850", "NATIONAL_ID", "49-091-850"), ("IRD 136410132", "NATIONAL_ID", "136410132"),
    ("NHI ZAC5361", "NATIONAL_ID", "ZAC5361"), ("ab 12 34 56 c", "NATIONAL_ID", "ab 12 34 56 c"),
    ("my ni number is ab123456c", "NATIONAL_ID", "ab123456c"), ("x1234567l", "NATIONAL_ID", "x1234567l"), ("Mi RUT es 13.977.552-K.", "NATIONAL_ID", "13.977.552-K"),
    ("SA ID 4703028558083", "NATIONAL_ID", "4703028558083"), ("numéro d'assurance sociale 046 454 286", "NATIONAL_ID", "046 454 286"),
    ("Her social insurance number is 391235330.", "NATIONAL_ID", "391235330"), ("IdNr 60182547386", "NATIONAL_ID", "60182547386"),
    ("they're not answering at 6045550137", "PHONE", "6045550137"), ("The number registered with you, 6045550137", "PHONE", "6045550137"),
    ("6045550137-Office", "PHONE", "6045550137"), ("6045550137 (mobile)", "PHONE", "6045550137"), ("dzwonic pod 601234567", "PHONE", "601234567"),
    ("Telefonszamom: 06-20/171 8513", "PHONE", "06-20/171 8513"), ("customerPhoneNumber=6045550137", "PHONE", "6045550137"),
    ("ticket 4411: 415-555-0132", "PHONE", "415-555-0132"), ("naci el 12/03/85", "DATE_OF_BIRTH", "12/03/85"), ("Ann (b. 12-Mar-1985)", "DATE_OF_BIRTH", "12-Mar-1985"),
    ("ur. 12.03.85", "DATE_OF_BIRTH", "12.03.85"), ("data nasterii 12 martie 1985", "DATE_OF_BIRTH", "12 martie 1985"), ("Doğum tarihi: 12 Mart 1985", "DATE_OF_BIRTH", "12 Mart 1985"),
    ("DOB: 03/12/1985", "DATE_OF_BIRTH", "03/12/1985"), ("born on March 12, 1985 in", "DATE_OF_BIRTH", "March 12, 1985"),
    ("geboren am 12.03.1985", "DATE_OF_BIRTH", "12.03.1985"), ("né le 12 mars 1985", "DATE_OF_BIRTH", "12 mars 1985"),
    ("nacido el 12 de marzo de 1985", "DATE_OF_BIRTH", "12 de marzo de 1985"), ("生年月日: 1985年3月12日", "DATE_OF_BIRTH", "1985年3月12日"),
    ('"dateOfBirth": "1985-03-12"', "DATE_OF_BIRTH", "1985-03-12"), ("дата рождения 12.03.1985", "DATE_OF_BIRTH", "12.03.1985"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "value"), WITH_CONTEXT)
def test_words_of_context_tell_what_a_number_is(text, kind, value):
    """Numbers that could be anything are found behind words that name them."""
    assert found(text) == [(kind, value)]


NOTHING = [
    "4111 1111 1111 1112", "0000 0000 0000 0000", "1234 5678 9012 3456", "GB29 NWBK 6016 1331 9268 18", "256.1.1.1", "1.2.3.4.5",
    "version 1.2.3.4", "v1.2.3.4", "Chrome/120.0.6099.109", "12:30:45", "x[1::2]", "std::vector", "00:1a:2b:3c:4d", "000-12-3456",
    "666-12-3456", "078-00-1123", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "logo@2x.png", "git@github.com:org/repo", "@mention", "a @ b",
    "https://host:80/p@th", "123e4567-e89b-12d3-a456-426614174000", "2024-01-15T10:30:00Z", "1705312200123", "978-3-16-148410-0",
    "cc957dd1-a972-5349-98cd-874190002798", "Boston, MA 02110-1301, USA", "text size 33554432 bytes", "00 12 00 12", "+35236450.6",
    "order 4155550132", "SKU 415-555-0132", "$1,234,567.89", "3.141592653589793", "released 03/12/2020", "48.8566, 2.3522",
    "NIT 900.373.115-4", "Israeli ID 039337424", "IRD 49-091-851", "MyKad 801301-14-5678", "SVNR 1236010180", "NHI ZAC3561", "x1234567m",
    "call 51 Franklin St, Boston, MA 02110-1301", "phone or write: Reno, Nevada 89501-1234", "call, CEP 51021-193", "MA\n# 02110-1301, contact us",
    "01234567891", "id 08754580812", "04-1234-5678-9", "chmod 0755 4585", "doi.org/10.1038/s41598-019-57304-y", "doi.org/10.1073/pnas.0601602103", "https://a.example/0612345678", "pages: call 1429-1434", "CVE-2018-7161, contact",
    "volume 64, 026118 (2001)", "61185 41523 63438", "range. ::\n\n    code", "BSN 111222334", "DNI 12345678A", "CPF 529.982.247-26", "12345678 rows", "f(12) 345 678", "look at this dot product",
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_it_is_left_alone(text):
    """Wrong check digits, versions, times, orders, code and numbers are not personal data."""
    assert found(text) == []


VERSIONS = [
    "version 1.2.3.4", "Version=4.10.0.2", "v8.8.4.4", "pip 24.0.1.2", "pip install foo==4.10.0.2", "gem 'a', '~> 4.10.0.2", "foo-4.10.0.2.tar.gz", "qux-8.4.8.2-py3-none-any.whl",
    "Policy 0.12.0.0", "replaced with 4.10.0.2", "upgraded from 3.8.0.4 to 4.10.0.2", "bump to 4.10.0.2", "package baz 4.10.0.2 is old", "npm WARN foo@4.10.0.2", "libssl1.1 (4.10.0.2)",
    "openssl 1.1.1.1", '"version": "4.10.0.2"', 'AssemblyVersion("4.10.0.2")', "<version>4.10.0.2</version>", "\u00a7 4.2.3.2", "EC 4.2.98.4", "fixed in 4.10.0.2-beta", "SDK 4.10.0.2",
    "docker pull foo:4.10.0.2", "Chrome/120.0.6099.109",
]  # fmt: skip


@pytest.mark.parametrize("text", VERSIONS)
def test_what_is_clearly_a_version_is_no_address(text):
    """Four numbers behind a word for versions, in the name of a file, or small ones behind a name of software are none."""
    assert found(text) == []


ADDRESSES = [
    "upgraded the server at 54.12.3.4", "kernel: DROP SRC=203.0.113.7", "replaced with 54.201.3.9", "plugin 10.0.0.7", "patched host 8.8.8.8", 'if host == "1.2.3.4":',
    "app on 54.12.3.4", "from 1.2.3.4 to 8.8.8.8", "package from 54.201.3.9", "docker run -p 1.2.3.4:80:80 x", "ip-1.2.3.4", "node/1.2.3.4", "1.2.3.4-5", "dig @8.8.8.8 a", "bob@1.2.3.4",
    "8.8.8.8.", "src:1.2.3.4", "moved from 1.2.3.4 to", "updated DNS to 4.10.0.2", "replaced 8.8.4.4 with 1.1.1.1", "update the app: 4.10.0.2", "10.0.0.1 10.0.0.2 4.10.0.2", "ip == 4.10.0.2", "nginx 4.10.0.2 - -", "backup of 1.2.3.4",
]  # fmt: skip


@pytest.mark.parametrize("text", ADDRESSES)
def test_no_address_is_taken_for_a_version(text):
    """Without a clear sign of a version every valid address is found."""
    values = re.findall(r"[0-9]+(?:\.[0-9]+){3}", text)

    assert found(text) == [("IP", value) for value in values]


ACCOUNTS = [
    "DE89 3704 0044 0532 0130 01", "NL91 ABNA 0417 1643 01", "FR14 2004 1010 0505 0001 3M02 607", "GB96-UGVB-0044-6090-1384-11", "GB55 DQAT 6080 8689 1712 1",
    "GB57 LAUW 0326 7556 3921 8", "IT60 X054 2811 1010 0000 0123 457",
]  # fmt: skip


@pytest.mark.parametrize("frame", ["{}", "IBAN {} is wrong", "account {}, please", "({})"])
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_wrong_account_number_does_not_fall_apart(account, frame):
    """Groups of an IBAN with wrong check digits are no telephone or national numbers."""
    assert found(frame.format(account)) == []


@pytest.mark.parametrize(
    "mark", ["_{}_", "*{}*", "-{}-", "`{}`", "|{}|", "[{}]", "<{}>", "\t{}\t", "号码是{}。", "{};", "x:{}"]
)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("MAC", "de:d0:3e:eb:24:00"),
        ("MAC", "c4-8c-5d-50-18-04"),
        ("IP", "8.8.8.8"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
        ("PHONE", "+44 20 7946 0958"),
    ],
)
def test_values_are_found_between_marks(kind, value, mark):
    """What stands right before and behind a value does not hide it."""
    assert (kind, value) in found(mark.format(value))


def test_kinds_are_chosen():
    """Only the kinds that were asked for are reported, and a value of another kind is not taken for one of these."""
    only = Pii(["PHONE"])

    assert found("ann@example.org 4111 1111 1111 1111 +44 20 7946 0958", only) == [("PHONE", "+44 20 7946 0958")]


def test_locales_are_chosen():
    """National numbers of other countries are not looked for; international telephone numbers are."""
    german = Pii(locales=["DE"])

    assert found("DNI 12345678Z, 0171/1234567, +34 612 345 678", german) == [
        ("PHONE", "0171/1234567"),
        ("PHONE", "+34 612 345 678"),
    ]


def test_custom_patterns_and_allowed_values():
    """Patterns of the user are found, and values on the list are not, whatever their case."""
    pii = Pii(
        custom={"EMPLOYEE": Custom(r"\bE-\d{5}\b", max_length=8)},
        allow=["Support@example.org", re.compile(r".*@aigw\.dev")],
    )

    assert found("E-12345 support@example.org x@aigw.dev ann@example.org", pii) == [
        ("EMPLOYEE", "E-12345"),
        ("EMAIL", "ann@example.org"),
    ]


def test_a_long_custom_match_is_cut_to_its_length():
    """A match of a pattern is never longer than the length that was declared."""
    pii = Pii(custom={"KEY": Custom("k+", max_length=4)})

    assert [span.end - span.start for span in pii.find("k" * 10)] == [4, 4, 2]


def test_plugins_get_lines():
    """A plugin sees one line at a time, and its spans are moved to their place in the text."""
    seen = []

    def plugin(text):
        seen.append(text)
        return [Span(0, 3, "PERSON", 0.9)] if text.startswith("Ann") else []

    text = "hello\nAnn Lee\nann@example.org"

    assert found(text, Pii(plugins=[plugin])) == [("PERSON", "Ann"), ("EMAIL", "ann@example.org")]
    assert seen == ["hello", "Ann Lee", "ann@example.org"]


def test_min_score():
    """What is less sure than asked for is left out."""
    assert found("06 12 34 56 78 ann@example.org", Pii(min_score=0.9)) == [("EMAIL", "ann@example.org")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": ["MAIL"]}, "kinds must be among .*, not 'MAIL'"),
        ({"kinds": "EMAIL"}, "kinds must be a list"),
        ({"locales": ["XX"]}, "locales must be among .*, not 'XX'"),
        ({"min_score": 2}, "min_score must be between 0 and 1, not 2"),
        ({"custom": {"A": "("}}, "pattern must be a regular expression"),
        ({"custom": {"A": "a*"}}, "pattern must not match nothing"),
        ({"allow": "ann@example.org"}, "allow must be a list"),
        ({"plugins": ["x"]}, "plugins must be functions"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    """Wrong set-up is an error at once that names the argument."""
    with pytest.raises(ConfigError, match=message):
        Pii(**arguments)


class FakeEngine:
    """An engine with the two methods of presidio's that are used."""

    def __init__(self, supported_languages=("en",)):
        self.languages = supported_languages

    def get_supported_entities(self, language=None):
        return ["PERSON", "LOCATION", "EMAIL_ADDRESS"]

    def analyze(self, text, language, entities=None, score_threshold=None):
        assert entities == ["PERSON", "LOCATION"]
        assert score_threshold == 0.5
        at = text.find("Ann")
        return [SimpleNamespace(entity_type="PERSON", start=at, end=at + 3, score=0.85)] if at >= 0 else []


def test_presidio_is_asked_for_names(monkeypatch):
    """The adapter loads presidio at the first text and reports names under our kinds."""
    module = ModuleType("presidio_analyzer")
    module.AnalyzerEngine = FakeEngine
    monkeypatch.setitem(sys.modules, "presidio_analyzer", module)

    assert found("I met Ann at ann@example.org", Pii(plugins=[Presidio()])) == [
        ("PERSON", "Ann"),
        ("EMAIL", "ann@example.org"),
    ]


def test_presidio_that_is_not_installed_is_named(monkeypatch):
    """Without the extra the error says what to install."""
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)

    with pytest.raises(ConfigError, match=r"aigw\[presidio\]"):
        Presidio()("Ann")


SLOW = ["A.B ", "D.B.", "aB#", "\u00e9b ", "1 AB CD ", "1.1.1.1 ", "to 1.2.3.4 ", "package a 1.2.3.4\n", "lib1.2.3.4 (", "0612345678\n", "7", "00 12 ", "0", "+", "+1 (", "1.", "12:", "::1", "0a:", "://", "a://b:", "AB", "A1", "RSSMRA85", "1 2 3 4 5 6 7 8 9 ", "#1 ", "my number ",
        "born 1/2/", "TEL\u96fb\u8a71", "12 34 56 78 9\n", "1a-", "bc1q", "0x", "passport AB ", "123,456,", "1 ", "12 34 56 78 90 ", "4111 1111 1111 1111 ", "1-", "(1", "a@", "a.b@", "colons:a1:", "+1", "1\u200b", "GB29 ", "https://a:b",
        "(at", "a at b dot ", "born 12 March 1985 ", "1,a", "ab:cd:ef:", "([{<", "\ud800", "\0", "a-", "@", ".", '"@', "::", "\u200b", "x" * 64 + "@"]  # fmt: skip


@pytest.mark.parametrize("piece", SLOW)
def test_long_inputs_are_read_to_their_end(piece):
    """100,000 characters made to be slow are read through, and an address behind them is still found."""
    text = (piece * (100_000 // len(piece)))[:100_000] + "\nann@example.org"

    assert found(text)[-1] == ("EMAIL", "ann@example.org")
    assert PII.settled(text) == len(text) - len("ann@example.org")


def test_spans_do_not_overlap_and_carry_no_text():
    """Spans are in order, do not overlap, have known kinds, and do not show values in their repr."""
    text = "https://ann:pw@example.org +1 415 555 0132 4111 1111 1111 1111 GB29NWBK60161331926819 078-05-1123"
    spans = PII.find(text)

    assert len(spans) == 5
    assert all(one.end <= two.start for one, two in itertools.pairwise(spans))
    assert {span.kind for span in spans} <= set(KINDS)
    assert "4111" not in repr(spans)


@pytest.mark.parametrize("between", ["\n", " ", ""])
def test_a_large_text_is_read_as_one(between):
    """Where a large text is cut into slices changes nothing of what is found."""
    piece = between.join(
        ["call 415-555-0132 x5", "4111 1111 1111 1111", "born on 12 March 1985", "ann (at) example.org", "a,b" * 9]
    )
    text = between.join([piece] * 500)
    pieces = [piece + between] * 3
    few = [(span.start, span.end, span.kind) for span in PII.find("".join(pieces))]
    size = len(piece + between)
    middle = [(start - size, end - size, kind) for start, end, kind in few if size <= start < 2 * size]
    spans = [(span.start, span.end, span.kind) for span in PII.find(text)]

    assert len(text) > 40_000
    for copy in range(1, 498):
        at = copy * size
        inside = [(start - at, end - at, kind) for start, end, kind in spans if at <= start < at + size]
        assert inside == middle, copy


def test_a_bracket_at_the_end_says_nothing_about_a_number_at_the_beginning():
    """A number that a text begins with is found whatever the text ends with."""
    (span,) = Pii().find("415) 555-0132 (")

    assert (span.kind, span.start, span.end) == ("PHONE", 0, 13)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0049 30 1234567 12 34", ["PHONE"]),
        ("card 123 456 123 456 123 456", []),
        ("call 12 34 56 78 90", ["PHONE"]),
        ("call 01 02 03 04 05", []),
        ("123 456 789 123 456 789", []),
        ("release 10.20.30.40 and v8.8.8.8 and 8.8.4.4", ["IP"]),
    ],
)
def test_groups_of_digits_are_read_as_what_they_can_be(text, found):
    """Shapes, prefixes and words of context decide, also where they are compared before the rules are asked."""
    assert [span.kind for span in Pii().find(text)] == found


def test_a_short_number_between_two_values_hides_none():
    """Islands are searched together: a number that is left out does not take the next one with it."""
    text = "4111 1111 1111 1111\nroad AB12\nFR14 2004 1010 0505 0001 3M02 606\nroad 1:2\n2001:db8::1"

    assert [kind for kind, _ in found(text)] == ["CREDIT_CARD", "IBAN", "IP"]


def test_what_a_guard_asks_for():
    """Personal data is masked by default; only patterns and functions of the user may take long."""
    assert Pii().default_action == "mask"
    assert Pii().is_quick
    assert not Pii(custom={"E": r"E-\d{5}"}).is_quick
    assert not Pii(plugins=[lambda text: []]).is_quick
