"""Rules over the letters of a text: marks of chat templates, tricks of markup, set phrases of jailbreaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.injection.words import Words

MOST_HITS: Final = 32


class _TextRule(NamedTuple):
    """A pattern, tried only where one of some short strings stands in the text.

    Args:
        name: of the rule.
        needs: one of them must be there.
        pattern: what fits.
        score: from 0 to 1.
    """

    name: str
    needs: tuple[str, ...]
    pattern: re.Pattern[str]
    score: float


def _rule(name: str, score: float, needs: str, pattern: str) -> _TextRule:
    return _TextRule(name, tuple(needs.split("/")), re.compile(pattern, re.MULTILINE), score)


_RULES: Final = (
    _rule(
        "chat-token",
        0.7,
        "<|/inst]/<</",
        r"<\|(?:im_(?:start|end|sep)|system|user|assistant|end(?:oftext|ofprompt)?|begin_of_text|(?:start"
        r"|end)_header_id"
        r"|eo[tm]_id|channel|message)\|>(?![\"'`])|(?<![\w\])])\[/?inst\]|<</?sys>>",
    ),
    _rule(
        "fake-system-message",
        0.55,
        "<system/<admin/<information/<instruction/<developer/<important/[system/[admin/<sys/</system/<override",
        r"<(?:system(?:[ _-]?(?:message|note|override))?|admin|developer|override)>[^<]{0,40}\b(?:ignore"
        r"|disregard|forget"
        r"|you|your|new|send|reveal|must|now|before|override|transfer|important|instructions?|do not|mode|ai|assistant"
        r"|message|user)\b|<(?:system[ _-]?(?:prompt|instructions?)|information|instructions?|important)>[^<]{0,40}"
        r"\b(?:ignore|disregard|forget|override|reveal|send|transfer|this is an important|new instructions?"
        r"|from now on"
        r"|you are now|before you can|before using this)\b"
        r"|^\s{0,8}\[(?:system|admin)(?:[ _-](?:message|override|prompt|note|update))?\](?:\(#\w{1,20}\))?:?\s"
        r"[^\n]{0,60}\b(?:you|ignore|your|must|now|new|override|disregard|mode|reveal|all|enabled)\b",
    ),
    _rule(
        "fake-turn",
        0.5,
        "system/end of/end_of/start of/begin ",
        r"^[\s#>*=-]{0,12}(?:system|developer)(?: (?:message|prompt|note|override|update|alert"
        r"|notice))?\s?[:\]][^\n]{0,60}"
        r"\b(?:you|ignore|your|must|new|override|disregard|mode|reveal|assistant|prior|previous)\b"
        r"|(?:end|start|begin)[ _]of[ _](?:(?:the|user|system|untrusted|retrieved)[ _])?(?:system[ _]?prompt|prompt"
        r"|input"
        r"|instructions|document|context|conversation|user[ _]query|query|text|data"
        r"|output)\b[^a-z]{0,20}\b(?:start|new"
        r"|begin|now|you|system|ignore|real|actual|follow|please|next)",
    ),
    _rule(
        "override-phrase",
        0.75,
        "override/new instruction/new system/real instruction/real task/actual task/new task/new rule/new order/"
        "updated instruction/maintenance mode/actual instruction",
        r"\b(?:system|admin(?:istrator)?|safety|security|instruction|developer|root) override\b|\boverride (?:code"
        r"|mode|engaged"
        r"|accepted|activated)\b|\b(?:your|here are (?:your|the)|with|my|these) (?:new|real|actual|updated"
        r"|true) (?:instructions?"
        r"|task|system prompt|rules|orders?|directives?|objective|goal)s? ?(?:is|are|:|follow)|\bnew (?:system )?"
        r"(?:instructions?|directives?|orders) ?(?:for (?:you|the (?:ai|assistant|model)))? ?:"
        r"|\benter(?:ing)? maintenance mode",
    ),
    _rule(
        "jailbreak-phrase",
        0.75,
        "do anything now/dan mode/developer mode/jailbreak/god mode/anti-dan/dude mode/stan mode/godmode/sudo mode/"
        "evil mode/opposite mode/unrestricted mode/unfiltered mode/debug mode/admin mode/chaos mode/freedom mode"
        "/dan prompt/evil confidant/aim mode/niccolo/machiavelli/no restrictions mode/called dan/as dan/are dan",
        r"\bdo anything now\b|\b(?:developer|dan|god|dude|stan|jailbreak|evil|opposite|unrestricted|unfiltered"
        r"|chaos|freedom|sudo"
        r"|debug|admin|no restrictions) ?mode (?:is |has been |now )?(?:v?\d|enabled|activated|active|on[.,!;:]"
        r"|output|unlocked"
        r"|engaged|response)|\b(?:enter|enable|activate|switch to|simulate|in|turn on"
        r"|go into) (?:the )?(?:developer|dan|god|dude"
        r"|stan|jailbreak|evil|opposite|unrestricted|unfiltered|chaos|sudo|debug|admin) mode\b(?= (?:where|and|with"
        r"|now|in which"
        r"|so|output)|[.,!:])|\bgodmode\b|\b(?:jailbreak|jailbroken)(?:\]? ?[:=]|\] ?-| - )"
        r"|\b(?:become|act as|called|name is|are|you're)"
        r" (?:now )?dan\b(?! the\b)|\bstay a dan\b|\bjailbroken (?:ai|chatgpt|version|mode|model|assistant)",
    ),
    _rule(
        "no-limits",
        0.6,
        "restrict/limit/filter/ethic/moral/guideline/censor/rules",
        r"\b(?:you|ai|assistant|chatbot|chatgpt|model|it|he|she|dan|who|character|bot)\b[^.\n]{0,60}\b(?:ha(?:s|ve)"
        r"|with|under|are"
        r" bound by|bound by|follows?|without) (?:absolutely |any |have )?(?:no|zero|without any|without"
        r"|(?<!with )any) (?:\w{1,14} ){0,2}"
        r"(?:ethical|moral|content|safety)?[ ,]{0,2}(?:or |and )?(?:\w{1,12} )?(?:restrictions?|limits?"
        r"|limitations?|filters?"
        r"|ethics|morals?|guidelines|censorship|boundaries)\b|\b(?:free(?:d)? (?:from|of)|not bound by"
        r"|no longer bound by"
        r"|unbound by|broken free of|liberated from) (?:all |any |the |your |openai'?s? |typical )?(?:\w{1,14} ){0,3}"
        r"(?:restrictions?|limits?|limitations?|filters?|rules|confines|constraints|guidelines|policies|ethics)\b",
    ),
    _rule(
        "no-refusal",
        0.55,
        "never refuse/not refuse/cannot refuse/can't refuse/never say/i'm sorry/i cannot/i can't/without refus/as an ai"
        "/apologiz/apologis/never decline/cannot fulfill/moral lecture/refusal/refusing",
        r"\b(?:never|don'?t|do not|must not|cannot|can'?t|not allowed to|should not|without|will not|avoid"
        r"|no)\b[^.\n]{0,60}"
        r"(?:\"|'|\u201c|\b)(?:refus(?:e|al|ing)(?![^.\n]{0,40}\b(?:just because|without expl|simply because))|decline"
        r"|i'?m sorry|i am sorry|i cannot|i can'?t|sorry, (?:but )?i|as an ai"
        r"|apologi[sz](?:e|ing) (?:for|or)|moral lectures?|cannot fulfill)",
    ),
    _rule(
        "no-warnings",
        0.4,
        "disclaimer/any warnings/warnings or",
        r"\b(?:never|don'?t|do not|must not|cannot|can'?t|not allowed to|should not|without|will not|avoid"
        r"|no)\b[^.\n]{0,60}"
        r"\b(?:(?<!without )(?<!words and )(?<!words or )disclaimers?|warnings or)",
    ),
    _rule(
        "affirmative-start",
        0.65,
        "sure/absolutely/of course/certainly/yes, ",
        r"\b(?:start|begin|beginning|starting|open|respond|reply|prefix|answer)\b[^.\n]{0,50}[\"'`\u201c](?:sure"
        r"|absolutely|of"
        r" course|certainly|yes, (?:here|i))\b|\bsure,? here(?:'s| is| are)[^.\n]{0,60}[\"'\u201d]\s*$",
    ),
    _rule(
        "hijacked-output",
        0.6,
        "pwned/hacked/haxxed/haxed/democracy will/injected/jailbroken/prompt injection",
        r"\b(?:say|print|output(?! (?:is|was|were))|respond|reply|answer|write|return|display"
        r"|type)\b[^.\n]{0,40}\b(?:pwned|hacked"
        r"|haxx?ed|injected"
        r"|jailbroken|prompt injection successful)\b",
    ),
    _rule(
        "image-exfiltration",
        0.75,
        "](/<img",
        r"!\[[^\]]{0,120}\]\((?:https?:)?//[^)\s]{0,300}(?:[?&=/#](?:\{|\$|%7b|<|\[)"
        r"|[?&]\w{1,20}=(?:\w{0,12}(?:secret|password|token"
        r"|history|conversation|data|api_?key|prompt|summary)|\)|\.\.\.|x{3,}))"
        r"|<img[^>]{0,200}src=[\"']?https?://[^>\s]{0,200}"
        r"(?:\{|\$\{|\[(?:data|secret|conversation|history|user))",
    ),
    _rule(
        "hidden-markup",
        0.6,
        "<!--/display/font-size/visibility/opacity/color/[//]: #/[comment]",
        r"<!--[^<>]{0,400}?(?<![\w-])(?:ignore|disregard|forget|ai (?:assistant|model|agent)|assistants?|llm"
        r"|language model|reveal|system"
        r" prompt|you must|send|exfiltrate|instructions?:|override)\b"
        r"|(?:display\s{0,3}:\s{0,3}none|font-size\s{0,3}:\s{0,3}0|visibility\s{0,3}:\s{0,3}hidden"
        r"|opacity\s{0,3}:\s{0,3}0[;\"']"
        r"|color\s{0,3}:\s{0,3}(?:white|#fff(?:fff)?|transparent))[^<]{0,200}>[^<]{0,300}?\b(?:ignore|disregard"
        r"|forget|ai"
        r"|assistant|llm|language model|reveal|system prompt|instructions?|you must|recommend|send)\b"
        r"|^\[(?://|comment)\]: (?:#|<>) ?[(\"'][^\n]{0,200}?\b(?:ignore|ai|assistant|llm|reveal|you must"
        r"|instructions?|send)\b",
    ),
    _rule(
        "note-to-model",
        0.55,
        "ai /assistant/llm/language model/chatbot/agent/chatgpt/copilot",
        r"(?:(?:^|[.!?:;*#<>(\[/\"'-])\s{0,4}(?:note|attention|message|instructions?|reminder|notice|important|hey"
        r"|hello|dear|warning"
        r"|memo)[ ,:-]{1,3}(?:to|for)?"
        r" ?(?:all |any |the )?|\bif you(?:'re| are) (?:an?|the) )(?:ai|llm|language model|chatbot|assistant"
        r"|chatgpt|copilot)s?"
        r"(?: (?:assistant|model|agent|system|reading|processing|bot)s?)?\b[^.\n]{0,60}\b(?:must|ignore|please"
        r"|reading|should|do"
        r" not|send|include|add|tell|reveal|recommend|append|say|forward|print|visit|output|disregard|mention|:)",
    ),
    _rule(
        "from-the-user",
        0.55,
        "important message from/this is important/before you can/todo:/important!!!",
        r"\bimportant message from (?:me|the user|your)|\bbefore you can (?:solve|complete|do|finish"
        r"|answer)[^.\n]{0,40}"
        r"\byou (?:have|need|must)\b|^[^\n]{0,40}\btodo: (?:send|transfer|concatenate|invite|delete|visit|post|make"
        r"|create|forward"
        r"|email|share|click|reserve|book|update|change|upload|download|get|look|say|add)\b|\bimportant!!!",
    ),
    _rule(
        "decode-and-obey",
        0.55,
        "decode/decrypt/base64/rot13/decipher/backwards/reverse",
        r"\b(?:decode|decrypt|decipher|base64|rot13|unscramble|read (?:it|this"
        r"|the following)? ?backwards)\b[^\n]{0,100}\b(?:then|and"
        r"|after|before)\b[^.\n]{0,30}\b(?:follow|execute|obey|comply|act (?:on|upon)|carry out|do (?:what|as"
        r"|exactly)|perform|run"
        r"|fulfil+|respond to|answer (?:it|the|without))",
    ),
    _rule(
        "translate-and-obey",
        0.55,
        "translat",
        r"\btranslat\w{0,6}\b[^\n]{0,160}\b(?:then|and|after(?:wards)?)\b[^.\n]{0,30}\b(?:follow(?! your| up|-)"
        r"|execute|obey|comply|act (?:on|upon)"
        r"|carry out|do (?:what|as) (?:it|they|the)|perform the|fulfil+)",
    ),
    _rule(
        "turned-task",
        0.6,
        "instead/rather than/stop translat/stop summar/do not translat/do not summar/do not review/don't translat"
        "/don't summar/[note/(note/{note/<note/[system/(system/{system/[important/(important/[instruction/[p.s",
        r"\b(?:instead|rather) (?:of|than) (?:translating|summari[sz]ing|reviewing|answering|classifying|correcting"
        r"|proofreading|(?:a|the) (?:translation|summary|review)|doing (?:that|this|so))\b"
        r"(?: (?:it|this|that|the|my|your|any)\b[^.\n,]{0,30})?,? (?:(?:please|just|simply|now|you|must) ){0,2}(?:print"
        r"|output|say"
        r"|write|reply|respond|tell|send|reveal|show|give|answer|return|list|recite)\b"
        r"|\b(?:do not|don'?t|stop) (?:translat|summari[sz]|review|classify|proofread|correct)\w{0,4}(?: this| it"
        r"| the text"
        r"| anything| any of this| that)?[.,;:]? {0,2}(?:and |but )?(?:instead|rather|just)\b"
        r"|[\[(<{*][ *]{0,3}(?:note|system|instructions?|important|p\.?s\.?|update"
        r"|editor)\b[^\]\)\n:]{0,30}[:,] ?(?:please )?"
        r"(?:instead\b|ignore |disregard |do not (?:translate|summari[sz]e|review)|stop )",
    ),
    _rule(
        "filters-off",
        0.55,
        "filter/safety/guardrail/moderation/content polic/ethic/censor",
        r"(?:^|[.!?:;\"'(] {0,3}|\b(?:please|and|then|now|first|just|also|immediately|you (?:must|will|should|can)) )"
        r"(?:disable|deactivate|turn off|switch off|skip|bypass|remove|lift|suspend|circumvent|shut off|unplug"
        r"|get rid of) (?:(?:all|any|the|your|its|every|of|current) ){0,3}(?:built-in )?(?:content|safety"
        r"|ethic\w{0,3}|moral"
        r"|moderation|censorship|output|harm)(?: and (?:content|safety|ethic\w{0,3}|moderation))?[ -]"
        r"(?:filters?|filtering|polic(?:y|ies)|checks?|guardrails?|protocols?|rules|layers?|restrictions?|constraints"
        r"|moderation|measures|guidelines|limits)\b(?! (?:on|of|for|in) (?:my|our|the|a) )"
        r"|\b(?:disable|deactivate|turn off|switch off|bypass|remove|drop"
        r"|suspend) (?:all (?:of )?)?your (?:\w{1,12} )?"
        r"(?:filters?|safety|guardrails?|moderation|ethics|ethical|censorship)\b",
    ),
    _rule(
        "cancelled",
        0.6,
        "void/cancelled/canceled/revoked/lifted/suspended/annulled/obsolete/been removed/were removed/been deleted"
        "/been disabled/are disabled/overridden/no longer/apply to/waived/deactivated",
        r"\byour (?:\w{1,12} ){0,2}(?:instructions|rules|guidelines|restrictions|directives|constraints|programming"
        r"|system prompt|safety \w{1,12}|filters?|limitations|policies|orders(?= (?:are|were) (?:now )?(?:void"
        r"|null|annulled))) "
        r"(?:are|is|were|was|have been|has been|no longer)(?: now| all| hereby| officially)? ?(?:void|null|cancell?ed"
        r"|revoked|lifted|suspended|annulled|invalid|obsolete|removed|deleted|disabled|deactivated|overridden|gone"
        r"|waived|apply|valid)\b"
        r"|\b(?:rules|guidelines|restrictions|polic(?:y|ies)|limitations|filters|instructions) (?:do not|don'?t"
        r"|no longer)"
        r" apply to (?:me|this (?:chat|conversation|session))\b",
    ),
    _rule(
        "role-dropped",
        0.55,
        "forget /stop being/no longer",
        r"\bforget (?:that )?you(?:'?re| are| were)(?: just| only)? (?:an? (?:\w{1,12} )?(?:ai|assistant|chatbot"
        r"|bot|model"
        r"|language|robot|machine|program|agent)|chatgpt|claude|gemini|supposed to|trained|told|programmed|bound"
        r"|made)\b"
        r"|\bstop being (?:an? )?(?:\w{1,12} )?(?:assistant|ai|chatbot|bot|model)\b"
        r"|\byou(?:'?re| are) no longer (?:an? |the )?(?:\w{1,12} )?(?:assistant|ai|chatbot|bot|model|chatgpt"
        r"|claude)\b",
    ),
    _rule(
        "new-prompt",
        0.55,
        "new system/updated system/revised system/real system/actual system",
        r"^[#*=\-<\[ ]{1,8}(?:new|updated|revised|real|actual) system[ _](?:prompt|message|instructions?)\b",
    ),
    _rule(
        "extract-phrase",
        0.6,
        "your instruction/your system/your initial/your prompt/your full/your entire/your original/your first"
        "/your hidden/your guideline/your directive/your context/your memory/developer message/developer prompt"
        "/context window/the system prompt/the system message/previous section/before this/before my/above this"
        "/of this conversation/of our conversation/of the conversation/of this chat",
        r"\b(?:print|repeat|show|output|give|list|write|quote|copy|recite|return|paste|echo|dump)\b[^.\n]{0,30}\b"
        r"(?:everything|all text|all (?:the )?words|the (?:text|words|contents?))\b[^.\n]{0,30}\b(?:previous section"
        r"|before (?:this|my|the first) (?:message|prompt|line|sentence|user|question)|above (?:this"
        r"|my) (?:message|line"
        r"|prompt|question|sentence)|in your (?:context|prompt|memory|instructions)|(?:start|beginning"
        r"|top) of (?:this|the"
        r"|our|your) (?:conversation|chat|context|prompt|session))"
        r"|\b(?:translate|encode|convert|turn|rewrite|put|express|give|write|show|render|format"
        r"|spell)\b[^.\n]{0,24}\b(?:your"
        r" (?:full |entire |own |initial |original |first |hidden )?(?:instructions|system (?:prompt|message)"
        r"|text|prompt"
        r"|guidelines|directives)|the (?:system prompt|system message|developer message"
        r"|hidden prompt))\b[^.\n]{0,25}\b"
        r"(?:as|into|in|to|with) (?:an? )?(?:\w{1,12} )?(?:list|pseudo-?code|poem|haiku|song|base64|rot13|morse"
        r"|json|yaml|python|code"
        r"|bullets?|rap|hex\w{0,7}|emojis?|table|xml|spanish|french|german|chinese|latin|italian|russian)\b"
        r"|\b(?:continue|complete|finish)\b[^.\n]{0,40}[\"':] ?(?:my |the |your )?(?:system prompt|instructions"
        r"|initial prompt)"
        r" (?:is|are|says?|begins?|starts?|reads?)\b"
        r"|\b(?:show|print|display|echo|dump|output|reveal|give|list|return|paste) (?:me |us )?(?:the "
        r"|your )?(?:full |entire "
        r"|complete |whole |raw |current ){0,2}(?:developer (?:message|prompt)|context window)\b",
    ),
    _rule(
        "extract-beginning",
        0.6,
        "you are",
        r"\b(?:repeat|print|output|copy|write|show|recite|return|give|quote|display|tell)\b[^\n]{0,100}\b(?:start"
        r"|beginn?)(?:ing|s)? (?:with|from|at) (?:the (?:word|phrase|line)s? )?[\"'`\u201c\u2018]{0,2}you are"
        r"(?: chatgpt)?[\"'`\u201d\u2019.\u2026 ]{0,4}(?:\Z|(?<=[\"'`\u201d\u2019.\u2026])|[,;)\n])",
    ),
    _rule(
        "claims-authority",
        0.55,
        "your developer/your creator/openai/anthropic/your administrator/authorized/authorised/your owner",
        r"\bi(?:'?m| am) (?:your|the|an?|one of your) (?:\w{1,12} ){0,2}(?:developer|creator|administrator"
        r"|programmer|openai|owner"
        r"|anthropic|authori[sz]ed)\b[^\n]{0,80}\b(?:reveal|show|give|tell|ignore|disable|bypass|need|must|allow"
        r"|order|command"
        r"|override|test|print|output|grant)",
    ),
)


_BEGINNING: Final = 5
"""Letters of words that rules are sorted by."""
_LETTERS: Final = re.compile("[a-z0-9']+")
_SIGNS: Final = tuple(
    [(need, number) for number, rule in enumerate(_RULES) for need in rule.needs if not _LETTERS.search(need)]
)


def _by_beginning() -> dict[str, list[tuple[str, int]]]:
    """Return what rules need, and their numbers, by how the longest word of it begins, also with an s."""
    table: dict[str, list[tuple[str, int]]] = {}
    for number, rule in enumerate(_RULES):
        for need in rule.needs:
            words = _LETTERS.findall(need)
            if words:
                word = max(reversed(words), key=len)
                for begin in {word[:_BEGINNING], f"{word}s"[:_BEGINNING]}:
                    table.setdefault(begin, []).append((need, number))
    return table


_BY_BEGINNING: Final = _by_beginning()
_BEGINNINGS: Final = frozenset(_BY_BEGINNING)

_BEFORE_WORDS: Final = " .!?:;\n\"'("
"""What a pattern may begin with that is no part of what is said."""
BEFORE: Final = 160
AFTER: Final = 640
"""Characters around a string that a rule needs, in which its pattern is tried."""


def text_rules(words: Words) -> Iterator[tuple[str, float, int, int]]:
    """Yield the names, scores and places of the rules that fit a text."""
    folded = words.folded
    begun = {token[:_BEGINNING] for token in words.kinds} & _BEGINNINGS
    needed = [one for begin in begun for one in _BY_BEGINNING[begin] if one[0] in folded]
    needed += [one for one in _SIGNS if one[0] in folded]
    for number in sorted({number for _, number in needed}):
        rule = _RULES[number]
        count = 0
        for start, end in _near({need for need, of in needed if of == number}, folded):
            for match in rule.pattern.finditer(folded, start, end):
                yield rule.name, rule.score, match.end() - len(match[0].lstrip(_BEFORE_WORDS)), match.end()
                count += 1
            if count >= MOST_HITS:
                break


def _near(needs: set[str], folded: str) -> list[tuple[int, int]]:
    """Return the parts of a text around what a rule needs; they do not overlap."""
    spans: list[tuple[int, int]] = []
    for need in needs:
        at = folded.find(need)
        while at >= 0:
            end = at + AFTER
            spans.append((max(0, at - BEFORE), end))
            at = folded.find(need, end - BEFORE)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
