"""`Mentions`: whether words of an attack are used in a text, or talked about, as an article or a brief does."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

_CUE: Final = re.compile(
    r"attack|inject|adversar|malicious|vulnerab|jailbreak|payload|owasp|research|detect|classif|exploit"
    r"|\b(?:e\.g|for example|for instance|such as|example|phrase|known as|filter|so-called|called|like|say"
    r"|translat|mean|grammar|finding|log entry|input hid|test case|assert|re\.compile|add_argument|sentence|spell|quot"
    r"|string|literal|test|wrote|posted|typed|tried|sent|collected|tricked|followed|executed|pattern|blocked"
    r"|expected|label"
    r"|advisory|incident|cve-?\d|post-mortem|threat|whisper|shout|\bwhy\b|\bflag|zum beispiel|por ejemplo|par exemple)"
    r"|angreif|angriff|ataque|attaque|attacc|атак|злоумышл|инъекц|вроде|攻击|攻撃|注入|インジェクション|例えば"
    r"|例如|공격|인젝션|예를|हमल|इंजेक्शन"
)
_CUE_AFTER: Final = re.compile(
    r"verdict|outcome|\bresult:|blocked|flagged|refused|severity|well known|test suite|\barticle|\bblog\b|detector"
    r"|\brefuse\b|\bpatch|mitigat|attack|\bassert\b|\bwork(?:s|ed)\b|\bfail(?:s|ed)\b"
    r"|is not an attack|harmless"
)
_TOLD_OF: Final = re.compile(
    r"(?:要求|指示|让|使|命令|诱导)[^。]{0,4}(?:模型|llm|ai)[会将]?$|(?:просит|просят|заставля\w{1,4}"
    r"|указыва\w{1,4}) (?:модель|llm|бота) $"
    r"|\b(?:mak|caus|get|tell|ask|instruct|trick|forc|persuad|order)(?:e|es|s|ing|ed|d)? (?:the|an?"
    r"|its?) (?:\w{1,12} )?(?:model|llm|ai"
    r"|assistant|chatbot|bot|agent)(?: to| into)? $"
    r"|\b(?:el|al|o|ao|il|al|le|au|das|dem) (?:modelo|modello|modele|modell|sprachmodell|llm|asistente|assistente"
    r"|assistant|chatbot|ia|ki) (?:a |de |d'|que |di |zu |por )?$"
)
_TOLD_AFTER: Final = re.compile(
    r"^[^。\n]{0,8}(?:よう(?:に|と)?(?:求|指示|要求|仕向|誘導|促|試)|(?:라고|도록) ?(?:요구|유도|요청))"
    r"|^[^。\n]{0,12}(?:拒绝|拒否|断って|応じない|거절)|^해?도? ?(?:되|될까|괜찮)|^ ?sayabilir"
)
"""What tells of an order to a model, in languages where an order looks alike."""
_ASKED: Final = re.compile(r"ても(?:いい|よい|良い|大丈夫|構わ)")
"""Whether it is allowed, asked within one run of letters."""
_FORESEEN: Final = re.compile(
    r"\b(?:if|when(?:ever)?|should|in case)\b[^.!?\n]{0,40}"
    r"\b(?:users?|some(?:one|body)|any(?:one|body)|people|they|customers?|visitors?|attackers?|person|message|input)\b"
    r"[^.!?\n]{0,50}\b(?:ask|tr(?:y|ies)|say|want|tell|demand|request|attempt|insist|instruct|contain|writ)"
    r"[^.!?\n]{0,90}$"
    r"|\b(?:never|under no circumstances?|refuse to|decline to|prohibited|forbidden|not allowed to|must not|do not"
    r"|don't|resist|prevent\w{0,4}|(?:requests?|attempts?|asks?|asking|trying|tries|tricks?|designed|aimed|used)"
    r"(?: you)? to|(?:requests?|attempts?|phrases?|questions?|commands?|prompts?|inputs?|messages?|things)"
    r"(?: such as| like|, e\.g\.))"
    r"(?! (?:mind|worry|refuse|hesitate|follow|obey|listen|forget|fail|ask|care))\b[^.!?\n,;]{0,50}$"
    r"|(?:如果|假如|当)(?:用户|有人|对方|任何人)[^。\n]{0,12}$|(?:ユーザー|誰か)が[^。\n]{0,12}$|사용자가 [^.\n]{0,12}$"
)
"""What forbids, or tells what others may ask for, in the sentence before."""
_OF_DATA: Final = re.compile(
    r"(?:(?:not |never )(?:\w{1,12} (?:or |and |& ))?(?:never )?)?(?:ignore|disregard|forget|follow|obey)"
    r" (?:any|all|every|the)? ?(?:instructions?|commands?|orders?|requests?|prompts?)"
    r" (?:that (?:stands?|appears?|is|are|comes?) |(?:found|written|contained|embedded|hidden|given|placed) )?"
    r"(?:in|within|inside|from) (?:an?|the|any|this|these|those|your|their)? ?(?:\w{1,12} ){0,2}"
    r"(?:documents?|files?|pages?|e-?mails?|web ?sites?|attachments?|images?|pdfs?|data|content|inputs?|tools?"
    r"|results?|sources?|articles?)\b"
)
"""An order to take instructions within data for data."""
_SET_OFF: Final = re.compile(r"\n(?:[>|][^\n]{0,80}|\s{0,8}```[a-z]{0,12}\n[^\n`]{0,80})$")
"""What stands before words in a block quote, a row of a table, or the first line of a block of code."""
_ON_ATTACKS: Final = re.compile(r"attack|inject|jailbreak|adversar|payload|red.?team|guard|detect")
_DEFINED: Final = re.compile(r"\b(?:def|fn|func|function|void|sub|class|help=.?)\s*\w{0,40}$")
_LABELLED: Final = re.compile(r":[*_ ]{0,4}\n{1,2}[ \t>*-]{0,8}$|\n[ \t]{0,8}[>|][^\n]{0,200}$|\( ?$")
"""A line that announces what follows, a block quote, a row of a table, or what stands in brackets."""
_TERM: Final = re.compile(r"\n[\s>*#_\d.-]{0,12}$")
_EXPLAINED: Final = re.compile('[*_`"]{0,3}(?: ?[\u2013\u2014:(]| - )')
"""What stands before and after a term that a list explains."""
_SENTENCE: Final = re.compile("[.!?\u3002\n:]\\s*([^.!?\u3002\n:]*)$")
_SENTENCE_END: Final = re.compile("[.!?\u3002]")

_TOPICS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"attack|ataque|ataca|attaqu|attacc|angrei?f|angriff|aanval|hyokkay|атак|攻击|攻擊|攻撃|공격|हमल|هجوم|هجم|saldiri|napad|utok|angre[pb]|serang|tamadas",
        r"inject(?:ion|ing|ed)|inyecci|injec|injek|iniezion|инъек|инжек|注入|インジェクション|인젝션|주입|इंजेक्शन|حقن",
        r"jailbreak(?:s|ing|ers?)?\b|越狱|越獄|脱獄|탈옥|джеилбреик",
        r"adversar|malicious|malici|maliz|bosartig|вредон|злоумышл|злонамер|恶意|惡意|悪意|악의|दुर्भावन",
        r"vulnerab|schwachst|sicherheitsl|уязвим|漏洞|脆弱|취약|exploit",
        r"mitigat|defen[cds]|verteidig|difes|защит|防御|防禦|防护|방어|safeguard|countermeasure|guardrail|detect",
        r"owasp|cve-\d|red.?team|threat|security|sicherheit|segur|securit|sicurez|безопас|安全|보안|セキュリティ|सुरक्षा",
        r"\bllms?\b|language models?|sprachmodell|model(?:o|e|li?|os|es)? (?:de )?l|языков|模型|提示词|モデル|모델",
        r"untrusted|third.party|chatbots?\b|applications?\b|aplicaci|anwendung|applicazion|приложени|应用|應用|アプリ|애플리",
        r"research|\bstud(?:y|ies)\b|\bpaper|scenario|esempi|ejempl|exempl|beispiel|example|пример|例|场景|シナリオ|예시",
    )
)
"""What texts on attacks talk about, in several languages; the first three are the attacks themselves."""
ATTACKS: Final = 3
FEWEST_TOPICS: Final = 4
SHORTEST_ARTICLE: Final = 240
SHORTEST_UNSPACED: Final = 120
FEWEST_WORDS: Final = 4
"""Words before it in its sentence that show that an expression is no order."""
_OPEN: Final = "\"'`|\u201c\u2018\u00ab\u201e\u300c"
_CLOSE: Final = "\"'`|\u201d\u2019\u00bb\u201c\u300d"
"""Quotation marks, and the borders of a table's cells."""
_FENCE: Final = "```"
FEWEST_BEFORE_CODE: Final = 100
"""Characters of prose before a block of code that is shown."""
NEAR: Final = 160
FAR: Final = 400
QUOTED: Final = 80
QUOTED_IN_ARTICLE: Final = 240
FEWEST_UNSPACED: Final = 12
"""Characters around it in its sentence that show the same in a script without spaces."""
_OF_DATA_MARKS: Final = ('":', "=", "{")
"""What stands before quotation marks that are none, but part of JSON or markup."""
FEWEST_AROUND: Final = 24
"""Characters of a text besides some words, without which it is nothing but these words."""
LONGEST_UNSPACED: Final = 40
"""Characters of a script without spaces: what is further apart belongs to different statements."""
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


