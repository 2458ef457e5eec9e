"""The suite sees what it is there to see: every endpoint is in it, and none gets away with a lie."""

from __future__ import annotations

import importlib
from collections import defaultdict
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest

from aigw.providers.table import COMPATIBLE, SERVICES
from contract import test_answers, test_cuts, test_errors, test_reasoning, test_tools, test_usage, test_wishes
from contract.endpoints import ENDPOINTS, ONE_OF_EACH, Endpoint
from contract.exceptions import AT, OF_FORMATS
from contract.lies import LIES, Liar
from contract.said import Failure
from contract.wishes import WISHES

NOTHING = SimpleNamespace(params={})
"""Stands for the parameters of a test that has none."""

HAS = (
    "ANSWERS_AS", "ID", "KEY", "LATE_FAILURES", "MODEL", "RAW_ARGUMENTS", "STREAM_TYPE", "as_event", "back", "check",
    "events", "failures", "finishes", "hides", "read", "signs", "tells", "thinks", "whole",
)  # fmt: skip
"""What every oracle has."""


def test_every_row_is_an_endpoint():
    """With every format that it speaks; so is any server that is named by its URL."""
    rows = {(name, wire) for name, service in SERVICES.items() for wire in service.wires}
    urls = {(service.name, wire) for wire, service in COMPATIBLE.items()}

    assert {(one.provider, one.wire) for one in ENDPOINTS} == rows | urls
    assert len(ENDPOINTS) == len(rows) + len(urls)
    assert len(ENDPOINTS) >= 45


@pytest.mark.parametrize("endpoint", ONE_OF_EACH, ids=str)
def test_every_oracle_is_complete(endpoint):
    """It answers every question that the tests ask."""
    oracle = importlib.import_module(f"contract.oracles.{endpoint.wire}")

    assert [name for name in HAS if not hasattr(oracle, name)] == []
    assert all(isinstance(failure, Failure) for failure in oracle.failures(endpoint.provider))


def test_no_oracle_owes_anything_to_what_it_judges():
    """Oracles import the names of errors and of usage, and nothing else of ours."""
    allowed = {"from aigw.errors import", "from aigw import Usage"}
    folder = Path(__file__).parent / "oracles"
    lines = [line for file in folder.glob("*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    ours = [line for line in lines if "import" in line and "aigw" in line.split()]
    ours += [line for line in lines if line.startswith(("from aigw", "import aigw"))]

    assert [line for line in ours if not line.startswith(tuple(allowed))] == []


def test_every_test_ran_at_every_endpoint(request):
    """Each test of this folder that is about endpoints was collected for all of them, or names those it is about."""
    here = Path(__file__).parent
    whole = request.config.getoption("keyword") == "" and any(
        Path(str(given).partition("::")[0]).resolve() in (here, *here.parents) for given in request.config.args
    )
    if not whole:
        return  # only some of the tests are running
    ran = defaultdict(set)
    for item in request.session.items:
        if here in item.path.parents and isinstance(
            endpoint := getattr(item, "callspec", NOTHING).params.get("endpoint"), Endpoint
        ):
            ran[item.path.stem, item.originalname].add(endpoint)
    few = {test for test, ends in ran.items() if not set(ENDPOINTS) <= ends}
    for_formats = {test for test, ends in ran.items() if ends == set(ONE_OF_EACH)}

    assert len(ran) - len(few) >= 30
    assert {test for test in few - for_formats if not SELECTIVE.keys() & set(test)} == set()


SELECTIVE = {
    "test_limits_that_a_refusal_tells_of": "few providers have told more than what the other tests know",
    "test_operations": "few providers have all operations",
    "test_urls": "an SDK is that of one or two formats",
}
"""Tests, and modules of tests, that are about some endpoints only, and why."""


def test_no_exception_is_out_of_date():
    """What the tables of exceptions name is there."""
    known = {(one.provider, one.wire) for one in ENDPOINTS}
    tables = [*OF_FORMATS.values(), *AT.values()]

    assert set(AT) <= known
    assert set(OF_FORMATS) == {one.wire for one in ENDPOINTS}
    assert {wish for table in tables for wish in table} <= set(WISHES)
    assert all(exceptional.why for table in tables for exceptional in table.values())
    assert {field.name for field in fields(Endpoint)} == {"provider", "wire", "known"}


def _failure(endpoint):
    """Return a failure that every server has."""
    return next(one for one in endpoint.oracle.failures(endpoint.provider) if one.name.startswith("it broke"))


CAUGHT_BY = {
    "forgets the instructions": test_answers.test_a_conversation,
    "forgets the last turn": lambda end: test_answers.test_a_conversation_goes_on(end, False),
    "forgets the tools": lambda end: test_tools.test_one_call_and_its_result(end, False),
    "forgets a setting": lambda end: [test_wishes.test_a_wish(end, name) for name in ("seed", "max_tokens")],
    "mixes up results": test_tools.test_a_conversation_that_was_written_by_hand,
    "forgets arguments": lambda end: test_tools.test_calls_at_once(end, False),
    "forgets reasoning": lambda end: test_reasoning.test_it_goes_back_to_where_it_came_from(
        end, False, test_reasoning.SPOKEN
    ),
    "whispers": lambda end: test_answers.test_text(end, False, "blocking"),
    "adds a field": lambda end: test_answers.test_text(end, False, "blocking"),
    "loses the end of a text": lambda end: test_answers.test_text(end, True, "blocking"),
    "loses tool calls": lambda end: test_tools.test_calls_at_once(end, True),
    "loses usage": lambda end: test_usage.test_they_mean_the_same_everywhere(end, True),
    "counts too much": lambda end: test_usage.test_they_mean_the_same_everywhere(end, False),
    "counts what is not told": lambda end: test_usage.test_they_mean_the_same_everywhere(end, True),
    "loses why it ended": lambda end: test_answers.test_text(end, False, "async"),
    "loses signatures": lambda end: test_reasoning.test_it_goes_back_to_where_it_came_from(
        end, True, test_reasoning.CALLING
    ),
    "swallows cuts": test_cuts.test_cut_between_two_events,
    "takes all failures for one": lambda end: test_errors.test_a_failure_before_an_answer(end, _failure(end)),
    "repeats what it was told": lambda end: test_errors.test_a_failure_before_an_answer(end, _failure(end)),
}
"""A test for each lie, which must see it."""

NOT_A_LIE = {
    ("openai_chat", "forgets reasoning"): "OpenAI's own chat shows none",
    ("openai_chat", "loses signatures"): "OpenAI's own chat has none",
    ("gemini", "loses signatures"): "the signature of a call stands at the call",
    ("cohere_chat", "loses signatures"): "it signs nothing",
}
"""What is true at some endpoint all the same."""


@pytest.mark.parametrize("endpoint", ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("lie", LIES)
def test_no_lie_is_believed(endpoint, lie):
    """A format that does this wrong fails, at the first test that is about it."""
    liar = Liar(endpoint.provider, endpoint.wire, endpoint.known, LIES[lie])
    if (endpoint.wire, lie) in NOT_A_LIE:
        CAUGHT_BY[lie](liar)
        return
    with pytest.raises((AssertionError, LookupError, ValueError)):
        CAUGHT_BY[lie](liar)


def test_every_lie_is_tried():
    """Each has a test that must see it."""
    assert set(CAUGHT_BY) == set(LIES)
