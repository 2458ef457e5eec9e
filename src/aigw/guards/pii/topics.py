"""The words that say what a value behind them is, in many languages."""

# ruff: noqa: E501, RUF001, SIM905  (lists of words, of many languages)
from __future__ import annotations

import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Final = {
    "phone": """phone phones telephone telephones tel tele tél telf tlf tlph ph call calls called calling mobile mobil
        móvil movil móviles cell cellphone cellular cel celular cellulare fax faxes text texted sms whats whatsapp signal
        telegram viber imessage dial dialed dialled dialing ring hotline helpline landline voicemail pager telefon
        telefono teléfono téléphone telefone telefoon telefonnummer telefonnr telnr handy handynummer handynr rufnummer
        mobilnummer mobiltelefon festnetz portable fixe numéro mobilnr puhelin puhelinnumero matkapuhelin telefonu
        telefonszám komórka komórkowy numeru gsm tlfnr telefonnummeret phonenumber phoneno telno mobileno contact reach
        reached msisdn phonebook wa телефон телефона тел мобильный номер звоните הטלפון טלפון נייד هاتف الهاتف جوال
        موبايل फ़ोन फोन मोबाइल โทร โทรศัพท์ telepon hp điện thoại desk extension switchboard answerphone callback
        appelez chiamare chiamami ligue anrufen ruf erreichbar erreichen llámame llamar appeler joindre rückruf ringe ringer
        ringa bel bellen zadzwoń zadzwonić dzwoń numer zavolejte zavolat volejte soita soittaa hívjon hívj sunați sunaţi
        telefonul telefonem telefonu telemóvel telefonnumret kännykkä liga ligar llamen llamad chiamate richiamare
        joignable rufen zurückrufen mob mobiel handynr cep numaram telefonum telefonun arayın τηλέφωνο τηλ κινητό номеру телефону звоните звони позвоните
        позвони моб сотовый sođt nomor office answering registered reachable caller toll fono
        telefonszámom telefonszáma telefonszámunk telefonszámon telefonon hívjanak hívható elérhetőségem elérhetőség
        dzwonić dzwońcie dzwonię oddzwonię oddzwonić oddzwoń kontakt kontaktowy kontaktowego infolinia telefonicznie
        contattarmi chiamarmi chiamarci contattami contattateci contattare telefonare telefonata recapito cellulari telefonino
        contato contacto contactarme contactar contestan contesta comuníquese telefónico chama ligação
        joignez rappelez rappeler contactez contacter appel téléphoner anrufe angerufen anruf anrufbeantworter telefonisch kontaktnummer durchwahl nebenstelle
        bereikbaar bereiken appje nås træffe træffes kontaktes numerosta numeroon tavoitat tavoitettavissa puh soitan voláme volat telefonní telefónne telefónu voláte
        numărul numarul numărului telefonică contactați găsiți telefona nazovite pokličite telefonska pokliči telepon hubungi telp
        ulaşabilirsiniz ulaşın arayabilirsiniz numarasından telefonu numarası τηλέφωνό τηλεφώνου καλέστε καλέσετε κινητού επικοινωνία
        связаться перезвоните перезвони набери обадете телефонът телефонен мобилен дзвоніть телефонуйте зателефонуйте
        טל התקשרו תתקשרו להתקשר נייח הנייד פקס اتصل جوالي هاتفي रिंग कॉल संपर्क liên hệ gọi thoai dien""",
    "card": """card cards creditcard cc visa mastercard amex maestro discover jcb diners unionpay debit carte tarjeta
        karte kreditkarte cartão carta kaart kort kredittkort karta kortti карта картa कार्ड pan cardnumber ccnum
        ccnumber cardno""",
    "ssn": "ssn ssns social socialsecurity securitynumber ss",
    "itin": "itin taxpayer individual",
    "birth": """born birth birthday birthdate birthdays dob bday dateofbirth dateborn geboren geburtsdatum geburtstag
        gebdatum geb née né née naissance nacido nacida nacimiento nació nato nata nascita nascido nascida nascimento
        geboortedatum född fødselsdato född fødd født födelsedatum syntymäaika syntynyt urodzony urodzona urodzenia
        narozen narozena narození született születési doğum рождения родился родилась рождён תאריך الميلاد जन्म
        birthdt dobs nasc fecnac fechanacimiento födelsedag fødselsdag nací naciste nasci nasceu nasceram naquit urodziłem urodziłam urodził urodziła narodil
        narodila doğdu doğumlu γεννήθηκε geboortedag rođen rođena născut născută γέννησης
        naci cumpleaños fdn ddn anniversaire compleanno aniversário nașterii naşterii nașteri nașterea születtem született szül születésnap
        születésnapom urodziny urodzin narozeniny rođenja rojen rojena rojstva syntymäpäivä syntymäpäiväni bursdag fødselsdagen födelsedagen
        verjaardag geburtstags geborener gebürtig b ur nar nac р родена роден рождение народився народилася народження doğumum doğumluyum lahir tanggallahir""",
    "number": "number numbers nummer número numero",
    "cedula": "cédula ciudadanía",
    "version": """version versions ver release build firmware section chapter clause oid semver changelog upgraded downgraded
        table figure annex appendix subsection subclause article paragraph versión versione versão sections chapters clauses
        versie wersja verze verzió sürüm версия версии версию upgrade downgrade""",
    "ip": "ip ipv ips address host addr server gateway dns subnet netmask cidr peer remote client bind listen",
    "mac": "mac ethernet hwaddr bssid wifi ether hardware",
    "wallet": """wallet btc bitcoin eth ethereum crypto address solana sol litecoin ltc ripple xrp tron trx usdt usdc
        deposit payout donate donation send""",
    "other": """order orders invoice ticket sku part item product serial model isbn issn tracking parcel shipment commit
        hash code batch lot quote receipt transaction txn flight zip zipcode postcode error cve patch port pid size bytes
        byte total amount price usd eur gbp lat latitude lon lng longitude coordinates timestamp epoch barcode
        ean upc gtin imei doi patent page pages figure rfc line seed reference ref case confirmation booking po
        policy offset stack heap depth memory ups usps dhl fedex dpd gls tnt awb waybill consignment uuid guid checksum digest score rows duration width height population votes bestellung
        bestellnummer rechnung rechnungsnummer artikel artikelnummer commande facture pedido factura ordine fattura
        nummer_ # $ € £ ¥ price asin sn mpn revision rev bug issue pull ratio temperature pressure length distance
        elevation frequency zamówienie zamówienia faktura fakturę objednávka objednávky tilaus tilausnumero bestilling
        ordrenummer ordernummer beställning encomenda kundennummer sipariş rendelés comandă заказ заказа замовлення αριθμός isin cusip sedol figi swift routing aba sort iccid""",
    "passport": """passport passports reisepass passeport pasaporte passaporto paspoort passaporte personalausweis
        personalausweisnummer ausweis ausweisnummer ausweisnr perso identitätskarte identità idcard voter epic""",
    "licence": "driver drivers driving dl license licence licences licenses dln führerschein permiso patente dvla",
    "id": """identity identification national identifier citizen identificación identidad identität identità
        identiteit nationalid""",
    "tax": """tax tin steuer steuernummer steueridentifikationsnummer fiscal fiscale fiskal taxid impuesto nif steuerid idnr
        taxfile tfn""",
}

