"""Detectors for tests: simple enough to see that they are right."""

from __future__ import annotations

import re

from aigw.guards import Span

CODE = re.compile(r"K-[0-9]{3}-[0-9]{3}")
LENGTH = len("K-123-456")
PREFIXES = re.compile(r"K(-([0-9]{1,3}(-([0-9]{1,2})?)?)?)?\Z")


class Codes:
    """Finds codes such as ``K-123-456``, also while a text comes."""

    context = 0
    is_quick = True
    default_action = "mask"

    def find(self, text, start=0):
        return [Span(match.start(), match.end(), "CODE") for match in CODE.finditer(text, start)]

    def settled(self, text, start=0):
        tail = PREFIXES.search(text, max(start, len(text) - LENGTH))
        return tail.start() if tail else len(text)


class Words:
    """Finds words, in whole texts only."""

    is_quick = True

    def __init__(self, *words, kind="WORD"):
        self._pattern = re.compile("|".join(map(re.escape, words)))
        self._kind = kind
        self.texts = []

    def find(self, text, start=0):
        self.texts.append(text)
        return [Span(match.start(), match.end(), self._kind, 0.9) for match in self._pattern.finditer(text, start)]


class Broken:
    """Raises, and quotes the text."""

    def find(self, text, start=0):
        raise RuntimeError(f"cannot read {text!r}")


class Asking:
    """Asks somebody else, who knows a word."""

    def __init__(self, word, *, wait=0.0, error=None):
        self.word = word
        self.wait = wait
        self.error = error
        self.asked = []

    async def examine(self, call, texts):
        self.asked.append(tuple(texts))
        if self.wait:
            await call.clock.sleep(self.wait)
        if self.error is not None:
            raise self.error
        found = [(text, text.find(self.word)) for text in texts]
        return [[Span(at, at + len(self.word), "HARM")] if at >= 0 else [] for _, at in found]
