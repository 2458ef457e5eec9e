"""The format of Azure AI Content Safety."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.call import Call
from aigw.errors import BadResponse, NoCapableTarget, ProviderError
from aigw.testing import make_call
from aigw.wire.content_safety import Dialect, parse_response, render_request
from strategies import unknown_fields

HATEFUL = {
    "blocklistsMatch": [],
    "categoriesAnalysis": [
        {"category": "Hate", "severity": 4},
        {"category": "SelfHarm", "severity": 0},
        {"category": "Sexual", "severity": 2},
        {"category": "Violence", "severity": 6},
    ],
}


def test_a_request_looks_like_this_on_the_wire() -> None:
    """One text, and what the user says beyond it."""
    call = Call(operation="moderation", inputs=("a",), extra={"blocklistNames": ["b"]})

    assert render_request(call, "text") == {"text": "a", "blocklistNames": ["b"]}


@pytest.mark.parametrize("inputs", [(), ("a", "b")])
def test_one_text_goes_into_a_request(inputs: tuple[str, ...]) -> None:
    """No text and several are nothing that the service can be asked about."""
    call = make_call(operation="moderation", messages=(), inputs=inputs)
    with pytest.raises(NoCapableTarget, match="no text, or several in one request"):
        render_request(call, "text")


def test_severities_are_scores() -> None:
    """A seventh each; medium and high are flagged."""
    (chunk,) = parse_response(HATEFUL)
    (verdict,) = chunk.verdicts

    assert verdict.flagged
    assert verdict.categories == {"Hate": True, "SelfHarm": False, "Sexual": False, "Violence": True}
    assert verdict.scores == {"Hate": 4 / 7, "SelfHarm": 0.0, "Sexual": 2 / 7, "Violence": 6 / 7}
    assert parse_response(HATEFUL, Dialect(flagged_from=2))[0].verdicts[0].categories["Sexual"]
    assert not parse_response(HATEFUL, Dialect(flagged_from=7))[0].verdicts[0].flagged


def test_a_list_of_blocked_words_is_a_category() -> None:
    """By its name; the words stay where they are."""
    match = {"blocklistName": "rivals", "blocklistItemId": "1", "blocklistItemText": "acme"}
    (chunk,) = parse_response({"blocklistsMatch": [match, match], "categoriesAnalysis": []})

    assert chunk.verdicts[0].flagged
    assert chunk.verdicts[0].categories == {"rivals": True}
    assert "acme" not in repr(chunk.verdicts)


@given(unknown_fields)
def test_unknown_fields_are_kept(fields: dict[str, object]) -> None:
    """What the service may tell one day reaches the caller."""
    (chunk,) = parse_response({**fields, **HATEFUL})

    assert chunk.verdicts[0].extra == {name: value for name, value in fields.items() if name not in HATEFUL}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "it must be an object"),
        ({}, "categoriesAnalysis"),
        ({"categoriesAnalysis": [1]}, r"categoriesAnalysis\[0\] must be an object"),
        ({"categoriesAnalysis": [{"severity": 1}]}, r"categoriesAnalysis\[0\].category is missing"),
        ({"categoriesAnalysis": [{"category": "Hate", "severity": "x"}]}, r"categoriesAnalysis\[0\].severity"),
        ({"categoriesAnalysis": [], "blocklistsMatch": [{}]}, r"blocklistsMatch\[0\].blocklistName is missing"),
    ],
)
def test_an_answer_that_makes_no_sense(body: object, told: str) -> None:
    """The provider is to blame, and the field is named."""
    with pytest.raises(BadResponse, match=told):
        parse_response(body)  # type: ignore[arg-type]  # what a broken server may send


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s, max_size=2), max_leaves=4)
)
def test_no_answer_breaks_it(value: object) -> None:
    """Whatever stands in the fields."""
    for body in ({"categoriesAnalysis": value}, {**HATEFUL, "blocklistsMatch": value}):
        try:
            chunks = parse_response(body)
        except ProviderError:
            chunks = []

        assert all(len(chunk.verdicts) == 1 for chunk in chunks)