_NATIONAL: Final = {
    "GB": "nhs nino insurance ni nin utr",
    "DE": "steuer steuernummer steueridentifikationsnummer steuerid idnr tin identifikationsnummer nr",
    "FR": "nir insee sécu sécurité secu sociale securite vitale",
    "ES": "dni nie nif documento",
    "IT": "codice fiscale cf",
    "NL": "bsn burgerservice burgerservicenummer sofi sofinummer",
    "BE": "rijksregister rijksregisternummer registre insz niss nn nrn belge belgian rijks",
    "PL": "pesel nip",
    "SE": "personnummer pnr samordningsnummer",
    "NO": "fødselsnummer fødselsnummeret fodselsnummer fnr personnummer personnummeret",
    "FI": "henkilötunnus hetu henkilotunnus henkilötunnukseni henkilötunnuksesi henkilötunnuksen",
    "DK": "cpr personnummer cprnummer",
    "PT": "nif contribuinte",
    "BR": "cpf cnpj",
    "IN": "aadhaar aadhar uidai uid pan आधार",
    "AU": "tfn medicare abn taxfile acn",
    "CA": "sin insurance nas assurance canadian",
    "SG": "nric fin",
    "MY": "mykad nric ic kad pengenalan kp p malaysian malaysia mypr",
    "ID": "nik ktp ktpel kependudukan penduduk indonesian",
    "CO": "nit tributaria colombian",
    "ZA": "id rsa african",
    "KR": "rrn resident jumin",
    "CN": "resident",
    "TR": "tckn kimlik tc",
    "MX": "curp rfc",
    "CH": "ahv avs",
    "AT": "sv svnr sozialversicherungsnummer versicherungsnummer sozialversicherung ecard austrian austria vsnr",
    "IE": "pps ppsn",
    "CZ": "rodné číslo rc rč rodne cislo",
    "RO": "cnp numeric",
    "BG": "egn егн граждански bulgarian единен",
    "AR": "cuit cuil",
    "CL": "rut run",
    "IL": "zehut teudat teudatzehut tz זהות הזהות ז israeli israel",
    "HR": "oib osobni identifikacijski",
    "TH": "ประชาชน",
    "HK": "hkid",
    "TW": "身分證",
    "JP": "mynumber",
    "RU": "инн снилс inn snils",
    "NZ": "ird inland nhi",
    "NG": "nin",
    "EE": "isikukood isikukoodi ik",
    "LT": "asmens kodas ak",
    "LV": "personas kods pk",
    "GR": "αμκα amka αφμ afm",
    "IS": "kennitala kennitalan kt",
    "SI": "emšo emso",
    "RS": "jmbg јмбг",
    "HU": "taj adóazonosító",
    "EC": "cédula cedula",
    "UA": "рнокпп іпн",
}

