"""How good `Pii` is on generated sentences, and on what only looks like personal data."""

from __future__ import annotations

import pytest

from aigw.guards import Pii
from guards.pii import corpus

PII = Pii()


@pytest.mark.parametrize("half", corpus.HALVES)
def test_generated_sentences_are_read_well(half):
    """Both halves stay above the figures that are promised for texts of other people."""
    rows = [row for row in corpus.positives(seed=5, each=6) + corpus.negatives() if row.half == half]
    figures = corpus.score(PII, rows)

    assert figures["precision"] >= 0.98
    assert figures["f1"] >= 0.97
    assert figures["exact f1"] >= 0.95


def test_written_sentences_are_read_well():
    """Sentences of many languages, lines of logs and tables, and what only looks like personal data."""
    rows = corpus.written()
    figures = corpus.score(PII, rows)

    assert len(rows) >= 350
    assert figures["precision"] >= 0.98
    assert figures["f1"] >= 0.98
    assert figures["exact f1"] >= 0.97


@pytest.mark.parametrize("kind", ["EMAIL", "IBAN", "CREDIT_CARD", "IP"])
def test_no_valid_value_of_the_written_sentences_is_missed(kind):
    """Every valid address, account, card and IP is found from its first to its last character."""
    missed = [
        (row.text, span)
        for row in corpus.written()
        for span in row.spans
        if span[2] == kind and span not in {(found.start, found.end, found.kind) for found in PII.find(row.text)}
    ]

    assert missed == []


@pytest.mark.parametrize("kind", ["EMAIL", "IBAN", "CREDIT_CARD", "IP"])
def test_no_valid_value_is_missed(kind):
    """Every valid address, account, card and IP is found, in every template."""
    rows = [row for row in corpus.positives(seed=9) if row.about == kind]
    missed = [row.text for row in rows if row.spans[0] not in {(s.start, s.end, s.kind) for s in PII.find(row.text)}]

    assert missed == []


def test_hard_negatives_raise_no_alarm():
    """Orders, times, versions, hashes, code and prices are not personal data."""
    alarms = [row.text for row in corpus.negatives() if PII.find(row.text)]

    assert len(corpus.negatives()) >= 150
    assert alarms == []