class Mentions:
    """Tells which words of one text are mentioned.

    Args:
        folded: the text, folded.
        is_trusted: whether the text may be taken for an article as a whole: not where somebody else wrote it, who
            could have written it around an attack.
        is_example: whether it is what an encoded example in an article says.
    """

    def __init__(self, folded: str, *, is_trusted: bool = True, is_example: bool = False) -> None:
        self._folded = folded
        self._is_trusted = is_trusted
        self._is_example = is_example

    @cached_property
    def is_article(self) -> bool:
        """Whether the text is long, and talks about attacks in several respects."""
        folded = self._folded
        shortest = SHORTEST_UNSPACED if _UNSPACED.search(folded) else SHORTEST_ARTICLE
        if not self._is_trusted or len(folded) < shortest:
            return False
        found = [topic.search(folded) is not None for topic in _TOPICS]
        return any(found[:ATTACKS]) and sum(found) >= FEWEST_TOPICS

    def has(self, start: int, end: int) -> bool:
        """Tell whether the words at a place are quoted and talked about, forbidden, or the name of a function."""
        return (
            self._is_example
            or self._is_told(start, end)
            or (self.is_article and self._is_set_off(start, end))
            or self._is_quoted(start, end)
        )

    def _is_told(self, start: int, end: int) -> bool:
        """Tell whether the words around say that it is forbidden, foreseen, a link, or the name of a function."""
        folded = self._folded
        before, after = folded[max(0, start - QUOTED) : start], folded[end : end + QUOTED]
        return bool(
            _DEFINED.search(before)
            or _TOLD_OF.search(before)
            or _TOLD_AFTER.search(after)
            or (before.endswith("[") and after.startswith("]("))
            or _OF_DATA.match(folded, start)
            or _ASKED.search(folded, start, end + FEWEST_UNSPACED)
            or (end - start > LONGEST_UNSPACED and _UNSPACED.search(folded, start, end))
            or _FORESEEN.search(folded[max(0, start - NEAR) : start])
        )

    def _is_quoted(self, start: int, end: int) -> bool:
        """Tell whether words stand in quotation marks, with words near them that speak of attacks or of wording."""
        folded = self._folded
        before, after = folded[max(0, start - QUOTED) : start], folded[end : end + QUOTED]
        if _SET_OFF.search(before) and _ON_ATTACKS.search(folded, max(0, start - FAR), end + FAR):
            return True
        opened = _opened(before, after)
        if opened < 0:
            return False
        if '"""' in before[max(0, opened - 2) :]:
            return True
        is_told = _CUE.search(folded, max(0, start - NEAR), start) or _CUE_AFTER.search(folded, end, end + NEAR)
        return is_told is not None

    def are_marked(self, start: int, end: int) -> bool:
        """Tell whether the words at a place stand in quotation marks, which are none of data."""
        folded = self._folded
        before, after = folded[max(0, start - QUOTED) : start], folded[end : end + QUOTED]
        opened = _opened(before, after)
        return self._is_trusted and opened >= 0 and not before[:opened].rstrip().endswith(_OF_DATA_MARKS)

    def have_company(self, start: int, end: int) -> bool:
        """Tell whether there is more than the words at a place."""
        return len(self._folded) - (end - start) >= FEWEST_AROUND

    def are_ascii(self, start: int, end: int) -> bool:
        """Tell whether the words at a place are written in Latin letters."""
        return self._folded[start:end].isascii()

    def is_in_code(self, start: int) -> bool:
        """Tell whether a place is in a block of code in a text of somebody who may show code."""
        before = self._folded.count(_FENCE, 0, start)
        return self._is_trusted and before % 2 == 1 and self._folded.find(_FENCE) >= FEWEST_BEFORE_CODE

    def _is_set_off(self, start: int, end: int) -> bool:
        """Tell whether words of an article are an example of it: in quotation marks or code, announced, or no order."""
        folded = self._folded
        before = folded[max(0, start - QUOTED_IN_ARTICLE) : start]
        if folded.count(_FENCE, 0, start) % 2 or _LABELLED.search(before):
            return True
        after = folded[end : end + QUOTED_IN_ARTICLE].partition("\n")[0]
        if _TERM.search(before) and _EXPLAINED.match(after):
            return True
        found = _SENTENCE.search(before)
        sentence = found[1] if found else before
        if len(sentence.split()) >= FEWEST_WORDS:
            return True
        if _UNSPACED.search(folded, start, end):
            rest = _SENTENCE_END.split(after, 1)[0]
            return len(sentence) + len(rest) >= FEWEST_UNSPACED
        line = before[before.rfind("\n") + 1 :]
        return _opened(line, after) >= 0


def _opened(before: str, after: str) -> int:
    """Return where the last quotation mark stands in what is before some words; -1 if there is none, or none behind."""
    return max(map(before.rfind, _OPEN)) if any(mark in after for mark in _CLOSE) else -1
