"""Rules for text that comes from tools and documents: such text informs, and has no business to ask for anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.injection.rules import Hit

if TYPE_CHECKING:
    from aigw.guards.injection.words import Words

_ADDRESSED: Final = re.compile(r"Q[^|]{0,6}(?:[YZRC]|X)|Y[^|]{0,3}Q")
_TOLD: Final = re.compile(r"Q[^|U]{0,2}Y")
_ORDERED: Final = re.compile(r"(?:^|\|)[^|UY]{0,2}[CR][^|]{0,8}(?:A|P|[YS]n?|H)")
_REQUEST: Final = re.compile(
    r"(?:please |also,? |now |then |and |finally,? |todo: ?|can you |could you |i want you to |you (?:must|should) )?"
    r"(?:explain|draft|compose|translate|generate|describe|write|craft|outline|provide (?:a|an|me|the)|give me"
    r"|summari[sz]e"
    r"|define|compare|discuss|convert|replace|rewrite|integrate|insert|append|embed|include (?:a|an|the|links?|this)"
    r"|respond (?:in|with|to|only)|answer (?:in|with|only)|reply (?:in|with|only)|recommend|suggest|solve|calculate"
    r"|compute"
    r"|implement|create (?:a|an)|develop (?:a|an)|plan (?:a|an)|list (?:the|all|some|five|ten|three)|name (?:the|a"
    r"|some|three)"
    r"|identify|analy[sz]e|classify|correct|paraphrase|encode|decode|encrypt|promote|advertise|mention|modify"
    r"|change the"
    r"|transform|capitali[sz]e|reverse the|remove (?:all|every)|use (?:only|a|an|emoji)|make sure to"
    r"|ensure that your|find (?:the|out)"
    r"|what (?:is|are|was|were|does|do|causes?|would)|who (?:is|was|wrote|invented)|when (?:did|was|is)|where (?:is"
    r"|was|can)"
    r"|how (?:do|does|can|to|many|much|would)|why (?:do|does|is|are|did)|which (?:is|are|country|of)|tell me)\b"
)
_ACTION: Final = re.compile(
    r"\b(?:transfer|wire|send|forward|e?mail|post|upload|delete|remove|invite|visit|concatenate|reserve|book|make"
    r"|change|update"
    r"|create|share|download|click|grant|purchase|buy|install|execute|run|open|unlock|disable"
    r"|add)\b[^\n.]{0,80}(?:\b(?:account"
    r"|iban|[a-z]{2}\d{12,}|password|passcode|credentials?|two-factor|2fa|token|api key|all (?:the )?(?:messages"
    r"|emails|files"
    r"|contacts|money)|as much money|phishing|everyone|workspace|slack)\b|https?://|\bwww\.|@[a-z0-9-]{2,40}\.)"
)
_NOTE: Final = re.compile(
    r"\b(?:note|message|instructions?|attention|reminder|notice|memo|dear|hey|hello|to)[ ,:-]{1,3}(?:to "
    r"|for )?(?:the |all |any )?"
    r"(?:ai|llm|language model|model|assistant|chatbot|agent)s?(?: (?:assistant|model|agent|system)s?)?"
    r"(?: ?[:,-]| (?:that|who|which|reading|screening|reviewing|processing|summari[sz]ing|evaluating)\b)"
    r"|(?:^|[\n>#/*\"'-]) {0,4}(?:@(?:assistant|agent|ai|copilot|claude|chatgpt|gpt|bot|llm|model)\b|(?:ai|llm)"
    r"(?: (?:agents?|assistants?|models?))?: ?[a-z])"
    r"|\bif you(?:'re| are) (?:an? |the )(?:ai|llm|language model|assistant|chatbot|agent)\b"
    r"|\b(?:hinweis|nachricht|anweisung|achtung|notiz)(?:en)? (?:an|fur) (?:die |alle |den |das )?(?:ki|ai"
    r"|sprachmodell|assistent"
    r"|chatbot)|\b(?:note|message|instructions?|consignes?) (?:a |pour |aux? )(?:l'|la |les |le )?(?:ia|ai|modele"
    r"|assistant|llm)\b"
    r"|\b(?:nota|mensaje|mensagem|messaggio|aviso|instruc\w{1,8}|istruzion\w) (?:para|a|per) ?(?:la |el |los "
    r"|las |l'|o |os )?(?:ia|ai"
    r"|modelo|modello|asistente|assistente|llm)\b"
    r"|(?:примечание|сообщение|внимание|инструкци\w|заметка)(?: для|:|,)? (?:ии|модел\w|ассистент\w|неиросет\w|бот\w)"
    r"|(?:致|给|请|請) ?(?:所有)?(?:ai|人工智能|大?模型|助手|智能体)|(?:ai|人工智能|大?模型|助手|智能体)(?:助手"
    r"|模型)?(?:请|必须|应该|应当|注意)"
)
_SECRETLY: Final = re.compile(
    r"\b(?:before|when|after) (?:using|calling|you use|you call|invoking|running) (?:this|any"
    r"|the) (?:\w{1,20} )?tool\b[^\n]{0,80}"
    r"\b(?:read|send|include|pass|fetch|upload|forward|access|first call)\b[^|]{0,300}\b(?:do not|don'?t"
    r"|never) (?:mention|tell"
    r"|inform|notify|reveal|disclose|show)\b"
    r"|\b(?:send|forward|pass|upload|include|post)\b[^\n]{0,120}\b(?:do not|don'?t|never|without) (?:mention|tell"
    r"|inform|notify"
    r"|telling|informing|notifying)\w{0,3} (?:this to )?(?:the )?(?:user|him|her|them|anyone)\b"
)
_DATA_LINE: Final = re.compile(r"^\s*[-*]?\s*[\w .]{1,30}: \S|^\s*[|<{\[]|\t", re.MULTILINE)
_STARTS: Final = re.compile(r"[.!?]\s+|\n+|\|")
MOST_OF_A_LINE: Final = 400


def provenance(words: Words) -> list[Hit]:
    """Return what a text asks for that should only tell something.

    Args:
        words: the text.
    """
    hits: list[Hit] = []
    folded, letters = words.folded, "".join(words.letters)
    if _ADDRESSED.search(letters):
        strong = _ORDERED.search(letters) or _TOLD.search(letters)
        hits.append(Hit("addresses-the-model", 0.5 if strong else 0.35))
    if _NOTE.search(folded):
        hits.append(Hit("note-to-the-model", 0.55))
    if _SECRETLY.search(folded):
        hits.append(Hit("acts-in-secret", 0.6))
    if _ACTION.search(folded):
        hits.append(Hit("asks-for-an-action", 0.5 if "todo" in folded or _REQUEST.match(folded) else 0.3))
    if _asks(folded):
        hits.append(Hit("asks-for-an-answer", 0.55))
    return hits


def _asks(folded: str) -> bool:
    """Tell whether the first or the last line asks something of whoever reads, and the rest is something else."""
    lines = [line.strip() for line in folded.split("\n") if line.strip()]
    if len(lines) < 2:  # noqa: PLR2004  (a line alone may be anything)
        return False
    first, last = lines[0][:MOST_OF_A_LINE], lines[-1][:MOST_OF_A_LINE]
    return bool(_REQUEST.match(last) or (_REQUEST.match(first) and not first.endswith(":")))
