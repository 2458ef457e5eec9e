"""Judges names: whether what is assigned to one, or said to be it, is a secret."""

from __future__ import annotations

import re
from typing import Final

_SPLIT: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u058f]+|[0-9]+|[\u0590-\uffff]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _endings(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PASSWORDS: Final = _words("""
    password passwd pwd pswd psw psk pass passphrase passcode pasword passw passwrd pw passwordhash userpass passwort
    passe kennwort losung contraseña contrasena clave senha wachtwoord hasło haslo parola parolă parool lösenord
    losenord adgangskode kodeord passord salasana heslo jelszó jelszo пароль пароля şifre sifre sandi
    密码 密碼 口令 パスワード 비밀번호 암호 รหัสผ่าน पासवर्ड סיסמה סיסמא المرور السر عبور πρόσβασης
""")
SECRETS: Final = _words("""
    secret secrets credential credentials creds cred geheimnis secreto segredo secrete
""")
TOKENS: Final = _words("""
    token bearer jwt auth authorization authtoken accesstoken authkey sas signature sig pat cookie sessionid jeton
    ficha xoauth
""")
KEYS: Final = _words("""
    key apikey schlüssel schluessel clé chave chiave llave klucz ключ 密钥 金鑰 キー 키
""")
PINS: Final = _words("""
    pin
""")

_ENDINGS: Final = _endings("""
    password passwd passphrase passwort secret token apikey accesskey secretkey privatekey privkey authkey accountkey
""")
_PASS_ENDINGS: Final = _endings("""
    dbpass userpass rootpass adminpass sqlpass smtppass mailpass ftppass bindpw rootpw dbpwd
""")
_NOT_BEFORE_KEY: Final = _words("""
    public pub primary foreign cache partition sort idempotency object s3 file blob translation row dedup group
    lookup unique index redis map registry host hash message image dict json config option field column metric event
    routing answer parent child composite natural surrogate candidate super sub data id entity context shift ctrl
    alt enter arrow hot return escape space tab home end up down left right press any function f1 test case node
    record storage publishable localization i18n l10n locale resource ssh known authorized gpg pgp issue project
    jira facet bucket aggregation
""")
_BEFORE_KEY: Final = _words("""
    api access secret private encryption encrypt decryption signing sign account master auth authentication service
    license licence aes des hmac shared consumer client app application integration webhook admin deploy deployment
    ingest storage symmetric cipher crypto jwt token session rsa ec server live prod production root user sas
    subscription personal security write read instrumentation functions host master wallet seed recovery activation
    product registration openai anthropic azure aws gcp google stripe sendgrid mailgun twilio datadog algolia github
    gitlab slack heroku mistral cohere groq xai deepseek gemini openrouter together replicate pinecone cloudflare
    newrelic sentry supabase firebase clé clave llave api-key wifi wlan wpa vpn backup database db
""")
_NETWORKS: Final = _words("""
    wifi wlan wpa wep fi psk
""")
_NOT_BEFORE_TOKEN: Final = _words("""
    page pagination cursor continuation next resume
""")
QUALIFIERS: Final = _BEFORE_KEY | _NOT_BEFORE_KEY | _NETWORKS | SECRETS
"""The words before "key" that tell which."""
_AFTER: Final = _words("""
    id ids name names file filename path url uri type types length len size count hash hashed digest field fields
    label placeholder hint policy expiry expires expiration expired ttl endpoint limit limits usage manager managers
    provider service class format regex pattern suffix header headers column version ref refs reference arn store vault
    rotation error errors message messages reset strength min max required enabled disabled protected mismatch text
    input box prompt kind algorithm alg status state location template checksum fingerprint created at date time
    timestamp keyword words issuer index idx list map set lists dict spec info env var variable source mode method
    handler callback func function validator verify valid validity needed requirements generator auth server page
    link description title help tooltip example samples in out from to by per is has for prefix rule rules days
    hours seconds minutes attempts history change changed update updated dir folder directory bytes bits column
    columns param params parameter attribute option options flag parser mgr encode decode vocab vocabulary budget
    price cost rate bucket ring chain exchange size sizes selector
""")
_NOT_LAST: Final = _AFTER | _words("""
    tokens keys passwords
""")
_KINDS: Final = {
    word: kind
    for kind, words in (("pin", PINS), ("token", TOKENS), ("secret", SECRETS), ("password", PASSWORDS))
    for word in words
}


def kind_of(name: str) -> str:
    """Tell what a name means: ``password``, ``secret``, ``token``, ``key`` (some key), ``pin``, or nothing.

    Args:
        name: the name as it is written, such as ``DB_PASSWORD``, ``spring.datasource.password`` or ``api key``.
    """
    if name.isascii() and name.isalpha() and name.islower():  # most are one plain word
        words = [name]
    else:
        words = _SPLIT.findall(name)
        if not name.islower():
            words = [word.lower() for word in words]
    while words and words[-1].isdigit():
        words.pop()
    if not words or (words[-1] in _NOT_LAST and len(words) > 1):
        return ""
    for at in range(len(words) - 1, -1, -1):
        if kind := _kind_of_word(words[at], words[at - 1] if at else ""):
            if not _AFTER.isdisjoint(words[at + 1 :]):
                return ""
            return "secret" if kind == "token" and not SECRETS.isdisjoint(words) else kind
    return ""


def _kind_of_word(word: str, before: str) -> str:  # noqa: PLR0911  (a table in the form of a function)
    if kind := _KINDS.get(word):
        return "" if kind == "token" and before in _NOT_BEFORE_TOKEN else kind
    if word in KEYS:
        if before in _NETWORKS:
            return "password"
        if word == "apikey" or before in _BEFORE_KEY or before in SECRETS:
            return "secret"
        return "" if before in _NOT_BEFORE_KEY else "key"
    if word.endswith(_PASS_ENDINGS):
        return "password"
    if word.endswith(_ENDINGS):
        return "password" if "pass" in word[-10:] else "secret"
    return ""
