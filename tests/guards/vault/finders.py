"""Small detectors with exactly known behaviour, and texts that they find something in."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from aigw.guards import Span
from aigw.guards.vault import Vault

NONCE = "k3f9"


class Runs:
    """Finds runs of some characters that match a pattern, where something stands before them."""

    def __init__(self, kind: str, characters: str, pattern: str, *, after: str = "", score: float = 1.0) -> None:
        self.kind = kind
        self.score = score
        self._run = re.compile(f"[{characters}]+")
        self._last = re.compile(f"[{characters}]*\\Z")
        self._pattern = re.compile(pattern)
        self._after = after
        self.context = len(after) + 1

    def find(self, text: str, start: int = 0) -> list[Span]:
        return [
            Span(*match.span(), self.kind, self.score)
            for run in self._run.finditer(text, start)
            if text.endswith(self._after, 0, run.start())
            for match in [self._pattern.fullmatch(text, *run.span())]
            if match
        ]

    def settled(self, text: str, start: int = 0) -> int:
        return self._last.search(text, start).start()


class Between:
    """Finds everything from one mark to another one; to the end where that does not come."""

    context = 0

    def __init__(self, kind: str, begin: str, end: str) -> None:
        self.kind = kind
        self._begin = begin
        self._end = end
        self.looked_at = 0

    def find(self, text: str, start: int = 0) -> list[Span]:
        self.looked_at += len(text) - start
        spans = []
        at = text.find(self._begin, start)
        while at >= 0:
            end = text.find(self._end, at + len(self._begin))
            end = len(text) if end < 0 else end + len(self._end)
            spans.append(Span(at, end, self.kind))
            at = text.find(self._begin, end)
        return spans

    def settled(self, text: str, start: int = 0) -> int:
        found = self.find(text, start)
        if found and not (
            found[-1].end - found[-1].start >= len(self._begin + self._end)
            and text.endswith(self._end, 0, found[-1].end)
        ):
            return found[-1].start
        done = found[-1].end if found else start
        for at in range(max(done, len(text) - len(self._begin) + 1), len(text)):
            if self._begin.startswith(text[at:]):
                return at
        return len(text)


class Plain:
    """Finds words; it cannot watch a stream."""

    def __init__(self, kind: str, pattern: str) -> None:
        self.kind = kind
        self._pattern = re.compile(pattern)

    def find(self, text: str, start: int = 0) -> list[Span]:
        return [Span(*match.span(), self.kind) for match in self._pattern.finditer(text) if match.start() >= start]


EMAIL = Runs("EMAIL", "A-Za-z0-9.@+", r"[A-Za-z0-9.+]+@[a-z]+\.(?:org|com)")
PHONE = Runs("PHONE", "0-9() +-", r"[+(]?\d[\d() -]{5,}\d", after="tel:")
MIXED = Runs("MIXED", "A-Za-z0-9@. ", r".*@.* \d+", score=0.5)


def pem() -> Between:
    """Make a detector of private keys."""
    return Between("PRIVATE_KEY", "-BEGIN-", "-END-")


def detectors() -> list:
    """Make several detectors whose finds overlap."""
    return [EMAIL, PHONE, MIXED, pem()]


def make_vault(**options) -> Vault:
    """Make a vault with detectors whose finds do not overlap."""
    return Vault([EMAIL, PHONE, pem()], **{"nonce": NONCE, **options})


PIECES = [
    "ann@example.org", "bob@x.com", "ann@example.or", "g", "ann", "@x.com", " ", ". ", ",", "tel:",
    "tel:+1 415 555-0123", "(415) 555-0123", "415 555-0123", "-BEGIN-", "-END-", "-BE", "GIN-", "-", "\n",
    '"', "\\", "é", "漢字", "\0", "\ud83d", "\ude00", "😀", "<", ">", "<EMAIL_1_", "<EMAIL_1_k3f9>",
    "EMAIL_2_k3f9", "k3", "f9", "K3F9", "_", "[", "]", "](", "{", "&lt;", "&", "gt;", "\\u003c",
    "PHONE 1 k3f9", "1", "b", "e", "P", "<PHONE_1b_k3f9", "LITERAL_1_k3f9", "**",
]  # fmt: skip

texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=20)


@st.composite
def chunked(draw, source=texts) -> tuple[str, list[str]]:
    """Draw a text, and the pieces in which it comes, empty ones included."""
    text = draw(source)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12))) if draw(st.booleans()) else range(len(text))
    ends = [*cuts, len(text)]
    return text, [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def fed(stream, pieces) -> str:
    """Feed all pieces; return all that came out."""
    return "".join([stream.feed(piece) for piece in pieces]) + stream.flush()