IDEOGRAPHIC: Final = {
    "phone": "电话 電話 手机 手機 携帯 致电 热线 전화 휴대폰 연락처 핸드폰 請撥 请拨 联系 聯絡 拨打 撥打 お問い合わせ 連絡先".split(),
    "birth": "生年月日 出生日期 出生 生日 誕生日 생년월일 생일 출생 生于 生於 生まれ".split(),
    "card": "カード 信用卡 银行卡 卡号 카드".split(),
    "CN": "身份证 居民身份".split(),
    "TW": "身分證 身份證".split(),
    "KR": "주민등록 주민번호".split(),
    "JP": "マイナンバー 個人番号".split(),
    "passport": "护照 護照 パスポート 旅券 여권".split(),
    "other": "订单 訂單 注文 快递 单号 주문".split(),
}


_LEAST_WITHOUT_ACCENTS: Final = 5
"""Shorter words often are other ones without their accents."""


def _without_accents(word: str) -> str:
    """Return a word as it is written on a keyboard that has no accents."""
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


def _index() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for topics in (_WORDS, _NATIONAL):
        for topic, words in topics.items():
            for word in words.split():
                found.setdefault(word, []).append(topic)
    for word, topics_ in list(found.items()):
        if len(word) >= _LEAST_WITHOUT_ACCENTS and (plain := _without_accents(word)) != word:
            found.setdefault(plain, topics_)
    written: dict[str, tuple[str, ...]] = {}
    for word, topics_ in found.items():
        written |= dict.fromkeys((word, word.capitalize(), word.upper()), tuple(topics_))
    return MappingProxyType(written)


TOPICS: Final = _index()
"""What words are about, each in small letters, with a capital, and in capitals: to lower every word takes longer."""
