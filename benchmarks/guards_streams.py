"""Masking and restoring streams: how much is held back in prose, and what a piece costs."""

from __future__ import annotations

import random
import time

from aigw.guards import Vault

PROSE = (
    "Nobody remembers who planted the old pear tree behind the library, but everybody has an opinion about it. Every "
    "spring the council plans to cut it down, and every spring people write long letters, some of them in verse. Last "
    "year a teacher counted its blossoms with her class: they came to 4,212 before it began to rain. In 1987 a storm "
    "took the largest branch; a carpenter made three benches of it, which stand in front of the town hall and are "
    "always taken. Please do not ask him how old the tree is. He will tell you, at length, about rings, drought, iron "
    "nails and the price of wood, and you will miss your train at 17:45. "
)
SECRETS = (
    "Write to ann.miller@example.org or bob@example.com, or call +1 415 555 0123. My card is 4111 1111 1111 1111, and "
    "the invoice goes to DE89 3704 0044 0532 0130 00. The server has the address 203.0.113.7. "
)


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def held(make, text: str, size: int) -> tuple[int, int, int]:
    """Return how many characters are held back after a piece: median, 95th percentile and most."""
    stream = make()
    found = []
    for piece in pieces(text, size):
        stream.feed(piece)
        found.append(stream.held)
    found.sort()
    return found[len(found) // 2], found[len(found) * 95 // 100], found[-1]


def micros(job, rounds: int = 5) -> float:
    """Return the least CPU that a job took, in µs."""
    least = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        job()
        least = min(least, time.process_time() - begun)
    return least * 1e6


def fed(stream, parts: list[str]) -> None:
    for part in parts:
        stream.feed(part)
    stream.flush()


def shuffled(text: str, times: int) -> str:
    """Return more prose of the same words, in sentences of another order."""
    rng = random.Random(7)
    sentences = text.split(". ")
    return " ".join([f"{sentence}." for _ in range(times) for sentence in rng.sample(sentences, len(sentences))])


def main() -> None:
    """Print the tables."""
    detectors = Vault().detectors
    prose = shuffled(PROSE, 12)
    mixed = PROSE + SECRETS
    vault = Vault(detectors)
    vault.mask(SECRETS)
    masked = vault.mask(mixed * 8)

    print(f"{'held back in prose, characters':44} {'median':>7} {'p95':>5} {'most':>5}")
    for size in (1, 4, 16):
        for name, make in (("masker", lambda: Vault(detectors).masker()), ("restorer", vault.restorer)):
            median, p95, most = held(make, prose, size)
            print(f"{f'{name}, {size} characters a piece':44} {median:7} {p95:5} {most:5}")

    print(f"\n{'cost, µs':44} {'a piece':>9} {'a KB':>9}")
    for name, make, text in (
        ("masker", lambda: Vault(detectors).masker(), mixed * 8),
        ("restorer", vault.restorer, masked),
        ("restorer, JSON", lambda: vault.restorer(json=True), masked),
    ):
        for size in (1, 4, 16, 1_000_000):
            parts = pieces(text, size)
            took = micros(lambda make=make, parts=parts: fed(make(), parts))
            print(f"{f'{name}, {size} characters a piece':44} {took / len(parts):9.1f} {took / len(text) * 1000:9.1f}")
    for name, job, text in (
        ("mask", lambda: Vault(detectors).mask(mixed * 8), mixed * 8),
        ("mask, with its finds given", lambda: vault.mask(prose, []), prose),
        ("restore", lambda: vault.restore(masked), masked),
        ("restore, no token in it", lambda: vault.restore(prose), prose),
    ):
        print(f"{f'{name}, whole text':44} {'':9} {micros(job) / len(text) * 1000:9.1f}")

    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 30_000
    took = micros(lambda: fed(Vault(detectors).masker(), pieces(key, 4)), rounds=1)
    print(f"\n1 MB behind the first line of a private key, 4 characters a piece: {took / 1e6:.1f} s")


if __name__ == "__main__":
    main()
