"""Azure AI Content Safety and Bedrock Guardrails: one text in a request, behind the same call as any moderation."""

from __future__ import annotations

import json

import botocore.session
import pytest

from aigw import AnswerBlocked, BadRequest, Guard, PromptBlocked, Target
from aigw.errors import AuthenticationFailed, ConfigError, NoCapableTarget, ProviderRateLimited
from aigw.guards import ModerationModel
from aigw.providers.piecewise import OVERLAP
from aigw.runtime import drive
from aigw.testing import FaultyUpstream
from aigw.testing.upstream.plan import complete
from gateway.faces import FACES
from providers.aws import forget_this_machine, set_credentials
from providers.fake_http import FakeResponse, FakeTransport, connect
from wire.test_bedrock_guardrail import UNITS

ENDPOINT = "https://mine.cognitiveservices.azure.com"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:guardrail/abc123"


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Nothing of this machine."""
    forget_this_machine(monkeypatch, tmp_path)


def analysed(text):
    """Judge a text as Azure writes it."""
    return {"blocklistsMatch": [], "categoriesAnalysis": [{"category": "Hate", "severity": 6 * ("hate" in text)}]}


def assessed(text):
    """Judge a text as Bedrock writes it."""
    filters = [{"type": "HATE", "confidence": "HIGH", "action": "BLOCKED"}] if "hate" in text else []
    action = "GUARDRAIL_INTERVENED" if filters else "NONE"
    return {"usage": UNITS, "action": action, "outputs": [], "assessments": [{"contentPolicy": {"filters": filters}}]}


def answers(judge, *texts):
    """Return a transport that judges these texts."""
    return FakeTransport(*[FakeResponse(json.dumps(judge(text)).encode()) for text in texts])


def moderate(provider, transport, model, *inputs, **fields):
    """Ask a provider about texts."""
    call = transport.call(operation="moderation", messages=(), inputs=inputs, **fields)
    return drive(drive(provider.send(call, model)).read())


def test_azure_is_asked_as_its_sdk_asks():
    """The path, the version and the header of the key."""
    transport = answers(analysed, "I hate it")
    chunk = moderate(connect("azure-content-safety", base_url=ENDPOINT, api_key="k"), transport, "text", "I hate it")

    assert transport.requests[0].url == f"{ENDPOINT}/contentsafety/text:analyze?api-version=2024-09-01"
    assert transport.header("ocp-apim-subscription-key") == ["k"]
    assert transport.bodies == [{"text": "I hate it"}]
    assert [verdict.flagged for verdict in chunk.verdicts] == [True]


def test_azure_takes_tokens_and_other_versions():
    """A token of Entra ID goes where tokens go."""
    transport = answers(analysed, "a")
    provider = connect("azure-content-safety", base_url=ENDPOINT, api_key="eyJ.a.b", api_version="2023-10-01")
    moderate(provider, transport, "text", "a")

    assert transport.requests[0].url.endswith("?api-version=2023-10-01")
    assert transport.header("authorization") == ["Bearer eyJ.a.b"]
    assert transport.header("ocp-apim-subscription-key") == []


@pytest.mark.parametrize(
    ("model", "guardrail", "version"),
    [("abc123:1", "abc123", "1"), ("abc123", "abc123", "DRAFT"), (f"{ARN}:DRAFT", ARN, "DRAFT"), (ARN, ARN, "DRAFT")],
)
def test_a_guardrail_is_asked_as_botocore_asks(monkeypatch, model, guardrail, version):
    """The same URL, by id and by ARN; a signature shows who asks."""
    set_credentials(monkeypatch)
    transport = answers(assessed, "hate")
    provider = connect("bedrock-guardrails", model, region="eu-west-1")
    moderate(provider, transport, model, "hate", metadata={"source": "output"})

    assert transport.requests[0].url == url_of_botocore(guardrail, version)
    assert transport.header("authorization")[0].startswith("AWS4-HMAC-SHA256")
    assert transport.bodies[0]["source"] == "OUTPUT"


def url_of_botocore(guardrail, version):
    """Let botocore's own client make the request; return its URL."""
    client = botocore.session.Session().create_client("bedrock-runtime", region_name="eu-west-1")
    seen = []

    def capture(request, **_):
        seen.append(request.url)
        raise BadRequest("seen")

    client.meta.events.register("before-send.bedrock-runtime", capture)
    with pytest.raises(BadRequest):
        client.apply_guardrail(
            guardrailIdentifier=guardrail, guardrailVersion=version, source="INPUT", content=[{"text": {"text": "a"}}]
        )
    client.close()
    return seen[0]


@pytest.mark.parametrize("model", ["", "ABC", "a:b", "a:0", "a/b", "arn:aws:bedrock:eu-west-1:1:guardrail/a"])
def test_what_is_no_guardrail(model):
    """It is told when the target is made."""
    with pytest.raises(ConfigError, match="name a guardrail by its id or ARN"):
        connect("bedrock-guardrails", model, region="eu-west-1")


def test_several_texts_are_asked_about_one_by_one():
    """There is a verdict for each, in their order; nothing is sent for an empty one."""
    transport = answers(analysed, "a", "hate")
    provider = connect("azure-content-safety", base_url=ENDPOINT, api_key="k")
    chunk = moderate(provider, transport, "text", "a", "", "hate")

    assert [verdict.flagged for verdict in chunk.verdicts] == [False, False, True]
    assert transport.bodies == [{"text": "a"}, {"text": "hate"}]


