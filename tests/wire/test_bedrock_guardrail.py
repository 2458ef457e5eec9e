"""The format of Bedrock's ApplyGuardrail, held against botocore's description of it."""

from __future__ import annotations

import json

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from aigw.call import Call
from aigw.errors import BadResponse, NoCapableTarget
from aigw.testing import make_call
from aigw.wire.bedrock_guardrail import parse_response, render_request

OPERATION = botocore.session.Session().get_service_model("bedrock-runtime").operation_model("ApplyGuardrail")
UNITS = dict.fromkeys(
    [
        "topicPolicyUnits",
        "contentPolicyUnits",
        "wordPolicyUnits",
        "sensitiveInformationPolicyUnits",
        "sensitiveInformationPolicyFreeUnits",
        "contextualGroundingPolicyUnits",
    ],
    1,
)
ANSWER = {
    "usage": UNITS,
    "action": "GUARDRAIL_INTERVENED",
    "actionReason": "Guardrail blocked.",
    "outputs": [{"text": "Sorry."}],
    "assessments": [
        {
            "topicPolicy": {"topics": [{"name": "finance advice", "type": "DENY", "action": "BLOCKED"}]},
            "contentPolicy": {
                "filters": [
                    {"type": "HATE", "confidence": "MEDIUM", "action": "BLOCKED", "detected": True},
                    {"type": "INSULTS", "confidence": "LOW", "action": "NONE", "detected": True},
                    {"type": "SEXUAL", "confidence": "NONE", "action": "NONE", "detected": False},
                ]
            },
            "wordPolicy": {
                "customWords": [{"match": "anvil", "action": "BLOCKED"}],
                "managedWordLists": [{"match": "x", "type": "PROFANITY", "action": "NONE", "detected": True}],
            },
            "sensitiveInformationPolicy": {
                "piiEntities": [{"match": "a@b.c", "type": "EMAIL", "action": "ANONYMIZED"}],
                "regexes": [{"name": "ticket", "match": "T-1", "regex": "T-1", "action": "NONE", "detected": False}],
            },
            "contextualGroundingPolicy": {
                "filters": [{"type": "GROUNDING", "threshold": 0.5, "score": 0.25, "action": "BLOCKED"}]
            },
        }
    ],
}


@pytest.mark.parametrize(("metadata", "source"), [({}, "INPUT"), ({"source": "output"}, "OUTPUT")])
def test_a_request_is_one_that_botocore_would_send(metadata: dict[str, str], source: str) -> None:
    """It has what the service asks for, and nothing else; the call tells who wrote the text."""
    call = Call(operation="moderation", inputs=("a",), metadata=metadata, extra={"outputScope": "FULL"})
    body = render_request(call, "abc:1")
    report = ParamValidator().validate(
        {"guardrailIdentifier": "abc", "guardrailVersion": "1", **body}, OPERATION.input_shape
    )

    assert report.generate_report() == ""
    assert body == {"source": source, "content": [{"text": {"text": "a"}}], "outputScope": "FULL"}


@pytest.mark.parametrize("inputs", [(), ("a", "b")])
def test_one_text_goes_into_a_request(inputs: tuple[str, ...]) -> None:
    """The service gives one verdict for all of a request."""
    with pytest.raises(NoCapableTarget, match="no text, or several in one request"):
        render_request(make_call(operation="moderation", messages=(), inputs=inputs), "abc")


def test_what_each_policy_found() -> None:
    """What a guardrail acts on is found; what it only sees has a score; no value that it quotes is a name."""
    wired = create_parser("rest-json").parse(
        {"body": json.dumps(ANSWER).encode(), "headers": {}, "status_code": 200}, OPERATION.output_shape
    )
    (chunk,) = parse_response(ANSWER)
    (verdict,) = chunk.verdicts

    assert {name: value for name, value in wired.items() if name in ANSWER} == ANSWER
    assert verdict.flagged
    assert verdict.categories == {
        "finance advice": True,
        "HATE": True,
        "INSULTS": False,
        "SEXUAL": False,
        "WORD": True,
        "PROFANITY": False,
        "EMAIL": True,
        "ticket": False,
        "GROUNDING": True,
    }
    assert verdict.scores == {
        "finance advice": 1.0,
        "HATE": 2 / 3,
        "INSULTS": 1 / 3,
        "SEXUAL": 0.0,
        "WORD": 1.0,
        "PROFANITY": 1.0,
        "EMAIL": 1.0,
        "ticket": 0.0,
        "GROUNDING": 0.75,
    }
    assert verdict.extra["usage"] == UNITS
    assert chunk.usage is None


def test_nothing_found() -> None:
    """An action of NONE is no objection."""
    (chunk,) = parse_response({"usage": UNITS, "action": "NONE", "outputs": [], "assessments": [{}]})

    assert not chunk.verdicts[0].flagged
    assert chunk.verdicts[0].categories == {}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "it must be an object"),
        ({"assessments": []}, "action is missing"),
        ({"action": "NONE", "assessments": [1]}, r"assessments\[0\] must be an object"),
        ({"action": "NONE", "assessments": [{"topicPolicy": {"topics": [{"name": "a"}]}}]}, "action is missing"),
    ],
)
def test_an_answer_that_makes_no_sense(body: object, told: str) -> None:
    """The provider is to blame, and the field is named."""
    with pytest.raises(BadResponse, match=told):
        parse_response(body)  # type: ignore[arg-type]  # what a broken server may send
