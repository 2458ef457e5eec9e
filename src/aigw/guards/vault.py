"""`Vault`: masks values by tokens such as ``<EMAIL_1_k3f9>``, and puts the values back where the tokens stand."""

from __future__ import annotations

import os
import re
import secrets
import string
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from aigw.aside import breathe
from aigw.checks import at_least, text
from aigw.errors import ConfigError
from aigw.guards.json_text import JsonText, find_in_json
from aigw.guards.known import Known
from aigw.guards.masking import NONCE_KIND, Masker, Part, assemble, plan
from aigw.guards.modes import Mode, Modes
from aigw.guards.restoring import Restorer
from aigw.guards.span import Detector, Span, best
from aigw.guards.tokens import LETTERS, NONCE, heads, label_of, letters_of
from aigw.guards.window import StreamWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Masker", "Mode", "Restorer", "Vault", "VaultFull"]

_NONCE_LENGTH: Final = 6
_TOKEN: Final = re.compile(r"<(?P<name>[A-Z0-9_]{1,64}_[0-9]{1,9}[a-z]{0,4})_(?P<nonce>[a-z0-9]{4,64})>")
_DIGITS_OF_A_PHONE: Final = 10
"""The last digits that tell phones apart: without the code of a country, or the zero in its place."""


class VaultFull(Exception):
    """There is no room for another value. It holds no text."""


class Vault:
    """Holds the values that were masked in one conversation, and what they became.

    The same value always becomes the same token. A value that is written in another way (in capitals, with other
    spaces, a phone without the code of its country) becomes a token of its own, so that each is put back as it was;
    that they mean the same can be seen: ``<PHONE_1_k3f9>`` and ``<PHONE_1b_k3f9>``. ``restore(mask(text)) == text`` for
    every text, also for one that holds what looks like a token: a nonce that stands in it is masked as well.

    Many threads may use one vault. Nothing is written anywhere, and it can be neither pickled nor copied.

    Args:
        detectors: find what is to be masked; by default ``[Pii(), Secrets()]``.
        nonce: what the tokens of this vault end in: 4 to 64 small letters and digits; by default random. Tokens of
            another nonce are never restored. Give the same for each call of a conversation, so that its beginning
            stays the same and the provider's cache of prompts works; give nobody else that one.
        mode: what values become: ``token``, ``redact`` (``[EMAIL]``), ``hash`` (``[EMAIL:51fa0c92b3d4]``), ``last4``
            (``**** 1111``), or a mapping from kinds to these, with ``"*"`` for the others. Only tokens are put back.
        key: the key of hashes; by default random.
        most: values that it holds at most.

    Raises:
        ConfigError: an argument makes no sense.
    """

    def __init__(
        self,
        detectors: Iterable[Detector] | None = None,
        *,
        nonce: str | None = None,
        mode: Mode | Mapping[str, Mode] = "token",
        key: bytes | str | None = None,
        most: int = 10_000,
    ) -> None:
        self._detectors = None if detectors is None else _checked(detectors)
        self._nonce = nonce = _new_nonce() if nonce is None else text("Vault(nonce)", nonce)
        if not NONCE.fullmatch(nonce):
            raise ConfigError("Vault(nonce) must be 4 to 64 small letters and digits; leave it out for a random one")
        self._modes = Modes(mode, key)
        self._most = at_least("Vault(most)", most, 1)
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._known = Known(nonce)
        self._replacements: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._kinds: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._variants: dict[tuple[str, str], list[int]] = {}
        self._labels: tuple[str, ...] = ()

    @property
    def nonce(self) -> str:
        """What the tokens of this vault end in."""
        return self._nonce

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """What finds the values that are masked."""
        if self._detectors is None:
            from aigw.guards.pii import Pii
            from aigw.guards.secrets import Secrets

            self._detectors = (Pii(), Secrets())
        return self._detectors

    def mask(self, text: str, spans: Iterable[Span] | None = None, *, json: bool = False) -> str:
        """Mask what is found in a text, wherever in the text it stands, and what was found in others before.

        What was found is also masked where no detector would find it, if it stands there verbatim and is 4 to 256
        characters long: as a word of its own, or anywhere, if it is a number or an address of 8 or more.

        Args:
            text: the text.
            spans: what was found in it; ``None`` to ask the detectors of the vault.
            json: it is the text of a JSON value, and stays one: values are masked inside of its strings, also where
                they are written with escapes; a number becomes a string. What is no JSON is masked as text.

        Raises:
            VaultFull: there is no room for another value. Nothing of the text may leave then.
        """
        if json:
            return self._mask_json(text, spans)
        found = [span for detector in self.detectors for span in detector.find(text)] if spans is None else spans
        parts = _parts(found, len(text))
        for start, end, kind in parts:
            breathe()
            self.token(kind or "", text[start:end])
        return assemble(text, plan(text, parts, self._known), self.token)

    def _mask_json(self, raw: str, spans: Iterable[Span] | None) -> str:
        try:
            json_text = JsonText(raw)
        except ValueError:
            return self.mask(raw, spans)
        if spans is None:
            spans = [span for detector in self.detectors for span in find_in_json(detector, raw)]
        placed = [_placed(json_text, span) for span in spans]
        text = json_text.text
        parts = list(json_text.within_values(_parts(placed, len(text))))
        for start, end, kind in parts:
            breathe()
            self.token(kind or "", text[start:end])
        planned = plan(text, parts, self._known)
        return json_text.assemble(list(json_text.within_values(planned)), self.token)

    def replace_known(self, text: str, *, json: bool = False) -> str:
        """Mask what was found before, where it stands verbatim (see `mask`); ask no detector.

        Tokens of this vault stay as they are, so that a text may be masked first.

        Args:
            text: the text.
            json: it is the text of a JSON value, and stays one.
        """
        json_text = None
        if json:
            with suppress(ValueError):
                json_text = JsonText(text)
        plain = text if json_text is None else json_text.text
        tokens = [
            Part(*match.span(), None)
            for match in _TOKEN.finditer(plain)
            if match["nonce"] == self._nonce and match["name"] in self._values
        ]
        planned = [part for part in plan(plain, tokens, self._known) if part.kind != NONCE_KIND]
        if json_text is None:
            return assemble(text, planned, self.token)
        return json_text.assemble(list(json_text.within_values(planned)), self.token)

    def token(self, kind: str, value: str) -> str:
        """Return what a value becomes: its token, or what its mode makes of it.

        Args:
            kind: what it is; it does not matter for a value that is known.
            value: the value.

        Raises:
            VaultFull: there is no room for another value.
        """
        replacement = self._replacements.get(value)
        if replacement is not None:
            return replacement
        if os.getpid() != self._process:  # a thread of the parent, which is not here, may hold its lock
            self._process, self._lock = os.getpid(), threading.Lock()
        with self._lock:
            return self._replacements.get(value) or self._add(kind, value)

    def _add(self, kind: str, value: str) -> str:
        if len(self._replacements) >= self._most:
            raise VaultFull(f"the vault holds {self._most} values already; give it a higher most=")
        replacement = None if kind == NONCE_KIND else self._modes.replacement(kind, value)
        if replacement is None:
            label = label_of(kind)
            name = self._new_name(label, value)
            replacement = f"<{name}_{self._nonce}>"
            self._values[name] = value
            if label not in self._labels:
                self._labels = tuple(sorted((*self._labels, label)))
        self._kinds[kind] += 1
        self._known.add(value)
        self._replacements[value] = replacement
        return replacement

    def _new_name(self, label: str, value: str) -> str:
        """Return the name of a new token, such as ``EMAIL_2``, or ``EMAIL_1b`` where the value is known otherwise."""
        meaning = (label, _meaning(label, value))
        known = self._variants.get(meaning)
        if known is None:
            self._numbers[label] += 1
            known = self._variants[meaning] = [self._numbers[label], -1]
        known[1] += 1
        return f"{label}_{known[0]}{letters_of(known[1])}"

    def restore(self, text: str, *, json: bool = False) -> str:
        """Put values back in the place of their tokens, also of those that a model has changed.

        Understood are tokens in other cases, without brackets or with others, and with the escapes of HTML, JSON,
        Markdown and URLs. What is no token of this vault stays as it is.

        Args:
            text: the text.
            json: it is the text of a JSON value: values are escaped for its strings. Elsewhere they are where the
                brackets of their token are.
        """
        restorer = self.restorer(json=json)
        return restorer.feed(text) + restorer.flush() if self._nonce in text.lower() else text

    def masker(self) -> Masker:
        """Return what masks a text that comes in pieces."""
        return Masker(StreamWindow(self.detectors), self._known, self.token)

    def prepare(self) -> None:
        """Make the patterns that restoring needs: about 10 ms for each set of kinds that is new to this process."""
        if self._labels:
            heads(self._labels)

    def restorer(self, *, json: bool = False) -> Restorer:
        """Return what puts values back into a text that comes in pieces.

        Args:
            json: see `restore`.
        """
        return Restorer(self._nonce, self._values, lambda: self._labels, json=json)

    def kinds(self) -> dict[str, int]:
        """Return how many values of each kind it holds."""
        with self._lock:
            return dict(self._kinds)

    def __len__(self) -> int:
        return len(self._replacements)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"Vault({len(self)} values)"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Vault is neither pickled nor copied: it holds what must not leave")