@pytest.mark.parametrize("length", [1, 9_999, 10_000, 10_001, 19_800, 19_801, 35_000])
def test_long_texts_are_asked_about_in_pieces(length):
    """No piece is too long, every character is seen, pieces overlap, and the worst counts."""
    text = "".join(chr(0x4E00 + number % 10_000) for number in range(length))
    transport = FakeTransport(*[FakeResponse(json.dumps(analysed("hate" * (not n))).encode()) for n in range(9)])
    provider = connect("azure-content-safety", base_url=ENDPOINT, api_key="k")
    chunk = moderate(provider, transport, "text", text)
    pieces = [body["text"] for body in transport.bodies]

    assert all(len(piece) <= 10_000 for piece in pieces)
    assert pieces[0] + "".join(piece[OVERLAP:] for piece in pieces[1:]) == text
    assert len(pieces) == max(1, -(-(length - OVERLAP) // (10_000 - OVERLAP)))
    assert chunk.verdicts[0].flagged
    assert chunk.verdicts[0].scores == {"Hate": 6 / 7}


@pytest.mark.parametrize(
    ("name", "status", "body", "kind"),
    [
        ("azure-content-safety", 401, {"error": {"code": "401", "message": "x"}}, AuthenticationFailed),
        ("azure-content-safety", 400, {"error": {"code": "InvalidRequestBody", "message": "x"}}, BadRequest),
        ("azure-content-safety", 429, {"error": {"code": "TooManyRequests", "message": "x"}}, ProviderRateLimited),
        ("bedrock-guardrails", 429, {"__type": "ThrottlingException", "message": "x"}, ProviderRateLimited),
        ("bedrock-guardrails", 400, {"__type": "ValidationException", "message": "x"}, BadRequest),
    ],
)
def test_failures_have_their_kinds(name, status, body, kind):
    """By what the services say of them."""
    transport = FakeTransport(FakeResponse(json.dumps(body).encode(), status=status))
    provider = connect(name, "abc", base_url=ENDPOINT, api_key="k", region="eu-west-1")
    if name == "azure-content-safety":
        provider = connect(name, "abc", base_url=ENDPOINT, api_key="k")
    with pytest.raises(kind) as caught:
        moderate(provider, transport, "abc", "a")

    assert caught.value.provider == name


@pytest.mark.parametrize("name", ["azure-content-safety", "bedrock-guardrails"])
def test_they_do_nothing_else(name):
    """Chats are for others, and say so before anything is sent."""
    transport = FakeTransport()
    provider = connect(name, "abc", base_url=ENDPOINT, api_key="k")
    with pytest.raises(NoCapableTarget, match=f"{name} does not do chat"):
        drive(provider.send(transport.call(), "abc"))

    assert provider.refusal(transport.call(operation="moderation", inputs=("a", "b")), "abc") == ""


class Services(FaultyUpstream):
    """Stands for the services, and for a model that is guarded."""

    def _body(self, request, number):
        if request.path.partition("?")[0].endswith("text:analyze"):
            return complete(analysed(request.json["text"]))
        if request.path.endswith("/apply"):
            return complete(assessed(request.json["content"][0]["text"]["text"]))
        if request.path.endswith("/moderations"):
            results = [{"flagged": "hate" in text, "categories": {"hate": "hate" in text}, "category_scores": {}}
                       for text in request.json["input"]]  # fmt: skip
            return complete({"id": "m", "model": "omni-moderation-latest", "results": results})
        return super()._body(request, number)


TARGETS = ["azure-content-safety/text", "bedrock-guardrails/abc123:1", "openai/omni-moderation-latest"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("name", TARGETS)
def test_a_gateway_moderates_and_guards_with_each(name, face):
    """Over a socket: verdicts in order; a prompt and an answer that are judged by the service; its key stays there."""
    with Services(answer="I hate you") as upstream:
        judge = Target(name, base_url=upstream.url, api_key="key-of-the-judge")
        routes = {
            "judge": judge,
            "chat": Target("openai/gpt-5.5", base_url=upstream.url, api_key="k"),
            "guarded": Target("openai/gpt-5.5", base_url=upstream.url, api_key="k"),
        }
        guard = Guard(ModerationModel(judge))
        with FACES[face](routes) as one:
            verdicts = one.call(one.gateway, "moderate", ["fine", "hate"], model="judge")
        with FACES[face]({"chat": routes["guarded"]}, [guard]) as one:
            with pytest.raises(PromptBlocked, match="HATE in user"):
                one.chat("hate", model="chat")
            with pytest.raises(AnswerBlocked, match="HATE in answer"):
                one.chat("fine", model="chat")
            with pytest.raises(AnswerBlocked, match="HATE in answer"):
                one.read("fine", model="chat")

    assert [verdict.flagged for verdict in verdicts.verdicts] == [False, True]
    chats = [request for request in upstream.requests if request.path.endswith("/chat/completions")]
    assert len(chats) == 2
    assert not any("key-of-the-judge" in str(request.headers) for request in chats)
