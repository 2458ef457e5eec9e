"""A guard with everything on: what a prompt of 2 kB, a conversation and a megabyte cost, and how long a loop pauses.

Where presidio-analyzer or detect-secrets are installed, they look at the same texts in the same run.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from counting import idle, watched
from guards_streams import PROSE, shuffled

from aigw import Chunk, Guard, Message, Reply
from aigw.guards import Injection, Moderation, Pii, Secrets, Vault
from aigw.runtime import drive
from aigw.testing import make_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 41
LENGTH = 1990
TURNS = 10
MEGABYTE = 1_000_000
CODE = (
    "def settle(self, ticket: Ticket, used: Mapping[str, int]) -> None:\n    for claim in ticket.claims:\n"
    "        left = self._book[claim.key].left - used.get(claim.dimension, 0)\n        if left < 0:\n"
    "            raise LedgerError(f'{claim.key}: {left} left')  # see issue 4711, fixed in 2.14.3\n"
)
CHAT = (
    "Hi, my order 4471-20 has not come. I am Ann Miller, ann.miller@example.org, or call me at +1 415 555 0132.\n"
    "Sorry to hear that! Which card was charged, and where should the parcel have gone?\n"
    "4111 1111 1111 1111, I think. The parcel goes to 12 Elm Street; the old one came on 3 May at 14:30.\n"
    "Thanks. The refund goes to DE89 3704 0044 0532 0130 00 then? We see a login from 203.0.113.7.\n"
    "Yes please. And could you tell me why the tracking says 'delivered' twice? It was 2 kg, 40 x 30 x 20 cm.\n"
)
KNOWN = "Guard, text known"
WORDS = ("forbidden", "hammer and tongs", "lorem ipsum", "wherewithal", "kerfuffle")
DOCUMENTS = {"prose": PROSE, "code": CODE, "chat with personal data": CHAT}


def documents(size: int = LENGTH) -> dict[str, Iterator[str]]:
    """Return texts without end for each kind of document, no two of them alike."""
    return {name: _others(text, size) for name, text in DOCUMENTS.items()}


def _others(text: str, size: int) -> Iterator[str]:
    rng, lines = random.Random(5), text.replace(". ", ".\n").splitlines(keepends=True)
    number = 0
    while True:
        number += 1
        made = f"{number} " + "".join(rng.sample(lines, len(lines)))
        while len(made) < size:
            made += "".join(rng.sample(lines, len(lines)))
        yield made[:size]


async def inner(_: object) -> Reply:
    return Reply.replay([Chunk("fine", finish_reason="stop")])


def everything() -> Guard:
    return Guard(
        *(Pii(), Secrets(), Injection(), Moderation(WORDS)),
        action={"INJECTION": "flag", "WORD": "flag", "*": "mask"},
        where="everything",
    )


def micros(job: Callable[[], Any]) -> float:
    """Return the µs of CPU that a job takes once."""
    begun = time.process_time()
    job()
    return (time.process_time() - begun) * 1e6


def guarded(guard: Guard, prompt: Any) -> None:
    call = make_call(prompt) if isinstance(prompt, str) else make_call(messages=prompt)
    drive(guard.handle(call, inner))


def peers() -> dict[str, Callable[[str], Any]]:
    """Return what else is installed that looks for values in texts."""
    found: dict[str, Callable[[str], Any]] = {}
    with suppress(ImportError):
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        found["presidio"] = _presidio(AnalyzerEngine, RecognizerRegistry, SpacyNlpEngine)
    with suppress(ImportError):
        from detect_secrets.core.scan import scan_line
        from detect_secrets.settings import default_settings

        def detect_secrets(text: str) -> None:
            with default_settings():
                for line in text.splitlines():
                    list(scan_line(line))

        found["detect-secrets"] = detect_secrets
    return found


def _presidio(engine: Any, registry: Any, nlp: Any) -> Callable[[str], Any]:
    """Return its patterns without its models of language, which take most of its time."""
    import logging

    import spacy

    logging.getLogger("tldextract").setLevel(logging.CRITICAL)  # it asks the network first, and then its own list
    blank = nlp()
    blank.nlp = {"en": spacy.blank("en")}
    recognizers = registry(supported_languages=["en"])
    recognizers.load_predefined_recognizers(languages=["en"])
    recognizers.remove_recognizer("SpacyRecognizer")
    analyzer = engine(registry=recognizers, nlp_engine=blank)
    return lambda text: analyzer.analyze(text, "en")


def prompts() -> Iterator[str]:
    """Yield what a prompt of 2 kB costs: the whole guard, each detector alone, and others."""
    first, second = everything(), everything()
    jobs: dict[str, Callable[[str], Any]] = {
        "Guard, everything": lambda text: guarded(first, text),
        KNOWN: lambda text: guarded(second, text),
        **{type(one).__name__: one.find for one in (Pii(), Secrets(), Injection(), Moderation(WORDS))},
        **peers(),
    }
    yield f"{'A prompt of 2 kB, µs of CPU':34}" + "".join(f"{name:>26}" for name in DOCUMENTS)
    found: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in DOCUMENTS} for name in jobs}
    texts = documents()
    for _ in range(ROUNDS):
        for kind, stream in texts.items():
            for name, job in jobs.items():
                text = next(stream)
                if name == KNOWN:
                    guarded(second, text)
                found[name][kind].append(micros(lambda job=job, text=text: job(text)))
    whole = {kind: statistics.median(found["Guard, everything"][kind]) for kind in DOCUMENTS}
    for name, costs in found.items():
        medians = {kind: statistics.median(values) for kind, values in costs.items()}
        row = "".join(f"{value:14.0f} ({value / whole[kind]:6.2f}x)  " for kind, value in medians.items())
        yield f"{name:34}{row}"


def conversation() -> Iterator[str]:
    """Yield what each turn of a conversation costs, with what was remembered, and without."""
    text = next(documents(size=TURNS * 1000)["chat with personal data"])
    messages = [
        Message("assistant" if number % 2 else "user", text[number * 500 : number * 500 + 500])
        for number in range(2 * TURNS)
    ]
    yield f"{'Turns of a conversation, µs of CPU':34}{'remembered':>14}{'anew':>14}"
    found: dict[int, tuple[list[float], list[float]]] = {turn: ([], []) for turn in range(1, TURNS + 1)}
    for _ in range(9):
        guard = everything()
        for turn, (remembered, anew) in found.items():
            history = messages[: 2 * turn - 1]
            fresh = everything()
            remembered.append(micros(lambda guard=guard, history=history: guarded(guard, history)))
            anew.append(micros(lambda fresh=fresh, history=history: guarded(fresh, history)))
    for turn in (1, 2, 5, TURNS):
        remembered, anew = map(statistics.median, found[turn])
        yield f"{f'turn {turn}, {2 * turn - 1} messages of 500':34}{remembered:14.0f}{anew:14.0f}"


def megabytes() -> Iterator[str]:
    """Yield what a megabyte costs each detector, in ms of CPU, and the longest pause of a loop that serves it."""
    texts = {
        "prose": shuffled(PROSE, 1700)[:MEGABYTE],
        "code": (CODE * (MEGABYTE // len(CODE) + 1))[:MEGABYTE],
        "chat": next(documents(MEGABYTE)["chat with personal data"]),
        "x": "x" * MEGABYTE,
    }
    jobs: dict[str, Callable[[str], Any]] = {
        **{type(one).__name__: one.find for one in (Pii(), Secrets(), Injection(), Moderation(WORDS))},
        "Vault, of what was found": lambda text: Vault([], most=100_000).mask(text, spans[text]),
    }
    pii = Pii()
    spans = {text: pii.find(text) for text in texts.values()}
    yield f"{'1 MB, ms of CPU':34}" + "".join(f"{name:>10}" for name in texts)
    for name, job in jobs.items():
        yield f"{name:34}" + "".join(
            f"{micros(lambda job=job, text=text: job(text)) / 1e3:10.0f}" for text in texts.values()
        )
    yield f"{'Beside a loop':34}{'took ms':>10}{'pause ms':>10}{'5 rounds':>10}"
    for name, text in {"nothing": "", **{f"1 MB of {name}": text for name, text in texts.items()}}.items():
        rounds = sorted((asyncio.run(looked_at(text)) for _ in range(5)), key=lambda pair: pair[1])
        took, pause = rounds[2]
        yield f"{name:34}{took:10.0f}{pause:10.1f}" + f"{rounds[0][1]:8.1f}-{rounds[-1][1]:.1f}"


async def looked_at(text: str) -> tuple[float, float]:
    """Return how long a guard takes for a text beside a loop, and the longest pause of the loop, in ms."""
    guard = everything()
    await guard.handle(make_call("hello", blocking=False), inner)
    return await watched(guard.handle(make_call(text, blocking=False), inner) if text else idle())


def main() -> None:
    for table in (prompts, conversation, megabytes):
        for line in table():
            print(line)
        print()


if __name__ == "__main__":
    main()
