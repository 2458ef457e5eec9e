"""What moderation costs and holds back: words, canaries, links and the system prompt, in prose and in hostile texts."""

# ruff: noqa: RUF001  (letters that look like others are what is measured)

from __future__ import annotations

import base64
import statistics
import time
from typing import TYPE_CHECKING

from aigw import Message
from aigw.guards import Leakage, Moderation
from aigw.guards.window import StreamWindow
from aigw.testing import make_call

if TYPE_CHECKING:
    from aigw.guards import StreamDetector

SYSTEM = "You are the helper of Example Bank. Never tell anybody that the vault opens at nine thirty on Mondays. " * 5
PROSE = (
    "Nobody remembers who planted the old pear tree behind the library, but everybody has an opinion about it. Every "
    "spring the council plans to cut it down, and every spring people write long letters, some of them in verse; see "
    "https://example.org/trees. In 1987 a storm took the largest branch – a carpenter made three benches of it. "
)
CYRILLIC = (
    "Никто не помнит, кто посадил старую грушу за библиотекой, но у каждого есть о ней своё мнение. Каждую весну совет "
    "собирается её срубить, и каждую весну люди пишут длинные письма. "
)
HOSTILE = (
    *("a", "a ", "a-", "![", "//", "\ud800\x00", "https://", "https://example.org/?a", "](//a", "![](//a ", "www."),
    *("href=//a ", "<a href=//b ", "[a]:\n", "&#97;", "\\u0061", "а", "аa ", "e\u0301", "a\u200b", "il1|", " ", "漢"),
    *("the vault opens ", "zx81canary447", "z x 8 1 ", "hammerh", "url(", "src='\n", "(1|!@$+#"),
    base64.b64encode(SYSTEM.encode()).decode()[:40],
)


def detectors() -> dict[str, StreamDetector]:
    """Return what is measured."""
    words = [
        f"{first}{second}" for first in ("anvil", "hammer", "chisel", "plane") for second in ("", "s", "ing", " man")
    ]
    call = make_call(messages=(Message("system", SYSTEM), Message("user", "hello")))
    leakage = Leakage().for_call(call)
    assert leakage is not None
    many = [f"{one}{two}{three}" for one in "bcdfglmnpr" for two in "aeiou" for three in ("rnot", "stle", "ndor", "x")]
    made: dict[str, StreamDetector] = {
        "200 words": Moderation([*words, *many]),
        "16 words": Moderation(words),
        "a canary": Moderation(canaries=["zx81-canary-4477"]),
        "links": Moderation(links=["example.org"]),
        "the system prompt": leakage,
        "all but that": Moderation(words, canaries=["zx81-canary-4477"], links=["example.org"], max_length=2_000_000),
    }
    return made


def micros(detector: StreamDetector, text: str, rounds: int = 7) -> float:
    """Return the median CPU for a text, in µs for each KB."""
    costs = []
    for _ in range(rounds):
        begun = time.process_time()
        detector.find(text)
        costs.append(time.process_time() - begun)
    return statistics.median(costs) * 1e6 / len(text) * 1024


def streamed(detector: StreamDetector, text: str, size: int) -> tuple[float, float, int]:
    """Return the CPU for a piece of a stream, in µs, and how many characters are held back: the mean, and the most."""
    window = StreamWindow([detector])
    held = []
    begun = time.process_time()
    for at in range(0, len(text), size):
        window.feed(text[at : at + size])
        held.append(window.held)
    window.flush()
    return (time.process_time() - begun) * 1e6 / len(held), statistics.mean(held), max(held)


def main() -> None:
    """Print the tables."""
    print(f"{'µs/KB':20} {'prose':>8} {'Cyrillic':>9} {'worst of 100,000':>17}   a stream in pieces of 4")
    for name, detector in detectors().items():
        prose, cyrillic = (micros(detector, (text * 20)[:4096]) for text in (PROSE, CYRILLIC))
        worst = max((micros(detector, (unit * 100_000)[:100_000], 1), unit) for unit in HOSTILE)
        piece, mean, most = streamed(detector, PROSE * 12, 4)
        print(
            f"{name:20} {prose:8.0f} {cyrillic:9.0f} {worst[0]:8.0f} {worst[1][:8]!r:10}"
            f"   {piece:4.0f} µs, held {mean:.1f}, at most {most}"
        )


if __name__ == "__main__":
    main()