def _new_nonce() -> str:
    rest = LETTERS + string.digits
    return secrets.choice(LETTERS) + "".join([secrets.choice(rest) for _ in range(_NONCE_LENGTH - 1)])


def _checked(detectors: Iterable[Detector]) -> tuple[Detector, ...]:
    checked = tuple(detectors)
    for one in checked:
        if isinstance(one, type) or not isinstance(one, Detector):
            raise ConfigError(f"Vault(detectors) must have a method find(text, start), which {one!r} has not")
    return checked


def _parts(spans: Iterable[Span], length: int) -> list[Part]:
    parts: list[Part] = []
    for span in best(_inside(spans, length)):
        breathe()
        parts.append(Part(span.start, span.end, span.kind))
    return parts


def _inside(spans: Iterable[Span], length: int) -> Iterator[Span]:
    """Cut spans to the text; leave out what is not in it."""
    for span in spans:
        breathe()
        if span.start < 0 or span.end > length:
            span = Span(max(span.start, 0), min(span.end, length), span.kind, span.score)  # noqa: PLW2901  (cut)
        if span.start < span.end:
            yield span


def _placed(text: JsonText, span: Span) -> Span:
    return Span(text.place_in_text(span.start), text.place_in_text(span.end, after=True), span.kind, span.score)


def _meaning(label: str, value: str) -> str:
    """Return what the ways have in common in which a value may be written."""
    if label == "EMAIL":
        return value.casefold()
    meaning = "".join([character for character in value.casefold() if character.isalnum()])
    return meaning[-_DIGITS_OF_A_PHONE:] if label == "PHONE" else meaning or value
